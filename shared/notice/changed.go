package notice

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"waggle/shared/metadata"
	"waggle/shared/report"
	"waggle/shared/run"
)

// Change is one thing that differs from the last success.
type Change struct {
	Kind ChangeKind `json:"kind"`
	// Name is the configuration key or the asset; empty for the code.
	Name string `json:"name,omitempty"`
	// Column is the column of a schema.
	Column string `json:"column,omitempty"`
	// Before and After are as people read them; empty: it was not there, or is not any more.
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`

	ratio float64 // of rows: how far they are apart, either way; the largest is told first
}

// ChangeKind says what changed.
type ChangeKind string

// The kinds of changes, in the order in which they are told.
const (
	CodeChanged   ChangeKind = "code"
	ConfigChanged ChangeKind = "config"
	SchemaChanged ChangeKind = "schema"
	RowsChanged   ChangeKind = "rows"
)

// changes compares a run with the last success before it.
func changes(before, now run.Record, inputs []run.AssetKey) []Change {
	var all []Change
	if a, b := before.Request.CodeVersion, now.Request.CodeVersion; a != b {
		all = append(all, Change{Kind: CodeChanged, Before: a, After: b})
	}
	keys := slices.Collect(maps.Keys(before.Request.Config))
	for key := range now.Request.Config {
		if _, ok := before.Request.Config[key]; !ok {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	for _, key := range keys {
		if a, b := configText(before.Request.Config, key), configText(now.Request.Config, key); a != b {
			all = append(all, Change{Kind: ConfigChanged, Name: key, Before: a, After: b})
		}
	}
	then, today := reported(before), reported(now)
	var schemas, rows []Change
	for _, key := range assetsOf(now, inputs) {
		values := today[key]
		old, ok := then[key]
		if !ok || values == nil {
			continue
		}
		schemas = append(schemas, schemaChanges(key, old, values)...)
		a, hadRows := report.Rows(old)
		b, hasRows := report.Rows(values)
		if hadRows && hasRows && a != b {
			rows = append(rows, Change{Kind: RowsChanged, Name: string(key), Before: report.Number(a), After: report.Number(b),
				ratio: math.Abs(math.Log(float64(max(0, b)+1) / float64(max(0, a)+1)))})
		}
	}
	slices.SortStableFunc(rows, func(a, b Change) int { return cmp.Compare(b.ratio, a.ratio) })
	return append(append(all, schemas...), rows...)
}

// configText is a value of a configuration as it is typed; empty where the run was not given one.
func configText(c run.Config, key string) string {
	v, ok := c[key]
	if !ok {
		return ""
	}
	if s, ok := v.(string); ok {
		return fmt.Sprintf("%q", s)
	}
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(data)
}

// reported is what each asset of a run said of itself, also where its step then failed.
func reported(r run.Record) map[run.AssetKey]metadata.Values {
	all := make(map[run.AssetKey]metadata.Values, len(r.Materializations))
	for _, s := range r.Steps {
		if _, isCheck := s.Check(); !isCheck && s.Metadata != nil {
			all[run.AssetKey(s.Key)] = s.Metadata
		}
	}
	for _, m := range r.Materializations {
		all[m.Asset] = m.Metadata
	}
	return all
}

// assetsOf lists the assets to compare, in the order of the log.
func assetsOf(r run.Record, inputs []run.AssetKey) []run.AssetKey {
	if inputs != nil {
		return inputs
	}
	var keys []run.AssetKey
	seen := map[run.AssetKey]bool{}
	for _, s := range r.Steps {
		if _, isCheck := s.Check(); !isCheck {
			keys, seen[run.AssetKey(s.Key)] = append(keys, run.AssetKey(s.Key)), true
		}
	}
	for _, m := range r.Materializations {
		if !seen[m.Asset] {
			keys, seen[m.Asset] = append(keys, m.Asset), true
		}
	}
	return keys
}

// schemaChanges compares the table schemas under one label, column by column.
func schemaChanges(asset run.AssetKey, before, now metadata.Values) []Change {
	var all []Change
	for _, label := range now.Labels() {
		a, b := columns(before[label]), columns(now[label])
		if a == nil || b == nil {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(a)) {
			if _, ok := b[name]; !ok {
				all = append(all, Change{Kind: SchemaChanged, Name: string(asset), Column: name, Before: a[name]})
			}
		}
		for _, name := range slices.Sorted(maps.Keys(b)) {
			if a[name] != b[name] {
				all = append(all, Change{Kind: SchemaChanged, Name: string(asset), Column: name, Before: a[name], After: b[name]})
			}
		}
	}
	return all
}

// columns are the columns of a schema: name to type. Nil for what is no schema, or too large to be at hand.
func columns(v metadata.Value) map[string]string {
	var s struct{ Columns []metadata.Column }
	if v.Type != metadata.TypeTableSchema || v.Blob != "" || v.Decode(&s) != nil {
		return nil
	}
	all := make(map[string]string, len(s.Columns))
	for _, c := range s.Columns {
		all[c.Name] = c.Type
		if c.Nullable {
			all[c.Name] += ", may be empty"
		}
	}
	return all
}

// words tells a change.
func (c Change) words() words {
	switch c.Kind {
	case CodeChanged:
		return say("Code: ", c.fromTo())
	case ConfigChanged:
		switch {
		case c.Before == "":
			return say("Config ", code(c.Name), ": ", code(c.After), ", was not set")
		case c.After == "":
			return say("Config ", code(c.Name), ": not set, was ", code(c.Before))
		}
		return say("Config ", code(c.Name), ": ", c.fromTo())
	case RowsChanged:
		return say("Rows of ", code(c.Name), ": ", c.Before+" → "+c.After)
	default:
		switch {
		case c.Before == "":
			return say("New column ", code(c.Column), " in ", code(c.Name), " (", cut(oneLine(c.After), 60), ")")
		case c.After == "":
			return say("Column ", code(c.Column), " is gone from ", code(c.Name))
		}
		return say("Column ", code(c.Column), " of ", code(c.Name), ": ", c.fromTo())
	}
}

func (c Change) fromTo() words {
	if strings.TrimSpace(c.Before) == "" {
		return say(code(c.After))
	}
	if strings.TrimSpace(c.After) == "" {
		return say("unknown, was ", code(c.Before))
	}
	return say(code(c.Before), " → ", code(c.After))
}
