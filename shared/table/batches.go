package table

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// Batches hands a slice of structs or a *Table to another library as Arrow record batches of at most 131,072 rows. Those of structs
// are built as they are read, so that the rows are not held twice. The reader is for one goroutine at a time; an error
// of a row ends it and is in Err.
func Batches(rows any) (array.RecordReader, error) {
	f, err := frameOf(rows)
	if err != nil {
		return nil, err
	}
	if f.table != nil {
		return array.NewTableReader(f.table, batchRows), nil
	}
	return &batchReader{frame: f}, nil
}

// batchReader reads a slice of structs. It is no iterator turned round, since those may not be read from C.
type batchReader struct {
	frame frame
	next  int // the first row that is not read
	batch arrow.RecordBatch
	err   error
}

func (r *batchReader) Next() bool {
	if r.err != nil || r.next >= r.frame.rows {
		r.batch = nil
		return false
	}
	to := min(r.next+batchRows, r.frame.rows)
	r.batch, r.err = r.frame.plan.build(r.frame.slice, r.next, to)
	r.next = to
	return r.err == nil
}

func (r *batchReader) Schema() *arrow.Schema          { return r.frame.schema }
func (r *batchReader) RecordBatch() arrow.RecordBatch { return r.batch }
func (r *batchReader) Record() arrow.RecordBatch      { return r.batch }
func (r *batchReader) Err() error                     { return r.err }
func (r *batchReader) Retain()                        {} // Go's memory needs no count
func (r *batchReader) Release()                       {}
