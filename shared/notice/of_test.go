package notice_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"waggle/shared/metadata"
	"waggle/shared/notice"
	"waggle/shared/run"
)

var at = time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)

func encoded(t *testing.T, m metadata.Map) metadata.Values {
	t.Helper()
	values, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return values
}

func columns(names ...string) metadata.Value {
	var list []metadata.Column
	for i := 0; i < len(names); i += 2 {
		list = append(list, metadata.Column{Name: names[i], Type: names[i+1]})
	}
	return metadata.TableSchema(list)
}

func made(t *testing.T, asset run.AssetKey, m metadata.Map) run.Materialization {
	t.Helper()
	return run.Materialization{Asset: asset, Metadata: encoded(t, m)}
}

func TestOfComparesARunWithItsLastSuccess(t *testing.T) {
	t.Parallel()
	before := run.Record{ID: "before", Status: run.Success, Ended: at.Add(-24 * time.Hour),
		Request: run.Request{Job: "shop", CodeVersion: "a", Config: run.Config{"same": 1, "gone": true, "dir": "in"}},
		Materializations: []run.Materialization{
			made(t, "orders", metadata.Map{"record_count": 100, "schema": columns("id", "int64", "price_usd", "int64", "note", "text")}),
			made(t, "customers", metadata.Map{"record_count": 50}),
			made(t, "steady", metadata.Map{"record_count": 7, "schema": columns("id", "int64")})}}
	now := run.Record{ID: "now", Status: run.Failure, Ended: at, Error: "boom",
		Request: run.Request{Job: "shop", CodeVersion: "b", Config: run.Config{"same": json.Number("1"), "dir": "out", "new": 2.5}},
		Steps:   []run.Step{{Key: "totals", Status: run.StepFailed, Error: &run.Error{Kind: run.Returned, Message: "boom"}, Metadata: encoded(t, metadata.Map{"record_count": 3})}},
		Materializations: []run.Materialization{
			made(t, "orders", metadata.Map{"record_count": 110, "schema": columns("id", "text", "price", "int64", "note", "text")}),
			made(t, "customers", metadata.Map{"record_count": 0}),
			made(t, "steady", metadata.Map{"record_count": 7, "schema": columns("id", "int64")}),
			made(t, "fresh", metadata.Map{"record_count": 9})}}
	ignore := cmpopts.IgnoreUnexported(notice.Change{})
	told := notice.Of(now, notice.History{LastSuccess: &before}, notice.Place{})
	want := []notice.Change{
		{Kind: notice.CodeChanged, Before: "a", After: "b"},
		{Kind: notice.ConfigChanged, Name: "dir", Before: `"in"`, After: `"out"`},
		{Kind: notice.ConfigChanged, Name: "gone", Before: "true"},
		{Kind: notice.ConfigChanged, Name: "new", After: "2.5"},
		{Kind: notice.SchemaChanged, Name: "orders", Column: "price_usd", Before: "int64"},
		{Kind: notice.SchemaChanged, Name: "orders", Column: "id", Before: "int64", After: "text"},
		{Kind: notice.SchemaChanged, Name: "orders", Column: "price", After: "int64"},
		{Kind: notice.RowsChanged, Name: "customers", Before: "50", After: "0"}, // further apart than 100 and 110
		{Kind: notice.RowsChanged, Name: "orders", Before: "100", After: "110"},
	}
	if diff := cmp.Diff(want, told.Changed, ignore); diff != "" {
		t.Error(diff)
	}
	if told.LastSuccess == nil || *told.LastSuccess != (notice.Success{Run: "before", Time: before.Ended}) {
		t.Errorf("last success %+v", told.LastSuccess)
	}
	only := notice.Of(now, notice.History{LastSuccess: &before, Inputs: []run.AssetKey{"customers"}}, notice.Place{}).Changed
	if diff := cmp.Diff(append(want[:4:4], want[7]), only, ignore); diff != "" {
		t.Errorf("of one input: %s", diff)
	}
	if got := notice.Of(before, notice.History{LastSuccess: &before}, notice.Place{}).Changed; got != nil {
		t.Errorf("a run differs from itself by %v", got)
	}
	if got := notice.Of(now, notice.History{}, notice.Place{}); got.Changed != nil || got.LastSuccess != nil {
		t.Errorf("without a success before: %v, %v", got.Changed, got.LastSuccess)
	}
}

func TestOfTellsWhatFailedByItselfAndWhatIsBlocked(t *testing.T) {
	t.Parallel()
	skip := &run.Skip{Reason: run.CheckBlocked, Step: "a:rows"}
	r := run.Record{ID: "x", Status: run.Failure, Ended: at, Request: run.Request{Job: "shop", Parent: "p", Retries: 2}, WillRetry: true,
		Steps: []run.Step{{Key: "a", Status: run.StepSucceeded}, {Key: "a:rows", Status: run.StepFailed, Attempt: 2, Duration: time.Second},
			{Key: "b", Status: run.StepSkipped, Skipped: skip}, {Key: "b:fine", Status: run.StepSkipped, Skipped: skip},
			{Key: "c", Status: run.StepFailed, Attempt: 3, Error: &run.Error{Kind: run.Panicked, Message: "panic: x", Stack: "main.go:1"}}},
		Checks: []run.CheckResult{{Asset: "a", Check: "rows", Status: run.CheckFailed, Blocking: true, Description: "too few rows"}}}
	told := notice.Of(r, notice.History{Logs: map[run.StepKey][]string{"c": {"one", "two"}}}, notice.Place{Program: "bin/waggle", LinkBase: "https://w.example/"})
	want := []notice.FailedStep{{Step: "c", Kind: run.Panicked, Error: "panic: x", Stack: "main.go:1", Attempt: 3, Log: []string{"one", "two"}},
		{Step: "a:rows", Kind: run.Blocked, Error: "too few rows", Attempt: 2, Took: time.Second}}
	if diff := cmp.Diff(want, told.FailedSteps); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]notice.SkippedStep{{"b", run.CheckBlocked, "a:rows"}, {"b:fine", run.CheckBlocked, "a:rows"}}, told.Skipped); diff != "" {
		t.Error(diff)
	}
	if told.Error != "panic: x" || !told.WillRetry || told.RetryOf != "p" || told.Retries != 2 || told.Failures != 1 || !told.FailingSince.Equal(at) {
		t.Errorf("%+v", told)
	}
	if told.Command() != "bin/waggle runs show x" || told.Link() != "https://w.example/runs/x" {
		t.Errorf("%s, %s", told.Command(), told.Link())
	}
}

func TestARunThatDidNotFailIsNotFailing(t *testing.T) {
	t.Parallel()
	told := notice.Of(run.Record{ID: "x", Status: run.Success, Ended: at}, notice.History{Failures: 3, FailingSince: at.Add(-time.Hour)}, notice.Place{})
	if told.Failures != 0 || !told.FailingSince.IsZero() {
		t.Errorf("%d failures since %s", told.Failures, told.FailingSince)
	}
}

func TestRowsThatWereKeptWithWarningsAreReported(t *testing.T) {
	t.Parallel()
	values, err := metadata.Map{notice.KeptLabel: metadata.JSON(map[string]any{"kept_rows": 1200, "warning_count": 1300, "warnings": []map[string]any{
		{"column": "title", "check": "not_null", "count": 100}, {"column": "price", "check": "greater_than(0)", "count": 1200}}})}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	list := notice.WarningsOf(run.Record{Materializations: []run.Materialization{{Asset: "sales", Metadata: values}}})
	if len(list) != 1 || list[0].Text() != "1,200 rows kept with warnings: price greater_than(0) 1,200 times, title not_null 100 times" {
		t.Fatalf("%+v", list)
	}
	data, err := notice.WarningsJSON(notice.Run{Warnings: list})
	if err != nil || !strings.Contains(string(data), `"kept_with_warnings": {`) || strings.Contains(string(data), "validation_warnings") {
		t.Errorf("%v %s", err, data)
	}
}

func TestWarningsAreFailedChecksThatStoppedNothingAndWhatWasSetAside(t *testing.T) {
	t.Parallel()
	r := run.Record{ID: "0199f3c2-1a2b-7000-8000-000000000001", Status: run.Success, Request: run.Request{Job: "gallery"},
		Checks: []run.CheckResult{
			{Asset: "a", Check: "passed", Status: run.CheckSucceeded, Passed: true},
			{Asset: "a", Check: "blocks", Status: run.CheckFailed, Blocking: true},
			{Asset: "a", Check: "warns", Status: run.CheckFailed, Blocking: true, Severity: run.SeverityWarn, Metadata: encoded(t, metadata.Map{"n": 2, "worst": "A and B", "none": nil})},
			{Asset: "b", Check: "broke", Status: run.CheckExecutionFailed, Error: "panic"},
			{Asset: "b", Check: "skipped", Status: run.CheckSkipped}},
		Materializations: []run.Materialization{made(t, "c", metadata.Map{"validation_warnings": map[string]any{"removed_rows": 2}}), made(t, "d", metadata.Map{"record_count": 1})}}
	told := notice.Of(r, notice.History{}, notice.Place{})
	data, err := notice.WarningsJSON(told)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"run_id":"0199f3c2-1a2b-7000-8000-000000000001","job":"gallery","warnings":[` +
		`{"asset":"a","check":"warns","severity":"WARN","metadata":{"n":2,"none":null,"worst":"A and B"}},` +
		`{"asset":"b","check":"broke","severity":"ERROR","metadata":{}},` +
		`{"asset":"c","validation_warnings":{"removed_rows":2}}]}`
	var compact bytes.Buffer
	if err := json.Compact(&compact, data); err != nil || compact.String() != want {
		t.Errorf("%v\n%s\nwant\n%s", err, compact.String(), want)
	}
	for rung, c := range contents(t, told.WarningsReport()) {
		if len(c.Attachments) != 1 || c.Attachments[0].Name != "validation_warnings.json" || c.Attachments[0].ContentType != "application/json" || !bytes.Equal(c.Attachments[0].Data, data) {
			t.Errorf("rung %d has the attachments %+v", rung, c.Attachments)
		}
	}
	none, err := notice.WarningsJSON(notice.Run{ID: "x"})
	if err != nil || !bytes.Contains(none, []byte(`"warnings": []`)) {
		t.Errorf("without warnings: %s, %v", none, err)
	}
}

func TestTimesNameTheirZone(t *testing.T) {
	t.Parallel()
	for want, zone := range map[string]*time.Location{"2026-11-22 02:00 UTC": nil, "2026-11-22 11:00 Asia/Tokyo": time.FixedZone("Asia/Tokyo", 9*3600)} {
		told := notice.Of(run.Record{ID: "x", Status: run.Started, Started: at}, notice.History{}, notice.Place{Location: zone})
		if c := full(t, told.Report()); !bytes.Contains([]byte(c.Text), []byte(want)) {
			t.Errorf("no %q in\n%s", want, c.Text)
		}
	}
}
