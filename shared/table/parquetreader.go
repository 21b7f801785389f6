package table

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"waggle/shared/fault"
)

// parquetReader reads row groups. Numbers, dates and text in plain pages or dictionaries are decoded here, straight into the
// memory of the table, without builders and without clearing what is written anyway; all other columns, and the frame of a file, are arrow-go's.
type parquetReader struct {
	*pqarrow.FileReader
	in       io.ReaderAt
	props    *parquet.ReaderProperties
	decoders sync.Pool // of *chunkDecoder
}

// readGroup reads a row group of the columns that are wanted. A damaged one is fault.Corrupt.
func (r *parquetReader) readGroup(ctx context.Context, group int, wanted func(root string) bool) (t arrow.Table, err error) {
	defer func() { // damaged lengths make arrays point outside themselves
		if p := recover(); p != nil {
			err = corrupt(fmt.Errorf("row group %d: %v", group, p))
		}
	}()
	if err := ctx.Err(); err != nil {
		return nil, fault.Wrap(fault.Canceled, "", err)
	}
	meta := r.ParquetReader().MetaData()
	rows := meta.RowGroup(group).NumRows()
	var fields []arrow.Field
	var ours []arrow.Array // nil where a column is not
	var others []int       // the leaves of such
	for i := range r.Manifest.Fields {
		f := &r.Manifest.Fields[i]
		if !wanted(f.Field.Name) {
			continue
		}
		a, err := r.decode(group, f)
		if err != nil {
			return nil, corrupt(fmt.Errorf("row group %d: column %q: %w", group, f.Field.Name, err))
		}
		fields, ours = append(fields, *f.Field), append(ours, a)
		if a != nil {
			continue
		}
		for leaf := range meta.Schema.NumColumns() {
			if f.Field.Name == meta.Schema.ColumnRoot(leaf).Name() {
				others = append(others, leaf)
			}
		}
	}
	columns := make([]arrow.Column, len(fields))
	var theirs arrow.Table
	if len(others) > 0 {
		if theirs, err = r.ReadRowGroups(ctx, others, []int{group}); err != nil {
			return nil, corrupt(fmt.Errorf("row group %d: %w", group, err))
		}
	}
	next := 0
	for i, a := range ours {
		if a != nil {
			columns[i] = *arrow.NewColumn(fields[i], arrow.NewChunked(fields[i].Type, []arrow.Array{a}))
		} else {
			columns[i], fields[i] = *theirs.Column(next), theirs.Schema().Field(next)
			next++
		}
		if n := int64(columns[i].Len()); n != rows {
			return nil, corrupt(fmt.Errorf("row group %d: column %q has %d of %d rows", group, fields[i].Name, n, rows))
		}
	}
	return array.NewTable(arrow.NewSchema(fields, r.Manifest.SchemaMeta), columns, rows), nil
}

// mostRows is how many rows of a group are believed before any was read: memory is taken for all of them at once.
const mostRows = 1 << 24

// decode returns a column of a row group; nil where that is arrow-go's business.
func (r *parquetReader) decode(group int, f *pqarrow.SchemaField) (arrow.Array, error) {
	meta := r.ParquetReader().MetaData()
	rows := meta.RowGroup(group).NumRows()
	if f.ColIndex < 0 || len(f.Children) > 0 || rows < 0 || rows > mostRows || meta.WriterVersion().LessThan(metadata.Parquet816FixedVersion) {
		return nil, nil
	}
	leaf := meta.Schema.Column(f.ColIndex)
	chunk, err := meta.RowGroup(group).ColumnChunk(f.ColIndex)
	if err != nil {
		return nil, err
	}
	width, ok := plainWidth(f.Field.Type, leaf)
	if !ok || leaf.MaxRepetitionLevel() > 0 || leaf.MaxDefinitionLevel() > 1 || chunk.CryptoMetadata() != nil || !plainPages(chunk) {
		return nil, nil
	}
	stream, err := r.props.GetStream(r.in, chunkStart(chunk), chunk.TotalCompressedSize())
	if err != nil {
		return nil, err
	}
	d, _ := r.decoders.Get().(*chunkDecoder)
	if d == nil {
		pages, err := r.ParquetReader().RowGroup(group).GetColumnPageReader(f.ColIndex)
		if err != nil {
			return nil, err
		}
		d = &chunkDecoder{pages: pages}
	}
	d.pages.Reset(stream, chunk.NumValues(), chunk.Compression(), nil)
	a, err := d.decode(f.Field.Type, width, int(rows), leaf.MaxDefinitionLevel() == 1)
	d.decoded = decoded{}
	r.decoders.Put(d) // not after a panic
	if errors.Is(err, errLongText) {
		return nil, nil
	}
	return a, err
}

// plainWidth is how many bytes a value has, in the file as in memory, and 0 for text; not ok where the two differ.
func plainWidth(t arrow.DataType, leaf interface{ PhysicalType() parquet.Type }) (width int, ok bool) {
	switch leaf.PhysicalType() {
	case parquet.Types.Int64:
		return 8, t.ID() == arrow.INT64 || t.ID() == arrow.UINT64
	case parquet.Types.Double:
		return 8, t.ID() == arrow.FLOAT64
	case parquet.Types.Int32:
		return 4, t.ID() == arrow.INT32 || t.ID() == arrow.UINT32 || t.ID() == arrow.DATE32
	case parquet.Types.Float:
		return 4, t.ID() == arrow.FLOAT32
	case parquet.Types.ByteArray:
		return 0, t.ID() == arrow.STRING || t.ID() == arrow.BINARY
	}
	return 0, false
}

// plainPages reports whether the pages of a column chunk are plain or indices of a dictionary.
func plainPages(chunk *metadata.ColumnChunkMetaData) bool {
	for _, e := range chunk.Encodings() {
		switch e {
		case parquet.Encodings.Plain, parquet.Encodings.RLE, parquet.Encodings.PlainDict, parquet.Encodings.RLEDict:
		default:
			return false
		}
	}
	return true
}
