package table_test

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"pgregory.net/rapid"

	"waggle/shared/table"
)

type profiled struct {
	N    int64
	F    *float64
	T    *string
	B    bool
	At   time.Time
	List []int64
}

func profile(t *testing.T, rows any) map[string]table.ColumnProfile {
	t.Helper()
	columns, err := table.ProfileOf(rows)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]table.ColumnProfile{}
	for _, c := range columns {
		out[c.Column] = c
	}
	return out
}

func TestAProfileTellsWhatEachColumnHolds(t *testing.T) {
	t.Parallel()
	day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	got := profile(t, []profiled{
		{1, new(0.5), new("b"), true, day, nil},
		{3, new(math.NaN()), nil, true, day.Add(time.Hour), []int64{1}},
		{-7, new(math.Inf(1)), new(strings.Repeat("é", 70)), true, time.Time{}, []int64{1}},
		{1, nil, new(""), true, day, nil},
	})
	want := map[string]table.ColumnProfile{
		"n":    {Column: "n", Type: "int64", Distinct: new(3), Exact: true, Min: int64(-7), Max: int64(3), Mean: new(-0.5), Histogram: []int{1, 0, 0, 0, 0, 0, 0, 0, 2, 1}},
		"f":    {Column: "f", Type: "float64", Nulls: 1, Distinct: new(3), Exact: true, Min: 0.5, Max: 0.5, Mean: new(0.5), NotFinite: 2},
		"t":    {Column: "t", Type: "text", Nulls: 1, Distinct: new(3), Exact: true, Min: "", Max: strings.Repeat("é", 60) + "…"},
		"b":    {Column: "b", Type: "bool", Distinct: new(1), Exact: true, Min: true, Max: true},
		"at":   {Column: "at", Type: "timestamp", Nulls: 1, Distinct: new(2), Exact: true, Min: "2026-03-01T00:00:00Z", Max: "2026-03-01T01:00:00Z", Histogram: []int{2, 0, 0, 0, 0, 0, 0, 0, 0, 1}},
		"list": {Column: "list", Type: "list<int64>", Nulls: 2},
	}
	for name, w := range want {
		if !reflect.DeepEqual(got[name], w) {
			t.Errorf("%s is %+v, want %+v", name, got[name], w)
		}
	}
	for name, c := range profile(t, []profiled{}) {
		if c.Min != nil || c.Max != nil || c.Mean != nil || c.Histogram != nil || c.Nulls != 0 || c.Distinct != nil && *c.Distinct != 0 {
			t.Errorf("of no rows, %s is %+v", name, c)
		}
	}
	values, err := table.Profile([]profiled{{}}).Encode()
	if err != nil || values["profile"].Type != "table" {
		t.Errorf("%v, %v", values, err)
	}
	if _, err := table.Profile(3).Encode(); err == nil {
		t.Error("a number has a profile")
	}
}

func TestAProfileOfExtremesHolds(t *testing.T) {
	t.Parallel()
	got := profile(t, []struct {
		I int64
		U uint64
		F float64
		S float64
	}{{math.MinInt64, 0, -math.MaxFloat64, 0}, {math.MaxInt64, math.MaxUint64, math.MaxFloat64, math.SmallestNonzeroFloat64}, {1<<53 + 1, 1 << 63, math.MaxFloat64, math.Copysign(0, -1)}, {1 << 53, 5, math.MaxFloat64, 0}})
	for name, want := range map[string]string{
		"i": "4 -9223372036854775808 9223372036854775807 [1 0 0 0 0 2 0 0 0 1]",
		"u": "4 0 18446744073709551615 [2 0 0 0 0 1 0 0 0 1]",
		"f": "2 -1.7976931348623157e+308 1.7976931348623157e+308 []",
		"s": "2 0 5e-324 []",
	} {
		c := got[name]
		if text := fmt.Sprint(*c.Distinct, c.Min, c.Max, c.Histogram); strings.ReplaceAll(text, "  ", " ") != strings.ReplaceAll(want, "  ", " ") {
			t.Errorf("%s: %s, want %s", name, text, want)
		}
	}
}

func TestAProfileIsWhatCountingOneByOneFinds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		rows := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) profiled {
			return profiled{N: rapid.Int64Range(-50, 50).Draw(r, "n"), F: rapid.Ptr(rapid.Float64Range(-1, 1), true).Draw(r, "f"), T: rapid.Ptr(rapid.StringN(0, 2, 4), true).Draw(r, "t")}
		}), 1, 200).Draw(r, "rows")
		got := profile(t, rows)
		n, f, texts := map[int64]bool{}, map[float64]bool{}, map[string]bool{}
		least, most, sum := rows[0].N, rows[0].N, int64(0)
		nulls := 0
		for _, row := range rows {
			n[row.N] = true
			least, most, sum = min(least, row.N), max(most, row.N), sum+row.N
			if row.F != nil {
				f[*row.F] = true
			}
			if row.T != nil {
				texts[*row.T] = true
			} else {
				nulls++
			}
		}
		c := got["n"]
		if *c.Distinct != len(n) || *got["f"].Distinct != len(f) || *got["t"].Distinct != len(texts) || got["t"].Nulls != nulls || c.Min != least || c.Max != most ||
			math.Abs(*c.Mean-float64(sum)/float64(len(rows))) > 1e-9 {
			r.Fatalf("%+v", got)
		}
		total := 0
		for _, part := range c.Histogram {
			total += part
		}
		if least != most && total != len(rows) {
			r.Fatalf("the histogram counts %d of %d", total, len(rows))
		}
	})
}

func TestManyDistinctValuesAreEstimated(t *testing.T) {
	t.Parallel()
	for _, n := range []int{4096, 4097, 50_000, 300_000} {
		rows := make([]struct {
			N int64
			T string
		}, 2*n)
		for i := range rows {
			rows[i].N, rows[i].T = int64(i%n), fmt.Sprint("value ", i%n)
		}
		for name, c := range profile(t, rows) {
			if off := math.Abs(float64(*c.Distinct)/float64(n) - 1); c.Exact != (n <= 4096) || c.Exact && off > 0 || off > 0.08 {
				t.Errorf("%s: %d of %d, exact %t", name, *c.Distinct, n, c.Exact)
			}
		}
	}
}

func TestDictionariesAndChunksAreProfiledAsWhatTheyHold(t *testing.T) {
	t.Parallel()
	kind := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}
	part := func(words ...string) arrow.Array {
		b := array.NewDictionaryBuilder(memory.DefaultAllocator, kind).(*array.BinaryDictionaryBuilder)
		for _, w := range words {
			if w == "" {
				b.AppendNull()
			} else if err := b.AppendString(w); err != nil {
				t.Fatal(err)
			}
		}
		return b.NewArray()
	}
	field := arrow.Field{Name: "d", Type: kind, Nullable: true}
	column := arrow.NewColumn(field, arrow.NewChunked(kind, []arrow.Array{part("x", "b", "", "b"), part(), part("a", "b")}))
	got := profile(t, table.FromArrow(array.NewTable(arrow.NewSchema([]arrow.Field{field}, nil), []arrow.Column{*column}, 6)))["d"]
	if want := (table.ColumnProfile{Column: "d", Type: "text", Nulls: 1, Distinct: new(3), Exact: true, Min: "a", Max: "x"}); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
}
