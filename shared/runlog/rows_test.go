package runlog_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"waggle/shared/run"
	"waggle/shared/runlog"
)

func project(events []runlog.Event, rows *runlog.Rows) {
	p := runlog.NewProjector(id)
	for i := range events {
		p.Take(&events[i], rows)
	}
}

func TestTheSameEventsGiveTheSameRowsHoweverTheyAreRead(t *testing.T) {
	t.Parallel()
	codec := runlog.NewCodec()
	rapid.Check(t, func(r *rapid.T) {
		events := history().Draw(r, "events")
		var live, again runlog.Rows
		project(events, &live)
		p := runlog.NewProjector(id)
		for _, c := range chunks(r, codec, events) {
			unpacked, err := codec.Unpack(c)
			if err != nil {
				r.Fatal(err)
			}
			for i := range unpacked {
				p.Take(&unpacked[i], &again)
			}
		}
		if diff := cmp.Diff(live, again, alike); diff != "" {
			r.Fatal(diff)
		}
		if live.Empty() != (len(live.Materializations)+len(live.Checks)+len(live.Statuses) == 0) {
			r.Fatalf("empty: %t", live.Empty())
		}
	})
}

func made(asset run.StepKey, blocking ...string) runlog.Event {
	return runlog.Event{Type: runlog.Materialization, Step: asset, Attempt: 1, Data: &runlog.Materialized{Blocking: blocking}}
}

func judged(step run.StepKey, blocking bool, status run.CheckStatus, severity run.Severity) runlog.Event {
	return runlog.Event{Type: runlog.CheckEvaluation, Step: step, Attempt: 1,
		Data: &runlog.Evaluated{Status: status, Passed: status == run.CheckSucceeded, Blocking: blocking, Severity: severity}}
}

func TestARowCarriesTheVerdictOfTheBlockingChecks(t *testing.T) {
	t.Parallel()
	good, bad, warn := run.CheckSucceeded, run.CheckFailed, run.SeverityWarn
	end := runlog.Event{Type: runlog.RunFailure, Data: &runlog.Failure{}}
	for _, c := range []struct {
		name   string
		events []runlog.Event
		want   run.Verdict // empty: no row yet
	}{
		{"no check", numbered(made("a")), run.Good},
		{"a check that does not block", numbered(made("a"), judged("a:x", false, bad, "")), run.Good},
		{"no answer yet", numbered(made("a", "x")), ""},
		{"one of two answers", numbered(made("a", "x", "y"), judged("a:x", true, good, "")), ""},
		{"an answer of another asset's check", numbered(made("a", "x"), judged("b:x", true, good, "")), ""},
		{"both answers", numbered(made("a", "x", "y"), judged("a:y", true, good, ""), judged("a:x", true, good, "")), run.Good},
		{"one refuses", numbered(made("a", "x", "y"), judged("a:x", true, bad, ""), judged("a:y", true, good, "")), run.Bad},
		{"one warns", numbered(made("a", "x"), judged("a:x", true, bad, warn)), run.Good},
		{"one raises", numbered(made("a", "x"), judged("a:x", true, run.CheckExecutionFailed, warn)), run.Bad},
		{"the run ends first", numbered(made("a", "x"), end), run.Unchecked},
		{"one refuses and the run ends before the other", numbered(made("a", "x", "y"), judged("a:x", true, bad, ""), end), run.Bad},
		{"made again before an answer", numbered(made("a", "x"), made("a", "x"), judged("a:x", true, good, "")), run.Good},
	} {
		var rows runlog.Rows
		project(c.events, &rows)
		switch {
		case c.want == "" && len(rows.Materializations) != 0:
			t.Errorf("%s: %+v", c.name, rows.Materializations)
		case c.want != "" && (len(rows.Materializations) != 1 || rows.Materializations[0].Verdict != c.want):
			t.Errorf("%s: %+v, want %s", c.name, rows.Materializations, c.want)
		}
	}
}

func TestARunsEndWritesWhatWaitsInOrder(t *testing.T) {
	t.Parallel()
	for range 20 {
		var rows runlog.Rows
		project(numbered(made("c", "x"), made("a", "x"), made("b", "x"), runlog.Event{Type: runlog.RunCanceled}, runlog.Event{Type: runlog.RunCanceled}), &rows)
		got := ""
		for _, m := range rows.Materializations {
			got += string(m.Asset)
		}
		if got != "abc" {
			t.Fatalf("%q", got)
		}
	}
}

func TestAStepKeySplitsIntoAssetAndCheck(t *testing.T) {
	t.Parallel()
	var rows runlog.Rows
	project(numbered(made("group/a"), judged("group/a:x", false, run.CheckSucceeded, "")), &rows)
	if rows.Materializations[0].Asset != "group/a" || rows.Checks[0].Asset != "group/a" || rows.Checks[0].Check != "x" {
		t.Errorf("%+v", rows)
	}
}

func TestMillisecondsAreExactToTheMicrosecond(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]float64{0: 0, 499 * time.Nanosecond: 0, 500 * time.Nanosecond: 0.001, 12345678 * time.Nanosecond: 12.346, time.Hour: 3_600_000} {
		if got := runlog.Milliseconds(d); got != want {
			t.Errorf("%s: %v, want %v", d, got, want)
		}
	}
}
