package table

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"waggle/shared/fault"
)

// Encode turns a slice of structs or a *Table into the bytes in which a run keeps it: Parquet,
// with zstd from 64 rows on. Equal rows give equal bytes. A nil slice is stored as no rows; inside a row nil and empty
// slices are told apart. Times are kept in UTC with nanoseconds, and the zero time as null.
func Encode(rows any) ([]byte, error) {
	f, err := frameOf(rows)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := f.writeParquet(context.Background(), &out); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// Decode reads what Encode wrote into t, a slice of structs or *Table. No rows are an empty slice,
// never nil. Columns that the struct no longer has are left out. A column that it has since gained or
// whose type has changed is fault.Incompatible; bytes that are no table are fault.Corrupt.
func Decode(data []byte, t reflect.Type) (any, error) {
	if t == reflect.TypeFor[*Table]() {
		return readTable(context.Background(), bytes.NewReader(data))
	}
	if t.Kind() != reflect.Slice {
		return nil, fault.New(fault.Invalid, "%s is not a table", t).WithHint("a table is a slice of structs or a *table.Table")
	}
	p, err := planOf(t.Elem())
	if err != nil {
		return nil, err
	}
	rows := reflect.New(t).Elem()
	if err := p.readParquet(context.Background(), bytes.NewReader(data), rows, fault.Incompatible); err != nil {
		return nil, err
	}
	return rows.Interface(), nil
}

// writeParquet writes the rows, a batch a row group.
func (f frame) writeParquet(ctx context.Context, w io.Writer) error {
	// The writer is hidden in a struct because pqarrow closes what can be closed.
	out, err := pqarrow.NewFileWriter(f.schema, struct{ io.Writer }{w}, parquetProperties(f.schema, f.rows), pqarrow.DefaultWriterProps())
	if err != nil {
		return fault.Wrap(fault.Invalid, "", fmt.Errorf("a column has no Parquet type: %w", err))
	}
	for batch, err := range f.batches() {
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := out.Write(batch); err != nil {
			return err
		}
	}
	return out.Close()
}

// parquetProperties says how a file of so many rows is written. Statistics are left out: nobody filters by them,
// and they are half the footer of a small table.
func parquetProperties(columns *arrow.Schema, rows int) *parquet.WriterProperties {
	properties := []parquet.WriterProperty{
		parquet.WithVersion(parquet.V2_LATEST), // nanoseconds, unsigned integers
		parquet.WithStats(false),
		parquet.WithDictionaryDefault(false),
		parquet.WithMaxRowGroupLength(batchRows),
		parquet.WithCreatedBy("waggle"),
		parquet.WithBatchSize(max(1, min(int64(rows), 1024))),
	}
	for _, field := range columns.Fields() {
		if rows >= dictionaryRows && TypeWord(field.Type) == "text" {
			properties = append(properties, parquet.WithDictionaryFor(field.Name, true))
		}
	}
	if rows >= zstdRows {
		properties = append(properties, parquet.WithCompression(compress.Codecs.Zstd))
	}
	return parquet.NewWriterProperties(properties...)
}

// Small tables are left as they are: a dictionary or a zstd frame of a few values is larger than the
// values, and costs more time than all the rest. Numbers never have a dictionary: with zstd alone
// 10 million rows took a quarter of the time and a third of the bytes.
const (
	dictionaryRows = 256
	zstdRows       = 64
)

// WriteParquet writes a slice of structs or a *Table as Parquet with zstd and returns the path that a
// person opens. The file appears whole or not at all.
func WriteParquet(ctx context.Context, to Folder, file string, rows any) (path string, err error) {
	f, err := frameOf(rows)
	if err != nil {
		return "", ioFault("write "+to.Path(file), err)
	}
	return to.write(ctx, file, func(w io.Writer) error { return f.writeParquet(ctx, w) })
}

// ReadParquet reads rows from a Parquet file. Other columns are ignored; integers of any width that
// hold the value, timestamps of any unit and dictionary-encoded text are read.
func ReadParquet[R any](ctx context.Context, from Folder, file string) ([]R, error) {
	p, err := planOf(reflect.TypeFor[R]())
	if err != nil {
		return nil, err
	}
	rows := []R{}
	err = from.read(ctx, file, func(r io.Reader) error {
		in, err := seekable(r)
		if err != nil {
			return err
		}
		return p.readParquet(ctx, in, reflect.ValueOf(&rows).Elem(), fault.Invalid)
	})
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// ReadParquetTable reads a Parquet file that has no struct.
func ReadParquetTable(ctx context.Context, from Folder, file string) (*Table, error) {
	var t *Table
	err := from.read(ctx, file, func(r io.Reader) error {
		in, err := seekable(r)
		if err != nil {
			return err
		}
		t, err = readTable(ctx, in)
		return err
	})
	return t, err
}

// seekable is the file itself where that can be read at any place, or what is in it.
func seekable(r io.Reader) (parquet.ReaderAtSeeker, error) {
	if f, ok := r.(*os.File); ok {
		return noClose{f}, nil
	}
	data, err := io.ReadAll(r)
	return bytes.NewReader(data), err
}

// noClose keeps the Parquet reader from closing the file, whose opener does.
type noClose struct{ parquet.ReaderAtSeeker }

// openParquet returns the reader of a file. What is not Parquet is fault.Corrupt.
func openParquet(in parquet.ReaderAtSeeker) (r *parquetReader, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
		if err != nil {
			err = corrupt(err)
		}
	}()
	props := parquet.NewReaderProperties(memory.DefaultAllocator)
	props.BufferedStreamEnabled = true // pages are read into memory that is used again
	pf, err := file.NewParquetReader(in, file.WithReadProps(props))
	if err != nil {
		return nil, err
	}
	size, err := in.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	if err := checkChunks(pf.MetaData(), size); err != nil {
		return nil, err
	}
	all, err := pqarrow.NewFileReader(pf, pqarrow.ArrowReadProperties{PreAllocBinaryData: true}, memory.DefaultAllocator)
	if err != nil {
		return nil, err
	}
	return &parquetReader{FileReader: all, in: in, props: props}, nil
}

// checkChunks reports the first column chunk that a damaged footer places outside of the file. Arrow believes the footer, and panics on
// goroutines of its own, where nobody can recover it.
func checkChunks(meta *metadata.FileMetaData, size int64) error {
	for g := range meta.NumRowGroups() {
		group := meta.RowGroup(g)
		for c := range group.NumColumns() {
			chunk, err := group.ColumnChunk(c)
			if err != nil {
				return err
			}
			start, length := chunkStart(chunk), chunk.TotalCompressedSize()
			if start < 0 || length < 0 || start > size-length || chunk.NumValues() < 0 {
				return fmt.Errorf("row group %d: column %d has %d values in %d bytes at %d, the file has %d bytes", g, c, chunk.NumValues(), length, start, size)
			}
		}
	}
	return nil
}

// chunkStart is where the first page of a column chunk is.
func chunkStart(chunk *metadata.ColumnChunkMetaData) int64 {
	if chunk.HasDictionaryPage() && chunk.DictionaryPageOffset() > 0 {
		return min(chunk.DataPageOffset(), chunk.DictionaryPageOffset())
	}
	return chunk.DataPageOffset()
}

func corrupt(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fault.Wrap(fault.Canceled, "", err)
	}
	return fault.New(fault.Corrupt, "no whole Parquet file: %w", err).WithHint("write it again")
}

func readTable(ctx context.Context, in parquet.ReaderAtSeeker) (*Table, error) {
	r, err := openParquet(in)
	if err != nil {
		return nil, err
	}
	schema, err := r.Schema()
	if err != nil {
		return nil, corrupt(err)
	}
	t, err := readGroups(ctx, r, schema)
	if err != nil {
		return nil, err
	}
	return &Table{t}, nil
}

// readParquet appends the rows of a file to rows, a row group at a time so that the columns of only
// one are held beside the rows. code says what a column that does not fit is.
func (p *plan) readParquet(ctx context.Context, in parquet.ReaderAtSeeker, rows reflect.Value, code fault.Code) (err error) {
	defer func() { // damaged lengths make Arrow's arrays point outside themselves
		if p := recover(); p != nil {
			err = corrupt(fmt.Errorf("%v", p))
		}
	}()
	r, err := openParquet(in)
	if err != nil {
		return err
	}
	schema, err := r.Schema()
	if err != nil {
		return corrupt(err)
	}
	was, wants := "is", "the field wants"
	if code == fault.Incompatible {
		was, wants = "was stored as", "now"
	}
	if bad := p.match(schema); bad != nil {
		return bad.fault(code, was, wants)
	}
	stored := r.ParquetReader()
	rows.Set(reflect.MakeSlice(rows.Type(), 0, int(min(stored.NumRows(), 1<<24))))
	for group := range stored.NumRowGroups() {
		t, err := r.readGroup(ctx, group, p.has)
		if err != nil {
			return err
		}
		if bad := p.scan(rows, t); bad != nil {
			return bad.fault(code, was, wants)
		}
	}
	return nil
}
