package engine_test

import (
	"errors"
	"testing"

	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/metadata"
	"waggle/shared/run"
	"waggle/shared/runlog"
)

func TestACheckDecidesWhatRunsAfterIt(t *testing.T) {
	t.Parallel()
	raises := func(a *asset.Asset[int], opts *check.Options) *check.Check {
		return check.New1("c", func(*asset.Context, int) (check.Result, error) { return check.Result{}, errors.New("no") }, a, opts)
	}
	answers := func(r check.Result) func(*asset.Asset[int], *check.Options) *check.Check {
		return func(a *asset.Asset[int], opts *check.Options) *check.Check {
			return check.New1("c", func(*asset.Context, int) (check.Result, error) { return r, nil }, a, opts)
		}
	}
	block := check.Options{Blocking: true}
	blockWarn := check.Options{Blocking: true, Severity: check.Warn}
	for _, c := range []struct {
		name    string
		check   func(*asset.Asset[int], *check.Options) *check.Check
		opts    check.Options
		want    string
		status  run.CheckStatus
		verdict run.Verdict
		error   string
	}{
		{"blocking, passes", answers(check.Result{Passed: true}), block, "SUCCESS a SUCCEEDED, a:c SUCCEEDED, b SUCCEEDED", run.CheckSucceeded, run.Good, ""},
		{"blocking, fails", answers(check.Result{}), block, "FAILURE a SUCCEEDED, a:c SUCCEEDED, b SKIPPED", run.CheckFailed, run.Bad, "blocking check c failed on a"},
		{"blocking, warns", answers(check.Result{}), blockWarn, "SUCCESS a SUCCEEDED, a:c SUCCEEDED, b SUCCEEDED", run.CheckFailed, run.Good, ""},
		{"blocking, the result warns", answers(check.Result{Severity: check.Warn}), block, "SUCCESS a SUCCEEDED, a:c SUCCEEDED, b SUCCEEDED", run.CheckFailed, run.Good, ""},
		{"blocking, the result is worse", answers(check.Result{Severity: check.Error}), blockWarn, "FAILURE a SUCCEEDED, a:c SUCCEEDED, b SKIPPED", run.CheckFailed, run.Bad, "blocking check c failed on a"},
		{"blocking, raises", raises, block, "FAILURE a SUCCEEDED, a:c FAILED, b SKIPPED", run.CheckExecutionFailed, run.Bad, "a:c: no"},
		{"not blocking, fails", answers(check.Result{}), check.Options{}, "SUCCESS a SUCCEEDED, a:c SUCCEEDED, b SUCCEEDED", run.CheckFailed, run.Good, ""},
		{"not blocking, raises", raises, check.Options{}, "FAILURE a SUCCEEDED, a:c FAILED, b SUCCEEDED", run.CheckExecutionFailed, run.Good, "a:c: no"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := number("a", 1, nil)
			w := setup(t, definitions(asset.List{a, plus("b", a, nil)}, c.check(a, &c.opts)), nil)
			id := w.launch(run.Request{Job: "job"})
			r := w.run(id, nil).Record
			want(t, r, c.want)
			if r.Error != c.error {
				t.Errorf("error %q, want %q", r.Error, c.error)
			}
			if s := r.Step("b").Skipped; s != nil && *s != (run.Skip{Reason: run.CheckBlocked, Step: "a:c"}) {
				t.Errorf("b skipped: %+v", s)
			}
			row, err := w.store.CheckHistory(t.Context(), "a", "c", 5)
			if err != nil || len(row) != 1 || row[0].Status != c.status || row[0].Run != id || row[0].Blocks() != (c.verdict == run.Bad) {
				t.Errorf("%+v, %v", row, err)
			}
			if m, err := w.store.History(t.Context(), "a", 5); err != nil || len(m) != 1 || m[0].Verdict != c.verdict {
				t.Errorf("%+v, %v", m, err)
			}
		})
	}
}

func TestACheckWithFurtherInputsRunsWhenAllAreThere(t *testing.T) {
	t.Parallel()
	a := number("a", 1, nil)
	b := plus("b", a, nil)
	var saw [2]int
	c := check.New2("c", func(ctx *asset.Context, x, y int) (check.Result, error) {
		saw = [2]int{x, y}
		ctx.AddMetadata(metadata.Map{"from": "context", "both": 1})
		return check.Result{Passed: true, Description: "fine", Metadata: metadata.Map{"both": 2}}, nil
	}, a, b, nil)
	w := setup(t, definitions(asset.List{a, b}, c), nil)
	r := w.job()
	want(t, r, "SUCCESS a SUCCEEDED, a:c SUCCEEDED, b SUCCEEDED")
	got := r.Checks[0]
	if saw != [2]int{1, 2} || got.Description != "fine" || got.Metadata["from"].Any() != "context" || got.Metadata["both"].Any() != int64(2) {
		t.Errorf("%v, %+v", saw, got)
	}
}

func TestABlockingCheckHoldsDownstreamBackUntilItHasAnswered(t *testing.T) {
	t.Parallel()
	order := make(chan string, 3)
	a := number("a", 1, nil)
	c := check.New1("c", func(*asset.Context, int) (check.Result, error) {
		order <- "check"
		return check.Result{Passed: true}, nil
	}, a, check.Blocking)
	b := asset.New1("b", func(*asset.Context, int) (int, error) { order <- "b"; return 1, nil }, a, nil)
	d := asset.Do("d", func(*asset.Context) error { order <- "d"; return nil }, &asset.Options{Deps: asset.List{a}})
	w := setup(t, definitions(asset.List{a, b, d}, c), nil)
	want(t, w.job(), "SUCCESS a SUCCEEDED, a:c SUCCEEDED, b SUCCEEDED, d SUCCEEDED")
	if first := <-order; first != "check" {
		t.Errorf("%s came first", first)
	}
}

func TestACheckWhoseInputFailedIsSkippedAndLeavesTheValueUnchecked(t *testing.T) {
	t.Parallel()
	a, other := number("a", 1, nil), failing("other", errors.New("no"), nil)
	c := check.New2("c", func(*asset.Context, int, int) (check.Result, error) { return check.Result{Passed: true}, nil }, a, other, check.Blocking)
	w := setup(t, definitions(asset.List{a, other, plus("b", a, nil)}, c), nil)
	want(t, w.job(), "FAILURE a SUCCEEDED, a:c SKIPPED, b SKIPPED, other FAILED")
	if m, err := w.store.History(t.Context(), "a", 5); err != nil || len(m) != 1 || m[0].Verdict != run.Unchecked {
		t.Errorf("%+v, %v", m, err)
	}
	if _, err := w.store.Latest(t.Context(), "a"); err == nil {
		t.Error("a value that nobody checked can be used")
	}
}

func TestACheckRunsAloneAgainstTheLatestValue(t *testing.T) {
	t.Parallel()
	a := number("a", 7, nil)
	saw := 0
	c := check.New1("c", func(_ *asset.Context, n int) (check.Result, error) { saw = n; return check.Result{Passed: true}, nil }, a, nil)
	w := setup(t, definitions(asset.List{a}, c), nil)
	w.job()
	saw = 0
	want(t, w.selection("a:c"), "SUCCESS a:c SUCCEEDED")
	if saw != 7 {
		t.Errorf("it saw %d", saw)
	}
}

func TestACheckThatRaisesIsRetriedAndEvaluatedOnce(t *testing.T) {
	t.Parallel()
	a := number("a", 1, nil)
	c := check.New1("c", func(ctx *asset.Context, _ int) (check.Result, error) {
		if ctx.Attempt() == 1 {
			return check.Result{}, errors.New("no")
		}
		return check.Result{Passed: true}, nil
	}, a, &check.Options{Blocking: true, Retry: asset.Retry{Max: 1}})
	w := setup(t, definitions(asset.List{a, plus("b", a, nil)}, c), nil)
	want(t, w.job(), "SUCCESS a SUCCEEDED, a:c SUCCEEDED, b SUCCEEDED")
	if n := len(w.logged(runlog.CheckEvaluation)); n != 1 {
		t.Errorf("%d evaluations", n)
	}
}
