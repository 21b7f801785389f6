package schema

import (
	"reflect"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"waggle/shared/table"
)

// rowRule is a rule over rows as structs, its type erased.
type rowRule interface {
	// over returns what marks the rows of a block; rows is what was given to Validate.
	over(rows any, b *binding) (func(*block, []uint64), error)
}

// Row demands what a function says of each row as a struct. The check is named after the rule; columns, which
// may be left out, say what it looks at: failures show their values.
// The rows of a []R are handed over as they are; those of other tables are read into R, without
// conversions, and a row with a null where the field of R is no pointer is not looked at. The function must be safe for several
// goroutines; if it panics, Validate returns an error that names it.
func Row[R any](name string, pass func(R) bool, columns ...string) *TableRule {
	t := tableRule(name, columns, nil)
	if pass == nil {
		t.mistake("its function is nil")
	}
	if err := table.CheckRow(reflect.TypeFor[R]()); err != nil {
		t.mistake("%w", err)
	}
	t.rule.row = typedRow[R]{pass}
	return t
}

type typedRow[R any] struct{ pass func(R) bool }

func (r typedRow[R]) over(rows any, on *binding) (func(*block, []uint64), error) {
	if all, ok := rows.([]R); ok {
		return func(b *block, fail []uint64) { r.mark(all[b.from:b.from+b.n], 0, b, fail) }, nil
	}
	empty, err := table.FromRows([]R{})
	if err != nil {
		return nil, err
	}
	from := on.handedOn(Allow)
	if _, err := table.Rows[R](table.FromArrow(sliceTable(from, 0, 0))); err != nil {
		return nil, err
	}
	var fields []arrow.Field
	var columns []arrow.Column
	var required []*chunked // of fields that cannot be null
	var lost []*marks       // rows without the value that they should have
	for _, f := range empty.Arrow().Schema().Fields() {
		at := from.Schema().FieldIndices(f.Name)[0]
		fields, columns = append(fields, from.Schema().Field(at)), append(columns, *from.Column(at))
		if !f.Nullable {
			required = append(required, chunkedOf(from.Column(at).Data()))
		}
		if i := slices.IndexFunc(on.schema.columns, func(c *column) bool { return c.name == f.Name }); i >= 0 && on.columns[i].lost != nil {
			lost = append(lost, on.columns[i].lost)
		}
	}
	narrow := array.NewTable(arrow.NewSchema(fields, nil), columns, from.NumRows())
	looksAt := func(row int) bool {
		return !slices.ContainsFunc(lost, func(m *marks) bool { return m.has(row) }) &&
			!slices.ContainsFunc(required, func(c *chunked) bool { a, i := c.find(row); return isNull(a, i) })
	}
	return func(b *block, fail []uint64) {
		for at := 0; at < b.n; at++ {
			first := at
			for at < b.n && looksAt(b.from+at) {
				at++
			}
			if first < at {
				some, err := table.Rows[R](table.FromArrow(sliceTable(narrow, b.from+first, b.from+at)))
				if err != nil {
					panic(err) // a value that does not fit the field's width
				}
				r.mark(some, first, b, fail)
			}
		}
	}, nil
}

// sliceTable returns the rows from one up to, without, another.
func sliceTable(t arrow.Table, from, to int) arrow.Table {
	columns := make([]arrow.Column, t.NumCols())
	for i := range columns {
		columns[i] = *array.NewColumnSlice(t.Column(i), int64(from), int64(to))
	}
	return array.NewTable(t.Schema(), columns, int64(to-from))
}

func (r typedRow[R]) mark(rows []R, at int, b *block, fail []uint64) {
	for k, row := range rows {
		i := at + k
		b.at = i
		if !r.pass(row) {
			fail[i>>6] |= 1 << (i & 63)
		}
	}
}
