package table

import (
	"fmt"
	"iter"
	"reflect"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"waggle/shared/fault"
)

// batchRows bounds a record batch, and so what a writer holds beside the rows. It also keeps a
// text column under Arrow's 2 GiB a batch up to 16 KiB a value.
const batchRows = 1 << 17

// frame is rows in either form, a slice of structs or a Table, seen as batches of columns.
type frame struct {
	schema *arrow.Schema
	rows   int
	plan   *plan         // of a slice of structs
	slice  reflect.Value // of a slice of structs
	table  arrow.Table   // of a Table
}

// frameOf takes a slice of structs or a *Table.
func frameOf(rows any) (frame, error) {
	if t, ok := rows.(*Table); ok && t != nil {
		return frame{schema: t.arrow.Schema(), rows: t.NumRows(), table: t.arrow}, nil
	}
	v := reflect.ValueOf(rows)
	if !v.IsValid() || v.Kind() != reflect.Slice {
		return frame{}, fault.New(fault.Invalid, "%s is not a table", typeName(rows)).WithHint("a table is a slice of structs or a *table.Table")
	}
	p, err := planOf(v.Type().Elem())
	if err != nil {
		return frame{}, err
	}
	return frame{schema: p.schema, rows: v.Len(), plan: p, slice: v}, nil
}

func typeName(v any) string {
	if v == nil {
		return "nil"
	}
	if t, ok := v.(*Table); ok && t == nil {
		return "a nil *table.Table"
	}
	return fmt.Sprintf("%T", v)
}

// head returns the first n rows.
func (f frame) head(n int) frame {
	f.rows = max(0, min(n, f.rows))
	return f
}

// batches yields the rows as columns, a batch at a time. No rows are no batches.
func (f frame) batches() iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		if f.table != nil {
			r := array.NewTableReader(f.table, batchRows)
			defer r.Release()
			for left := int64(f.rows); left > 0 && r.Next(); {
				batch := r.RecordBatch()
				batch = batch.NewSlice(0, min(left, batch.NumRows()))
				left -= batch.NumRows()
				if !yield(batch, nil) {
					return
				}
			}
			if err := r.Err(); err != nil {
				yield(nil, fault.Wrap(fault.Internal, "split a table", err))
			}
			return
		}
		for from := 0; from < f.rows; from += batchRows {
			batch, err := f.plan.build(f.slice, from, min(from+batchRows, f.rows))
			if !yield(batch, err) || err != nil {
				return
			}
		}
	}
}
