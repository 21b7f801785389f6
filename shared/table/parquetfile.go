package table

import (
	"context"
	"io"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// ParquetFile reads a Parquet file a row group at a time, for tables that do not fit into memory. Several goroutines
// may read at once. Close it when done.
type ParquetFile struct {
	path   string
	from   io.Closer
	reader *parquetReader
	schema *arrow.Schema
}

// OpenParquet opens a Parquet file. One in a local folder is read where it lies; one in a bucket is fetched whole
// and held in memory. Bytes that are no Parquet file are fault.Corrupt.
func OpenParquet(ctx context.Context, from Folder, file string) (*ParquetFile, error) {
	op := "read " + from.Path(file)
	r, err := from.open(ctx, file)
	if err != nil {
		return nil, ioFault(op, err)
	}
	f := &ParquetFile{path: from.Path(file), from: r}
	in, err := seekable(r)
	if err == nil {
		f.reader, err = openParquet(in)
	}
	if err == nil {
		if f.schema, err = f.reader.Schema(); err != nil {
			err = corrupt(err)
		}
	}
	if err != nil {
		r.Close()
		return nil, ioFault(op, err)
	}
	return f, nil
}

// Close closes the file.
func (f *ParquetFile) Close() error { return f.from.Close() }

// Path returns the file as a person would name it.
func (f *ParquetFile) Path() string { return f.path }

// Schema returns the columns.
func (f *ParquetFile) Schema() *arrow.Schema { return f.schema }

// Groups returns how many row groups there are.
func (f *ParquetFile) Groups() int { return f.reader.ParquetReader().NumRowGroups() }

// GroupRows returns how many rows a row group has by the file's footer. Read fails where that is not so.
func (f *ParquetFile) GroupRows(group int) int {
	return int(f.reader.ParquetReader().MetaData().RowGroup(group).NumRows())
}

// GroupBytes returns how many bytes a row group takes, uncompressed, by the file's footer.
func (f *ParquetFile) GroupBytes(group int) int64 {
	return f.reader.ParquetReader().MetaData().RowGroup(group).TotalByteSize()
}

// Read reads a row group: of all columns, or of those named, in the order of the file. A damaged group is
// fault.Corrupt.
func (f *ParquetFile) Read(ctx context.Context, group int, columns ...string) (*Table, error) {
	t, err := f.reader.readGroup(ctx, group, func(root string) bool { return len(columns) == 0 || slices.Contains(columns, root) })
	if err != nil {
		return nil, ioFault("read "+f.path, err)
	}
	return &Table{t}, nil
}

// readGroups reads all row groups, several at once.
func readGroups(ctx context.Context, r *parquetReader, schema *arrow.Schema) (arrow.Table, error) {
	n := r.ParquetReader().NumRowGroups()
	tables, errs := make([]arrow.Table, n), make([]error, n)
	var next atomic.Int64
	var failed atomic.Bool
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), n) {
		workers.Go(func() {
			for g := int(next.Add(1)) - 1; g < n && !failed.Load(); g = int(next.Add(1)) - 1 {
				if tables[g], errs[g] = r.readGroup(ctx, g, func(string) bool { return true }); errs[g] != nil {
					failed.Store(true)
				}
			}
		})
	}
	workers.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	columns := make([]arrow.Column, schema.NumFields())
	var rows int64
	for i := range columns {
		var chunks []arrow.Array
		for _, t := range tables {
			chunks = append(chunks, t.Column(i).Data().Chunks()...)
		}
		columns[i] = *arrow.NewColumn(schema.Field(i), arrow.NewChunked(schema.Field(i).Type, chunks))
	}
	for _, t := range tables {
		rows += t.NumRows()
	}
	return array.NewTable(schema, columns, rows), nil
}
