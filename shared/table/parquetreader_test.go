package table_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	pqfile "github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"pgregory.net/rapid"

	"waggle/shared/fault"
	"waggle/shared/table"
)

// foreign is a Parquet file as another program may write it: with or without dictionaries, pages of version 1 or 2, small ones, any
// compression.
func foreign(t interface{ Fatalf(string, ...any) }, seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 9))
	fields := []arrow.Field{}
	for i, kind := range []arrow.DataType{arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Uint64, arrow.PrimitiveTypes.Uint32, arrow.PrimitiveTypes.Int8,
		arrow.PrimitiveTypes.Float64, arrow.PrimitiveTypes.Float32, arrow.PrimitiveTypes.Date32, arrow.BinaryTypes.String, arrow.BinaryTypes.Binary, arrow.BinaryTypes.LargeString,
		arrow.FixedWidthTypes.Boolean, arrow.FixedWidthTypes.Timestamp_us, arrow.FixedWidthTypes.Timestamp_ns, arrow.ListOf(arrow.PrimitiveTypes.Int64)} {
		fields = append(fields, arrow.Field{Name: fmt.Sprint("c", i), Type: kind, Nullable: r.IntN(3) > 0})
	}
	r.Shuffle(len(fields), func(i, j int) { fields[i], fields[j] = fields[j], fields[i] })
	columns := arrow.NewSchema(fields, nil)
	compression := []compress.Compression{compress.Codecs.Uncompressed, compress.Codecs.Zstd, compress.Codecs.Snappy}[r.IntN(3)]
	version := []parquet.DataPageVersion{parquet.DataPageV1, parquet.DataPageV2}[r.IntN(2)]
	var out bytes.Buffer
	w, err := pqarrow.NewFileWriter(columns, &out, parquet.NewWriterProperties(parquet.WithDictionaryDefault(r.IntN(2) == 0), parquet.WithDataPageVersion(version),
		parquet.WithDataPageSize(int64(20+r.IntN(4000))), parquet.WithDictionaryPageSizeLimit(int64(50+r.IntN(3000))), parquet.WithCompression(compression),
		parquet.WithBatchSize(int64(1+r.IntN(200)))), pqarrow.DefaultWriterProps())
	if err != nil {
		t.Fatalf("%v", err)
	}
	for range 1 + r.IntN(3) {
		b := array.NewRecordBuilder(memory.DefaultAllocator, columns)
		rows, nulls, range_ := r.IntN(300), r.IntN(3), 1+r.IntN(400)
		for range rows {
			for k, f := range fields {
				if f.Nullable && r.IntN(20) < nulls*nulls*4 {
					b.Field(k).AppendNull()
					continue
				}
				if err := b.Field(k).AppendValueFromString(cell(r, f.Type, range_)); err != nil {
					t.Fatalf("%v", err)
				}
			}
		}
		if err := w.Write(b.NewRecordBatch()); err != nil {
			t.Fatalf("%v", err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatalf("%v", err)
	}
	return out.Bytes()
}

func cell(r *rand.Rand, kind arrow.DataType, most int) string {
	n := r.IntN(most)
	switch kind.ID() {
	case arrow.INT8:
		return fmt.Sprint(n % 100)
	case arrow.STRING, arrow.LARGE_STRING:
		return string(bytes.Repeat([]byte{byte('a' + n%26)}, n%23)) + fmt.Sprint(n)[:n%2]
	case arrow.BINARY:
		return "YWJj"[:n%2*4]
	case arrow.BOOL:
		return fmt.Sprint(n%2 == 0)
	case arrow.DATE32:
		return fmt.Sprintf("20%02d-01-02", n%100)
	case arrow.TIMESTAMP:
		return fmt.Sprintf("2026-01-02T03:04:%02dZ", n%60)
	case arrow.LIST:
		return fmt.Sprintf("[%d, 7]", n)
	}
	return fmt.Sprint(n)
}

func TestFilesOfOtherProgramsAreReadAsArrowReadsThem(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		data := foreign(t, rapid.Uint64().Draw(t, "seed"))
		pf, err := pqfile.NewParquetReader(bytes.NewReader(data))
		if err != nil {
			t.Fatalf("%v", err)
		}
		reader, err := pqarrow.NewFileReader(pf, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
		if err != nil {
			t.Fatalf("%v", err)
		}
		want, err := reader.ReadTable(context.Background())
		if err != nil {
			t.Fatalf("%v", err)
		}
		value, err := table.Decode(data, reflect.TypeFor[*table.Table]())
		if err != nil {
			t.Fatalf("%v", err)
		}
		got := value.(*table.Table).Arrow()
		if !got.Schema().Equal(want.Schema()) || got.NumRows() != want.NumRows() {
			t.Fatalf("%v, %d rows; want %v, %d rows", got.Schema(), got.NumRows(), want.Schema(), want.NumRows())
		}
		for i := range int(want.NumCols()) {
			if !array.ChunkedEqual(got.Column(i).Data(), want.Column(i).Data()) {
				t.Fatalf("column %v: %v, want %v", want.Schema().Field(i), got.Column(i).Data(), want.Column(i).Data())
			}
			for _, a := range got.Column(i).Data().Chunks() {
				nulls := 0
				for k := range a.Len() {
					if a.IsNull(k) {
						nulls++
					}
				}
				if nulls != a.NullN() {
					t.Fatalf("column %v says it has %d nulls of %d", want.Schema().Field(i), a.NullN(), nulls)
				}
			}
		}
	})
}

func TestADamagedPageIsAnErrorOfTheFile(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		data := foreign(t, rapid.Uint64().Draw(t, "seed"))
		for range rapid.IntRange(1, 6).Draw(t, "bytes") {
			data[rapid.IntRange(4, len(data)/2).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
		}
		if _, err := table.Decode(data, reflect.TypeFor[*table.Table]()); err != nil && !errors.Is(err, fault.Corrupt) {
			t.Fatalf("%v", err)
		}
	})
	// What pages are cut to is told whatever they are written as.
	dir := t.TempDir()
	for seed := range uint64(8) {
		data := foreign(t, seed)
		for i := 40; i < len(data)/2; i++ {
			data[i] = 0xff
		}
		if err := os.WriteFile(filepath.Join(dir, "f.parquet"), data, 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := table.ReadParquetTable(context.Background(), table.At(dir), "f.parquet"); !errors.Is(err, fault.Corrupt) {
			t.Errorf("seed %d: %v", seed, err)
		}
	}
}
