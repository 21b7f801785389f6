package asset

import (
	"fmt"
	"text/template/parse"
	"time"

	template "github.com/DataDog/datadog-agent/pkg/template/text"

	"waggle/shared/metadata"
	"waggle/shared/run"
)

// A template calls no method by its name: a program that can do that links every method of all its types, and a function for Lambda is a
// third larger. So the methods that a notification may call are functions here, and after parsing
//
//	.Asset "sales"     is   Asset . "sales"
//	.Run.Short         is   Short .Run
//	(pipe).Time.Year   is   Year (pipe).Time
//
// One that is not here fails as a field does that is not there.
var methods = template.FuncMap{
	"Asset":  func(of any, key string) (any, error) { return callWith("Asset", of, key, NotificationData.Asset) },
	"Short":  func(of any) (any, error) { return call("Short", of, run.ID.Short) },
	"Any":    func(of any) (any, error) { return call("Any", of, metadata.Value.Any) },
	"String": stringOf,
	"Labels": func(of any) (any, error) { return call("Labels", of, metadata.Values.Labels) },

	"Format":  func(of any, layout string) (any, error) { return callWith("Format", of, layout, formatted) },
	"Year":    func(of any) (any, error) { return call("Year", of, time.Time.Year) },
	"Month":   func(of any) (any, error) { return call("Month", of, time.Time.Month) },
	"Day":     func(of any) (any, error) { return call("Day", of, time.Time.Day) },
	"YearDay": func(of any) (any, error) { return call("YearDay", of, time.Time.YearDay) },
	"Weekday": func(of any) (any, error) { return call("Weekday", of, time.Time.Weekday) },
	"Hour":    func(of any) (any, error) { return call("Hour", of, time.Time.Hour) },
	"Minute":  func(of any) (any, error) { return call("Minute", of, time.Time.Minute) },
	"Second":  func(of any) (any, error) { return call("Second", of, time.Time.Second) },
	"Unix":    func(of any) (any, error) { return call("Unix", of, time.Time.Unix) },
	"IsZero":  func(of any) (any, error) { return call("IsZero", of, time.Time.IsZero) },
}

func formatted(t time.Time, layout string) (string, error) { return t.Format(layout), nil }

func stringOf(of any) (any, error) {
	if s, ok := of.(fmt.Stringer); ok {
		return s.String(), nil
	}
	return label("String", of)
}

func call[T, R any](name string, of any, method func(T) R) (any, error) {
	if t, ok := of.(T); ok {
		return method(t), nil
	}
	return label(name, of)
}

func callWith[T, A, R any](name string, of any, argument A, method func(T, A) (R, error)) (any, error) {
	if t, ok := of.(T); ok {
		return method(t, argument)
	}
	return label(name, of)
}

// label is a value of metadata whose label is the name of a method.
func label(name string, of any) (any, error) {
	values, ok := of.(metadata.Values)
	if !ok {
		return nil, fmt.Errorf("can't evaluate field %s in type %T", name, of)
	}
	value, ok := values[name]
	if !ok {
		return nil, fmt.Errorf("map has no entry for key %q", name)
	}
	return value, nil
}

// callMethods makes calls of functions of what a parsed template writes as calls of methods.
func callMethods(t *template.Template) {
	commandsOf(t, func(c *parse.CommandNode) {
		if called := methodCall(c.Args[0]); called != nil {
			c.Args = append(called.Args, c.Args[1:]...)
		}
		for i, arg := range c.Args {
			c.Args[i] = operand(arg)
		}
	})
}

// operand is a node without calls of methods.
func operand(n parse.Node) parse.Node {
	if c := methodCall(n); c != nil {
		return piped(c)
	}
	before, method, after := splitAtMethod(n)
	if method == "" {
		return n
	}
	return operand(&parse.ChainNode{NodeType: parse.NodeChain, Pos: n.Position(), Node: piped(callOf(before, method)), Field: after})
}

// methodCall is a node that ends with a method as a call; nil for others.
func methodCall(n parse.Node) *parse.CommandNode {
	before, method, after := splitAtMethod(n)
	switch {
	case method == "":
		return nil
	case len(after) == 0:
		return callOf(before, method)
	}
	return methodCall(&parse.ChainNode{NodeType: parse.NodeChain, Pos: n.Position(), Node: piped(callOf(before, method)), Field: after})
}

func piped(c *parse.CommandNode) *parse.PipeNode {
	return &parse.PipeNode{NodeType: parse.NodePipe, Pos: c.Pos, Cmds: []*parse.CommandNode{c}}
}

func callOf(receiver parse.Node, method string) *parse.CommandNode {
	return &parse.CommandNode{NodeType: parse.NodeCommand, Pos: receiver.Position(), Args: []parse.Node{parse.NewIdentifier(method).SetPos(receiver.Position()), receiver}}
}

// splitAtMethod cuts a chain of fields at the first that is a method; its name is empty where there is none.
func splitAtMethod(n parse.Node) (before parse.Node, method string, after []string) {
	var names []string
	first := 0 // of a variable's names that is a field
	switch n := n.(type) {
	case *parse.FieldNode:
		names = n.Ident
	case *parse.VariableNode:
		names, first = n.Ident, 1
	case *parse.ChainNode:
		names = n.Field
	}
	for i := first; i < len(names); i++ {
		if methods[names[i]] == nil {
			continue
		}
		switch n := n.(type) {
		case *parse.FieldNode:
			before = &parse.FieldNode{NodeType: parse.NodeField, Pos: n.Pos, Ident: names[:i]}
			if i == 0 {
				before = &parse.DotNode{NodeType: parse.NodeDot, Pos: n.Pos}
			}
		case *parse.VariableNode:
			before = &parse.VariableNode{NodeType: parse.NodeVariable, Pos: n.Pos, Ident: names[:i]}
		case *parse.ChainNode:
			before = n.Node
			if i > 0 {
				before = &parse.ChainNode{NodeType: parse.NodeChain, Pos: n.Pos, Node: n.Node, Field: names[:i]}
			}
		}
		return before, names[i], names[i+1:]
	}
	return nil, "", nil
}
