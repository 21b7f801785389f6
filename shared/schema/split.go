package schema

import (
	"reflect"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"waggle/shared/table"
)

// Split takes the valid rows of a []Struct or a *table.Table and the invalid ones apart, each in their order. T is
// the type of rows. Valid rows of a *table.Table have their columns converted where the schema coerces and lose those that ExtraColumns: Drop
// drops; invalid ones stay as they came. Slices that it returns are new and never nil. Errors are those of Validate.
func Split[T any](s *Schema, rows T) (good, bad T, r *Result, err error) {
	b, err := bind(s, rows)
	if err != nil {
		return good, bad, nil, err
	}
	e := newEvaluator(b)
	if v := reflect.ValueOf(rows); v.Kind() == reflect.Slice {
		if err := e.run(nil); err != nil {
			return good, bad, nil, err
		}
		r = e.result()
		g, b := splitSlice(v, r)
		return g.Interface().(T), b.Interface().(T), r, nil
	}
	valid, invalid := newHalf(b.handedOn(s.options.ExtraColumns)), newHalf(b.table.Arrow())
	err = e.run(func(from, n int, bits []uint64) error {
		if err := valid.add(spanOf(from, n, bits, false)); err != nil {
			return err
		}
		return invalid.add(spanOf(from, n, bits, true))
	})
	if err != nil {
		return good, bad, nil, err
	}
	return any(table.FromArrow(valid.table())).(T), any(table.FromArrow(invalid.table())).(T), e.result(), nil
}

// splitSlice copies runs of rows.
func splitSlice(rows reflect.Value, r *Result) (good, bad reflect.Value) {
	good = reflect.MakeSlice(rows.Type(), 0, r.Rows-r.InvalidRowCount)
	bad = reflect.MakeSlice(rows.Type(), 0, r.InvalidRowCount)
	from := 0
	for row := range r.InvalidRows() {
		good = reflect.AppendSlice(good, rows.Slice(from, row))
		bad = reflect.Append(bad, rows.Index(row))
		from = row + 1
	}
	return reflect.AppendSlice(good, rows.Slice(from, r.Rows)), bad
}

// handedOn is the table with its columns converted and, where extras is Drop, without those that the schema does not
// name.
func (b *binding) handedOn(extras Extra) arrow.Table {
	t := b.table.Arrow()
	var fields []arrow.Field
	var columns []arrow.Column
	for at, f := range t.Schema().Fields() {
		column, extra := *t.Column(at), true
		for i, c := range b.schema.columns {
			if c.name != f.Name {
				continue
			}
			extra = false
			if bound := b.columns[i]; bound != nil && bound.lost != nil {
				f = arrow.Field{Name: f.Name, Type: c.kind.arrow, Nullable: true, Metadata: f.Metadata}
				column = *arrow.NewColumn(f, arrow.NewChunked(c.kind.arrow, bound.values.chunks))
			}
		}
		if !extra || extras != Drop {
			fields, columns = append(fields, f), append(columns, column)
		}
	}
	meta := t.Schema().Metadata()
	return array.NewTable(arrow.NewSchema(fields, &meta), columns, t.NumRows())
}
