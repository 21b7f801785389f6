package schema

import (
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/metadata"
	"waggle/shared/run"
	"waggle/shared/table"
)

// CheckUnchanged declares that an asset, a []Struct or a *table.Table, has the columns, with the types, that it had when an earlier run last made it and no blocking check refused
// it: check_<asset>_unchanged. Columns named in expected may come, go and change; nil is none. Order does not count, nor do nulls. The first time it passes.
//
// Its metadata are columns, compared_with (the run, null the first time) and, where there are any, changes and expected_changes: "column x is new", "column y is
// gone", "column z was text, now int64". What is compared is the stored columns, so a field that a struct gained or lost counts.
//
// A change is reported once: the next run is compared with this one. Where the check is blocking, what it refuses is not compared with, and each run fails until the
// columns are back or named in expected.
func CheckUnchanged[T any](a *asset.Asset[T], expected []string, opts *check.Options) *check.Check {
	expected = slices.Clone(expected)
	var mistakes []error
	if def := a.Definition(); def != nil && def.Codec != asset.Parquet {
		mistakes = append(mistakes, fmt.Errorf("%s is not stored as a table, so its columns are not known; it must be a slice of structs or a *table.Table, without another Codec", def.Key))
	}
	return check.Define(checkName(a.Key(), "unchanged"), func(ctx *asset.Context, in []any) (check.Result, error) {
		t, err := table.Of(in[0])
		if err != nil {
			return check.Result{}, err
		}
		result := check.Result{Passed: true, Metadata: metadata.Map{"columns": t.Columns(), "compared_with": nil}}
		before, found, err := ctx.Before()
		if err != nil {
			return check.Result{}, err
		}
		if !found || before.Value == nil || before.Value.Codec != asset.Parquet.Name() {
			result.Description = "there is no earlier table"
			return result, nil
		}
		was, err := storedColumns(ctx, before)
		if err != nil {
			return check.Result{}, err
		}
		now, err := columnsAsStored(t)
		if err != nil {
			return check.Result{}, err
		}
		result.Metadata["compared_with"] = metadata.Run(string(before.Run))
		changes, meant := columnChanges(was, now, expected)
		if len(meant) > 0 {
			result.Metadata["expected_changes"] = meant
		}
		switch n := len(changes); {
		case n > 0:
			result.Passed, result.Description, result.Metadata["changes"] = false, changes[0], changes
			if n > 1 {
				result.Description += ", and " + counted(n-1, "more change")
			}
		case len(meant) > 0:
			result.Description = fmt.Sprintf("%s, as expected", counted(len(meant), "change"))
		default:
			result.Description = "its columns are those of the last time"
		}
		return result, nil
	}, a.Definition(), []asset.Sourced{a}, nil, opts, mistakes...)
}

// storedColumns reads the columns that a value was stored with, whatever its type in Go is today.
func storedColumns(ctx *asset.Context, m run.Materialization) (*arrow.Schema, error) {
	data := m.Value.Inline
	if m.Value.Blob != "" {
		var err error
		if data, err = ctx.Kept(m.Value.Blob); err != nil {
			return nil, fmt.Errorf("read the value of run %s: %w", m.Run.Short(), err)
		}
	}
	columns, err := table.ColumnsOf(data)
	if err != nil {
		return nil, fmt.Errorf("read the value of run %s: %w", m.Run.Short(), err)
	}
	return columns, nil
}

// columnsAsStored is the columns of a table as they come back from the store: dictionaries as text, for one.
func columnsAsStored(t *table.Table) (*arrow.Schema, error) {
	data, err := table.Encode(table.FromArrow(array.NewTableFromRecords(t.Arrow().Schema(), nil)))
	if err != nil {
		return nil, err
	}
	return table.ColumnsOf(data)
}

// columnChanges lists the changes of columns, and apart those of columns that were expected to change.
func columnChanges(before, after *arrow.Schema, expected []string) (changes, meant []string) {
	add := func(name, change string) {
		if slices.Contains(expected, name) {
			meant = append(meant, change)
		} else {
			changes = append(changes, change)
		}
	}
	for _, f := range before.Fields() {
		at := after.FieldIndices(f.Name)
		if len(at) == 0 {
			add(f.Name, "column "+f.Name+" is gone")
			continue
		}
		if old, new := table.TypeWord(f.Type), table.TypeWord(after.Field(at[0]).Type); old != new {
			add(f.Name, fmt.Sprintf("column %s was %s, now %s", f.Name, old, new))
		}
	}
	for _, f := range after.Fields() {
		if len(before.FieldIndices(f.Name)) == 0 {
			add(f.Name, "column "+f.Name+" is new")
		}
	}
	return changes, meant
}
