// Package table reads, writes, stores and previews tables: slices of structs, one a row, and
// Table for data that has no struct. Columns are the fields in snake case; a pointer may be null.
//
// Reading and writing go through a Folder: a local path, files embedded in the binary, or a blob
// URL. Encode and Decode are the form in which a run keeps a table.
//
// It knows nothing of assets, runs or schemas. Of ours it imports fault and metadata.
package table

import (
	"reflect"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"waggle/shared/fault"
)

// Table is a table of columns, for data that has no struct. It is an Apache Arrow table on the
// ordinary Go heap, is never changed once made, and may be read by several goroutines. Make one
// with FromRows or FromArrow; a nil Table is not a table.
type Table struct{ arrow arrow.Table }

// FromArrow wraps an Arrow table. It keeps no count of its references, so the table must come
// from the Go allocator (memory.DefaultAllocator), which needs none.
func FromArrow(t arrow.Table) *Table { return &Table{t} }

// FromRows makes a table of rows. A row that no column holds (a time outside the years 1678 to
// 2262) is an error.
func FromRows[R any](rows []R) (*Table, error) {
	f, err := frameOf(rows)
	if err != nil {
		return nil, err
	}
	return f.asTable()
}

// Rows turns a table into structs. A column of R that the table has not, has with another type
// or has with nulls where the field is no pointer, is an error; other columns are left out. No
// rows are an empty slice, not nil.
func Rows[R any](t *Table) ([]R, error) {
	p, err := planOf(reflect.TypeFor[R]())
	if err != nil {
		return nil, err
	}
	if t == nil {
		return nil, fault.New(fault.Invalid, "a nil *table.Table has no rows").WithHint("make one with table.FromRows")
	}
	bad := p.match(t.arrow.Schema())
	rows := []R{}
	if bad == nil {
		bad = p.scan(reflect.ValueOf(&rows).Elem(), t.arrow)
	}
	if bad != nil {
		return nil, bad.fault(fault.Invalid, "is", "the field wants")
	}
	return rows, nil
}

// Arrow returns the table itself, for computing with Arrow.
func (t *Table) Arrow() arrow.Table { return t.arrow }

// NumRows returns how many rows there are.
func (t *Table) NumRows() int { return int(t.arrow.NumRows()) }

// Columns returns the names of the columns in order.
func (t *Table) Columns() []string {
	return fieldNames(t.arrow.Schema())
}

func fieldNames(s *arrow.Schema) []string {
	names := make([]string, s.NumFields())
	for i, f := range s.Fields() {
		names[i] = f.Name
	}
	return names
}

// Of returns a *Table as it is and makes one of a slice of structs, for callers that do not know the
// type of the rows. What is neither is an error.
func Of(rows any) (*Table, error) {
	if t, ok := rows.(*Table); ok && t != nil {
		return t, nil
	}
	f, err := frameOf(rows)
	if err != nil {
		return nil, err
	}
	return f.asTable()
}

func (f frame) asTable() (*Table, error) {
	if f.table != nil {
		return &Table{f.table}, nil
	}
	batches := make([]arrow.RecordBatch, (f.rows+batchRows-1)/batchRows)
	errs := make([]error, len(batches))
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(batches)) {
		workers.Go(func() {
			for k := int(next.Add(1)) - 1; k < len(batches); k = int(next.Add(1)) - 1 {
				batches[k], errs[k] = f.plan.build(f.slice, k*batchRows, min((k+1)*batchRows, f.rows))
			}
		})
	}
	workers.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return &Table{array.NewTableFromRecords(f.schema, batches)}, nil
}
