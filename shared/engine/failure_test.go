package engine_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/fault"
	"waggle/shared/job"
	"waggle/shared/metadata"
	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/store/memorydriver"
)

func failing(key string, err error, opts *asset.Options) *asset.Asset[int] {
	return asset.New(key, func(*asset.Context) (int, error) { return 0, err }, opts)
}

func TestAFailedStepSkipsItsDownstreamAndIndependentBranchesGoOn(t *testing.T) {
	t.Parallel()
	a := failing("a", errors.New("no such file\ndetails"), nil)
	b := plus("b", a, nil)
	c := plus("c", b, nil)
	other := number("other", 1, nil)
	w := setup(t, definitions(asset.List{c, b, a, other, plus("more", other, nil)}), nil)
	r := w.job()
	want(t, r, "FAILURE a FAILED, b SKIPPED, c SKIPPED, more SUCCEEDED, other SUCCEEDED")
	if r.Reason != run.StepFailure || r.Error != "a: no such file\ndetails" {
		t.Errorf("%s: %s", r.Reason, r.Error)
	}
	for _, key := range []run.StepKey{"b", "c"} {
		if skip := r.Step(key).Skipped; skip == nil || *skip != (run.Skip{Reason: run.UpstreamFailed, Step: "a"}) {
			t.Errorf("%s: %+v", key, skip)
		}
	}
	if e := w.logged(runlog.StepFailure)[0]; e.Message != "no such file" || runlog.LevelName(e.Level) != "ERROR" {
		t.Errorf("%+v", e)
	}
}

func TestRetriesWaitAsTheirBackoffSays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var at []time.Duration
		a := asset.New("a", func(ctx *asset.Context) (int, error) {
			at = append(at, time.Since(began))
			if ctx.Attempt() < 4 {
				return 0, fmt.Errorf("attempt %d", ctx.Attempt())
			}
			return 1, nil
		}, &asset.Options{Retry: asset.Retry{Max: 3, Delay: time.Second, Backoff: asset.Exponential}})
		w := setup(t, definitions(asset.List{a}), impatient)
		want(t, w.job(), "SUCCESS a SUCCEEDED")
		if !slices.Equal(at, []time.Duration{0, time.Second, 3 * time.Second, 7 * time.Second}) {
			t.Errorf("attempts at %v", at)
		}
		events := w.logged(runlog.StepUpForRetry)
		if len(events) != 3 {
			t.Fatalf("%d events", len(events))
		}
		for i, e := range events {
			o := e.Data.(*runlog.Outcome)
			if wanted := e.Time.Add(time.Second << i); !o.RetryAt.Equal(wanted) || o.Error.Message != fmt.Sprintf("attempt %d", i+1) || e.Attempt != i+1 {
				t.Errorf("%+v %+v, want a retry at %s", e, o, wanted)
			}
		}
		if wanted := "attempt 2; attempt 3 of 4 in 2 s"; events[1].Message != wanted || runlog.LevelName(events[1].Level) != "WARNING" {
			t.Errorf("%q, want %q", events[1].Message, wanted)
		}
	})
}

func TestAStepFailsWhenItsRetriesAreUsedUp(t *testing.T) {
	t.Parallel()
	calls := 0
	a := asset.New("a", func(*asset.Context) (int, error) { calls++; return 0, errors.New("no") }, &asset.Options{Retry: asset.Retry{Max: 2}})
	w := setup(t, definitions(asset.List{a}), nil)
	want(t, w.job(), "FAILURE a FAILED")
	if calls != 3 || len(w.logged(runlog.StepUpForRetry)) != 2 {
		t.Errorf("%d calls", calls)
	}
}

func explode(*asset.Context) (int, error) {
	var p *int
	return *p, nil // a nil pointer, in a function with a name
}

func TestAPanicFailsTheStepWithAStackThatBeginsInTheUsersFunction(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, message, first string
		fn                   func(*asset.Context) (int, error)
	}{
		{"nil pointer", "panic: runtime error: invalid memory address", "waggle/shared/engine_test.explode(", explode},
		{"value", "panic: 42", "waggle/shared/engine_test.TestAPanic", func(*asset.Context) (int, error) { panic(42) }},
		{"index", "panic: runtime error: index out of range [5]", "waggle/shared/engine_test.TestAPanic", func(*asset.Context) (int, error) { return []int{}[len(t.Name())*0+5], nil }},
	} {
		w := setup(t, definitions(asset.List{asset.New("a", c.fn, nil)}), nil)
		r := w.job()
		want(t, r, "FAILURE a FAILED")
		e := r.Step("a").Error
		if e.Kind != run.Panicked || !strings.HasPrefix(e.Message, c.message) || !strings.HasPrefix(e.Stack, c.first) || !strings.Contains(e.Stack, "failure_test.go:") {
			t.Errorf("%s: %s %s\n%s", c.name, e.Kind, e.Message, e.Stack)
		}
		for _, ours := range []string{"engine.(*attempt)", "debug.Stack", "asset.New["} {
			if strings.Contains(e.Stack, ours) {
				t.Errorf("%s: the stack has %s\n%s", c.name, ours, e.Stack)
			}
		}
	}
}

// nilError panics when it is asked for its text, as errors of pointer types do that are nil.
type nilError struct{ text string }

func (e *nilError) Error() string { return e.text }

// bad is a value that cannot be stored, and panics over it.
type bad struct{}

func (bad) MarshalJSON() ([]byte, error) { panic("not this one") }

// ending is a codec that ends the goroutine.
type ending struct{}

func (ending) Name() string                             { return "ending" }
func (ending) Encode(any) ([]byte, error)               { runtime.Goexit(); return nil, nil }
func (ending) Decode([]byte, reflect.Type) (any, error) { return nil, nil }

func TestWhateverEndsAStepIsItsFailureAndNotTheProcesss(t *testing.T) {
	t.Parallel()
	var none *nilError
	a := number("a", 1, nil)
	for name, c := range map[string]struct {
		of      asset.Any
		message string
	}{
		"Goexit":                  {asset.New("x", func(*asset.Context) (int, error) { runtime.Goexit(); return 0, nil }, nil), "runtime.Goexit"},
		"a nil error with a type": {failing("x", none, nil), "<nil>"},
		"a codec that panics":     {asset.New("x", func(*asset.Context) (bad, error) { return bad{}, nil }, nil), "not this one"},
		"a codec that ends":       {number("x", 1, &asset.Options{Codec: ending{}}), "runtime.Goexit"},
		"metadata that panics":    {asset.Do("x", func(ctx *asset.Context) error { ctx.AddMetadata(metadata.Map{"x": bad{}}); return nil }, nil), "not this one"},
		"a resource that panics": {asset.New1("x", func(*asset.Context, int) (int, error) { return 0, nil },
			asset.NewResource("r", func(context.Context) (int, error) { panic("closed today") }), nil), "closed today"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t, definitions(asset.List{a, c.of}), nil)
			r := w.job()
			want(t, r, "FAILURE a SUCCEEDED, x FAILED")
			if e := r.Step("x").Error; !strings.Contains(e.Message, c.message) {
				t.Errorf("%+v", e)
			}
		})
	}
	panicking := check.New1("c", func(*asset.Context, int) (check.Result, error) {
		return check.Result{Passed: true, Metadata: metadata.Map{"x": bad{}}}, nil
	}, a, nil)
	want(t, setup(t, definitions(asset.List{a}, panicking), nil).job(), "FAILURE a SUCCEEDED, a:c FAILED")
}

func TestATimeoutFailsAStepThatReturnsAndIsRetried(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		a := asset.New("a", func(ctx *asset.Context) (int, error) {
			if calls++; calls == 1 {
				<-ctx.Done()
				return 0, context.Cause(ctx)
			}
			return 1, nil
		}, &asset.Options{Timeout: time.Minute, Retry: asset.Retry{Max: 1}})
		w := setup(t, definitions(asset.List{a}), impatient)
		began := time.Now()
		want(t, w.job(), "SUCCESS a SUCCEEDED")
		e := w.logged(runlog.StepUpForRetry)[0].Data.(*runlog.Outcome).Error
		if e.Kind != run.TimedOut || !strings.HasPrefix(e.Message, "timed out after 1 min 0 s") || time.Since(began).Truncate(time.Second) != time.Minute {
			t.Errorf("%+v after %s", e, time.Since(began))
		}
	})
}

func TestAStepThatIgnoresItsTimeoutIsLeftRunningAfterTheGrace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		wake := make(chan struct{})
		a := asset.New("a", func(ctx *asset.Context) (int, error) {
			<-wake
			ctx.Log.Info("too late")
			ctx.AddMetadata(metadata.Map{"too": "late"})
			_, _, err := asset.Previous[int](ctx)
			return 1, err
		}, &asset.Options{Timeout: time.Minute, Retry: asset.Retry{Max: 5}})
		b := number("b", 1, nil)
		w := setup(t, definitions(asset.List{a, b, plus("c", a, nil)}), impatient)
		began := time.Now()
		id := w.launch(run.Request{Job: "job"})
		out := w.run(id, nil)
		want(t, out.Record, "FAILURE a FAILED, b SUCCEEDED, c SKIPPED")
		if took := time.Since(began).Truncate(time.Second); out.LeftRunning != 1 || took != 61*time.Second {
			t.Errorf("%d left running after %s", out.LeftRunning, took)
		}
		if e := out.Record.Step("a").Error; e.Kind != run.TimedOut || e.Message != "timed out after 1 min 0 s, and did not stop within 1 s" {
			t.Errorf("%+v", e)
		}
		events := len(w.events)
		close(wake)
		synctest.Wait()
		if len(w.events) != events || int64(events)+1 != w.stored(id).Seq {
			t.Error("what the step said after its end was not dropped")
		}
	})
}

func TestAJobsTimeoutEndsTheRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := asset.New("a", func(ctx *asset.Context) (int, error) { <-ctx.Done(); return 0, ctx.Err() }, &asset.Options{Retry: asset.Retry{Max: 9}})
		w := setup(t, jobOf(&job.Options{Timeout: time.Hour, Parallelism: 1}, asset.List{a, number("b", 1, nil)}), impatient)
		began := time.Now()
		r := w.job()
		want(t, r, "FAILURE a FAILED")
		if r.Reason != run.Timeout || r.Error != "the run took longer than its job allows: 1 h 0 min" || time.Since(began).Truncate(time.Minute) != time.Hour {
			t.Errorf("%s: %s, after %s", r.Reason, r.Error, time.Since(began))
		}
		if e := r.Step("a").Error; e.Kind != run.TimedOut {
			t.Errorf("%+v", e)
		}
	})
}

// counted is a resource that counts.
type counted struct{ closed *[]string }

func (c counted) Close() error {
	*c.closed = append(*c.closed, "closed")
	return nil
}

func TestAResourceIsOpenedOnceAndClosedAtTheEndWhateverTheEndIs(t *testing.T) {
	t.Parallel()
	for _, fail := range []bool{false, true} {
		opened, closed := 0, []string{}
		r := asset.NewResource("r", func(context.Context) (counted, error) { opened++; return counted{&closed}, nil })
		use := func(*asset.Context, counted) (int, error) {
			if fail || len(closed) > 0 {
				return 0, errors.New("no")
			}
			return 1, nil
		}
		a, b := asset.New1("a", use, r, nil), asset.New1("b", use, r, nil)
		c := check.New2("c", func(_ *asset.Context, _ int, _ counted) (check.Result, error) {
			return check.Result{Passed: len(closed) == 0}, nil
		}, a, r, check.Blocking)
		w := setup(t, definitions(asset.List{a, b}, c), nil)
		if got := w.job(); (got.Status == run.Success) == fail || opened != 1 || len(closed) != 1 {
			t.Errorf("%s, opened %d times, closed %d times", outline(got), opened, len(closed))
		}
	}
}

func TestAResourceThatCouldNotBeOpenedIsTriedAgain(t *testing.T) {
	t.Parallel()
	opened := 0
	r := asset.NewResource("base", func(context.Context) (int, error) {
		if opened++; opened == 1 {
			return 0, errors.New("connection refused")
		}
		return opened, nil
	})
	a := asset.New1("a", func(_ *asset.Context, n int) (int, error) { return n, nil }, r, &asset.Options{Retry: asset.Retry{Max: 1}})
	w := setup(t, definitions(asset.List{a}), nil)
	want(t, w.job(), "SUCCESS a SUCCEEDED")
	if e := w.logged(runlog.StepUpForRetry)[0].Data.(*runlog.Outcome).Error; w.value("a") != "2" || e.Message != `open resource "base": connection refused` {
		t.Errorf("%s, %+v", w.value("a"), e)
	}
}

type stubborn struct{ panics bool }

func (s stubborn) Close() error {
	if s.panics {
		panic("stuck")
	}
	return errors.New("busy")
}

func TestAResourceThatDoesNotCloseIsLogged(t *testing.T) {
	t.Parallel()
	for wanted, s := range map[string]stubborn{`close resource "r": busy`: {}, `close resource "r": panic: stuck`: {true}} {
		r := asset.NewResource("r", func(context.Context) (stubborn, error) { return s, nil })
		w := setup(t, definitions(asset.List{asset.New1("a", func(*asset.Context, stubborn) (int, error) { return 1, nil }, r, nil)}), nil)
		want(t, w.job(), "SUCCESS a SUCCEEDED")
		if logs := w.logged(runlog.Log); len(logs) != 1 || logs[0].Message != wanted {
			t.Errorf("%+v, want %q", logs, wanted)
		}
	}
}

func TestAFullDiskEndsTheRunWithThatErrorAndItIsResumed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var full, once atomic.Bool
		a := number("a", 1, nil)
		b := asset.New1("b", func(ctx *asset.Context, n int) (int, error) {
			full.Store(once.CompareAndSwap(false, true))
			return n + 1, nil
		}, a, nil)
		w := setup(t, definitions(asset.List{a, b, plus("c", b, nil)}), impatient)
		w.onCall(func(call memorydriver.Call) error {
			if full.Load() && call.Op.Writes() {
				return fault.New(fault.Full, "no space left on device")
			}
			return nil
		})
		id := w.launch(run.Request{Job: "job"})
		out, err := w.try(t.Context(), id, nil)
		if fault.CodeOf(err) != fault.Full || fault.Exit(err) != fault.ExitPlatform || out.Due.IsZero() {
			t.Fatalf("%+v, %v", out, err)
		}
		w.onCall(nil)
		if s, err := w.store.Summary(t.Context(), id); err != nil || s.Status.Terminal() {
			t.Errorf("%+v, %v", s, err)
		}
		time.Sleep(w.store.Lease())
		want(t, w.run(id, nil).Record, "SUCCESS a SUCCEEDED, b SUCCEEDED, c SUCCEEDED")
		if w.value("c") != "3" {
			t.Error(w.value("c"))
		}
	})
}
