package schema_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"regexp"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"waggle/shared/schema"
	"waggle/shared/table"
)

// The reference: rows are maps from column to value, nil is null, and each rule is asked about each row, one
// after another. It shares nothing with the implementation but the names of checks.

type naiveRow map[string]any

type naiveRule struct {
	check    string
	severity schema.Severity
	bad      func(v any) bool           // of a column; v is not nil
	breaks   func(all []naiveRow) []int // of a column or the table: all rows at once
	columns  []string                   // of a table rule
	ofRow    func(r naiveRow) bool      // of a table rule: one row, true is bad
}

type naiveColumn struct {
	name, kind string
	null       bool
	rules      []naiveRule
	missing    bool   // the table has not got it
	wrong      string // the table has it with this type
}

type naiveSchema struct {
	columns  []naiveColumn
	rules    []naiveRule
	min, max int // row counts; -1 none
	extra    []string
}

type naiveResult struct {
	errors, warnings []schema.Failure
	counts           map[string]int
	invalid          []int
}

func (s naiveSchema) validate(rows []naiveRow) naiveResult {
	var all []schema.Failure
	gone := map[string]bool{}
	for _, c := range s.columns {
		switch {
		case c.missing:
			all = append(all, schema.Failure{Column: c.name, Check: "column_present", Severity: schema.Error, Row: -1})
			gone[c.name] = true
		case c.wrong != "":
			all = append(all, schema.Failure{Column: c.name, Check: "type(" + c.kind + ")", Severity: schema.Error, FailureCase: c.wrong, Row: -1})
			gone[c.name] = true
		}
	}
	for _, e := range s.extra {
		all = append(all, schema.Failure{Column: e, Check: "column_in_schema", Severity: schema.Error, FailureCase: "int64", Row: -1})
	}
	if s.max >= 0 && len(rows) > s.max {
		all = append(all, schema.Failure{Check: fmt.Sprintf("row_count_at_most(%d)", s.max), Severity: schema.Error, FailureCase: int64(len(rows)), Row: -1})
	}
	// The two cannot both be broken.
	if s.min >= 0 && len(rows) < s.min {
		all = append(all, schema.Failure{Check: fmt.Sprintf("row_count_at_least(%d)", s.min), Severity: schema.Error, FailureCase: int64(len(rows)), Row: -1})
	}
	at := make([][]schema.Failure, len(rows))
	for _, c := range s.columns {
		if gone[c.name] {
			continue
		}
		rules := slices.Clone(c.rules)
		sort.Slice(rules, func(i, j int) bool { return rules[i].check < rules[j].check })
		broken := map[string]map[int]bool{}
		for _, r := range rules {
			if r.breaks != nil {
				broken[r.check] = map[int]bool{}
				for _, i := range r.breaks(rows) {
					broken[r.check][i] = true
				}
			}
		}
		for i, row := range rows {
			for _, r := range rules {
				v := row[c.name]
				bad := false
				switch {
				case r.check == "not_null":
					bad = v == nil && !c.null
				case v == nil:
				case r.bad != nil:
					bad = r.bad(v)
				default:
					bad = broken[r.check][i]
				}
				if bad {
					at[i] = append(at[i], schema.Failure{Column: c.name, Check: r.check, Severity: r.severity, FailureCase: shown(v, c.kind), Row: i})
				}
			}
		}
	}
	rules := slices.Clone(s.rules)
	sort.Slice(rules, func(i, j int) bool { return rules[i].check < rules[j].check })
	for _, r := range rules {
		if slices.ContainsFunc(r.columns, func(c string) bool { return gone[c] }) {
			continue
		}
		bad := []int{}
		if r.breaks != nil {
			bad = r.breaks(rows)
		} else {
			for i, row := range rows {
				if r.ofRow(row) {
					bad = append(bad, i)
				}
			}
		}
		for _, i := range bad {
			values := map[string]any{}
			for _, name := range r.columns {
				k := slices.IndexFunc(s.columns, func(c naiveColumn) bool { return c.name == name })
				values[name] = shown(rows[i][name], s.columns[k].kind)
			}
			at[i] = append(at[i], schema.Failure{Column: strings.Join(r.columns, ", "), Check: r.check, Severity: r.severity, FailureCase: values, Row: i})
		}
	}
	for _, list := range at {
		all = append(all, list...)
	}
	res := naiveResult{counts: map[string]int{}}
	for _, f := range all {
		res.counts[f.Column+"|"+f.Check]++
		if f.Severity == schema.Warn {
			res.warnings = append(res.warnings, f)
		} else {
			res.errors = append(res.errors, f)
		}
	}
	for i := range rows {
		if len(gone) > 0 || slices.ContainsFunc(at[i], func(f schema.Failure) bool { return f.Severity == schema.Error }) {
			res.invalid = append(res.invalid, i)
		}
	}
	return res
}

// shown is a value as failures show it.
func shown(v any, kind string) any {
	switch v := v.(type) {
	case time.Time:
		if kind == "date" {
			return v.Format("2006-01-02")
		}
		return v.Format(time.RFC3339Nano)
	case []byte:
		return shown(string(v), kind)
	case string:
		if r := []rune(v); len(r) > 256 {
			return string(r[:256]) + "…"
		}
	}
	return v
}

// equalKey is equal for equal values: all NaN, and both zeros.
func equalKey(v any) string {
	if f, ok := v.(float64); ok && f == 0 {
		v = 0.0
	}
	if t, ok := v.(time.Time); ok {
		v = t.Format(time.RFC3339Nano)
	}
	return fmt.Sprintf("%T %v", v, v)
}

// naiveCopies are the rows that have the same values in all columns as others.
func naiveCopies(copies schema.Copies, columns ...string) func([]naiveRow) []int {
	return func(rows []naiveRow) []int {
		groups := map[string][]int{}
		for i, row := range rows {
			key := ""
			for _, c := range columns {
				if row[c] == nil {
					key = ""
					break
				}
				k := equalKey(row[c])
				key += fmt.Sprintf("%d:%s/", len(k), k)
			}
			if key != "" {
				groups[key] = append(groups[key], i)
			}
		}
		var bad []int
		for _, g := range groups {
			switch {
			case len(g) < 2:
			case copies == schema.All:
				bad = append(bad, g...)
			case copies == schema.AllButFirst:
				bad = append(bad, g[1:]...)
			default:
				bad = append(bad, g[:len(g)-1]...)
			}
		}
		sort.Ints(bad)
		return bad
	}
}

// candidate is a rule of a column, for the schema and for the reference.
type candidate[T any] struct {
	add  func(*schema.Column[T])
	rule naiveRule
}

func valueRule[T any](check string, add func(*schema.Column[T]), bad func(T) bool) candidate[T] {
	return candidate[T]{add, naiveRule{check: check, bad: func(v any) bool { return bad(v.(T)) }}}
}

// draw adds some of the rules, some of them as warnings.
func draw[T any](r *rand.Rand, c *schema.Column[T], name, kind string, of []candidate[T]) (schema.Part, naiveColumn) {
	n := naiveColumn{name: name, kind: kind, null: r.IntN(2) == 0}
	severity := func() schema.Severity {
		if r.IntN(4) == 0 {
			c.Warn()
			return schema.Warn
		}
		return schema.Error
	}
	n.rules = []naiveRule{{check: "not_null", severity: severity()}}
	if n.null {
		c.Null()
	}
	copies := []schema.Copies{schema.All, schema.AllButFirst, schema.AllButLast}[r.IntN(3)]
	of = append(of, candidate[T]{func(c *schema.Column[T]) { c.Unique(copies) }, naiveRule{check: "unique", breaks: naiveCopies(copies, name)}})
	for _, k := range r.Perm(len(of)) {
		if r.IntN(2) == 0 {
			continue
		}
		of[k].add(c)
		rule := of[k].rule
		rule.severity = severity()
		n.rules = append(n.rules, rule)
	}
	return c, n
}

var (
	ints   = []any{int64(math.MinInt64), int64(-1), int64(0), int64(1), int64(2), int64(7), int64(math.MaxInt64), nil}
	floats = []any{math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), 0.0, 0.1, 1.5, 2.0, 1e300, nil}
	texts  = []any{"", "a", "Amber", "ärger", "Zoë", "\xff", "a\xffb", "budget", "mid", strings.Repeat("é", 300), nil}
	days   = []any{schema.Day(1899, 12, 31), schema.Day(1900, 1, 1), schema.Day(1969, 12, 31), schema.Day(1970, 1, 1), schema.Day(2090, 1, 1), schema.Day(1, 1, 1), nil}
	stamps = []any{time.Unix(-1, 999_999_999).UTC(), time.Unix(0, 0).UTC(), time.Unix(0, 1).UTC(), time.Unix(1_700_000_000, 5).UTC(), nil}
	bools  = []any{true, false, nil}
	blobs  = []any{[]byte{}, []byte{0}, []byte("\xff\x00"), []byte("abc"), nil}
)

// domain is what values of a column are drawn from.
var domain = map[string][]any{"id": ints, "price": floats, "title": texts, "day": days, "at": stamps, "flag": bools, "blob": blobs}

func drawRows(r *rand.Rand, n int) []naiveRow {
	unique := r.IntN(2) == 0 // so that uniqueness is not always broken everywhere
	rows := make([]naiveRow, n)
	for i := range rows {
		rows[i] = naiveRow{}
		for _, c := range []string{"id", "price", "title", "day", "at", "flag", "blob"} { // a fixed order, so that a seed repeats
			rows[i][c] = domain[c][r.IntN(len(domain[c]))]
		}
		if unique && r.IntN(10) > 0 {
			rows[i]["id"] = r.Int64()
			rows[i]["title"] = fmt.Sprint("T", r.Int64())
			rows[i]["price"] = r.NormFloat64()
		}
	}
	return rows
}

type sample struct {
	schema *schema.Schema
	naive  naiveSchema
	rows   []naiveRow
	table  *table.Table
}

// drawSample makes a schema, its reference and a table for them.
func drawSample(seed uint64, n int) sample {
	r := rand.New(rand.NewPCG(seed, 1))
	s := naiveSchema{min: -1, max: -1}
	var parts []schema.Part
	add := func(p schema.Part, c naiveColumn) { parts, s.columns = append(parts, p), append(s.columns, c) }
	add(draw(r, schema.Int64("id"), "id", "int64", []candidate[int64]{
		valueRule("greater_than(-1)", func(c *schema.Column[int64]) { c.GreaterThan(-1) }, func(v int64) bool { return !(v > -1) }),
		valueRule("at_least(0)", func(c *schema.Column[int64]) { c.AtLeast(0) }, func(v int64) bool { return !(v >= 0) }),
		valueRule("less_than(9223372036854775807)", func(c *schema.Column[int64]) { c.LessThan(math.MaxInt64) }, func(v int64) bool { return !(v < math.MaxInt64) }),
		valueRule("at_most(7)", func(c *schema.Column[int64]) { c.AtMost(7) }, func(v int64) bool { return !(v <= 7) }),
		valueRule("one_of([1, 2, -9223372036854775808])", func(c *schema.Column[int64]) { c.OneOf(1, 2, math.MinInt64) }, func(v int64) bool { return v != 1 && v != 2 && v != math.MinInt64 }),
		valueRule("even", func(c *schema.Column[int64]) { c.Check("even", func(v int64) bool { return v%2 == 0 }) }, func(v int64) bool { return v&1 == 1 }),
	}))
	add(draw(r, schema.Float64("price"), "price", "float64", []candidate[float64]{
		valueRule("greater_than(0)", func(c *schema.Column[float64]) { c.GreaterThan(0) }, func(v float64) bool { return !(v > 0) }),
		valueRule("at_least(0.1)", func(c *schema.Column[float64]) { c.AtLeast(0.1) }, func(v float64) bool { return !(v >= 0.1) }),
		valueRule("less_than(1000000000)", func(c *schema.Column[float64]) { c.LessThan(1e9) }, func(v float64) bool { return !(v < 1e9) }),
		valueRule("at_most(1.5)", func(c *schema.Column[float64]) { c.AtMost(1.5) }, func(v float64) bool { return !(v <= 1.5) }),
		valueRule("one_of([0, 1.5, +Inf])", func(c *schema.Column[float64]) { c.OneOf(0, 1.5, math.Inf(1)) }, func(v float64) bool { return !(v == 0 || v == 1.5 || v > 1e308) }),
		valueRule("finite", func(c *schema.Column[float64]) { c.Finite() }, func(v float64) bool { return v-v != 0 }),
	}))
	upper := regexp.MustCompile(`^[A-Z]`)
	add(draw(r, schema.Text("title"), "title", "text", []candidate[string]{
		valueRule("not_empty", func(c *schema.Column[string]) { c.NotEmpty() }, func(v string) bool { return v == "" }),
		valueRule("length(2, 5)", func(c *schema.Column[string]) { c.Length(2, 5) }, func(v string) bool { n := len([]rune(v)); return n < 2 || n > 5 }),
		valueRule("matches(^[A-Z])", func(c *schema.Column[string]) { c.Matches(`^[A-Z]`) }, func(v string) bool { return upper.FindStringIndex(v) == nil }),
		valueRule("utf8", func(c *schema.Column[string]) { c.UTF8() }, func(v string) bool { return strings.ToValidUTF8(v, "?") != v }),
		valueRule("one_of([budget, mid])", func(c *schema.Column[string]) { c.OneOf("budget", "mid") }, func(v string) bool { return v != "budget" && v != "mid" }),
		valueRule("greater_than(B)", func(c *schema.Column[string]) { c.GreaterThan("B") }, func(v string) bool { return strings.Compare(v, "B") <= 0 }),
		valueRule("short", func(c *schema.Column[string]) { c.Check("short", func(v string) bool { return len(v) < 6 }) }, func(v string) bool { return len(v) > 5 }),
	}))
	add(draw(r, schema.Date("day"), "day", "date", []candidate[time.Time]{
		valueRule("at_least(1900-01-01)", func(c *schema.Column[time.Time]) { c.AtLeast(schema.Day(1900, 1, 1)) }, func(v time.Time) bool { return v.Year() < 1900 }),
		valueRule("less_than(2090-01-01)", func(c *schema.Column[time.Time]) { c.LessThan(schema.Day(2090, 1, 1)) }, func(v time.Time) bool { return v.Year() >= 2090 }),
		valueRule("one_of([1970-01-01])", func(c *schema.Column[time.Time]) { c.OneOf(schema.Day(1970, 1, 1)) }, func(v time.Time) bool { return v.Unix() != 0 }),
	}))
	add(draw(r, schema.Timestamp("at"), "at", "timestamp", []candidate[time.Time]{
		valueRule("greater_than(1970-01-01T00:00:00Z)", func(c *schema.Column[time.Time]) { c.GreaterThan(time.Unix(0, 0)) }, func(v time.Time) bool { return v.UnixNano() <= 0 }),
		valueRule("at_most(1970-01-01T00:00:00.000000001Z)", func(c *schema.Column[time.Time]) { c.AtMost(time.Unix(0, 1)) }, func(v time.Time) bool { return v.UnixNano() > 1 }),
		valueRule("one_of([1970-01-01T00:00:00Z])", func(c *schema.Column[time.Time]) { c.OneOf(time.Unix(0, 0).In(time.FixedZone("x", 3600))) }, func(v time.Time) bool { return v.UnixNano() != 0 }),
	}))
	add(draw(r, schema.Bool("flag"), "flag", "bool", []candidate[bool]{
		valueRule("one_of([true])", func(c *schema.Column[bool]) { c.OneOf(true) }, func(v bool) bool { return !v }),
	}))
	add(draw(r, schema.Bytes("blob"), "blob", "bytes", []candidate[[]byte]{
		valueRule("not_empty", func(c *schema.Column[[]byte]) { c.NotEmpty() }, func(v []byte) bool { return bytes.Equal(v, nil) }),
		valueRule("length(1, 2)", func(c *schema.Column[[]byte]) { c.Length(1, 2) }, func(v []byte) bool { return len(v) != 1 && len(v) != 2 }),
	}))
	tableRule := func(t *schema.TableRule, n naiveRule) {
		if r.IntN(2) == 0 {
			return
		}
		n.severity = schema.Error
		if r.IntN(4) == 0 {
			t.Warn()
			n.severity = schema.Warn
		}
		parts, s.rules = append(parts, t), append(s.rules, n)
	}
	copies := []schema.Copies{schema.All, schema.AllButFirst, schema.AllButLast}[r.IntN(3)]
	tableRule(schema.UniqueTogether(copies, "title", "price"), naiveRule{check: "unique_together", columns: []string{"title", "price"}, breaks: naiveCopies(copies, "title", "price")})
	tableRule(schema.Across2("cheap", func(id int64, price float64) bool { return price <= float64(id) }, "id", "price"),
		naiveRule{check: "cheap", columns: []string{"id", "price"}, ofRow: func(r naiveRow) bool {
			return r["id"] != nil && r["price"] != nil && !(r["price"].(float64) <= float64(r["id"].(int64)))
		}})
	tableRule(schema.Across3("in_order", func(day time.Time, title string, flag bool) bool { return flag || title == "" || day.Year() > 1900 }, "day", "title", "flag"),
		naiveRule{check: "in_order", columns: []string{"day", "title", "flag"}, ofRow: func(r naiveRow) bool {
			return r["day"] != nil && r["title"] == any("x") || r["day"] != nil && r["title"] != nil && r["flag"] == any(false) && r["title"] != any("") && r["day"].(time.Time).Year() <= 1900
		}})
	tableRule(schema.Vectorised("nulls_pair", func(b *schema.Batch) {
		for i := range b.Rows {
			if b.Columns[0].IsNull(i) != b.Columns[1].IsNull(i) {
				b.Fail(i)
			}
		}
	}, "at", "blob"), naiveRule{check: "nulls_pair", columns: []string{"at", "blob"}, ofRow: func(r naiveRow) bool { return (r["at"] == nil) != (r["blob"] == nil) }})
	if r.IntN(3) == 0 {
		s.min = 1 + r.IntN(6)
		parts = append(parts, schema.MinRows(s.min))
	}
	if r.IntN(3) == 0 {
		s.max = 6 + r.IntN(6)
		parts = append(parts, schema.MaxRows(s.max))
	}
	extra := r.IntN(4) == 0
	if extra && r.IntN(2) == 0 {
		parts = append(parts, schema.Options{ExtraColumns: schema.Reject})
		s.extra = []string{"other"}
	}
	if r.IntN(4) == 0 {
		s.columns[r.IntN(len(s.columns))].missing = true
	}
	if c := &s.columns[r.IntN(len(s.columns))]; r.IntN(4) == 0 && !c.missing {
		c.wrong = map[string]string{"text": "bytes"}[c.kind]
		if c.wrong == "" {
			c.wrong = "text"
		}
	}
	rows := drawRows(r, n)
	return sample{schema.New("Sample", parts...), s, rows, tableOf(r, s.columns, rows, extra)}
}

// tableOf writes rows as Arrow: each column cut into chunks at random, text sometimes by a dictionary or
// with long offsets, timestamps and dates as they come.
func tableOf(r *rand.Rand, columns []naiveColumn, rows []naiveRow, extra bool) *table.Table {
	var fields []arrow.Field
	var data []arrow.Column
	if extra {
		columns = append(slices.Clone(columns), naiveColumn{name: "other", kind: "int64"})
	}
	for _, k := range r.Perm(len(columns)) {
		c := columns[k]
		if c.missing {
			continue
		}
		kind := c.kind
		if c.wrong != "" {
			kind = c.wrong
		}
		types := map[string][]arrow.DataType{
			"int64": {arrow.PrimitiveTypes.Int64}, "float64": {arrow.PrimitiveTypes.Float64}, "bool": {arrow.FixedWidthTypes.Boolean},
			"date": {arrow.FixedWidthTypes.Date32, arrow.FixedWidthTypes.Date64}, "timestamp": {arrow.FixedWidthTypes.Timestamp_ns},
			"text":  {arrow.BinaryTypes.String, arrow.BinaryTypes.LargeString, arrow.BinaryTypes.StringView, &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}},
			"bytes": {arrow.BinaryTypes.Binary},
		}[kind]
		t := types[r.IntN(len(types))]
		f := arrow.Field{Name: c.name, Type: t, Nullable: true}
		var chunks []arrow.Array
		for from := 0; from < len(rows) || len(chunks) == 0; {
			to := min(len(rows), from+r.IntN(len(rows)+2))
			b := array.NewBuilder(memory.DefaultAllocator, t)
			b.AppendNull() // cut off again, so that arrays have an offset
			for _, row := range rows[from:to] {
				appendAny(b, row[c.name], c.wrong != "")
			}
			chunks = append(chunks, array.NewSlice(b.NewArray(), 1, int64(1+to-from)))
			from = to
		}
		fields, data = append(fields, f), append(data, *arrow.NewColumn(f, arrow.NewChunked(t, chunks)))
	}
	return table.FromArrow(array.NewTable(arrow.NewSchema(fields, nil), data, int64(len(rows))))
}

func appendAny(b array.Builder, v any, wrong bool) {
	if v == nil {
		b.AppendNull()
		return
	}
	if wrong {
		v = fmt.Sprint(v)
	}
	switch b := b.(type) {
	case *array.Int64Builder:
		b.Append(v.(int64))
	case *array.Float64Builder:
		b.Append(v.(float64))
	case *array.BooleanBuilder:
		b.Append(v.(bool))
	case *array.StringBuilder:
		b.Append(v.(string))
	case *array.StringViewBuilder:
		b.Append(v.(string))
	case *array.LargeStringBuilder:
		b.Append(v.(string))
	case *array.BinaryDictionaryBuilder:
		if err := b.AppendString(v.(string)); err != nil {
			panic(err)
		}
	case *array.BinaryBuilder:
		if s, ok := v.(string); ok {
			v = []byte(s)
		}
		b.Append(v.([]byte))
	case *array.Date32Builder:
		b.Append(arrow.Date32FromTime(v.(time.Time)))
	case *array.Date64Builder:
		b.Append(arrow.Date64FromTime(v.(time.Time)))
	case *array.TimestampBuilder:
		b.Append(arrow.Timestamp(v.(time.Time).UnixNano()))
	default:
		panic(fmt.Sprintf("%T", b))
	}
}
