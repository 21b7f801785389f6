package engine_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"waggle/shared/asset"
	"waggle/shared/engine"
	"waggle/shared/run"
	"waggle/shared/runlog"
)

// waiting is an asset that runs until it is told to stop.
func waiting(key string, opts *asset.Options) *asset.Asset[int] {
	return asset.New(key, func(ctx *asset.Context) (int, error) {
		<-ctx.Done()
		return 0, context.Cause(ctx)
	}, opts)
}

func TestCancelStopsStepsAndStartsNoMore(t *testing.T) {
	t.Parallel()
	for _, byNote := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			a := waiting("a", &asset.Options{Retry: asset.Retry{Max: 3}})
			w := setup(t, definitions(asset.List{a, plus("b", a, nil), number("c", 1, nil)}), impatient)
			id := w.launch(run.Request{Job: "job"})
			cancel := make(chan struct{})
			began := time.Now()
			time.AfterFunc(time.Minute, func() {
				if !byNote {
					close(cancel)
				} else if err := w.store.RequestCancel(context.Background(), id); err != nil {
					t.Error(err)
				}
			})
			out := w.run(id, &engine.RunOptions{Cancel: cancel})
			want(t, out.Record, "CANCELED a CANCELED, c SUCCEEDED")
			if took := time.Since(began); out.End != engine.Ended || took < time.Minute || took > time.Minute+w.store.Lease() {
				t.Errorf("by note %t: %s after %s", byNote, out.End, took)
			}
			if e := w.logged(runlog.RunCanceling); len(e) != 1 || w.stored(id).Record.Status != run.Canceled {
				t.Errorf("%+v", e)
			}
		})
	}
}

func TestARunThatIsCanceledBeforeItStartsRunsNothing(t *testing.T) {
	t.Parallel()
	closed := make(chan struct{})
	close(closed)
	for _, byNote := range []bool{false, true} {
		calls := 0
		a := asset.New("a", func(*asset.Context) (int, error) { calls++; return 1, nil }, nil)
		w := setup(t, definitions(asset.List{a}), nil)
		id := w.launch(run.Request{Job: "job"})
		opts := &engine.RunOptions{}
		if !byNote {
			opts.Cancel = closed
		} else if err := w.store.RequestCancel(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		out := w.run(id, opts)
		want(t, out.Record, "CANCELED")
		if s, err := w.store.Summary(t.Context(), id); err != nil || s.Status != run.Canceled || calls != 0 || !out.Due.IsZero() {
			t.Errorf("%+v, %v, %d calls, due %s", s, err, calls, out.Due)
		}
	}
}

func TestAStepThatIgnoresItsCancellationIsLeftRunning(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		end := make(chan struct{})
		a := asset.New("a", func(*asset.Context) (int, error) { <-end; return 1, nil }, nil)
		w := setup(t, definitions(asset.List{a}), impatient)
		cancel := make(chan struct{})
		time.AfterFunc(time.Minute, func() { close(cancel) })
		began := time.Now()
		id := w.launch(run.Request{Job: "job"})
		out := w.run(id, &engine.RunOptions{Cancel: cancel})
		want(t, out.Record, "CANCELED a CANCELED")
		if e := out.Record.Step("a").Error; out.LeftRunning != 1 || time.Since(began) != 61*time.Second || e.Kind != run.Ignored {
			t.Errorf("%d left after %s: %+v", out.LeftRunning, time.Since(began), e)
		}
		close(end)
		synctest.Wait()
		want(t, w.stored(id).Record, "CANCELED a CANCELED")
	})
}

func TestAStepThatSucceedsInSpiteOfItsCancellationHasSucceeded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := asset.New("a", func(ctx *asset.Context) (int, error) { <-ctx.Done(); return 1, nil }, nil)
		w := setup(t, definitions(asset.List{a, plus("b", a, nil)}), impatient)
		cancel := make(chan struct{})
		time.AfterFunc(time.Minute, func() { close(cancel) })
		want(t, w.run(w.launch(run.Request{Job: "job"}), &engine.RunOptions{Cancel: cancel}).Record, "CANCELED a SUCCEEDED")
	})
}

func TestACanceledRunThatWaitsForARetryEndsAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := failing("a", errors.New("no"), &asset.Options{Retry: asset.Retry{Max: 1, Delay: time.Hour}})
		w := setup(t, definitions(asset.List{a}), impatient)
		cancel := make(chan struct{})
		time.AfterFunc(time.Minute, func() { close(cancel) })
		began := time.Now()
		want(t, w.run(w.launch(run.Request{Job: "job"}), &engine.RunOptions{Cancel: cancel}).Record, "CANCELED a RETRYING")
		if time.Since(began) != time.Minute {
			t.Errorf("after %s", time.Since(began))
		}
	})
}
