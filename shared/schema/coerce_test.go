package schema_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"waggle/shared/schema"
	"waggle/shared/table"
)

// column is a table of one column x.
func column[T any](t *testing.T, values ...*T) *table.Table {
	t.Helper()
	type row struct{ X *T }
	rows := make([]row, len(values))
	for i, v := range values {
		rows[i].X = v
	}
	out, err := table.FromRows(rows)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func list[T any](values ...T) []*T {
	var out []*T
	for _, v := range values {
		out = append(out, &v)
	}
	return append(out, nil)
}

func TestColumnsAreConvertedAndWhatIsLostIsNamed(t *testing.T) {
	t.Parallel()
	coerce := schema.Options{Coerce: true}
	texts := column(t, list("1", " -7 ", "+3", "1.5", "1e3", "9223372036854775808", "", "true", "TRUE", "NaN", "1969-12-31", "1969-12-31 23:00:00", "x")...)
	for name, c := range map[string]struct {
		part schema.Part
		in   *table.Table
		lost []int
	}{
		"text to int64":      {schema.Int64("x").Null(), texts, []int{2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}},
		"text to uint64":     {schema.Uint64("x").Null(), texts, []int{1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12}},
		"text to float64":    {schema.Float64("x").Null(), texts, []int{6, 7, 8, 10, 11, 12}},
		"text to bool":       {schema.Bool("x").Null(), texts, []int{0, 1, 2, 3, 4, 5, 6, 9, 10, 11, 12}},
		"text to date":       {schema.Date("x").Null(), texts, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12}},
		"text to timestamp":  {schema.Timestamp("x").Null(), texts, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12}},
		"int64 to int8":      {schema.Int8("x").Null(), column(t, list[int64](127, 128, -128, -129, math.MaxInt64)...), []int{1, 3, 4}},
		"int64 to uint16":    {schema.Uint16("x").Null(), column(t, list[int64](0, -1, 65535, 65536)...), []int{1, 3}},
		"uint64 to int64":    {schema.Int64("x").Null(), column(t, list[uint64](math.MaxInt64, math.MaxInt64+1)...), []int{1}},
		"int64 to float64":   {schema.Float64("x").Null(), column(t, list[int64](1<<53, 1<<53+1, math.MinInt64, math.MaxInt64)...), []int{1, 3}},
		"float64 to int64":   {schema.Int64("x").Null(), column(t, list(1.0, 1.5, math.NaN(), math.Inf(1), -1<<63, 1<<63, 1e300)...), []int{1, 2, 3, 5, 6}},
		"float64 to uint64":  {schema.Uint64("x").Null(), column(t, list(-1.0, 1<<63, 1<<64)...), []int{0, 2}},
		"float64 to float32": {schema.Float32("x").Null(), column(t, list(0.1, 1e300, math.Inf(1), math.NaN())...), []int{1}},
		"int64 to bool":      {schema.Bool("x").Null(), column(t, list[int64](0, 1, 2)...), []int{2}},
		"timestamp to date":  {schema.Date("x").Null(), column(t, list(schema.Day(1960, 2, 3), time.Unix(1, 0))...), []int{1}},
		"float64 to text":    {schema.Text("x").Null(), column(t, list(1.0, math.NaN())...), nil},
	} {
		good, bad, r, err := schema.Split(schema.New("S", c.part, coerce), c.in)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		same(t, name, slices.Collect(r.InvalidRows()), c.lost)
		if len(c.lost) > 0 && r.Counts[0].Check[:7] != "coerce(" {
			t.Errorf("%s: %v", name, r.Counts[0])
		}
		if good.NumRows()+bad.NumRows() != c.in.NumRows() || bad.Arrow().Schema().Field(0).Type.ID() != c.in.Arrow().Schema().Field(0).Type.ID() {
			t.Errorf("%s: %d good, %d bad of %d; bad rows are %s", name, good.NumRows(), bad.NumRows(), c.in.NumRows(), bad.Arrow().Schema())
		}
		if again, err := schema.Validate(schema.New("S", c.part), good); err != nil || !again.Valid() {
			t.Errorf("%s: what was handed on is not of the type: %v, %v", name, again, err)
		}
	}
}

func TestAValueThatIsLostBreaksNoOtherRuleAndKeepsItsText(t *testing.T) {
	t.Parallel()
	s := schema.New("S", schema.Int64("x").AtLeast(5).Unique(), schema.Options{Coerce: true},
		schema.Row("over_six", func(r struct{ X *int64 }) bool { return *r.X > 6 }))
	r, err := schema.Validate(s, column(t, new("x"), new("x"), new("3"), new("5"), new("5")))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for f := range r.Errors() {
		got = append(got, f.Check)
	}
	same(t, "checks", got, []string{"coerce(int64)", "coerce(int64)", "at_least(5)", "over_six", "unique", "over_six", "unique", "over_six"})
	same(t, "case", r.Counts[1].Failures[0], schema.Failure{Column: "x", Check: "coerce(int64)", Severity: schema.Error, FailureCase: "x", Row: 0})
}

func TestATypeThatDoesNotConvertIsAFailureOfTheColumn(t *testing.T) {
	t.Parallel()
	r, err := schema.Validate(schema.New("S", schema.Date("x"), schema.Options{Coerce: true}), column(t, list(1.5)...))
	if err != nil || len(r.TableFailures()) != 1 || r.TableFailures()[0].Check != "type(date)" || r.ErrorCount != 1 {
		t.Errorf("%+v, %v", r, err)
	}
}
