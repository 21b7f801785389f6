// Package noticetest has a sample of every report, as tests, pictures and pages of documentation show them.
//
// It imports metadata, notice, notify and run of ours.
package noticetest

import (
	"fmt"
	"time"

	"waggle/shared/metadata"
	"waggle/shared/notice"
	"waggle/shared/notify"
	"waggle/shared/run"
)

// Sample is a report with a name for its file.
type Sample struct {
	Name   string
	Report notify.Sendable
}

// Samples are one report of each kind, and those that are hard to fit.
func Samples() []Sample {
	failed := Failed()
	again := failed
	again.Failures, again.FailingSince, again.Error = 3, failed.Ended.Add(-2*time.Hour-5*time.Minute), `read s3://gallery/in/artworks.csv: access denied`
	again.FailedSteps = []notice.FailedStep{{Step: "artworks_raw", Kind: run.Returned, Error: again.Error, Attempt: 3, Took: 3 * time.Second}}
	again.Changed = nil
	reminder := failed
	reminder.Failures, reminder.FailingSince = 7, failed.Ended.Add(-24*time.Hour)
	return []Sample{
		{"failure", failed.Report()},
		{"failure_first", First().Report()},
		{"failure_check", CheckFailed().Report()},
		{"failure_of_many", Many(87).Report()},
		{"success", Succeeded().Report()},
		{"warnings", Succeeded().WarningsReport()},
		{"canceled", Canceled().Report()},
		{"started", Started().Report()},
		{"resolved", notice.Resolved{Run: Succeeded(), Since: at(0).Add(-2*time.Hour - 5*time.Minute), Failures: 3, LastError: missingColumn}},
		{"reminder", notice.Update{Run: reminder}},
		{"changed_reason", notice.Update{Run: again, Before: missingColumn}},
		{"fixed_since", notice.FixedSince(First(), id(9), at(40*time.Minute))},
		{"digest", notice.Digests(Items(60), "The channel takes 1 message a second, and more came at once.", place())[0]},
		{"missed", notice.Missed{Schedule: "gallery_daily", Job: "gallery", Tick: at(0), Seen: at(12 * time.Minute), Run: id(4), Reason: "nothing looked at the schedules between 01:55 and 02:12", Place: place()}},
		{"missed_altogether", notice.Missed{Schedule: "gallery_daily", Job: "gallery", Tick: at(0), Seen: at(26 * time.Hour), Others: 1, Place: place()}},
		{"sensor_dead", notice.SensorDead{Sensor: "email_validation_warnings", Event: string(id(1)) + "#42", About: "gallery: SUCCESS", Attempts: 8, Since: at(0),
			Error: "panic: runtime error: index out of range [3] with length 3", Stack: "waggle/pipelines/gallery.warn(...)\n    pipelines/gallery/sensors.go:41\nwaggle/shared/sensor.call(...)\n    shared/sensor/call.go:88", Place: place()}},
		{"channel_parked", notice.Parked{Channel: "slack", Kind: "slack", Reason: "gone", Error: "404 Not Found: no_service", Since: at(0), Waiting: 37,
			Next: at(time.Hour), GiveUp: at(7 * 24 * time.Hour), Place: place()}},
		{"channel_caught_up", notice.CaughtUp{Channel: "slack", Since: at(0), Until: at(3*time.Hour + 20*time.Minute), Items: Items(6), GivenUp: 1, Place: place()}},
		{"daily", Daily()},
	}
}

const missingColumn = `artworks.csv has no column price_usd; it has artwork_id, title, artist_id, year, medium, price. Rename the column, or set input_dir to the folder of the right file`

func place() notice.Place {
	london, err := time.LoadLocation("Europe/London")
	if err != nil { // a machine without time zones
		london = time.FixedZone("Europe/London", 0)
	}
	return notice.Place{Environment: "production", LinkBase: "https://waggle.example.com", Location: london}
}

// at is a moment after 02:00 of the day that the samples are of.
func at(d time.Duration) time.Time { return time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC).Add(d) }

func id(n int) run.ID {
	return run.ID(string(run.FirstID(at(time.Duration(n) * time.Second)))[:24] + fmt.Sprintf("%012x", 0x5c1d00000000+n))
}

func record(n int, status run.Status) run.Record {
	return run.Record{ID: id(n), Request: run.Request{Job: "gallery", CodeVersion: "7f3c2a1", Config: run.Config{"min_sale_value_usd": 30000000}, Tags: map[string]string{"schedule": "gallery_daily"}},
		Status: status, Launched: at(0), Started: at(40 * time.Millisecond), Ended: at(2*time.Second + 190*time.Millisecond)}
}

func step(key string, status run.StepStatus) run.Step {
	return run.Step{Key: run.StepKey(key), Status: status, Attempt: 1, Duration: 12300 * time.Microsecond}
}

func skipped(key, by string, reason run.SkipReason) run.Step {
	s := run.Step{Key: run.StepKey(key), Status: run.StepSkipped, Skipped: &run.Skip{Reason: reason, Step: run.StepKey(by)}}
	return s
}

func made(asset string, rows int, m metadata.Map) run.Materialization {
	all := metadata.Map{"record_count": rows, "columns": []string{"sale_id", "artwork_id"}, "preview": metadata.Markdown("| a |"),
		"schema": metadata.TableSchema([]metadata.Column{{Name: "artwork_id", Type: "int64"}, {Name: "price", Type: "int64", Nullable: true}})}
	for label, v := range m {
		all[label] = v
	}
	values, err := all.Encode()
	if err != nil {
		panic(err)
	}
	return run.Materialization{Asset: run.AssetKey(asset), Time: at(time.Second), Duration: 12300 * time.Microsecond, Metadata: values, Verdict: run.Good}
}

// lastSuccess is the run of the night before.
func lastSuccess() *run.Record {
	r := record(0, run.Success)
	r.Request.CodeVersion, r.Request.Config = "b81e004", run.Config{"min_sale_value_usd": 25000000}
	r.Ended = at(-24*time.Hour + 2*time.Second)
	r.Materializations = []run.Materialization{made("sales_raw", 1204, nil), made("artworks_raw", 400, metadata.Map{
		"schema": metadata.TableSchema([]metadata.Column{{Name: "artwork_id", Type: "int64"}, {Name: "price_usd", Type: "int64", Nullable: true}})})}
	return &r
}

// Failed is the third failure in a row of a run with a changed input.
func Failed() notice.Run {
	r := record(1, run.Failure)
	r.Reason, r.Error = run.StepFailure, missingColumn
	bad := step("sales_transform", run.StepFailed)
	bad.Attempt, bad.Error = 3, &run.Error{Kind: run.Returned, Message: missingColumn}
	r.Steps = []run.Step{step("sales_raw", run.StepSucceeded), step("artworks_raw", run.StepSucceeded), bad,
		skipped("sales_output", "sales_transform", run.UpstreamFailed), skipped("notify_sales_complete", "sales_transform", run.UpstreamFailed),
		skipped("email_pipeline_report", "sales_transform", run.UpstreamFailed), skipped("sales_output:check_sales_above_threshold", "sales_transform", run.UpstreamFailed)}
	r.Materializations = []run.Materialization{made("sales_raw", 508, nil), made("artworks_raw", 400, nil)}
	return notice.Of(r, notice.History{LastSuccess: lastSuccess(), FailingSince: at(-2*time.Hour - 5*time.Minute), Failures: 3,
		Logs: map[run.StepKey][]string{"sales_transform": {"02:00:00.912 INFO    joined 508 sales with 400 artworks", "02:00:01.040 WARNING column price_usd is missing, trying again in 1 s", "02:00:02.171 ERROR   giving up after 3 attempts"}}}, place())
}

// First is the first failure of a small job, by a panic.
func First() notice.Run {
	r := record(2, run.Failure)
	r.Request = run.Request{Job: "gallery_broken", Config: run.Config{"how": "panic"}, CodeVersion: "7f3c2a1"}
	r.Reason, r.Error = run.StepFailure, "deliberate failure: broken_middle was asked to fail (how=panic)"
	bad := step("broken_middle", run.StepFailed)
	bad.Error = &run.Error{Kind: run.Panicked, Message: "panic: " + r.Error, Stack: "waggle/pipelines/broken.double(0x293e2cd2c2c0, {0x293e2caa4258, 0x3, 0x293e2cb7e1a0?}, {{0x293e2cb0f0d0?, 0x2?}})\n\twaggle/pipelines/broken/broken.go:52 +0x438"}
	r.Steps = []run.Step{step("broken_source", run.StepSucceeded), bad, skipped("broken_end", "broken_middle", run.UpstreamFailed)}
	p := place()
	p.Environment, p.LinkBase = "", ""
	return notice.Of(r, notice.History{}, p)
}

// CheckFailed is stopped by a blocking check, and is tried again.
func CheckFailed() notice.Run {
	r := record(3, run.Failure)
	r.Reason, r.Error, r.WillRetry = run.StepFailure, "41 of 508 rows break SalesTransformSchema", true
	values, err := metadata.Map{"error_count": 41, "invalid_row_count": 41}.Encode()
	if err != nil {
		panic(err)
	}
	r.Steps = []run.Step{step("sales_transform", run.StepSucceeded), step("sales_transform:check_sales_transform_schema", run.StepFailed),
		skipped("sales_output", "sales_transform:check_sales_transform_schema", run.CheckBlocked)}
	r.Checks = []run.CheckResult{{Asset: "sales_transform", Check: "check_sales_transform_schema", Status: run.CheckFailed, Blocking: true, Severity: run.SeverityError,
		Description: r.Error, Metadata: values}}
	r.Materializations = []run.Materialization{made("sales_transform", 508, nil)}
	before := lastSuccess()
	before.Request.CodeVersion, before.Request.Config, before.Materializations = r.Request.CodeVersion, r.Request.Config, nil
	return notice.Of(r, notice.History{LastSuccess: before}, place())
}

// Many is a run with many failed steps and as many that they block.
func Many(n int) notice.Run {
	r := record(5, run.Failure)
	r.Request.Job, r.Reason = "museum_nightly", run.StepFailure
	for i := range n {
		bad := step(fmt.Sprintf("branch_%05d", i), run.StepFailed)
		bad.Error = &run.Error{Kind: run.Returned, Message: fmt.Sprintf("dial tcp 10.0.3.%d:5432: connect: connection refused", i%250)}
		r.Steps = append(r.Steps, bad, skipped(fmt.Sprintf("report_%05d", i), string(bad.Key), run.UpstreamFailed))
	}
	if n > 0 {
		r.Error = r.Steps[0].Error.Message
	}
	return notice.Of(r, notice.History{LastSuccess: lastSuccess()}, place())
}

// Succeeded is a run with warnings.
func Succeeded() notice.Run {
	r := record(6, run.Success)
	removed := metadata.JSON(map[string]any{"removed_rows": 23, "error_count": 31, "errors": []map[string]any{
		{"column": "sale_price_usd", "check": "greater_than(0)", "count": 12}, {"column": "title", "check": "not_null", "count": 11}, {"column": "sale_id", "check": "unique", "count": 8}}})
	r.Materializations = []run.Materialization{made("sales_raw", 508, metadata.Map{"source": metadata.Path("embedded:data/sales.csv")}),
		made("artworks_raw", 400, metadata.Map{"source": metadata.Path("embedded:data/artworks.csv")}),
		made("sales_transform", 485, metadata.Map{"unique_artworks": 346, "total_sales_value": 5757404826, "date_range": "2003-04-20 to 2026-10-05", "processing_time_ms": 139.71, "validation_warnings": removed,
			"quarantine": metadata.Path("runs/01a200fb-6870-7000-8000-5c1d00000006/sales_transform/1-1/quarantine-1.parquet")}),
		made("artworks_transform", 379, metadata.Map{"artworks_sold": 336, "artworks_unsold": 43, "total_catalog_value": 4061513229, "validation_warnings": metadata.JSON(map[string]any{"removed_rows": 21, "errors": []map[string]any{{"column": "title", "check": "not_null", "count": 21}}})}),
		made("sales_output", 48, metadata.Map{"filtered_from": 485, "filter_threshold": "$30,000,000", "total_value": 4099675000, "json_output": metadata.Path("output/sales_output.json")}),
		made("artworks_output", 379, metadata.Map{"json_output": metadata.Path("output/artworks_output.json"), "price_tier_distribution": map[string]int{"budget": 179, "mid": 87, "premium": 113}})}
	values, err := metadata.Map{"error_count": 57, "invalid_row_count": 44}.Encode()
	if err != nil {
		panic(err)
	}
	r.Checks = []run.CheckResult{
		{Asset: "sales_output", Check: "check_sales_above_threshold", Status: run.CheckSucceeded, Passed: true, Severity: run.SeverityError, Description: "0 of 48 sales are below the threshold"},
		{Asset: "artworks_output", Check: "check_valid_price_tiers", Status: run.CheckSucceeded, Passed: true, Severity: run.SeverityError, Description: "0 of 379 artworks are in no price tier"},
		{Asset: "sales_raw", Check: "check_sales_data_quality", Status: run.CheckFailed, Severity: run.SeverityWarn, Description: "44 of 508 rows break 4 rules", Metadata: values}}
	for _, m := range r.Materializations {
		r.Steps = append(r.Steps, step(string(m.Asset), run.StepSucceeded))
	}
	return notice.Of(r, notice.History{LastSuccess: lastSuccess()}, place())
}

// Canceled is a run that somebody stopped.
func Canceled() notice.Run {
	r := record(7, run.Canceled)
	r.Materializations = []run.Materialization{made("sales_raw", 508, nil), made("artworks_raw", 400, nil)}
	r.Steps = []run.Step{step("sales_raw", run.StepSucceeded), step("artworks_raw", run.StepSucceeded), step("sales_transform", run.StepCanceled), step("sales_output", run.StepCanceled)}
	return notice.Of(r, notice.History{}, place())
}

// Started is a run under way that retries another.
func Started() notice.Run {
	r := record(8, run.Started)
	r.Ended, r.Request.Parent, r.Request.Retries = time.Time{}, id(3), 1
	return notice.Of(r, notice.History{}, place())
}

// Items are failed runs of several jobs.
func Items(n int) []notice.Item {
	jobs := []string{"gallery", "museum_nightly", "shop_stock", "lab_samples", "ticket_sales"}
	items := make([]notice.Item, n)
	for i := range items {
		items[i] = notice.Item{Run: id(i), Name: jobs[i*i%len(jobs)], Status: run.Failure, Error: "dial tcp 10.0.3.7:5432: connect: connection refused", Time: at(time.Duration(i) * time.Second)}
	}
	return items
}

// Daily is a day with one job that fails.
func Daily() notice.Daily {
	return notice.Daily{Day: at(0), Late: 1, Dead: 2, Place: place(), Jobs: []notice.DailyJob{
		{Job: "gallery", Runs: 3, Failed: 3, Last: id(1), LastState: run.Failure, LastError: missingColumn, Since: at(-2*time.Hour - 5*time.Minute)},
		{Job: "museum_nightly", Runs: 24, Failed: 1, Median: 42 * time.Second, Last: id(5), LastState: run.Success},
		{Job: "shop_stock", Runs: 288, Warnings: 4, Median: 1250 * time.Millisecond, Last: id(6), LastState: run.Success},
		{Job: "ticket_sales", Runs: 1440, Median: 380 * time.Millisecond, Last: id(7), LastState: run.Success}}}
}
