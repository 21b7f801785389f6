package schema_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"pgregory.net/rapid"

	"waggle/shared/schema"
	"waggle/shared/table"
)

var nilSafe = memory.DefaultAllocator

func quoted(s string) string { return strconv.Quote(s) }

// oneColumn is a table of one column x of chunks that have an offset.
func oneColumn(t arrow.DataType, chunks ...arrow.Array) *table.Table {
	n := 0
	for _, c := range chunks {
		n += c.Len()
	}
	f := arrow.Field{Name: "x", Type: t, Nullable: true}
	return table.FromArrow(array.NewTable(arrow.NewSchema([]arrow.Field{f}, nil), []arrow.Column{*arrow.NewColumn(f, arrow.NewChunked(t, chunks))}, int64(n)))
}

// numbers holds a type of number against the reference: bounds, one_of and copies.
func numbers[T int8 | int16 | int32 | uint8 | uint16 | uint32 | uint64 | float32](t *rapid.T, column func(string) *schema.Column[T], to arrow.DataType, values []T) {
	r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 3))
	rows := make([]*T, r.IntN(200))
	for i := range rows {
		if r.IntN(6) > 0 {
			rows[i] = &values[r.IntN(len(values))]
		}
	}
	dictionary := r.IntN(3) == 0
	var chunks []arrow.Array
	kind := to
	for from := 0; from < len(rows) || len(chunks) == 0; {
		n := min(len(rows)-from, r.IntN(len(rows)+2))
		b := array.NewBuilder(nilSafe, to)
		b.AppendNull()
		for _, v := range rows[from : from+n] {
			if v == nil {
				b.AppendNull()
			} else if err := b.AppendValueFromString(fmt.Sprint(*v)); err != nil {
				t.Fatal(err)
			}
		}
		var a arrow.Array = array.NewSlice(b.NewArray(), 1, int64(n+1))
		if dictionary { // each value its own entry, so that there are null and equal entries
			kind = &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int16, ValueType: to}
			index := array.NewInt16Builder(nilSafe)
			for i := range n {
				index.Append(int16(i))
			}
			a = array.NewDictionaryArray(kind, index.NewArray(), a)
		}
		chunks, from = append(chunks, a), from+n
	}
	bound := values[r.IntN(len(values))]
	if bound != bound {
		bound = values[0]
	}
	some := []T{values[0], values[1]}
	copies := []schema.Copies{schema.All, schema.AllButFirst, schema.AllButLast}[r.IntN(3)]
	in := oneColumn(kind, chunks...)
	for name, rule := range map[string]struct {
		part schema.Part
		bad  func(i int, v T) bool
	}{
		"greater_than": {column("x").Null().GreaterThan(bound), func(_ int, v T) bool { return !(v > bound) }},
		"at_least":     {column("x").Null().AtLeast(bound), func(_ int, v T) bool { return !(v >= bound) }},
		"less_than":    {column("x").Null().LessThan(bound), func(_ int, v T) bool { return !(v < bound) }},
		"at_most":      {column("x").Null().AtMost(bound), func(_ int, v T) bool { return !(v <= bound) }},
		"one_of":       {column("x").Null().OneOf(some...), func(_ int, v T) bool { return !slices.Contains(some, v) }},
		"unique": {column("x").Null().Unique(copies), func(i int, v T) bool {
			for k, w := range rows {
				if k != i && w != nil && (*w == v || *w != *w && v != v) && (copies == schema.All || copies == schema.AllButFirst && k < i || copies == schema.AllButLast && k > i) {
					return true
				}
			}
			return false
		}},
	} {
		got, err := schema.Validate(schema.New("S", rule.part), in)
		if err != nil {
			t.Fatal(err)
		}
		var want []int
		for i, v := range rows {
			if v != nil && rule.bad(i, *v) {
				want = append(want, i)
			}
		}
		same(t, name+" of "+to.String(), slices.Collect(got.InvalidRows()), want)
	}
}

func TestEveryWidthOfNumberEqualsTheReference(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := arrow.PrimitiveTypes
		numbers(t, schema.Int8, p.Int8, []int8{-128, -1, 0, 1, 127})
		numbers(t, schema.Int16, p.Int16, []int16{math.MinInt16, -1, 0, 7, math.MaxInt16})
		numbers(t, schema.Int32, p.Int32, []int32{math.MinInt32, -1, 0, 7, math.MaxInt32})
		numbers(t, schema.Uint8, p.Uint8, []uint8{0, 1, 128, 255})
		numbers(t, schema.Uint16, p.Uint16, []uint16{0, 1, 1 << 15, math.MaxUint16})
		numbers(t, schema.Uint32, p.Uint32, []uint32{0, 1, 1 << 31, math.MaxUint32})
		numbers(t, schema.Uint64, p.Uint64, []uint64{0, 1, 1 << 63, math.MaxUint64})
		numbers(t, schema.Float32, p.Float32, []float32{0, 1.5, float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()), 0.1})
	})
}

func TestTimesOfEveryUnitEqualTheReference(t *testing.T) {
	t.Parallel()
	types := []arrow.DataType{arrow.FixedWidthTypes.Timestamp_s, arrow.FixedWidthTypes.Timestamp_ms, arrow.FixedWidthTypes.Timestamp_us, arrow.FixedWidthTypes.Timestamp_ns,
		arrow.FixedWidthTypes.Date32, arrow.FixedWidthTypes.Date64}
	rapid.Check(t, func(t *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 4))
		to := types[r.IntN(len(types))]
		raw := []int64{-2, -1, 0, 1, 2, 86400, -86400, 1_700_000_000}
		b := array.NewBuilder(nilSafe, to)
		var rows []*time.Time
		for range r.IntN(60) {
			if r.IntN(6) == 0 {
				b.AppendNull()
				rows = append(rows, nil)
				continue
			}
			n := raw[r.IntN(len(raw))]
			var at time.Time
			switch b := b.(type) {
			case *array.TimestampBuilder:
				b.Append(arrow.Timestamp(n))
				at = arrow.Timestamp(n).ToTime(to.(*arrow.TimestampType).Unit)
			case *array.Date32Builder:
				b.Append(arrow.Date32(n % 1e6))
				at = arrow.Date32(n % 1e6).ToTime()
			case *array.Date64Builder:
				b.Append(arrow.Date64(n * 86_400_000 % 1e15))
				at = arrow.Date64(n * 86_400_000 % 1e15).ToTime()
			}
			rows = append(rows, &at)
		}
		in := oneColumn(to, b.NewArray())
		bounds := []time.Time{time.Unix(0, 0), time.Unix(0, 1), time.Unix(-1, 999_999_999), time.Unix(1, 0), time.Unix(-1, 0), time.Unix(0, 1_000_000), time.Unix(0, -1000), schema.Day(1, 1, 1), schema.Day(9999, 12, 31), schema.Day(1970, 1, 2), schema.Day(1969, 12, 31)}
		v := bounds[r.IntN(len(bounds))].UTC()
		column := schema.Timestamp
		if strings.HasPrefix(to.Name(), "date") {
			column = schema.Date
			v = v.Truncate(24 * time.Hour)
		}
		for name, rule := range map[string]struct {
			part schema.Part
			bad  func(time.Time) bool
		}{
			"greater_than": {column("x").Null().GreaterThan(v), func(x time.Time) bool { return x.Compare(v) <= 0 }},
			"at_least":     {column("x").Null().AtLeast(v), func(x time.Time) bool { return x.Compare(v) < 0 }},
			"less_than":    {column("x").Null().LessThan(v), func(x time.Time) bool { return x.Compare(v) >= 0 }},
			"at_most":      {column("x").Null().AtMost(v), func(x time.Time) bool { return x.Compare(v) > 0 }},
			"one_of":       {column("x").Null().OneOf(v), func(x time.Time) bool { return !x.Equal(v) }},
		} {
			got, err := schema.Validate(schema.New("S", rule.part), in)
			if err != nil {
				t.Fatal(err)
			}
			var want []int
			for i, x := range rows {
				if x != nil && rule.bad(*x) {
					want = append(want, i)
				}
			}
			same(t, fmt.Sprint(name, " ", v, " of ", to), slices.Collect(got.InvalidRows()), want)
		}
	})
}

func TestPatternsMeanWhatTheRegexpPackageSays(t *testing.T) {
	t.Parallel()
	fixed := []string{`^[A-Z]`, `^[A-Z]+$`, `^\d{4}-\d{2}-\d{2}$`, `^[^a-z]*$`, `^(?i)k+[0-9]?$`, `^é+x`, `^.x$`, `(?s)^.b`, `^a*a`, `^a?b$`, `^(a|b)c`, `^$`, `^`, `b+`, `^[\x{80}-\x{10FFFF}]`,
		`^\p{Greek}`, `^a{2,3}b`, `(?m)^a$`, `^[^\n]*$`, `^(?:)a`, `a^b`, `^ab$c`, `^\x{FFFD}$`, `(a^)?b`, `^[a-c]*[d-f]*b?$`}
	piece := rapid.SampledFrom([]string{"a", "B", "k", "é", ".", "[a-c]", "[^a]", `\d`, `[A-Zé]`, "(a|b)", "(?i:k)", "[0-9]", "x"})
	many := rapid.SampledFrom([]string{"", "", "", "*", "+", "?", "{2}", "{0,2}"})
	letters := rapid.SampledFrom([]string{"a", "b", "B", "k", "K", "\u212a", "é", "x", "1", "7", "\n", "\xff", "\xc3", "-", "A", "Z", "α", "\ufffd", "2024-01-02"})
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.SampledFrom(fixed).Draw(t, "pattern")
		if rapid.Bool().Draw(t, "made") {
			pattern = rapid.SampledFrom([]string{"^", "^", "^", ""}).Draw(t, "start")
			for range rapid.IntRange(1, 4).Draw(t, "pieces") {
				pattern += piece.Draw(t, "piece") + many.Draw(t, "many")
			}
			pattern += rapid.SampledFrom([]string{"", "$"}).Draw(t, "end")
		}
		re := regexp.MustCompile(pattern)
		type row struct{ X string }
		var rows []row
		var want []int
		for range 20 {
			text := strings.Join(rapid.SliceOfN(letters, 0, 5).Draw(t, "text"), "")
			if rows = append(rows, row{text}); !re.MatchString(text) {
				want = append(want, len(rows)-1)
			}
		}
		got, err := schema.Validate(schema.New("S", schema.Text("x").Matches(pattern)), rows)
		if err != nil {
			t.Fatal(err)
		}
		same(t, fmt.Sprintf("%s of %q", pattern, rows), slices.Collect(got.InvalidRows()), want)
	})
}

func TestSetsOfTextsAreAskedForWholeTexts(t *testing.T) {
	t.Parallel()
	same8 := func(n int) (list []string) { // equal in length, in the first and in the last eight bytes
		for i := range n {
			list = append(list, fmt.Sprintf("beginning%03dthe ending", i))
		}
		return list
	}
	type row struct{ X string }
	for _, set := range [][]string{{""}, {"a", "b"}, {"ab", "ba", "abc"}, same8(3), same8(100), {"Zürich", "\xff"}} {
		rows := []row{{""}, {"a"}, {"c"}, {"abc"}, {"acc"}, {"Zürich"}, {"Zurich"}, {"\xff"}, {"\xfe"}, {"beginning001the ending"}, {"beginning999the ending"}}
		var want []int
		for i, r := range rows {
			if !slices.Contains(set, r.X) {
				want = append(want, i)
			}
		}
		got, err := schema.Validate(schema.New("S", schema.Text("x").OneOf(set...)), rows)
		if err != nil {
			t.Fatal(err)
		}
		same(t, fmt.Sprint(set), slices.Collect(got.InvalidRows()), want)
	}
}

func TestCopiesAreFoundHoweverRowsAreDealtOut(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 5))
	const n = 60_000 // several partitions
	b := array.NewInt64Builder(nilSafe)
	text := array.NewStringBuilder(nilSafe)
	at := map[int64][]int{}
	for i := range n {
		v := int64(7) // nearly everywhere
		if r.IntN(3) == 0 {
			v = int64(r.Uint64()) | 1<<40
		} else if r.IntN(10) == 0 {
			v = int64(r.IntN(2000)) << 50
		}
		b.Append(v)
		text.Append(fmt.Sprint(v))
		at[v] = append(at[v], i)
	}
	ints, texts := b.NewArray(), text.NewArray()
	for _, which := range []schema.Copies{schema.All, schema.AllButFirst, schema.AllButLast} {
		var want []int
		for _, rows := range at {
			switch {
			case len(rows) < 2:
			case which == schema.All:
				want = append(want, rows...)
			case which == schema.AllButFirst:
				want = append(want, rows[1:]...)
			default:
				want = append(want, rows[:len(rows)-1]...)
			}
		}
		slices.Sort(want)
		for _, most := range []int{1, 5_000, 30_000, 1 << 20} {
			for _, a := range []arrow.Array{ints, texts} {
				got := schema.CopiesDealing(oneColumn(a.DataType(), array.NewSlice(a, 0, 999), array.NewSlice(a, 999, n)), which, most)
				if !slices.Equal(got, want) {
					t.Fatalf("%s of %s, %d at a time: %d rows, want %d", which, a.DataType(), most, len(got), len(want))
				}
			}
		}
	}
}

func TestRulesOverFourColumnsAndStructsEqualTheReference(t *testing.T) {
	t.Parallel()
	type row struct {
		A *int8
		B *uint32
		C *float32
		D *string
	}
	rapid.Check(t, func(t *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 6))
		rows := make([]row, r.IntN(150))
		var across, whole []int
		for i := range rows {
			if r.IntN(5) > 0 {
				rows[i].A = new(int8(r.IntN(5) - 2))
			}
			if r.IntN(5) > 0 {
				rows[i].B = new(uint32(r.IntN(3)))
			}
			if r.IntN(5) > 0 {
				rows[i].C = new(float32(r.IntN(3)) / 2)
			}
			if r.IntN(5) > 0 {
				rows[i].D = new(strings.Repeat("d", r.IntN(3)))
			}
			if v := rows[i]; v.A != nil && v.B != nil && v.C != nil && v.D != nil && float64(*v.A)+float64(*v.B)+float64(*v.C) > float64(len(*v.D)) {
				across = append(across, i)
			}
			if rows[i].A == nil && rows[i].D == nil {
				whole = append(whole, i)
			}
		}
		parts := []schema.Part{schema.Int8("a").Null(), schema.Uint32("b").Null(), schema.Float32("c").Null(), schema.Text("d").Null()}
		for name, rule := range map[string]struct {
			part schema.Part
			want []int
		}{
			"across": {schema.Across4("fits", func(a int8, b uint32, c float32, d string) bool {
				return float64(a)+float64(b)+float64(c) <= float64(len(d))
			}, "a", "b", "c", "d"), across},
			"row": {schema.Row("one", func(r row) bool { return r.A != nil || r.D != nil }), whole},
		} {
			s := schema.New("S", append(slices.Clone(parts), rule.part)...)
			in, err := table.FromRows(rows)
			if err != nil {
				t.Fatal(err)
			}
			for _, of := range []any{rows, in} {
				got, err := schema.Validate(s, of)
				if err != nil {
					t.Fatal(err)
				}
				same(t, fmt.Sprintf("%s of %T", name, of), slices.Collect(got.InvalidRows()), rule.want)
			}
		}
	})
}

func TestLongTextsAreSplitAndKeptShort(t *testing.T) {
	t.Parallel()
	type row struct{ X string }
	long := strings.Repeat("ä", 1<<19) // 1 MB
	rows := []row{{long}, {""}, {long + "b"}, {"ok"}}
	in, err := table.FromRows(rows)
	if err != nil {
		t.Fatal(err)
	}
	good, bad, r, err := schema.Split(schema.New("S", schema.Text("x").Length(1, 1<<19).Matches(`^\pL*$`)), in)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "invalid", slices.Collect(r.InvalidRows()), []int{1, 2})
	g, err1 := table.Rows[row](good)
	b, err2 := table.Rows[row](bad)
	if err1 != nil || err2 != nil || g[0].X != long || g[1].X != "ok" || b[0].X != "" || b[1].X != long+"b" {
		t.Errorf("%d good, %d bad, %v, %v", len(g), len(b), err1, err2)
	}
	if c := r.Counts[0].Failures[0].FailureCase.(string); len(c) > 1100 {
		t.Errorf("a failure case has %d bytes", len(c))
	}
}

// It must not run beside others: it counts what is allocated.
func TestMemoryDoesNotGrowWithTheFailures(t *testing.T) {
	const n = 300_000
	b := array.NewInt64Builder(nilSafe)
	for range n {
		b.Append(-1)
	}
	in := oneColumn(arrow.PrimitiveTypes.Int64, b.NewArray())
	s := schema.New("S", schema.Int64("x").AtLeast(0).GreaterThan(0).Unique())
	var got *schema.Result
	allocations := testing.AllocsPerRun(1, func() {
		var err error
		if got, err = schema.Validate(s, in); err != nil {
			t.Fatal(err)
		}
	})
	if got.ErrorCount != 3*n || got.InvalidRowCount != n {
		t.Fatalf("%d errors of %d rows", got.ErrorCount, got.InvalidRowCount)
	}
	if allocations > 5000 {
		t.Errorf("%.0f allocations for %d failures", allocations, got.ErrorCount)
	}
	for _, c := range got.Counts {
		if len(c.Failures) != schema.KeptFailures {
			t.Errorf("%s keeps %d failures", c.Check, len(c.Failures))
		}
	}
}
