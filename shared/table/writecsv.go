package table

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/csv"
	"math"
	"strconv"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"waggle/shared/fault"
)

// WriteCSV writes a slice of structs or a *Table as CSV with a header, LF at the line ends, and
// returns the path that a person opens. Null and the empty text are both an empty field; values are
// written as ReadCSV reads them: lists and structs as JSON, []byte in base64. NaN and infinities are an
// error, as in WriteJSON. The file appears whole or not at all.
func WriteCSV(ctx context.Context, to Folder, file string, rows any) (path string, err error) {
	return writeRows(ctx, to, file, rows, func(w *bufio.Writer, f frame) error {
		out := csv.NewWriter(w)
		record := make([]string, f.schema.NumFields())
		for i, field := range f.schema.Fields() {
			record[i] = field.Name
		}
		if err := out.Write(record); err != nil {
			return err
		}
		var cell []byte
		err := f.eachRow(ctx, func(batch arrow.RecordBatch, i, row int) error {
			for k := range record {
				var err error
				if cell, err = appendPlain(cell[:0], batch.Column(k), i); err != nil {
					return fault.New(fault.Invalid, "row %d, column %q: %w", row, batch.ColumnName(k), err)
				}
				record[k] = string(cell)
			}
			if len(record) == 1 && record[0] == "" { // or the line would be blank, and skipped when read
				out.Flush()
				_, err := w.WriteString("\"\"\n")
				return err
			}
			return out.Write(record)
		})
		if err != nil {
			return err
		}
		out.Flush()
		return out.Error()
	})
}

// appendPlain writes value i of a column without quotes; null is nothing.
func appendPlain(dst []byte, a arrow.Array, i int) ([]byte, error) {
	if a.IsNull(i) {
		return dst, nil
	}
	switch a := a.(type) {
	case *array.Dictionary:
		return appendPlain(dst, a.Dictionary(), a.GetValueIndex(i))
	case *array.Timestamp:
		t := a.Value(i).ToTime(a.DataType().(*arrow.TimestampType).Unit)
		return t.AppendFormat(dst, time.RFC3339Nano), nil
	case *array.Date32:
		return a.Value(i).ToTime().AppendFormat(dst, time.DateOnly), nil
	case interface{ Value(int) string }:
		return append(dst, a.Value(i)...), nil
	case interface{ Value(int) []byte }:
		return base64.StdEncoding.AppendEncode(dst, a.Value(i)), nil
	}
	return appendJSON(dst, a, i)
}

// appendShown is appendPlain for people, who can be shown NaN.
func appendShown(dst []byte, a arrow.Array, i int) []byte {
	if f, ok := a.(*array.Float64); ok && !a.IsNull(i) && (math.IsNaN(f.Value(i)) || math.IsInf(f.Value(i), 0)) {
		return strconv.AppendFloat(dst, f.Value(i), 'g', -1, 64)
	}
	shown, err := appendPlain(dst, a, i)
	if err != nil {
		return append(dst, a.ValueStr(i)...)
	}
	return shown
}
