package engine_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"waggle/shared/asset"
	"waggle/shared/engine"
	"waggle/shared/fault"
	"waggle/shared/job"
	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/store/memorydriver"
)

func TestADeadlineHandsTheRunOverAndTheNextOwnerStartsWhatWasInterrupted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var order []string
		step := func(key string, long bool) *asset.Asset[int] {
			return asset.New(key, func(ctx *asset.Context) (int, error) {
				order = append(order, key)
				if long && ctx.Attempt() == 1 {
					<-ctx.Done()
					return 0, context.Cause(ctx)
				}
				return 1, nil
			}, nil)
		}
		a, z := step("a", false), step("z", true)
		w := setup(t, jobOf(&job.Options{Parallelism: 1}, asset.List{z, a}), impatient)
		id := w.launch(run.Request{Job: "job"})
		began := time.Now()
		out := w.run(id, &engine.RunOptions{Deadline: began.Add(15 * time.Minute)})
		if took := time.Since(began); out.End != engine.HandedOver || took != 15*time.Minute-impatient.Margin || out.Due.After(time.Now()) || out.Due.IsZero() {
			t.Fatalf("%+v after %s", out, took)
		}
		if e := w.logged(runlog.StepInterrupted); len(e) != 1 || e[0].Step != "z" {
			t.Errorf("%+v", e)
		}
		if ids, err := w.store.Due(t.Context(), 5); err != nil || len(ids) != 0 { // due now, and so in a moment
			t.Errorf("%v, %v", ids, err)
		}
		time.Sleep(time.Microsecond)
		if ids, err := w.store.Due(t.Context(), 5); err != nil || len(ids) != 1 || ids[0] != id {
			t.Errorf("%v, %v", ids, err)
		}
		out = w.run(id, nil)
		want(t, out.Record, "SUCCESS a SUCCEEDED, z SUCCEEDED")
		if got := strings.Join(order, ""); got != "zza" {
			t.Errorf("started %s", got)
		}
		if fold := w.stored(id); fold.Barren != 0 || fold.Epoch != 2 {
			t.Errorf("%d barren owners, epoch %d", fold.Barren, fold.Epoch)
		}
	})
}

func TestAStepThatIsInterruptedTwiceFailsAndSaysWhy(t *testing.T) {
	t.Parallel()
	for _, ignores := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			end := make(chan struct{})
			a := asset.New("a", func(ctx *asset.Context) (int, error) {
				if ignores {
					<-end
				}
				<-ctx.Done()
				return 0, context.Cause(ctx)
			}, &asset.Options{Retry: asset.Retry{Max: 5}})
			w := setup(t, definitions(asset.List{a, plus("b", a, nil)}), impatient)
			id := w.launch(run.Request{Job: "job"})
			for range 2 {
				w.run(id, &engine.RunOptions{Deadline: time.Now().Add(time.Minute)})
			}
			out := w.run(id, nil)
			want(t, out.Record, "FAILURE a FAILED, b SKIPPED")
			if wanted := "a needs longer than its worker lives: it was interrupted twice"; !strings.Contains(out.Record.Error, wanted) {
				t.Errorf("%q, want %q", out.Record.Error, wanted)
			}
			close(end)
		})
	}
}

// TestAStepWhoseWorkerIsStoppedIsStartedAgainAsOftenAsThat holds a restarted `waggle dev` apart from a step that takes too long.
func TestAStepWhoseWorkerIsStoppedIsStartedAgainAsOftenAsThat(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const stops = 4
		starts := 0
		a := asset.New("a", func(ctx *asset.Context) (int, error) {
			if starts++; starts <= stops {
				<-ctx.Done()
				return 0, context.Cause(ctx)
			}
			return 1, nil
		}, nil)
		w := setup(t, definitions(asset.List{a}), impatient)
		id := w.launch(run.Request{Job: "job"})
		for range stops {
			ctx, stop := context.WithTimeout(t.Context(), time.Minute)
			if out, err := w.try(ctx, id, nil); err != nil || out.End != engine.HandedOver {
				t.Fatalf("%+v %v", out, err)
			}
			stop()
		}
		want(t, w.run(id, nil).Record, "SUCCESS a SUCCEEDED")
	})
}

func TestAnOwnerWhoseDeadlineIsNearStartsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		a := asset.New("a", func(*asset.Context) (int, error) { calls++; return 1, nil }, nil)
		w := setup(t, definitions(asset.List{a}), impatient)
		id := w.launch(run.Request{Job: "job"})
		out := w.run(id, &engine.RunOptions{Deadline: time.Now().Add(impatient.Margin)})
		if out.End != engine.HandedOver || calls != 0 {
			t.Errorf("%s after %d calls", out.End, calls)
		}
		want(t, w.run(id, nil).Record, "SUCCESS a SUCCEEDED")
	})
}

func TestAFailureWhileTheRunIsHandedOverKeepsItsRetries(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := asset.New("a", func(ctx *asset.Context) (int, error) {
			if ctx.Attempt() == 1 {
				<-ctx.Done()
				panic("and then it panicked")
			}
			return 1, nil
		}, &asset.Options{Retry: asset.Retry{Max: 1, Delay: time.Hour}})
		w := setup(t, definitions(asset.List{a}), impatient)
		id := w.launch(run.Request{Job: "job"})
		out := w.run(id, &engine.RunOptions{Deadline: time.Now().Add(time.Minute)})
		want(t, out.Record, "STARTED a RETRYING")
		want(t, w.run(id, nil).Record, "SUCCESS a SUCCEEDED")
	})
}

func TestTheEndOfTheCallersContextHandsTheRunOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := asset.New("a", func(ctx *asset.Context) (int, error) {
			if ctx.Attempt() == 1 {
				<-ctx.Done()
				return 0, context.Cause(ctx)
			}
			return 1, nil
		}, nil)
		w := setup(t, definitions(asset.List{a}), impatient)
		id := w.launch(run.Request{Job: "job"})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		out, err := w.try(ctx, id, nil)
		if err != nil || out.End != engine.HandedOver {
			t.Fatalf("%+v, %v", out, err)
		}
		want(t, w.run(id, nil).Record, "SUCCESS a SUCCEEDED")
	})
}

func TestAContextThatEndsWhileTheRunIsTakenGivesItBack(t *testing.T) {
	t.Parallel()
	for call := 1; ; call++ {
		w := setup(t, definitions(asset.List{number("a", 1, nil)}), nil)
		id := w.launch(run.Request{Job: "job"})
		ctx, cancel := context.WithCancel(t.Context())
		n := 0
		w.onCall(func(c memorydriver.Call) error {
			if !c.Done {
				if n++; n == call {
					cancel()
					return fault.Wrap(fault.Canceled, c.String(), context.Canceled)
				}
			}
			return nil
		})
		out, err := w.try(ctx, id, nil)
		cancel()
		w.onCall(nil)
		if call > 4 { // get, acquire, read, seal
			return
		}
		if fault.CodeOf(err) != fault.Canceled {
			t.Fatalf("call %d: %+v, %v", call, out, err)
		}
		if o, err := w.store.Owner(t.Context(), id); err != nil || o.Token != "" || o.Due.IsZero() {
			t.Errorf("call %d: %+v, %v", call, o, err)
		}
		want(t, w.run(id, nil).Record, "SUCCESS a SUCCEEDED")
	}
}

func TestARunWithNothingToDoIsParkedAndWokenWhenItIsDue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		closed := 0
		base := asset.NewResource("r", func(context.Context) (closer, error) { return func() { closed++ }, nil })
		a := asset.New1("a", func(ctx *asset.Context, _ closer) (int, error) {
			if ctx.Attempt() == 1 {
				return 0, errors.New("no")
			}
			return 1, nil
		}, base, &asset.Options{Retry: asset.Retry{Max: 1, Delay: time.Hour}})
		opts := *impatient
		opts.Park = 30 * time.Second
		w := setup(t, definitions(asset.List{a, number("b", 1, nil)}), &opts)
		id := w.launch(run.Request{Job: "job"})
		began := time.Now()
		out := w.run(id, nil)
		if out.End != engine.Parked || !out.Due.Equal(began.Add(time.Hour)) || time.Since(began) != opts.Park || out.Wake || closed != 1 {
			t.Fatalf("%+v after %s, closed %d times", out, time.Since(began), closed)
		}
		if o, err := w.store.Owner(t.Context(), id); err != nil || o.Token != "" || !o.Due.Equal(out.Due) {
			t.Errorf("%+v, %v", o, err)
		}
		time.Sleep(time.Until(out.Due))
		out = w.run(id, nil)
		want(t, out.Record, "SUCCESS a SUCCEEDED, b SUCCEEDED")
		if fold := w.stored(id); fold.Barren != 0 {
			t.Errorf("%d barren owners", fold.Barren)
		}
	})
}

// closer is a resource that says when it is closed.
type closer func()

func (c closer) Close() error { c(); return nil }

func TestARunThatIsWokenTooEarlyParksAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := failing("a", errors.New("no"), &asset.Options{Retry: asset.Retry{Max: 1, Delay: time.Hour}})
		opts := *impatient
		opts.Park = 30 * time.Second
		w := setup(t, definitions(asset.List{a}), &opts)
		id := w.launch(run.Request{Job: "job"})
		due := w.run(id, nil).Due
		if out := w.run(id, nil); out.End != engine.Parked || !out.Due.Equal(due.Truncate(time.Microsecond)) {
			t.Errorf("%+v, want due %s", out, due)
		}
	})
}

// TestANoteIsNeverStranded leaves a cancel note at each call that an owner makes while it gives the run up. Whoever leaves one wakes
// the run; where that fails because it is owned, the owner must act on the note or tell its caller to come back.
func TestANoteIsNeverStranded(t *testing.T) {
	t.Parallel()
	for call := 1; ; call++ {
		left, acted := false, false
		synctest.Test(t, func(t *testing.T) {
			a := failing("a", errors.New("no"), &asset.Options{Retry: asset.Retry{Max: 1, Delay: time.Hour}})
			opts := *impatient
			opts.Park = 30 * time.Second
			w := setup(t, definitions(asset.List{a}), &opts)
			id := w.launch(run.Request{Job: "job"})
			other := w.with(definitions(asset.List{a}), &opts)
			n := 0
			w.onCall(func(c memorydriver.Call) error {
				w.mu.Lock()
				n++
				mine := n == call
				w.mu.Unlock()
				if !mine {
					return nil
				}
				left = true
				w.onCall(nil)
				if err := w.store.RequestCancel(context.Background(), id); err != nil {
					t.Error(err)
				}
				out, err := other.try(context.Background(), id, nil)
				acted = err == nil && out.Record.Status == run.Canceled
				if err != nil && !errors.Is(err, fault.Conflict) {
					t.Errorf("call %d: the waker: %v", call, err)
				}
				return nil
			})
			out, err := w.try(context.Background(), id, nil)
			w.onCall(nil)
			if !left {
				return
			}
			switch {
			case errors.Is(err, fault.Conflict), errors.Is(err, fault.Lost): // the waker was first
			case err != nil:
				t.Fatalf("call %d: %v", call, err)
			case out.Wake:
				acted = w.run(id, nil).Record.Status == run.Canceled
			case out.Record.Status == run.Canceled:
				acted = true
			}
			if status := w.stored(id).Record.Status; !acted || status != run.Canceled {
				t.Errorf("call %d: nobody acted on the note: %+v, %s", call, out, status)
			}
		})
		if !left {
			if call < 20 {
				t.Errorf("only %d calls", call)
			}
			return
		}
		if call > 10_000 {
			t.Fatal("it does not end")
		}
	}
}

func TestASecondOwnerIsRefusedWhileTheFirstRuns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := asset.New("a", func(*asset.Context) (int, error) { time.Sleep(time.Minute); return 1, nil }, nil)
		w := setup(t, definitions(asset.List{a}), impatient)
		id := w.launch(run.Request{Job: "job"})
		second := w.with(definitions(asset.List{a}), impatient)
		for i := range 10 { // across many heartbeats
			time.AfterFunc(time.Second+time.Duration(i)*5*time.Second, func() {
				if _, err := second.try(context.Background(), id, nil); !errors.Is(err, fault.Conflict) {
					t.Error(fmt.Errorf("second owner: %w", err))
				}
			})
		}
		want(t, w.run(id, nil).Record, "SUCCESS a SUCCEEDED")
	})
}

func TestAnOwnerThatSleptPastItsLeaseGoesOnIfNobodyTookOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := asset.New("a", func(*asset.Context) (int, error) { time.Sleep(time.Second / 2); return 1, nil }, nil)
		w := setup(t, definitions(asset.List{a, plus("b", a, nil)}), impatient)
		id := w.launch(run.Request{Job: "job"})
		slept, first := false, ""
		w.onCall(func(c memorydriver.Call) error {
			w.mu.Lock()
			if slept && first == "" && c.Op.Writes() {
				first = c.Keys[0].Sort
			}
			w.mu.Unlock()
			if isChunk(c) && c.Done && !slept {
				slept = true
				time.Sleep(time.Hour) // the whole bubble's clock: as if the machine had slept between seal and run
			}
			return nil
		})
		want(t, w.run(id, nil).Record, "SUCCESS a SUCCEEDED, b SUCCEEDED")
		if first != "META" {
			t.Errorf("it wrote %s before it had renewed its lease", first)
		}
	})
}
