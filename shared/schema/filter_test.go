package schema_test

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

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
	if logs := report.Logs(); len(logs) != 1 || logs[0].Message != "Filtered 3 invalid rows (5 errors)" || logs[0].Level.String() != "WARN" {
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
	var want []schema.Failure
	for f := range r.Errors() {
		f.FailureCase = schema.JSONCase(f.FailureCase)
		if x, ok := f.FailureCase.(float64); ok && x == math.Trunc(x) {
			f.FailureCase = int64(x)
		}
		want = append(want, f)
	}
	if got := q.Errors(); !reflect.DeepEqual(got, want) {
		t.Errorf("reasons\n%v\nwant\n%v", got, want)
	}
}

func TestWhereNothingIsRemovedFilterSaysNothing(t *testing.T) {
	t.Parallel()
	ctx, report := waggletest.Context(t)
	for _, rows := range [][]reading{nil, readings[:1], readings[4:]} {
		if good, err := schema.Filter(ctx, readingSchema, rows); err != nil || len(good) != len(rows) {
			t.Errorf("%v, %v", good, err)
		}
	}
	if len(report.Labels()) != 0 || len(report.Logs()) != 0 {
		t.Errorf("labels %v, logs %v", report.Labels(), report.Logs())
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
	if _, err := schema.Filter(ctx, readingSchema, missing); !errors.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "value breaks column_present") {
		t.Error(err)
	}
	few := schema.New("Few", schema.Int64("id"), schema.MinRows(10))
	if _, err := schema.Filter(ctx, few, readings); !errors.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "row_count_at_least(10)") {
		t.Error(err)
	}
	broken := schema.New("Broken", schema.Text("note").Matches("("))
	if _, err := schema.Filter(ctx, broken, readings); !errors.Is(err, fault.Invalid) {
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

func TestTheMistakesOfASchemaAreFoundAtStart(t *testing.T) {
	t.Parallel()
	a := asset.New("a", func(*asset.Context) ([]reading, error) { return nil, nil }, nil)
	bad := schema.New("Bad", schema.Text("note").Matches("("))
	defs := waggle.Definitions{Assets: asset.List{a}, Checks: check.List{schema.Check(bad, a, nil), schema.Check[[]reading](nil, a, nil)}}
	err := defs.Validate()
	if err == nil || !strings.Contains(err.Error(), `filter_test.go:`) || !strings.Contains(err.Error(), `its schema "Bad"`) || !strings.Contains(err.Error(), "the schema is nil") {
		t.Error(err)
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
