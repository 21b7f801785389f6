package schema_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"waggle/shared/fault"
	"waggle/shared/schema"
	"waggle/shared/table"
)

// writeGroups writes a table with row groups of random sizes.
func writeGroups(t fatal, seed uint64, at table.Folder, rows *table.Table) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 2))
	w, err := table.CreateParquet(context.Background(), at, "in.parquet", rows.Arrow().Schema())
	if err != nil {
		t.Fatalf("%v", err)
	}
	for from := int64(0); from < rows.Arrow().NumRows(); {
		to := min(rows.Arrow().NumRows(), from+1+int64(r.IntN(rows.NumRows())))
		columns := make([]arrow.Column, rows.Arrow().NumCols())
		for i := range columns {
			columns[i] = *array.NewColumnSlice(rows.Arrow().Column(i), from, to)
		}
		if err := w.Write(table.FromArrow(array.NewTable(rows.Arrow().Schema(), columns, to-from))); err != nil {
			t.Fatalf("%v", err)
		}
		from = to
	}
	if _, err := w.Commit(); err != nil {
		t.Fatalf("%v", err)
	}
}

type fatal interface {
	Helper()
	Fatalf(string, ...any)
}

func TestAFileIsJudgedAsItsTableIs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	check := func(t fatal, seed uint64, n int) {
		s := storable(drawSample(seed, n))
		at := table.At("mem://judged") // a disk would be asked to sync for each
		writeGroups(t, seed, at, s.table)
		ctx := context.Background()
		in, err := table.ReadParquetTable(ctx, at, "in.parquet")
		if err != nil {
			t.Fatalf("%v", err)
		}
		good, bad, want, err := schema.Split(s.schema, in)
		if err != nil {
			t.Fatalf("%v", err)
		}
		got, err := schema.ValidateParquet(ctx, s.schema, at, "in.parquet", &schema.ParquetOptions{
			Valid: schema.Output{Folder: at, File: "valid.parquet"}, Invalid: schema.Output{Folder: at, File: "invalid.parquet"}, TempDir: dir})
		if err != nil {
			t.Fatalf("%v", err)
		}
		memoryGood, memoryBad, memory, err := schema.SplitParquet(ctx, s.schema, at, "in.parquet")
		if err != nil {
			t.Fatalf("%v", err)
		}
		for _, r := range []*schema.ParquetResult{got, memory} {
			if r.ErrorCount != want.ErrorCount || r.WarningCount != want.WarningCount || r.InvalidRowCount != want.InvalidRowCount || r.Rows != want.Rows || r.Valid() != want.Valid() {
				t.Fatalf("%+v, want %+v", r, want)
			}
			same(t, "invalid rows", slices.Collect(r.InvalidRows()), slices.Collect(want.InvalidRows()))
			same(t, "counts", r.Counts, want.Counts)
			same(t, "errors", gathered(t, r.Errors(ctx)), slices.Collect(want.Errors()))
			same(t, "warnings", gathered(t, r.Warnings(ctx)), slices.Collect(want.Warnings()))
		}
		validFile, err1 := table.ReadParquetTable(ctx, at, "valid.parquet")
		invalidFile, err2 := table.ReadParquetTable(ctx, at, "invalid.parquet")
		if err := errors.Join(err1, err2); err != nil {
			t.Fatalf("%v", err)
		}
		for _, pair := range [][2]*table.Table{{validFile, good}, {invalidFile, bad}, {memoryGood, good}, {memoryBad, bad}} {
			same(t, "cells", cells(t, pair[0]), cells(t, pair[1]))
		}
	}
	for seed := range uint64(24) { // a file takes ten times as long as a table: no hundred draws
		check(t, seed, []int{0, 1, 7, 100}[seed%4])
	}
	check(t, 3, 9000)
}

func TestAFileOfMostlyValidRowsIsSplitAsItsTableIs(t *testing.T) {
	t.Parallel()
	type row struct {
		ID    *int64
		Price *float64
		Name  string
		Note  *string
		Sold  bool
		At    time.Time
		Code  string // is converted
	}
	rows := make([]row, 21_000)
	for i := range rows {
		id, price, note := int64(i), float64(i), strings.Repeat("é", i%7)
		rows[i] = row{&id, &price, fmt.Sprint("name ", i), &note, i%3 == 0, time.Unix(int64(i), 0).UTC(), fmt.Sprint(i * 3)}
		switch {
		case i%97 == 5:
			rows[i].Note = nil
		case i%130 == 7:
			rows[i].Price = nil
		case i%170 > 166:
			rows[i].Name = ""
		case i%400 == 0 && i > 0:
			*rows[i].ID = int64(i - 1)
		case i%1000 == 3:
			rows[i].Code = "none"
		}
	}
	in, err := table.FromRows(rows)
	if err != nil {
		t.Fatal(err)
	}
	s := schema.New("S", schema.Int64("id").Unique(), schema.Float64("price"), schema.Text("name").NotEmpty(), schema.Text("note").Null(), schema.Bool("sold"),
		schema.Timestamp("at"), schema.Int64("code"), schema.Options{Coerce: true})
	at, ctx := table.At("mem://mostly"), t.Context()
	writeGroups(t, 11, at, in)
	good, bad, want, err := schema.Split(s, in)
	if err != nil {
		t.Fatal(err)
	}
	gotGood, gotBad, got, err := schema.SplitParquet(ctx, s, at, "in.parquet")
	if err != nil {
		t.Fatal(err)
	}
	if want.InvalidRowCount < 100 || want.InvalidRowCount > 1000 {
		t.Fatalf("%d rows are invalid", want.InvalidRowCount)
	}
	same(t, "counts", got.Counts, want.Counts)
	same(t, "valid rows", cells(t, gotGood), cells(t, good))
	same(t, "invalid rows", cells(t, gotBad), cells(t, bad))
	same(t, "errors", gathered(t, got.Errors(ctx)), slices.Collect(want.Errors()))
}

// gathered is what an iterator over failures yields.
func gathered(t fatal, failures iter.Seq2[schema.Failure, error]) (list []schema.Failure) {
	t.Helper()
	for f, err := range failures {
		if err != nil {
			t.Fatalf("%v", err)
		}
		list = append(list, f)
	}
	return list
}

func TestTheErrorsOfAFileAreReadAgainOnDemand(t *testing.T) {
	t.Parallel()
	at, ctx := table.At(t.TempDir()), t.Context()
	ids := func(from, n int64) *table.Table {
		rows := make([]struct{ ID int64 }, n)
		for i := range rows {
			rows[i].ID = from + int64(i)
		}
		made, err := table.FromRows(rows)
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	write := func(tables ...*table.Table) {
		t.Helper()
		w, err := table.CreateParquet(ctx, at, "in.parquet", tables[0].Arrow().Schema())
		for _, part := range tables {
			err = errors.Join(err, w.Write(part))
		}
		if _, failed := w.Commit(); failed != nil || err != nil {
			t.Fatal(err, failed)
		}
	}
	s := schema.New("S", schema.Int64("id").AtLeast(1000).Unique())
	write(ids(0, 5000), ids(5000, 5000), ids(9999, 3))
	r, err := schema.ValidateParquet(ctx, s, at, "in.parquet", nil)
	if err != nil {
		t.Fatal(err)
	}
	all := gathered(t, r.Errors(ctx))
	if len(all) != 1002 || r.ErrorCount != 1002 || all[1000].Row != 9999 || all[1001].Row != 10000 || all[1001].Check != "unique" || len(gathered(t, r.Warnings(ctx))) != 0 {
		t.Errorf("%d errors of %d, the last %+v", len(all), r.ErrorCount, all[len(all)-1])
	}
	n := 0
	for range r.Errors(ctx) {
		if n++; n == 7 {
			break
		}
	}
	if again := gathered(t, r.Errors(ctx)); n != 7 || len(again) != len(all) {
		t.Errorf("%d, then %d", n, len(again))
	}

	fails := func(ctx context.Context, why string, want error, least int) {
		t.Helper()
		n, last := 0, error(nil)
		for _, err := range r.Errors(ctx) {
			if last != nil {
				t.Errorf("%s: it goes on after %v", why, last)
			}
			last = err
			n++
		}
		if !errors.Is(last, want) || n < least {
			t.Errorf("%s: %d, %v", why, n, last)
		}
	}
	ended, end := context.WithCancel(ctx)
	end()
	fails(ended, "canceled", fault.Canceled, 1)
	write(ids(0, 5000), ids(5000, 5000))
	fails(ctx, "fewer groups", fault.Conflict, 1)
	write(ids(10, 5000), ids(5000, 5000), ids(9999, 3))
	fails(ctx, "other values", fault.Conflict, 100)
	if err := os.Remove(at.Path("in.parquet")); err != nil {
		t.Fatal(err)
	}
	fails(ctx, "gone", fault.NotFound, 1)
}

// storable writes text that is in views, which Parquet has not got, with offsets.
func storable(s sample) sample {
	t := s.table.Arrow()
	fields, columns := t.Schema().Fields(), make([]arrow.Column, t.NumCols())
	for i := range columns {
		if columns[i] = *t.Column(i); fields[i].Type.ID() != arrow.STRING_VIEW {
			continue
		}
		fields[i].Type = arrow.BinaryTypes.String
		var chunks []arrow.Array
		for _, a := range columns[i].Data().Chunks() {
			b := array.NewStringBuilder(nilSafe)
			for k := range a.Len() {
				if a.IsNull(k) {
					b.AppendNull()
				} else {
					b.Append(a.(*array.StringView).Value(k))
				}
			}
			chunks = append(chunks, b.NewArray())
		}
		columns[i] = *arrow.NewColumn(fields[i], arrow.NewChunked(fields[i].Type, chunks))
	}
	s.table = table.FromArrow(array.NewTable(arrow.NewSchema(fields, nil), columns, t.NumRows()))
	return s
}

// cells is the values of each column as text; a null is "(null)". Arrays that miscount their nulls are told.
func cells(t fatal, rows *table.Table) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for i, name := range rows.Columns() {
		all[name] = []string{}
		for _, a := range rows.Arrow().Column(i).Data().Chunks() {
			nulls := 0
			for k := range a.Len() {
				if a.IsNull(k) {
					nulls++
				}
				all[name] = append(all[name], a.ValueStr(k))
			}
			if nulls != a.NullN() {
				t.Fatalf("column %q: an array says it has %d nulls of %d", name, a.NullN(), nulls)
			}
		}
	}
	return all
}

func TestADamagedFileIsNamedAndLeavesNoOutput(t *testing.T) {
	t.Parallel()
	s := storable(drawSample(5, 5000))
	dir := t.TempDir()
	writeGroups(t, 5, table.At(dir), s.table)
	whole, err := os.ReadFile(filepath.Join(dir, "in.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	damaged := slices.Clone(whole)
	for i := 100; i < len(damaged)/2; i += 50 {
		damaged[i] ^= 0xff
	}
	for name, content := range map[string][]byte{"cut off": whole[:len(whole)/2], "no footer": whole[:len(whole)-8], "empty": nil, "other bytes": []byte("sale_id,price\n1,2\n"), "damaged": damaged} {
		where := t.TempDir()
		if err := os.WriteFile(filepath.Join(where, "sales.parquet"), content, 0o666); err != nil {
			t.Fatal(err)
		}
		at := table.At(where)
		_, err := schema.ValidateParquet(context.Background(), s.schema, at, "sales.parquet", &schema.ParquetOptions{
			Valid: schema.Output{Folder: at, File: "valid.parquet"}, Invalid: schema.Output{Folder: at, File: "invalid.parquet"}, TempDir: where})
		if !errors.Is(err, fault.Corrupt) || !strings.Contains(err.Error(), "sales.parquet") {
			t.Errorf("%s: %v", name, err)
		}
		if left, err := os.ReadDir(where); err != nil || len(left) != 1 {
			t.Errorf("%s: left %v, %v", name, left, err)
		}
	}
	if _, _, _, err := schema.SplitParquet(context.Background(), s.schema, table.At(dir), "none.parquet"); !errors.Is(err, fault.NotFound) {
		t.Errorf("a file that is missing: %v", err)
	}
}

func TestACanceledContextStopsTheReading(t *testing.T) {
	t.Parallel()
	s := storable(drawSample(6, 300))
	at := table.At(t.TempDir())
	writeGroups(t, 6, at, s.table)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := schema.ValidateParquet(ctx, s.schema, at, "in.parquet", nil); !errors.Is(err, fault.Canceled) {
		t.Error(err)
	}
}

func TestAPanicInAFileIsNamedWithItsRowInTheFile(t *testing.T) {
	t.Parallel()
	type row struct{ X int64 }
	rows := make([]row, 900)
	rows[700].X = 1
	in, err := table.FromRows(rows)
	if err != nil {
		t.Fatal(err)
	}
	at := table.At(t.TempDir())
	writeGroups(t, 7, at, in)
	s := schema.New("S", schema.Int64("x").Check("calm", func(x int64) bool {
		if x == 1 {
			panic("no")
		}
		return true
	}))
	if _, err := schema.ValidateParquet(context.Background(), s, at, "in.parquet", nil); err == nil || !strings.Contains(err.Error(), "row 700") {
		t.Error(err)
	}
}

func FuzzTagsOfStructsNeverPanic(f *testing.F) {
	for _, tag := range []string{"unique(all_but_first)", "not_null; greater_than(0); warn", "one_of(a, b)", "length(1, 200); matches(^[A-Z])", "length(", "at_least(9999999999999999999)", ";;", "matches(()", "unique(x)"} {
		f.Add(tag)
	}
	types := []reflect.Type{reflect.TypeFor[int64](), reflect.TypeFor[*int8](), reflect.TypeFor[string](), reflect.TypeFor[*float32](), reflect.TypeFor[bool](), reflect.TypeFor[[]byte](), reflect.TypeFor[[]string]()}
	f.Fuzz(func(t *testing.T, tag string) {
		for _, typ := range types {
			row := reflect.StructOf([]reflect.StructField{{Name: "X", Type: typ, Tag: reflect.StructTag("schema:" + quoted(tag))}})
			parts, mistakes := schema.FieldsOf(row)
			if len(mistakes) > 0 {
				continue
			}
			s := schema.New("S", parts...)
			rows := reflect.MakeSlice(reflect.SliceOf(row), 3, 3).Interface()
			if _, err := schema.Validate(s, rows); (err != nil) != (len(s.Mistakes()) > 0) {
				t.Errorf("%q of %s: %v with mistakes %v", tag, typ, err, s.Mistakes())
			}
		}
	})
}
