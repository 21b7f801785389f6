package table

import (
	"bufio"
	"context"
	"encoding/json"
	"io"

	"github.com/apache/arrow-go/v18/arrow"

	"waggle/shared/fault"
)

// WriteJSON writes a slice of structs or a *Table as an array, one compact object a line, with the
// keys in column order, and returns the path that a person opens:
//
//	[
//	{"sale_id":1,"title":"Fish & Chips","pct_change":-96.3},
//	{"sale_id":2,"title":null,"pct_change":null}
//	]
//
// No rows are []. Floats are the shortest that read back, without an exponent below 1e21; times are
// RFC 3339 in UTC, the zero time null; []byte is base64; a nil slice is null, a list of structs an
// array of objects. NaN, infinities and text that is not UTF-8 have no JSON and are an error that
// names the row (counted from 0) and the column.
//
// The folder is created if it is missing. The file appears whole or not at all: what was there stays
// until the new content is safe on the disk.
func WriteJSON(ctx context.Context, to Folder, file string, rows any) (path string, err error) {
	return writeRows(ctx, to, file, rows, func(w *bufio.Writer, f frame) error {
		line := []byte("[")
		err := f.eachRow(ctx, func(batch arrow.RecordBatch, i, row int) error {
			if row > 0 {
				line = append(line, ',')
			}
			var err error
			if line, err = appendObject(append(line, '\n'), f.schema.Fields(), batch.Column, i); err != nil {
				return fault.New(fault.Invalid, "row %d, %w", row, err)
			}
			_, err = w.Write(line)
			line = line[:0]
			return err
		})
		if err != nil {
			return err
		}
		if f.rows > 0 {
			line = append(line, '\n')
		}
		_, err = w.Write(append(line, "]\n"...))
		return err
	})
}

// WriteJSONValue writes any value that encoding/json takes, indented by two spaces, without HTML
// escaping, as a file that appears whole or not at all.
func WriteJSONValue(ctx context.Context, to Folder, file string, v any) (path string, err error) {
	return to.write(ctx, file, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		if err := e.Encode(v); err != nil {
			return jsonFault(err)
		}
		return nil
	})
}

// jsonFault tells a value without JSON from a disk that did not take it.
func jsonFault(err error) error {
	switch err.(type) {
	case *json.UnsupportedTypeError, *json.UnsupportedValueError, *json.MarshalerError:
		return fault.Wrap(fault.Invalid, "", err)
	}
	return err
}

// writeRows gives use the rows and a buffered file.
func writeRows(ctx context.Context, to Folder, file string, rows any, use func(*bufio.Writer, frame) error) (string, error) {
	f, err := frameOf(rows)
	if err != nil {
		return "", ioFault("write "+to.Path(file), err)
	}
	return to.write(ctx, file, func(w io.Writer) error {
		b := bufio.NewWriterSize(w, 64<<10)
		if err := use(b, f); err != nil {
			return err
		}
		return b.Flush()
	})
}

// eachRow calls do with every row: its batch, its place there and its number from 0.
func (f frame) eachRow(ctx context.Context, do func(batch arrow.RecordBatch, i, row int) error) error {
	row := 0
	for batch, err := range f.batches() {
		if err != nil {
			return err
		}
		for i := range int(batch.NumRows()) {
			if err := do(batch, i, row); err != nil {
				return err
			}
			if row++; row%checkEvery == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
		}
	}
	return nil
}
