package table_test

import (
	"bytes"
	"fmt"
	"math"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"waggle/shared/fault"
	"waggle/shared/table"
)

// row has every supported type.
type row struct {
	key
	Int        int
	Int8       int8
	Int16      int16
	Int32      int32
	Uint       uint
	Uint8      uint8
	Uint16     uint16
	Uint32     uint32
	Uint64     uint64
	Float32    float32
	Float64    float64
	Bool       bool
	Text       string
	Bytes      []byte
	When       time.Time
	MaybeInt   *int64
	MaybeFloat *float64
	MaybeBool  *bool
	MaybeText  *string
	MaybeWhen  *time.Time
	Ints       []int64
	Texts      []string
	Maybes     []*string
	Times      []time.Time
	Lists      [][]int32
	Parts      []part
	Part       part
	MaybePart  *part
	Named      word
}

type key struct{ ID int64 }
type word string
type part struct {
	SortOrder int64
	Filename  *string
	Deep      []key
}

func drawRow(t *rapid.T) row {
	integer := rapid.OneOf(rapid.Int64(), rapid.SampledFrom([]int64{math.MinInt64, math.MaxInt64, 0, -1}))
	number := rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{math.Inf(1), math.Inf(-1), math.MaxFloat64, 5e-324, math.Copysign(0, -1), 0.1}))
	text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "a,\"b\"\r\n|c", "\x00", "ä€😀", " "}))
	nanos := rapid.OneOf(rapid.Int64(), rapid.SampledFrom([]int64{math.MinInt64, math.MaxInt64, 0, 1, -1}))
	when := rapid.Custom(func(t *rapid.T) time.Time { return time.Unix(0, nanos.Draw(t, "ns")).UTC() })
	aPart := rapid.Custom(func(t *rapid.T) part {
		return part{integer.Draw(t, "order"), maybe(t, text), list(t, rapid.Custom(func(t *rapid.T) key { return key{integer.Draw(t, "id")} }))}
	})
	r := row{
		key: key{integer.Draw(t, "id")}, Int: int(integer.Draw(t, "int")), Int8: rapid.Int8().Draw(t, "i8"), Int16: rapid.Int16().Draw(t, "i16"), Int32: rapid.Int32().Draw(t, "i32"),
		Uint: uint(rapid.Uint64().Draw(t, "u")), Uint8: rapid.Uint8().Draw(t, "u8"), Uint16: rapid.Uint16().Draw(t, "u16"), Uint32: rapid.Uint32().Draw(t, "u32"),
		Uint64: rapid.SampledFrom([]uint64{0, 1, math.MaxInt64 + 1, math.MaxUint64}).Draw(t, "u64"), Float32: rapid.Float32().Draw(t, "f32"), Float64: number.Draw(t, "f64"),
		Bool: rapid.Bool().Draw(t, "b"), Text: text.Draw(t, "text"), Bytes: list(t, rapid.Byte()),
		MaybeInt: maybe(t, integer), MaybeFloat: maybe(t, number), MaybeBool: maybe(t, rapid.Bool()), MaybeText: maybe(t, text), MaybeWhen: maybe(t, when),
		Ints: list(t, integer), Texts: list(t, text), Times: list(t, when), Lists: list(t, rapid.Custom(func(t *rapid.T) []int32 { return list(t, rapid.Int32()) })),
		Maybes: list(t, rapid.Custom(func(t *rapid.T) *string { return maybe(t, text) })),
		Parts:  list(t, aPart), Part: aPart.Draw(t, "part"), MaybePart: maybe(t, aPart), Named: word(text.Draw(t, "word")),
	}
	if rapid.Bool().Draw(t, "has time") {
		r.When = when.Draw(t, "when")
	}
	return r
}

// finite drops what CSV and JSON cannot hold or tell apart.
func (r *row) finite() {
	fix := func(f *float64) {
		if f != nil && (math.IsInf(*f, 0) || math.IsNaN(*f)) {
			*f = 1
		}
	}
	fix(&r.Float64)
	fix(r.MaybeFloat)
	if r.Named == "" {
		r.Named = "x"
	}
}

func maybe[T any](t *rapid.T, g *rapid.Generator[T]) *T {
	if rapid.Bool().Draw(t, "null") {
		return nil
	}
	return new(g.Draw(t, "value"))
}

// list draws nil, an empty slice or up to three values.
func list[T any](t *rapid.T, g *rapid.Generator[T]) []T {
	n := rapid.IntRange(-1, 3).Draw(t, "length")
	if n < 0 {
		return nil
	}
	values := make([]T, n)
	for i := range values {
		values[i] = g.Draw(t, "value")
	}
	return values
}

func TestWhatIsStoredComesBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfN(rapid.Custom(drawRow), 0, 6).Draw(t, "rows")
		data, err := table.Encode(rows)
		if err != nil {
			t.Fatal(err)
		}
		again, _ := table.Encode(rows)
		if !bytes.Equal(data, again) {
			t.Error("equal rows gave other bytes")
		}
		back, err := table.Decode(data, reflect.TypeOf(rows))
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(back, rows) {
			t.Errorf("stored %+v\nread   %+v", rows, back)
		}
		asTable, err := table.FromRows(rows)
		if err != nil {
			t.Fatal(err)
		}
		if fromTable, err := table.Rows[row](asTable); err != nil || !reflect.DeepEqual(fromTable, rows) {
			t.Errorf("by table %+v, %v\nwant %+v", fromTable, err, rows)
		}
	})
}

func TestATableIsStoredAsItsRowsAre(t *testing.T) {
	t.Parallel()
	rows := []sale{{1, new(int64(2)), nil}, {2, nil, new("x")}}
	tbl, err := table.FromRows(rows)
	if err != nil {
		t.Fatal(err)
	}
	data, err := table.Encode(tbl)
	if err != nil {
		t.Fatal(err)
	}
	if fromRows, _ := table.Encode(rows); !bytes.Equal(data, fromRows) {
		t.Error("a table and its rows gave other bytes")
	}
	v, err := table.Decode(data, reflect.TypeFor[*table.Table]())
	if err != nil {
		t.Fatal(err)
	}
	back := v.(*table.Table)
	if back.NumRows() != 2 || fmt.Sprint(back.Columns()) != "[sale_id price country]" {
		t.Errorf("%d rows of %v", back.NumRows(), back.Columns())
	}
	if got, err := table.Rows[sale](back); err != nil || !reflect.DeepEqual(got, rows) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestNoRowsComeBackEmptyAndNotNil(t *testing.T) {
	t.Parallel()
	for _, rows := range [][]row{nil, {}} {
		data, err := table.Encode(rows)
		if err != nil {
			t.Fatal(err)
		}
		back, err := table.Decode(data, reflect.TypeOf(rows))
		if got, ok := back.([]row); err != nil || !ok || got == nil || len(got) != 0 {
			t.Errorf("got %#v, %v", back, err)
		}
		asTable, err := table.Decode(data, reflect.TypeFor[*table.Table]())
		if err != nil || asTable.(*table.Table).NumRows() != 0 || len(asTable.(*table.Table).Columns()) != 30 {
			t.Errorf("got %v, %v", asTable, err)
		}
	}
}

func TestNaNIsStored(t *testing.T) {
	t.Parallel()
	type row struct{ F float64 }
	data, err := table.Encode([]row{{math.NaN()}})
	if err != nil {
		t.Fatal(err)
	}
	back, err := table.Decode(data, reflect.TypeFor[[]row]())
	if err != nil || !math.IsNaN(back.([]row)[0].F) {
		t.Errorf("got %v, %v", back, err)
	}
}

func TestManyRowsAreStoredInSeveralBatches(t *testing.T) {
	t.Parallel()
	type row struct {
		ID   int64
		Text *string
		Tags []int8
	}
	rows := make([]row, 300_000)
	for i := range rows {
		rows[i].ID = int64(i)
		if i%3 == 0 {
			rows[i].Text = new(fmt.Sprint("text ", i%1000))
		}
		if i%100_000 == 7 {
			rows[i].Tags = []int8{1, 2}
		}
	}
	data, err := table.Encode(rows)
	if err != nil {
		t.Fatal(err)
	}
	back, err := table.Decode(data, reflect.TypeOf(rows))
	if err != nil || !reflect.DeepEqual(back, rows) {
		t.Fatalf("not the same rows: %v", err)
	}
	tbl, err := table.FromRows(rows)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := table.Rows[row](tbl); err != nil || !reflect.DeepEqual(got, rows) {
		t.Fatalf("not the same rows by table: %v", err)
	}
}

func TestAStoredValueThatDoesNotFitItsStructIsNamed(t *testing.T) {
	t.Parallel()
	type old struct {
		ID    int64
		Title *string
		Big   int64
		Parts []part
		Extra int
	}
	data, err := table.Encode([]old{{ID: 1, Title: new("x"), Big: 300}, {ID: 2, Parts: []part{{}}}})
	if err != nil {
		t.Fatal(err)
	}
	decode := func(t reflect.Type) error {
		_, err := table.Decode(data, t)
		return err
	}
	if err := decode(reflect.TypeFor[[]struct{ Big, ID int }]()); err != nil {
		t.Errorf("fewer columns in another order: %v", err)
	}
	var all failures
	all.add(t, "new column", decode(reflect.TypeFor[[]struct{ ID, Year int64 }]()))
	all.add(t, "other type", decode(reflect.TypeFor[[]struct{ ID string }]()))
	all.add(t, "other struct in a list", decode(reflect.TypeFor[[]struct{ Parts []struct{ SortOrder string } }]()))
	all.add(t, "no pointer any more", decode(reflect.TypeFor[[]struct{ Title string }]()))
	all.add(t, "narrower", decode(reflect.TypeFor[[]struct{ Big int8 }]()))
	all.add(t, "float for int", decode(reflect.TypeFor[[]struct{ Big float64 }]()))
	all.add(t, "no struct", decode(reflect.TypeFor[[]int]()))
	all.add(t, "no slice", decode(reflect.TypeFor[int]()))
	_, err = table.Decode([]byte("PAR1 no parquet at all PAR1"), reflect.TypeFor[[]old]())
	all.add(t, "no parquet", err)
	_, err = table.Decode(nil, reflect.TypeFor[[]old]())
	all.add(t, "nothing", err)
	_, err = table.Decode(data[:len(data)/2], reflect.TypeFor[*table.Table]())
	all.add(t, "cut short", err)
	_, err = table.Encode(map[string]int{})
	all.add(t, "encode a map", err)
	_, err = table.Encode(nil)
	all.add(t, "encode nil", err)
	_, err = table.Encode((*table.Table)(nil))
	all.add(t, "encode a nil table", err)
	_, err = table.Encode([]struct{ T []time.Time }{{}, {[]time.Time{{}, time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC)}}})
	all.add(t, "encode a time too late", err)
	tbl, _ := table.FromRows([]old{{}})
	_, err = table.Rows[struct{ Titel *string }](tbl)
	all.add(t, "rows of a table, column missing", err)
	_, err = table.Rows[struct{ Title *int }](tbl)
	all.add(t, "rows of a table, other type", err)
	_, err = table.Rows[old](nil)
	all.add(t, "rows of a nil table", err)
	golden(t, "codec_errors.golden", all.String())
}

// Damaged bytes are an error and never a panic, whichever byte is damaged.
func TestDamagedBytesAreCorruptOrRead(t *testing.T) {
	t.Parallel()
	data, err := table.Encode([]row{{Text: "hello", Parts: []part{{Filename: new("x")}}}, {Ints: []int64{1, 2, 3}}})
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		damaged := bytes.Clone(data)
		for range rapid.IntRange(1, 4).Draw(t, "damages") {
			damaged[rapid.IntRange(0, len(data)-1).Draw(t, "at")] ^= rapid.ByteRange(1, 255).Draw(t, "bits")
		}
		if _, err := table.Decode(damaged, reflect.TypeFor[[]row]()); err != nil {
			if c := fault.CodeOf(err); c != fault.Corrupt && c != fault.Incompatible {
				t.Errorf("%s: %v", c, err)
			}
		}
	})
}

// The lowest bit of a number in the footer is its sign: each flipped alone makes each offset, length and count negative. The columns are
// those of structs, which Arrow reads on goroutines of its own.
func TestAFooterWithANegativeNumberIsCorrupt(t *testing.T) {
	t.Parallel()
	type nested struct{ In struct{ A, B int } }
	data, err := table.Encode([]nested{{}})
	if err != nil {
		t.Fatal(err)
	}
	for at := range data {
		damaged := bytes.Clone(data)
		damaged[at] ^= 1
		if _, err := table.Decode(damaged, reflect.TypeFor[[]nested]()); err != nil {
			if c := fault.CodeOf(err); c != fault.Corrupt && c != fault.Incompatible {
				t.Errorf("byte %d: %s: %v", at, c, err)
			}
		}
	}
}

func TestParquetFilesAreWrittenAndRead(t *testing.T) {
	t.Parallel()
	rows := []sale{{1, new(int64(2)), nil}, {2, nil, new("x")}}
	for _, folder := range []string{t.TempDir(), "mem://" + t.Name() + "/deep/er"} {
		path, err := table.WriteParquet(t.Context(), table.At(folder), "s.parquet", rows)
		if err != nil || path != folder+"/s.parquet" {
			t.Fatalf("%q, %v", path, err)
		}
		got, err := table.ReadParquet[sale](t.Context(), table.At(folder), "s.parquet")
		if err != nil || !reflect.DeepEqual(got, rows) {
			t.Errorf("got %v, %v", got, err)
		}
		tbl, err := table.ReadParquetTable(t.Context(), table.At(folder), "s.parquet")
		if err != nil || tbl.NumRows() != 2 {
			t.Errorf("got %v, %v", tbl, err)
		}
	}
	var all failures
	folder := table.At("mem://" + t.Name() + "/deep/er")
	_, err := table.ReadParquet[struct{ Prise *int64 }](t.Context(), folder, "s.parquet")
	all.add(t, "column missing", err)
	_, err = table.ReadParquet[struct{ Price *string }](t.Context(), folder, "s.parquet")
	all.add(t, "other type", err)
	_, err = table.ReadParquet[struct{ Price int64 }](t.Context(), folder, "s.parquet")
	all.add(t, "null", err)
	_, err = table.ReadParquet[sale](t.Context(), embedded("s.parquet", "no"), "s.parquet")
	all.add(t, "no parquet", err)
	_, err = table.ReadParquetTable(t.Context(), folder, "t.parquet")
	all.add(t, "no file", err)
	golden(t, "parquet_errors.golden", all.String())
}

func ExampleEncode() {
	type Artwork struct {
		ArtworkID int64
		Title     *string
	}
	data, _ := table.Encode([]Artwork{{1, new("Nocturne")}})
	back, err := table.Decode(data, reflect.TypeFor[[]Artwork]())
	fmt.Println(*back.([]Artwork)[0].Title, err)

	type ArtworkNow struct {
		ArtworkID string
		Title     *string
	}
	_, err = table.Decode(data, reflect.TypeFor[[]ArtworkNow]())
	fmt.Println(err)
	// Output:
	// Nocturne <nil>
	// column "artwork_id" was stored as int64, now text (materialize the asset again, or change the field back)
}
