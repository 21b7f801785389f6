package schema_test

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/fault"
	"waggle/shared/job"
	"waggle/shared/run"
	"waggle/shared/schema"
	"waggle/shared/table"
	"waggle/shared/waggle"
	"waggle/shared/waggletest"
)

type reading struct {
	ID    int64
	Value *float64
	Note  string
}

var readingSchema = schema.New("Readings",
	schema.Int64("id").Unique(schema.AllButFirst),
	schema.Float64("value").Finite().AtLeast(0),
	schema.Text("note").Length(0, 5).Warn(),
)

var readings = []reading{
	{1, new(1.5), ""}, {1 << 60, new(-2.0), ""}, {1, nil, ""}, {4, new(math.NaN()), ""}, {5, new(3.0), "too long"},
}

func TestFilterHandsOnWhatIsValidAndReportsTheRest(t *testing.T) {
	t.Parallel()
	ctx, report := waggletest.Context(t)
	good, err := schema.Filter(ctx, readingSchema, readings)
	if err != nil || len(good) != 2 || good[0].ID != 1 || good[1].ID != 5 {
		t.Fatalf("%+v, %v", good, err)
	}
	warnings, err := json.Marshal(report.Metadata("validation_warnings"))
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"error_count":5,"errors":[{"check":"unique","column":"id","count":1,"examples":[{"failure_case":1,"row":2}]},` +
		`{"check":"at_least(0)","column":"value","count":2,"examples":[{"failure_case":-2,"row":1},{"failure_case":"NaN","row":3}]},` +
		`{"check":"finite","column":"value","count":1,"examples":[{"failure_case":"NaN","row":3}]},` +
		`{"check":"not_null","column":"value","count":1,"examples":[{"failure_case":null,"row":2}]}],"removed_rows":3}`; string(warnings) != want {
		t.Errorf("%s\nwant\n%s", warnings, want)
	}
	if logs := report.Logs(); len(logs) != 2 || logs[0].Message != "Filtered 3 invalid rows (5 errors)" || logs[0].Level.String() != "WARN" {
		t.Errorf("%v", logs)
	}

	blob, _ := report.Metadata("quarantine").(string)
	data, err := ctx.Kept(blob)
	if err != nil {
		t.Fatal(err)
	}
	q, err := schema.ReadQuarantine(data)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := table.Rows[reading](q.Rows)
	if err != nil || len(rows) != 3 || rows[0].ID != 1<<60 || !slices.Equal(q.Numbers, []int{1, 2, 3}) {
		t.Errorf("%+v of rows %v, %v", rows, q.Numbers, err)
	}
	r, err := schema.Validate(readingSchema, readings)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := inJSON(t, q.Errors()), inJSON(t, slices.Collect(r.Errors())); got != want {
		t.Errorf("reasons\n%s\nwant\n%s", got, want)
	}
}

func inJSON(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// measured has values that a detour by JSON would change: large numbers, floats that are whole, NaN.
type measured struct {
	ID    int64
	Size  uint64
	Name  *string
	Price *float64
}

func TestAQuarantineHasTheFailuresThatValidateFinds(t *testing.T) {
	t.Parallel()
	s := schema.New("Measured", schema.Int64("id").Unique(), schema.Uint64("size").AtMost(5), schema.Text("name").Length(0, 3),
		schema.Float64("price").AtLeast(0).AtMost(5).Warn(), schema.UniqueTogether(schema.AllButLast, "name", "price"),
		schema.Row("named or cheap", func(m measured) bool { return m.Name != nil || m.Price == nil || *m.Price < 4 }, "price"))
	rapid.Check(t, func(r *rapid.T) {
		rows := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) measured {
			return measured{rapid.SampledFrom([]int64{0, 1, math.MinInt64, math.MaxInt64}).Draw(r, "id"), rapid.SampledFrom([]uint64{0, 6, math.MaxUint64}).Draw(r, "size"),
				rapid.Ptr(rapid.SampledFrom([]string{"", "abcd", "é"}), true).Draw(r, "name"), rapid.Ptr(rapid.SampledFrom([]float64{-1, 0, 4.5, 9, math.NaN()}), true).Draw(r, "price")}
		}), 0, 40).Draw(r, "rows")
		found, err := schema.Validate(s, rows)
		if err != nil {
			r.Fatal(err)
		}
		ctx, report := waggletest.Context(t)
		if rapid.Bool().Draw(r, "as table") {
			var made *table.Table
			if made, err = table.FromRows(rows); err == nil {
				_, err = schema.Filter(ctx, s, made)
			}
		} else {
			_, err = schema.Filter(ctx, s, rows)
		}
		if err != nil {
			r.Fatal(err)
		}
		got := []schema.Failure(nil)
		if blob, ok := report.Metadata("quarantine").(string); ok {
			got = quarantineAt(t, ctx, blob).Errors()
		}
		if got, want := inJSON(t, got), inJSON(t, slices.Collect(found.Errors())); got != want {
			r.Fatalf("set aside for\n%s\nwant\n%s", got, want)
		}
	})
}

func quarantineAt(t testing.TB, ctx *asset.Context, blob string) *schema.Quarantine {
	t.Helper()
	data, err := ctx.Kept(blob)
	if err != nil {
		t.Fatal(err)
	}
	q, err := schema.ReadQuarantine(data)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func TestWhereEveryRowIsBadTheQuarantineStaysSmall(t *testing.T) {
	t.Parallel()
	ctx, report := waggletest.Context(t)
	rows := make([]measured, 200_000) // each of them breaks three rules
	s := schema.New("Measured", schema.Int64("id").Unique(), schema.Text("name"), schema.Float64("price"))
	if good, err := schema.Filter(ctx, s, rows); err != nil || len(good) != 0 {
		t.Fatalf("%d rows, %v", len(good), err)
	}
	blob := report.Metadata("quarantine").(string)
	data, err := ctx.Kept(blob)
	if err != nil || len(data) > 4*len(rows) {
		t.Errorf("%d bytes for %d rows, %v", len(data), len(rows), err)
	}
	if q := quarantineAt(t, ctx, blob); len(q.Numbers) != len(rows) || len(q.Failures[len(rows)-1]) != 3 {
		t.Errorf("%d rows come back", len(q.Numbers))
	}
	if text := inJSON(t, report.Metadata("validation_warnings")); len(text) > 2048 {
		t.Errorf("%d bytes of metadata", len(text))
	}
}

func TestAFilterThatCannotJudgeSaysAllThatIsWrong(t *testing.T) {
	t.Parallel()
	type other struct {
		ID    string
		Extra int64
	}
	s := schema.New("Other", schema.Int64("id"), schema.Text("name"), schema.MinRows(1), schema.Options{ExtraColumns: schema.Reject})
	ctx, report := waggletest.Context(t)
	good, err := schema.Filter(ctx, s, []other{})
	if !errors.Is(err, fault.Invalid) || good != nil || len(report.Labels()) > 0 {
		t.Fatalf("%v, %v, labels %v", good, err, report.Labels())
	}
	for _, want := range []string{`column "id" is text, not int64; `, `column "name" is missing; `, `column "extra" is not in the schema; `, `the table has 0 rows, which breaks row_count_at_least(1)`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %s", err, want)
		}
	}
}

func TestWhereNothingIsRemovedFilterSaysNothing(t *testing.T) {
	t.Parallel()
	ctx, report := waggletest.Context(t)
	for _, rows := range [][]reading{nil, readings[:1]} {
		if good, err := schema.Filter(ctx, readingSchema, rows); err != nil || len(good) != len(rows) {
			t.Errorf("%v, %v", good, err)
		}
	}
	if len(report.Labels()) != 0 || len(report.Logs()) != 0 {
		t.Errorf("labels %v, logs %v", report.Labels(), report.Logs())
	}
}

func TestRowsThatBreakOnlyWarningsAreKeptAndReported(t *testing.T) {
	t.Parallel()
	ctx, report := waggletest.Context(t)
	s := schema.New("Notes", schema.Int64("id").AtLeast(2).Warn(), schema.Float64("value").Null().AtLeast(0), schema.Text("note").NotEmpty().Warn(), schema.MinRows(9).Warn())
	rows := []reading{{ID: 1, Value: new(-1.0)}, {ID: 1}, {ID: 2, Note: "a"}, {ID: 3}}
	if good, err := schema.Filter(ctx, s, rows); err != nil || len(good) != 3 {
		t.Fatalf("%v, %v", good, err)
	}
	want := `{"kept_rows":2,"warning_count":4,"warnings":[{"check":"row_count_at_least(9)","column":"","count":1,"examples":[{"failure_case":4,"row":null}]},` +
		`{"check":"at_least(2)","column":"id","count":1,"examples":[{"failure_case":1,"row":1}]},` +
		`{"check":"not_empty","column":"note","count":2,"examples":[{"failure_case":"","row":1},{"failure_case":"","row":3}]}]}`
	if got := inJSON(t, report.Metadata("kept_with_warnings")); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if logs := report.Logs(); len(logs) != 2 || logs[1].Message != "Kept 2 rows with 4 warnings" || logs[1].Level.String() != "WARN" {
		t.Errorf("%v", logs)
	}

	many := make([]reading, 2000)
	if _, err := schema.Filter(ctx, schema.New("More", schema.Int64("id").AtLeast(2).Warn()), many); err != nil {
		t.Fatal(err)
	}
	if _, err := schema.Filter(ctx, schema.New("Few", schema.Int64("id"), schema.MinRows(9).Warn()), many[:2]); err != nil {
		t.Fatal(err)
	}
	added, _ := report.Metadata("kept_with_warnings").(map[string]any)
	if list, _ := added["warnings"].([]any); added["kept_rows"] != 2002.0 || added["warning_count"] != 2005.0 || len(list) != 5 || strings.Count(inJSON(t, list[3]), `"row"`) != 10 {
		t.Errorf("%v", added)
	}
	if logs := report.Logs(); logs[2].Message != "Kept 2,000 rows with 2,000 warnings" || logs[3].Message != "Kept the table with 1 warning" {
		t.Errorf("%v", logs)
	}
	if labels := report.Labels(); !slices.Equal(labels, []string{"kept_with_warnings", "quarantine", "validation_warnings"}) {
		t.Errorf("labels %v", labels)
	}
}

func TestFiltersOfOneStepAddUp(t *testing.T) {
	t.Parallel()
	ctx, report := waggletest.Context(t)
	for range 2 {
		if _, err := schema.Filter(ctx, readingSchema, readings); err != nil {
			t.Fatal(err)
		}
	}
	warnings, _ := report.Metadata("validation_warnings").(map[string]any)
	if warnings["removed_rows"] != 6.0 || warnings["error_count"] != 10.0 || report.Metadata("quarantine_2") == nil || report.Metadata("quarantine_2") == report.Metadata("quarantine") {
		t.Errorf("%v, labels %v", warnings, report.Labels())
	}
}

func TestFilterRefusesRowsThatItCannotJudge(t *testing.T) {
	t.Parallel()
	ctx, report := waggletest.Context(t)
	missing, err := table.FromRows([]struct{ ID int64 }{{1}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := schema.Filter(ctx, readingSchema, missing); !errors.Is(err, fault.Invalid) || !strings.Contains(err.Error(), `column "value" is missing`) {
		t.Error(err)
	}
	few := schema.New("Few", schema.Int64("id"), schema.MinRows(10))
	if _, err := schema.Filter(ctx, few, readings); !errors.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "row_count_at_least(10)") {
		t.Error(err)
	}
	broken := schema.New("Broken", schema.Text("note").Matches("("))
	if good, err := schema.Filter(ctx, broken, readings); !errors.Is(err, fault.Invalid) || good != nil || !strings.Contains(err.Error(), "Options.Schemas") {
		t.Error(err)
	}
	if len(report.Labels()) != 0 {
		t.Errorf("labels %v", report.Labels())
	}
}

func TestAReportAssetReadsWhatWasRemovedInItsRun(t *testing.T) {
	t.Parallel()
	source := asset.New("clean", func(ctx *asset.Context) ([]reading, error) { return schema.Filter(ctx, readingSchema, readings) }, nil)
	untouched := asset.New("untouched", func(*asset.Context) (int, error) { return 1, nil }, nil)
	count := asset.New("count", func(ctx *asset.Context) (int, error) {
		n := 0
		for _, a := range []asset.Any{source, untouched} {
			removed, err := schema.Removed(ctx, a)
			if err != nil {
				return 0, err
			}
			for _, q := range removed {
				n += q.Rows.NumRows()*100 + len(q.Errors())
			}
		}
		return n, nil
	}, &asset.Options{Deps: asset.List{source, untouched}})
	defs := waggle.Definitions{Assets: asset.List{source, untouched, count}, Jobs: job.List{job.New("job", asset.List{source, untouched, count}, nil)}}
	r := waggletest.RunJob(t, defs, "job", nil)
	if r.Status != run.Success || waggletest.Output(t, r, count) != 305 {
		t.Errorf("%s, %d", r.Status, waggletest.Output(t, r, count))
	}
}

func TestRemovedOfAnAssetThatIsNotAmongTheDepsSaysToAddIt(t *testing.T) {
	t.Parallel()
	source := asset.New("clean", func(ctx *asset.Context) ([]reading, error) { return schema.Filter(ctx, readingSchema, readings) }, nil)
	count := asset.New("count", func(ctx *asset.Context) (int, error) {
		removed, err := schema.Removed(ctx, source)
		return len(removed), err
	}, nil)
	list := asset.List{source, count}
	r := waggletest.RunJob(t, waggle.Definitions{Assets: list, Jobs: job.List{job.New("job", list, nil)}}, "job", nil)
	if failed := r.Failed(); r.Status != run.Failure || len(failed) != 1 || failed[0].Key != "count" || !strings.Contains(failed[0].Error.Message, `"clean", which it does not declare (add it to Deps)`) {
		t.Errorf("%s %s", r.Status, r.Error)
	}
}

func TestASchemaIsACheck(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rows   []reading
		status run.Status
		want   map[string]string
	}{
		{readings[:1], run.Success, map[string]string{"record_count": "1", "schema": `"Readings"`}},
		{readings[:3], run.Failure, map[string]string{"record_count": "3", "schema": `"Readings"`, "error_count": "3", "invalid_row_count": "2",
			"error": `"row 1: value is -2, which breaks at_least(0)"`,
			"errors": `[{"column":"id","check":"unique","count":1,"examples":[{"row":2,"failure_case":1}]},{"column":"value","check":"at_least(0)","count":1,"examples":[{"row":1,"failure_case":-2}]},` +
				`{"column":"value","check":"not_null","count":1,"examples":[{"row":2,"failure_case":null}]}]`}},
		{readings[4:], run.Success, map[string]string{"record_count": "1", "schema": `"Readings"`,
			"warnings": `[{"column":"note","check":"length(0, 5)","count":1,"examples":[{"row":0,"failure_case":"too long"}]}]`}},
	} {
		a := asset.New("plant/readings", func(*asset.Context) ([]reading, error) { return c.rows, nil }, nil)
		checked := schema.Check(readingSchema, a, check.Blocking)
		defs := waggle.Definitions{Assets: asset.List{a}, Checks: check.List{checked}, Jobs: job.List{job.New("job", asset.List{a}, nil)}}
		r := waggletest.RunJob(t, defs, "job", nil)
		if r.Status != c.status || len(r.Checks) != 1 || r.Checks[0].Check != "check_plant_readings_schema" || !r.Checks[0].Blocking {
			t.Fatalf("%s, %+v", r.Status, r.Checks)
		}
		got := map[string]string{}
		for label, v := range r.Checks[0].Metadata {
			got[label] = string(v.Value)
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("metadata\n%v\nwant\n%v", got, c.want)
		}
	}
}

func TestTheMistakesOfASchemaAreFoundAtStartOnce(t *testing.T) {
	t.Parallel()
	bad := schema.New("Bad", schema.Text("note").Matches("("))
	rate := schema.New("Rate", schema.Text("note").Length(5, 1))
	a := asset.New("a", func(*asset.Context) ([]reading, error) { return nil, nil }, nil)
	defs := waggle.Definitions{Assets: asset.List{a}, Checks: check.List{schema.Check(bad, a, nil), schema.CheckFailureRate(bad, a, 5, nil), schema.CheckFailureRate(rate, a, 5, &check.Options{})}}
	defs.Checks[2].Definition().Name = "another"
	wantMistakes(t, defs, `schema "Bad": column "note": matches((): error parsing regexp`, `schema "Rate": `)
}

func TestTheMistakesOfASchemaThatOnlyFiltersAreFoundAtStart(t *testing.T) {
	t.Parallel()
	bad := schema.New("Bad", schema.Text("note").Matches("("))
	filtered := func(key string) *asset.Asset[[]reading] {
		return asset.New(key, func(ctx *asset.Context) ([]reading, error) { return schema.Filter(ctx, bad, readings) }, &asset.Options{Schemas: asset.Schemas{bad}})
	}
	wantMistakes(t, waggle.Definitions{Assets: asset.List{filtered("a"), filtered("b")}}, `schema "Bad": column "note": matches((): error parsing regexp`)
}

func TestANilSchemaIsAMistakeOfWhateverUsesIt(t *testing.T) {
	t.Parallel()
	a := asset.New("a", func(*asset.Context) ([]reading, error) { return nil, nil }, &asset.Options{Schemas: asset.Schemas{nil, (*schema.Schema)(nil)}})
	defs := waggle.Definitions{Assets: asset.List{a}, Checks: check.List{schema.Check[[]reading](nil, a, nil)}}
	wantMistakes(t, defs, `asset "a": schema 0 of Schemas is nil`, `asset "a": the schema is nil`, `check "check_a_schema": the schema is nil`)
}

// wantMistakes fails the test for other mistakes than these, each with a line of this file.
func wantMistakes(t *testing.T, defs waggle.Definitions, want ...string) {
	t.Helper()
	err := defs.Validate()
	if err == nil {
		t.Fatal("no mistake is found")
	}
	lines := strings.Split(err.Error(), "\n")
	for i, line := range lines {
		if !strings.HasPrefix(line, "shared/schema/filter_test.go:") || i < len(want) && !strings.Contains(line, want[i]) {
			t.Errorf("%q, want %q", line, want)
		}
	}
	if len(lines) != len(want) {
		t.Errorf("%d mistakes, want %d:\n%v", len(lines), len(want), err)
	}
}

func TestAReplaySaysWhatPassesAfterAMend(t *testing.T) {
	t.Parallel()
	ctx, report := waggletest.Context(t)
	if _, err := schema.Filter(ctx, readingSchema, append(readings[:len(readings):len(readings)], reading{5, new(7.0), ""})); err != nil {
		t.Fatal(err)
	}
	blob, _ := report.Metadata("quarantine").(string)
	data, err := ctx.Kept(blob)
	if err != nil {
		t.Fatal(err)
	}
	q, err := schema.ReadQuarantine(data)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		rules *schema.Schema
		pass  []int
		still map[string]int
	}{
		{readingSchema, nil, map[string]int{"unique": 2, "at_least(0)": 2, "finite": 1, "not_null": 1}},
		{schema.New("Mended", schema.Int64("id").Unique(), schema.Float64("value").Finite().AtLeast(-5)), []int{1}, map[string]int{"unique": 2, "at_least(-5)": 1, "finite": 1, "not_null": 1}},
		{schema.New("Free", schema.Int64("id"), schema.Float64("value").Null()), []int{1, 2, 3, 5}, map[string]int{}},
	} {
		pass, still, err := c.rules.Replay(q)
		counts := map[string]int{}
		for _, s := range still {
			counts[s.Check] = s.Count
		}
		if err != nil || !slices.Equal(pass, c.pass) || !reflect.DeepEqual(counts, c.still) {
			t.Errorf("%s: pass %v, still %v, %v; want %v, %v", c.rules.Name(), pass, counts, err, c.pass, c.still)
		}
	}
}

func TestAReplayByASchemaWithAnotherColumnSaysWhy(t *testing.T) {
	t.Parallel()
	ctx, report := waggletest.Context(t)
	if _, err := schema.Filter(ctx, readingSchema, readings); err != nil {
		t.Fatal(err)
	}
	q := quarantineAt(t, ctx, report.Metadata("quarantine").(string))
	pass, still, err := schema.New("Readings", schema.Int64("id"), schema.Text("origin")).Replay(q)
	if err != nil || len(pass) != 0 || len(still) != 1 || still[0].Column != "origin" || still[0].Check != "column_present" {
		t.Errorf("pass %v, still %+v, %v", pass, still, err)
	}
}
