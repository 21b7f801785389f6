package table

import (
	"context"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"waggle/shared/fault"
)

// ParquetWriter writes a Parquet file from tables that follow each other, for tables that do not fit into memory. It is for one
// goroutine. The file appears, whole, with Commit; Discard leaves nothing.
type ParquetWriter struct {
	ctx   context.Context
	op    string
	shown string
	draft draft
	out   *pqarrow.FileWriter
}

// CreateParquet begins a file with these columns, with zstd. It must end with Commit or Discard.
func CreateParquet(ctx context.Context, to Folder, file string, columns *arrow.Schema) (*ParquetWriter, error) {
	w := &ParquetWriter{ctx: ctx, op: "write " + to.Path(file), shown: to.Path(file)}
	err := to.check(file)
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		w.draft, err = to.place.create(ctx, file)
	}
	if err != nil {
		return nil, ioFault(w.op, err)
	}
	// The writer is hidden in a struct because pqarrow closes what can be closed.
	w.out, err = pqarrow.NewFileWriter(columns, struct{ io.Writer }{w.draft}, parquetProperties(columns, batchRows), pqarrow.DefaultWriterProps())
	if err != nil {
		w.draft.discard()
		return nil, ioFault(w.op, fault.Wrap(fault.Invalid, "", fmt.Errorf("a column has no Parquet type: %w", err)))
	}
	return w, nil
}

// Write appends rows that have the writer's columns. Each call begins a new row group.
func (w *ParquetWriter) Write(rows *Table) error {
	for batch, err := range (frame{schema: rows.arrow.Schema(), rows: rows.NumRows(), table: rows.arrow}).batches() {
		if err == nil {
			err = w.ctx.Err()
		}
		if err == nil {
			err = w.out.Write(batch)
		}
		if err != nil {
			return ioFault(w.op, err)
		}
	}
	return nil
}

// Commit ends the file and gives it its name, and returns the path that a person opens. Where it fails nothing is
// left, and the file that had the name before is untouched.
func (w *ParquetWriter) Commit() (path string, err error) {
	defer w.draft.discard()
	if err = w.ctx.Err(); err == nil {
		err = w.out.Close()
	}
	if err == nil {
		err = w.draft.commit()
	}
	if err != nil {
		return "", ioFault(w.op, err)
	}
	return w.shown, nil
}

// Discard leaves nothing behind; after Commit it does nothing.
func (w *ParquetWriter) Discard() { w.draft.discard() }
