package sensor_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/event"
	"waggle/shared/job"
	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/sensor"
)

var (
	sales   = asset.New("sales", func(*asset.Context) (int, error) { return 1, nil }, nil)
	other   = asset.New("other", func(*asset.Context) (int, error) { return 1, nil }, nil)
	some    = check.New1("some", func(*asset.Context, int) (check.Result, error) { return check.Result{}, nil }, sales, nil)
	nightly = job.New("nightly", asset.List{sales, other}, nil)
)

func ofRun(*sensor.Context, sensor.Run) error            { return nil }
func ofAsset(*sensor.Context, run.Materialization) error { return nil }
func ofCheck(*sensor.Context, run.CheckResult) error     { return nil }
func ofTick(*sensor.Context, sensor.Missed) error        { return nil }
func missed(job string, after int) event.Event {
	e := event.OfTick("every_night", job, time.Time{}, event.TickLate)
	e.MissedAfter = after
	return e
}
func status(s run.Status, job string) event.Event {
	return event.Event{Type: event.RunStatus, Status: s, Job: job}
}
func made(key run.AssetKey, v run.Verdict) event.Event {
	return event.Event{Type: event.Materialized, Asset: key, Verdict: v}
}
func judged(s run.CheckStatus, v run.Severity) event.Event {
	return event.Event{Type: event.Evaluated, Asset: "sales", Check: "some", CheckStatus: s, Severity: v}
}

func TestEachReasonIsGivenForWhatItNames(t *testing.T) {
	t.Parallel()
	onlyNightly := &sensor.Options{Jobs: job.List{nightly}}
	failure, of := sensor.OnRunFailure("f", ofRun, nil), sensor.OnRunFailure("f", ofRun, onlyNightly)
	ended := sensor.OnRunStatus("s", []run.Status{run.Failure, run.Canceled}, ofRun, nil)
	success := sensor.OnRunSuccess("s", ofRun, onlyNightly)
	onSales := sensor.OnAsset("a", ofAsset, sales, nil)
	checks := sensor.OnCheckFailed("c", ofCheck, nil)
	severe := sensor.OnCheckFailed("c", ofCheck, &sensor.Options{Severity: check.Error, Checks: check.List{some}})
	elsewhere := sensor.OnCheckFailed("c", ofCheck, &sensor.Options{Checks: check.List{
		check.New1("some", func(*asset.Context, int) (check.Result, error) { return check.Result{}, nil }, other, nil)}})

	ticks, ticksOf := sensor.OnTickMissed("t", ofTick, nil), sensor.OnTickMissed("t", ofTick, onlyNightly)

	retried, last, stopped := status(run.Failure, "nightly"), status(run.Failure, "nightly"), status(run.Canceled, "nightly")
	retried.WillRetry, last.Retries, stopped.Retries = true, 2, 1
	seen := map[sensor.Reason]bool{}
	for _, c := range []struct {
		sensor *sensor.Sensor
		event  event.Event
		want   sensor.Reason
	}{
		{failure, status(run.Failure, ""), sensor.Matched},
		{failure, status(run.Success, "nightly"), sensor.Resolves},
		{failure, status(run.Success, ""), sensor.OtherStatus},
		{of, status(run.Success, "daily"), sensor.OtherJob},
		{ended, status(run.Success, "nightly"), sensor.Resolves},
		{failure, status(run.Canceled, "nightly"), sensor.OtherStatus},
		{failure, retried, sensor.WillBeRetried},
		{failure, last, sensor.Matched},
		{failure, stopped, sensor.Matched},
		{failure, made("sales", run.Good), sensor.OtherEvent},
		{of, status(run.Failure, "nightly"), sensor.Matched},
		{of, status(run.Failure, "daily"), sensor.OtherJob},
		{of, status(run.Failure, ""), sensor.OtherJob},
		{ended, retried, sensor.Matched},
		{ended, status(run.Canceled, ""), sensor.Matched},
		{ended, status(run.Started, ""), sensor.OtherStatus},
		{success, status(run.Success, "nightly"), sensor.Matched},
		{success, status(run.Failure, "nightly"), sensor.OtherStatus},
		{onSales, made("sales", run.Good), sensor.Matched},
		{onSales, made("other", run.Good), sensor.OtherAsset},
		{onSales, made("sales", run.Bad), sensor.Refused},
		{onSales, made("sales", run.Unchecked), sensor.Refused},
		{checks, judged(run.CheckFailed, run.SeverityWarn), sensor.Matched},
		{checks, judged(run.CheckSucceeded, run.SeverityError), sensor.Passed},
		{checks, judged(run.CheckSkipped, run.SeverityError), sensor.Passed},
		{severe, judged(run.CheckFailed, run.SeverityWarn), sensor.LessSevere},
		{severe, judged(run.CheckFailed, run.SeverityError), sensor.Matched},
		{severe, judged(run.CheckExecutionFailed, run.SeverityWarn), sensor.Matched},
		{elsewhere, judged(run.CheckFailed, run.SeverityError), sensor.OtherCheck},
		{ticks, missed("nightly", 0), sensor.Matched},
		{ticks, missed("nightly", 3), sensor.LaterMissed},
		{ticksOf, missed("nightly", 0), sensor.Matched},
		{ticksOf, missed("daily", 0), sensor.OtherJob},
		{ticks, status(run.Failure, "nightly"), sensor.OtherEvent},
		{failure, missed("nightly", 0), sensor.OtherEvent},
	} {
		def := c.sensor.Definition()
		if got := def.Match(c.event); got != c.want {
			t.Errorf("%s sensor, %s %s%s of %q: %s, want %s", def.Kind, c.event.Type, c.event.Status, c.event.CheckStatus, c.event.Job, got, c.want)
		}
		if len(def.Mistakes()) > 0 {
			t.Errorf("%s: %v", def.Name, def.Mistakes())
		}
		seen[c.want] = true
	}
	for _, r := range sensor.Reasons() {
		if !seen[r] {
			t.Errorf("nothing has the reason %s", r)
		}
	}
}

func TestEventsFollowFromTheLogInItsOrderAndAreSmall(t *testing.T) {
	t.Parallel()
	id, long := run.ID("0199f3c2-1a2b-7000-8000-000000000001"), make([]byte, 200)
	for i := range long {
		long[i] = 'x'
	}
	at := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	events := event.Of(id, run.Request{Job: string(long), Retries: 3}, runlog.Rows{
		Statuses:         []runlog.StatusChange{{Seq: 2, Time: at, Status: run.Started}, {Seq: 9, Time: at, Status: run.Failure, Reason: run.StepFailure, WillRetry: true}},
		Materializations: []run.Materialization{{Asset: run.AssetKey(long), Seq: 4, Time: at, Verdict: run.Good}},
		Checks:           []run.CheckResult{{Asset: run.AssetKey(long), Check: string(long), Seq: 5, Time: at, Status: run.CheckExecutionFailed, Severity: run.SeverityError, Blocking: true}},
	})
	var seqs []int64
	for _, e := range events {
		seqs = append(seqs, e.Seq)
		data, err := json.Marshal(e)
		var back event.Event
		if err != nil || json.Unmarshal(data, &back) != nil || back != e {
			t.Errorf("%+v does not come back from JSON (%v)", e, err)
		}
		if len(data) > 4<<10 {
			t.Errorf("%d bytes", len(data))
		}
	}
	if !slices.Equal(seqs, []int64{2, 4, 5, 9}) || events[3].ID != string(id)+"#9" || !events[3].WillRetry || events[3].Retries != 3 {
		t.Errorf("events %+v", events)
	}
}
