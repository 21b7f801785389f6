package schema_test

import (
	"math"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"waggle/shared/schema"
	"waggle/shared/table"
)

// same compares failures; every NaN is equal to itself here.
func same(t interface {
	Helper()
	Fatalf(string, ...any)
}, what string, got, want any) {
	t.Helper()
	if g, ok := got.([]schema.Failure); ok && slices.EqualFunc(g, want.([]schema.Failure), sameFailure) {
		return // cmp takes a second for some ten thousand failures
	}
	if reflect.DeepEqual(got, want) {
		return
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateNaNs(), cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("%s (-want +got):\n%s", what, diff)
	}
}

func sameFailure(a, b schema.Failure) bool {
	nan := func(v any) bool { f, ok := v.(float64); return ok && f != f }
	if !nan(a.FailureCase) || !nan(b.FailureCase) {
		if !reflect.DeepEqual(a.FailureCase, b.FailureCase) {
			return false
		}
	}
	a.FailureCase, b.FailureCase = nil, nil
	return a == b
}

// sizes has the borders of the blocks in which rows are looked at.
var sizes = []int{0, 1, 2, 5, 20, 100, 300, 8191, 8192, 8193, 20_000}

func TestWhatIsFoundEqualsTheReference(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.SampledFrom(sizes[:7]).Draw(t, "rows")
		compare(t, drawSample(rapid.Uint64().Draw(t, "seed"), n))
	})
	for i, n := range sizes[7:] {
		compare(t, drawSample(uint64(i), n))
	}
}

func compare(t interface {
	Helper()
	Fatalf(string, ...any)
}, s sample) {
	t.Helper()
	want := s.naive.validate(s.rows)
	good, bad, got, err := schema.Split(s.schema, s.table)
	if err != nil {
		t.Fatalf("%v", err)
	}
	same(t, "errors", slices.Collect(got.Errors()), want.errors)
	same(t, "warnings", slices.Collect(got.Warnings()), want.warnings)
	same(t, "invalid rows", slices.Collect(got.InvalidRows()), want.invalid)
	counts, kept := map[string]int{}, 0
	for _, c := range got.Counts {
		counts[c.Column+"|"+c.Check] = c.Count
		list := want.errors
		if c.Severity == schema.Warn {
			list = want.warnings
		}
		var first []schema.Failure
		for _, f := range list {
			if f.Column == c.Column && f.Check == c.Check && len(first) < schema.KeptFailures {
				first = append(first, f)
			}
		}
		same(t, "kept failures of "+c.Check, c.Failures, first)
		kept += len(c.Failures)
	}
	same(t, "counts", counts, want.counts)
	if got.ErrorCount != len(want.errors) || got.WarningCount != len(want.warnings) || got.InvalidRowCount != len(want.invalid) ||
		got.Valid() != (len(want.errors) == 0) || got.Rows != len(s.rows) {
		t.Fatalf("%d errors, %d warnings, %d invalid of %d rows, valid %v; want %d, %d, %d of %d", got.ErrorCount, got.WarningCount, got.InvalidRowCount,
			got.Rows, got.Valid(), len(want.errors), len(want.warnings), len(want.invalid), len(s.rows))
	}
	if good.NumRows() != len(s.rows)-len(want.invalid) || bad.NumRows() != len(want.invalid) {
		t.Fatalf("split into %d and %d rows, want %d invalid of %d", good.NumRows(), bad.NumRows(), len(want.invalid), len(s.rows))
	}
	invalid := map[int]bool{}
	for _, i := range want.invalid {
		invalid[i] = true
	}
	if len(s.rows) < 9000 {
		same(t, "good cells", cells(t, good), cellsOf(t, s.table, func(i int) bool { return !invalid[i] }))
		same(t, "bad cells", cells(t, bad), cellsOf(t, s.table, func(i int) bool { return invalid[i] }))
	}
	same(t, "good rows", idsOf(t, good), idsOfRows(s, func(i int) bool { return !invalid[i] }))
	same(t, "bad rows", idsOf(t, bad), idsOfRows(s, func(i int) bool { return invalid[i] }))

	first, err := schema.First(s.schema, s.table)
	if err != nil {
		t.Fatalf("%v", err)
	}
	same(t, "a first failure", first, firstOf(want.errors))
}

// cellsOf is the cells of some rows.
func cellsOf(t fatal, rows *table.Table, in func(int) bool) map[string][]string {
	t.Helper()
	all := cells(t, rows)
	for name, column := range all {
		some := []string{}
		for i, v := range column {
			if in(i) {
				some = append(some, v)
			}
		}
		all[name] = some
	}
	return all
}

// firstOf is what First says of all errors: those of uniqueness come last.
func firstOf(all []schema.Failure) *schema.Failure {
	for _, late := range []bool{false, true} {
		for _, f := range all {
			if late == (f.Check == "unique" || f.Check == "unique_together") {
				return &f
			}
		}
	}
	return nil
}

// idsOf reads the column that tells rows apart; nil where the table has it not, or as something else.
func idsOf(t interface {
	Helper()
	Fatalf(string, ...any)
}, rows *table.Table) []*int64 {
	t.Helper()
	type id struct{ ID *int64 }
	list, err := table.Rows[id](rows)
	if err != nil {
		return nil
	}
	ids := make([]*int64, len(list))
	for i := range list {
		ids[i] = list[i].ID
	}
	return ids
}

func idsOfRows(s sample, in func(int) bool) []*int64 {
	if c := s.naive.columns[0]; c.missing || c.wrong != "" {
		return nil
	}
	var ids []*int64
	for i, row := range s.rows {
		if !in(i) {
			continue
		}
		if v, ok := row["id"].(int64); ok {
			ids = append(ids, &v)
		} else {
			ids = append(ids, nil)
		}
	}
	return ids
}

func TestTheFirstFailureIsOneOfUniquenessOnlyWhereNothingElseIsWrong(t *testing.T) {
	t.Parallel()
	type row struct{ X int64 }
	s := schema.New("S", schema.Int64("x").Unique(schema.AllButFirst).AtLeast(0).AtMost(9).Warn(), schema.MaxRows(4))
	for _, c := range []struct {
		rows []row
		want *schema.Failure
	}{
		{[]row{{1}, {20}}, nil}, // a warning is none
		{[]row{{1}, {2}, {1}}, &schema.Failure{Column: "x", Check: "unique", Severity: schema.Error, FailureCase: int64(1), Row: 2}},
		{[]row{{1}, {1}, {-1}}, &schema.Failure{Column: "x", Check: "at_least(0)", Severity: schema.Error, FailureCase: int64(-1), Row: 2}},
		{[]row{{-1}, {1}, {2}, {3}, {4}}, &schema.Failure{Check: "row_count_at_most(4)", Severity: schema.Error, FailureCase: int64(5), Row: schema.NoRow}},
	} {
		got, err := schema.First(s, c.rows)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "first failure", got, c.want)
	}
}

func TestNaNAndBothZerosAreTheirOwnEqual(t *testing.T) {
	t.Parallel()
	type row struct{ X float64 }
	got, err := schema.Validate(schema.New("S", schema.Float64("x").Unique()), []row{{math.NaN()}, {1}, {math.NaN()}, {0}, {math.Copysign(0, -1)}})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "invalid rows", slices.Collect(got.InvalidRows()), []int{0, 2, 3, 4})
}
