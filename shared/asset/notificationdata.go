package asset

import (
	"text/template/parse"
	"time"

	template "github.com/DataDog/datadog-agent/pkg/template/text"

	"waggle/shared/fault"
	"waggle/shared/metadata"
	"waggle/shared/run"
)

// NotificationData is what the templates of a notification asset see: its fields, and of its methods and those of what is in them .Asset "key",
// .Run.Short, .Any of a value, .Labels of metadata, .String, and of a time .Format "layout", .Year, .Month, .Day, .YearDay, .Weekday, .Hour,
// .Minute, .Second, .Unix and .IsZero.
type NotificationData struct {
	Run    run.ID // {{.Run}}; {{.Run.Short}} is enough for commands
	Job    string // empty: a selection of steps
	Assets []Told // Deps, in their order
}

// Told is what a notification may tell of an asset in Deps: its materialization of this run, else the newest that no blocking check refused.
type Told struct {
	Key  Key
	Run  run.ID    // that made it; empty: nothing is recorded of it
	Time time.Time // UTC
	// Metadata are its values by label: {{.Metadata.record_count}} is 1,234 as people read it, {{.Metadata.record_count.Any}} the
	// number itself, and a table's or a Markdown text's lines.
	Metadata metadata.Values
}

// Asset returns an asset by its key; fault.NotFound for one that is not in Deps.
func (d NotificationData) Asset(key string) (Told, error) {
	keys := make([]string, len(d.Assets))
	for i, a := range d.Assets {
		if keys[i] = string(a.Key); keys[i] == key {
			return a, nil
		}
	}
	return Told{}, fault.Unknown("asset in Deps", key, keys)
}

// keysIn lists the keys that a template asks for by .Asset "key".
func keysIn(t *template.Template) []string {
	var keys []string
	commandsOf(t, func(c *parse.CommandNode) {
		if key, ok := keyOf(c); ok {
			keys = append(keys, key)
		}
	})
	return keys
}

// commandsOf calls a function with each command of a template and of those it defines, before the commands inside it.
func commandsOf(t *template.Template, use func(*parse.CommandNode)) {
	var walk func(n parse.Node)
	branch := func(b *parse.BranchNode) {
		walk(b.Pipe)
		walk(b.List)
		if b.ElseList != nil {
			walk(b.ElseList)
		}
	}
	walk = func(n parse.Node) {
		switch n := n.(type) {
		case *parse.ListNode:
			for _, child := range n.Nodes {
				walk(child)
			}
		case *parse.ActionNode:
			walk(n.Pipe)
		case *parse.IfNode:
			branch(&n.BranchNode)
		case *parse.RangeNode:
			branch(&n.BranchNode)
		case *parse.WithNode:
			branch(&n.BranchNode)
		case *parse.TemplateNode:
			if n.Pipe != nil {
				walk(n.Pipe)
			}
		case *parse.PipeNode:
			for _, command := range n.Cmds {
				walk(command)
			}
		case *parse.ChainNode:
			walk(n.Node)
		case *parse.CommandNode:
			use(n)
			for _, arg := range n.Args {
				walk(arg)
			}
		}
	}
	for _, one := range t.Templates() {
		if one.Tree != nil && one.Root != nil {
			walk(one.Root)
		}
	}
}

// keyOf returns the key of a call .Asset "key" or $.Asset "key".
func keyOf(n *parse.CommandNode) (string, bool) {
	if len(n.Args) != 2 {
		return "", false
	}
	key, ok := n.Args[1].(*parse.StringNode)
	if !ok {
		return "", false
	}
	switch name := n.Args[0].String(); name {
	case ".Asset", "$.Asset":
		return key.Text, true
	}
	return "", false
}
