package schema_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/job"
	"waggle/shared/run"
	"waggle/shared/schema"
	"waggle/shared/waggle"
	"waggle/shared/waggletest"
)

type visit struct {
	Room *int64
	On   *string
	At   time.Time
}

// evaluate runs a check of assets whose values are given.
func evaluate(t *testing.T, c *check.Check, now time.Time, assets asset.List, given ...waggletest.Value) run.CheckResult {
	t.Helper()
	defs := waggle.Definitions{Assets: assets, Checks: check.List{c}, Jobs: job.List{job.New("job", assets, nil)}}
	r := waggletest.RunJob(t, defs, "job", &waggletest.Options{Given: given, Now: func() time.Time { return now }})
	if len(r.Checks) != 1 || r.Checks[0].Status == run.CheckExecutionFailed {
		t.Fatalf("%s %s: %+v", r.Status, r.Error, r.Checks)
	}
	return r.Checks[0]
}

func wantCheck(t *testing.T, c run.CheckResult, passed bool, description string, want map[string]string) {
	t.Helper()
	got := map[string]string{}
	for label, v := range c.Metadata {
		got[label] = string(v.Value)
	}
	if c.Passed != passed || c.Description != description || want != nil && !reflect.DeepEqual(got, want) {
		t.Errorf("%s: passed %t, %q, %v\nwant %t, %q, %v", c.Check, c.Passed, c.Description, got, passed, description, want)
	}
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func visits() *asset.Asset[[]visit] {
	return asset.New("visits", func(*asset.Context) ([]visit, error) { return nil, nil }, nil)
}

func rooms() *asset.Asset[[]struct{ ID int32 }] {
	return asset.New("rooms", func(*asset.Context) ([]struct{ ID int32 }, error) { return nil, nil }, nil)
}

func TestAMinimumOfRows(t *testing.T) {
	t.Parallel()
	a := visits()
	c := schema.CheckMinRows(a, 2, nil)
	wantCheck(t, evaluate(t, c, noon, asset.List{a}, waggletest.Given(a, make([]visit, 2))), true, "2 rows, at least 2 are expected", map[string]string{"record_count": "2", "min_rows": "2"})
	wantCheck(t, evaluate(t, c, noon, asset.List{a}, waggletest.Given(a, make([]visit, 1))), false, "1 row, at least 2 are expected", nil)
	wantCheck(t, evaluate(t, schema.CheckMinRows(a, 1500, nil), noon, asset.List{a}, waggletest.Given(a, make([]visit, 1200))), false, "1,200 rows, at least 1,500 are expected", nil)
	many := schema.New("Many", schema.Int64("room").Null(), schema.MinRows(1500))
	wantCheck(t, evaluate(t, schema.Check(many, a, nil), noon, asset.List{a}, waggletest.Given(a, make([]visit, 1200))), false, "the table has 1,200 rows, which breaks row_count_at_least(1500)", nil)
}

func TestARateOfFailures(t *testing.T) {
	t.Parallel()
	a := visits()
	s := schema.New("Visits", schema.Int64("room"))
	rows := []visit{{Room: new(int64(1))}, {}, {Room: new(int64(1))}, {Room: new(int64(1))}}
	half := evaluate(t, schema.CheckFailureRate(s, a, 25, nil), noon, asset.List{a}, waggletest.Given(a, rows))
	wantCheck(t, half, true, "25.00 % of 4 rows are invalid, 25 % are allowed", nil)
	if half.Metadata["error_count"].Any() != int64(1) || half.Metadata["failure_rate_percent"].Any() != 25.0 {
		t.Errorf("%v", half.Metadata)
	}
	wantCheck(t, evaluate(t, schema.CheckFailureRate(s, a, 24.9, nil), noon, asset.List{a}, waggletest.Given(a, rows)), false, "25.00 % of 4 rows are invalid, 24.9 % are allowed", nil)
	wantCheck(t, evaluate(t, schema.CheckFailureRate(s, a, 0, nil), noon, asset.List{a}, waggletest.Given(a, []visit{})), true, "0.00 % of 0 rows are invalid, 0 % are allowed", nil)
	missing := schema.New("Visits", schema.Int64("floor"))
	if c := evaluate(t, schema.CheckFailureRate(missing, a, 100, nil), noon, asset.List{a}, waggletest.Given(a, rows)); c.Passed {
		t.Error("a missing column passes")
	}
}

func TestARateCountsWhatAFilterRemoved(t *testing.T) {
	t.Parallel()
	s, other := schema.New("Visits", schema.Int64("room")), schema.New("Other", schema.Text("on"))
	rows := []visit{{}, {Room: new(int64(1)), On: new("x")}, {Room: new(int64(1))}, {}, {Room: new(int64(1)), On: new("x")}}
	for _, c := range []struct {
		rows    []visit
		percent float64
		passed  bool
		says    string
		removed int64
	}{
		{rows, 40, false, "50.00 % of 4 rows are invalid, 2 of them removed by a filter, 40 % are allowed", 2}, // Other removed one
		{rows, 50, true, "50.00 % of 4 rows are invalid, 2 of them removed by a filter, 50 % are allowed", 2},
		{rows[1:2], 0, true, "0.00 % of 1 row are invalid, 0 % are allowed", 0},
		{make([]visit, 3000), 99, false, "100.00 % of 3,000 rows are invalid, 3,000 of them removed by a filter, 99 % are allowed", 3000},
	} {
		a := asset.New("visits", func(ctx *asset.Context) ([]visit, error) {
			good, err := schema.Filter(ctx, s, c.rows)
			if err != nil {
				return nil, err
			}
			return schema.Filter(ctx, other, good)
		}, nil)
		got := evaluate(t, schema.CheckFailureRate(s, a, c.percent, nil), noon, asset.List{a})
		wantCheck(t, got, c.passed, c.says, nil)
		if got.Metadata["removed_rows"].Any() != c.removed {
			t.Errorf("removed_rows is %v, want %d", got.Metadata["removed_rows"].Any(), c.removed)
		}
	}
}

func TestFreshness(t *testing.T) {
	t.Parallel()
	a := visits()
	yesterday := noon.Add(-24 * time.Hour)
	rows := []visit{{On: new("2026-02-27"), At: yesterday}, {On: new("soon"), At: yesterday.Add(-time.Hour)}, {}}
	for _, c := range []struct {
		column string
		age    time.Duration
		passed bool
		says   string
	}{
		{"at", 24 * time.Hour, true, "the newest at is 2026-02-28T12:00:00Z"},
		{"at", 24*time.Hour - 1, false, "the newest at is 2026-02-28T12:00:00Z"},
		{"on", 60 * time.Hour, true, "the newest on is 2026-02-27T00:00:00Z"},
		{"on", 59 * time.Hour, false, "the newest on is 2026-02-27T00:00:00Z"},
		{"room", time.Hour, false, "room holds no date"},
	} {
		wantCheck(t, evaluate(t, schema.CheckFresh(a, c.column, c.age, nil), noon, asset.List{a}, waggletest.Given(a, rows)), c.passed, c.says, nil)
	}
}

func TestATimeThatHasNotComeMakesNothingFresh(t *testing.T) {
	t.Parallel()
	a := visits()
	rows := []visit{{On: new(" 2026-02-28 "), At: noon.Add(time.Second)}, {On: new("2099-01-01")}}
	wantCheck(t, evaluate(t, schema.CheckFresh(a, "on", 24*time.Hour, nil), noon, asset.List{a}, waggletest.Given(a, rows)), false, "the newest on is 2026-02-28T00:00:00Z",
		map[string]string{"column": `"on"`, "future_count": "1", "age_hours": "36", "max_age_hours": "24", "newest": `"2026-02-28T00:00:00Z"`})
	wantCheck(t, evaluate(t, schema.CheckFresh(a, "at", time.Hour, nil), noon, asset.List{a}, waggletest.Given(a, rows)), false, "at holds no date", map[string]string{"column": `"at"`, "future_count": "1", "max_age_hours": "1"})
}

func TestAColumnOfAnyNameCanBeReferred(t *testing.T) {
	t.Parallel()
	type node struct {
		ID     string
		Parent *string `column:"parent id"`
	}
	tree := asset.New("tree", func(*asset.Context) ([]node, error) { return []node{{"a", nil}, {"b", new("a")}, {"c", new("")}}, nil }, nil)
	c := schema.CheckReferences(tree, "parent id", tree, "id", nil)
	if name := c.Definition().Name; name != "check_tree_parent_id_references" {
		t.Errorf("it is named %s", name)
	}
	wantCheck(t, evaluate(t, c, noon, asset.List{tree}), false, "1 row whose parent id is not in tree.id", map[string]string{"distinct_orphans": "1", "orphan_count": "1", "orphans": `[""]`})
}

func TestReferences(t *testing.T) {
	t.Parallel()
	a, b := visits(), rooms()
	c := schema.CheckReferences(a, "room", b, "id", nil) // int64 against int32
	known := waggletest.Given(b, []struct{ ID int32 }{{1}, {2}})
	var rows []visit
	for i := range int64(14) {
		rows = append(rows, visit{Room: new(i)}, visit{Room: new(i)})
	}
	rows = append(rows, visit{})
	wantCheck(t, evaluate(t, c, noon, asset.List{a, b}, known, waggletest.Given(a, rows)), false, "24 rows whose room is not in rooms.id",
		map[string]string{"orphan_count": "24", "distinct_orphans": "12", "orphans": "[0,3,4,5,6,7,8,9,10,11]"})
	wantCheck(t, evaluate(t, c, noon, asset.List{a, b}, known, waggletest.Given(a, rows[2:6])), true, "0 rows whose room is not in rooms.id", nil)
}

func TestReadyChecksTellTheirMistakes(t *testing.T) {
	t.Parallel()
	a := visits()
	defs := waggle.Definitions{Assets: asset.List{a}, Checks: check.List{schema.CheckMinRows(a, 0, nil), schema.CheckFresh(a, "at", 0, nil),
		schema.CheckFailureRate(schema.New("S", schema.Int64("room")), a, 101, nil)}}
	err := defs.Validate()
	for _, want := range []string{"readychecks_test.go:", "a minimum of 0 rows", "an age of 0s", "101 is no percentage"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
}
