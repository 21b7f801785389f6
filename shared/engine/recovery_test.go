package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"gocloud.dev/blob/memblob"

	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/engine"
	"waggle/shared/fault"
	"waggle/shared/job"
	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/store"
	"waggle/shared/store/memorydriver"
	"waggle/shared/store/tabletest"
	"waggle/shared/waggle"
)

// dies is an owner that stores some events, in a chunk of their own, and is never heard of again. Times and numbers are filled in.
func (w *world) dies(id run.ID, events ...runlog.Event) {
	w.t.Helper()
	w.owns(id, events...)
	time.Sleep(w.store.Lease())
}

// owns is dies without the death.
func (w *world) owns(id run.ID, events ...runlog.Event) *store.Lease {
	w.t.Helper()
	lease, err := w.store.Acquire(w.t.Context(), id, "before")
	if err != nil {
		w.t.Fatal(err)
	}
	fold, next, err := w.store.Fold(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	b := runlog.NewBuilder(lease.Epoch())
	taken := runlog.Event{Type: runlog.Owner, Data: &runlog.Ownership{Epoch: lease.Epoch(), Died: lease.Died}}
	for i, e := range slices.Insert(events, 0, taken) {
		e.Seq, e.Time = fold.Seq+1+int64(i), time.Now().UTC().Truncate(time.Microsecond)
		data, err := runlog.EncodeData(e.Data)
		if err == nil {
			err = b.Add(&e, data)
		}
		if err != nil {
			w.t.Fatal(err)
		}
	}
	if err := w.store.PutChunk(w.t.Context(), id, next, w.store.Pack(b)); err != nil {
		w.t.Fatal(err)
	}
	lease.Heard()
	return lease
}

// began is RUN_START of the job.
func began(t testing.TB, defs waggle.Definitions) runlog.Event {
	t.Helper()
	p, err := defs.Plan(run.Request{Job: "job"})
	if err != nil {
		t.Fatal(err)
	}
	return runlog.Event{Type: runlog.RunStart, Data: &runlog.Start{Plan: p.Hash, Steps: len(p.Steps)}}
}

func stepStarted(key run.StepKey, careful bool) runlog.Event {
	e := runlog.Event{Type: runlog.StepStart, Step: key, Attempt: 1}
	if careful {
		e.Data = &runlog.Begun{Careful: true}
	}
	return e
}

func stepFailed(key run.StepKey, text string) runlog.Event {
	return runlog.Event{Type: runlog.StepFailure, Step: key, Attempt: 1, Data: &runlog.Outcome{Error: &run.Error{Kind: run.Returned, Message: text}}}
}

func stepSkipped(key, because run.StepKey) runlog.Event {
	return runlog.Event{Type: runlog.StepSkipped, Step: key, Data: &run.Skip{Reason: run.UpstreamFailed, Step: because}}
}

func TestAfterADeathSuspectsRunOneAtATimeEachAfterItsStoredStart(t *testing.T) {
	t.Parallel()
	for _, known := range []bool{true, false} { // which steps ran, or only that none has a result
		synctest.Test(t, func(t *testing.T) {
			var w *world
			var id run.ID
			var running, most atomic.Int64
			var mu sync.Mutex
			var order []run.StepKey
			careful := map[run.StepKey]bool{}
			step := func(key run.StepKey) *asset.Asset[int] {
				return asset.New(string(key), func(ctx *asset.Context) (int, error) {
					n := running.Add(1)
					defer running.Add(-1)
					most.Store(max(most.Load(), n))
					s, p := w.stored(id).Step(key)
					mu.Lock()
					order = append(order, key)
					careful[key] = s != nil && s.Status == run.StepRunning && p.Careful && n == 1
					mu.Unlock()
					time.Sleep(time.Second)
					return 1, nil
				}, nil)
			}
			a, b, c, d := step("a"), step("b"), step("c"), step("d")
			defs := definitions(asset.List{a, b, c, d, plus("e", d, nil)})
			w = setup(t, defs, impatient)
			id = w.launch(run.Request{Job: "job"})
			if known {
				w.dies(id, began(t, defs), stepStarted("b", false), stepStarted("c", false))
			} else {
				w.dies(id, began(t, defs))
			}
			want(t, w.run(id, nil).Record, "SUCCESS a SUCCEEDED, b SUCCEEDED, c SUCCEEDED, d SUCCEEDED, e SUCCEEDED")
			if known {
				if !careful["b"] || !careful["c"] || careful["a"] || careful["d"] || !slices.Equal(order[:2], []run.StepKey{"b", "c"}) || most.Load() != 2 {
					t.Errorf("careful %v, order %v, %d at once", careful, order, most.Load())
				}
			} else if !careful["a"] || !careful["b"] || !careful["c"] || !careful["d"] || most.Load() != 1 {
				t.Errorf("nothing known: careful %v, %d at once", careful, most.Load())
			}
		})
	}
}

func TestAHandoverIsNoReasonToBeCareful(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := number("a", 1, nil), number("b", 1, nil)
		defs := definitions(asset.List{a, b})
		w := setup(t, defs, impatient)
		id := w.launch(run.Request{Job: "job"})
		if err := w.owns(id, began(t, defs), stepStarted("a", false)).Release(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		want(t, w.run(id, nil).Record, "SUCCESS a SUCCEEDED, b SUCCEEDED")
		for _, e := range w.logged(runlog.StepStart) {
			if e.Data != nil {
				t.Errorf("%s started with %+v", e.Step, e.Data)
			}
		}
	})
}

func TestADeathIsNotForgottenByAnOwnerThatCouldNotReadTheLog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		defs := definitions(asset.List{number("a", 1, nil), number("b", 1, nil)})
		w := setup(t, defs, impatient)
		id := w.launch(run.Request{Job: "job"})
		w.dies(id, began(t, defs), stepStarted("b", false))
		w.onCall(func(c memorydriver.Call) error {
			if c.Op == memorydriver.Query {
				return fault.New(fault.Throttled, "not now")
			}
			return nil
		})
		if _, err := w.try(t.Context(), id, nil); !errors.Is(err, fault.Throttled) {
			t.Fatal(err)
		}
		w.onCall(nil)
		want(t, w.run(id, nil).Record, "SUCCESS a SUCCEEDED, b SUCCEEDED")
		if first := w.logged(runlog.StepStart)[0]; first.Step != "b" || first.Data == nil {
			t.Errorf("%s started first, with %v", first.Step, first.Data)
		}
	})
}

func TestAStepWhoseWorkerDiedWhileItRanAloneFailsAndIsNamed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := asset.New("a", func(*asset.Context) (int, error) { t.Error("it ran again"); return 0, nil }, &asset.Options{Retry: asset.Retry{Max: 5}})
		defs := definitions(asset.List{a, plus("b", a, nil), number("c", 1, nil)})
		w := setup(t, defs, impatient)
		id := w.launch(run.Request{Job: "job"})
		w.dies(id, began(t, defs), stepStarted("a", false))
		w.dies(id, stepStarted("a", true))
		r := w.run(id, nil).Record
		want(t, r, "FAILURE a FAILED, b SKIPPED, c SUCCEEDED")
		if e := r.Step("a").Error; e.Kind != run.Died || e.Message != "the worker died while running a; likely out of memory or time" || r.Reason != run.StepFailure {
			t.Errorf("%s: %+v", r.Reason, e)
		}
	})
}

func TestThreeOwnersThatDieWithoutAResultFailTheRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		defs := definitions(asset.List{number("a", 1, nil)})
		for deaths, wanted := range map[int]string{2: "SUCCESS a SUCCEEDED", 3: "FAILURE"} {
			w := setup(t, defs, impatient)
			id := w.launch(run.Request{Job: "job"})
			w.dies(id, began(t, defs))
			for range deaths - 1 {
				w.dies(id)
			}
			r := w.run(id, nil).Record
			want(t, r, wanted)
			if deaths == 3 && r.Reason != run.Crashed {
				t.Errorf("%s: %s", r.Reason, r.Error)
			}
		}
	})
}

func TestSkipsGoOnWhereAnOwnerDiedBetweenTwo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := number("a", 1, nil)
		b := plus("b", a, nil)
		c := plus("c", b, nil)
		d := plus("d", c, nil)
		defs := definitions(asset.List{a, b, c, d})
		for n, history := range [][]runlog.Event{
			{stepFailed("a", "no")},
			{stepFailed("a", "no"), stepSkipped("b", "a")},
			{stepFailed("a", "no"), stepSkipped("b", "a"), stepSkipped("c", "a")},
			{stepFailed("a", "no"), stepSkipped("b", "a"), stepSkipped("c", "a"), stepSkipped("d", "a")},
		} {
			w := setup(t, defs, impatient)
			id := w.launch(run.Request{Job: "job"})
			w.dies(id, append([]runlog.Event{began(t, defs), stepStarted("a", false)}, history...)...)
			r := w.run(id, nil).Record
			want(t, r, "FAILURE a FAILED, b SKIPPED, c SKIPPED, d SKIPPED")
			if r.Error != "a: no" || r.Step("d").Skipped.Step != "a" {
				t.Errorf("after %d skips: %s, d skipped because of %+v", n, r.Error, r.Step("d").Skipped)
			}
		}
	})
}

func TestABlockedStepIsSkippedByTheNextOwnerToo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := number("a", 1, nil)
		c := check.New1("c", func(*asset.Context, int) (check.Result, error) { return check.Result{}, nil }, a, check.Blocking)
		b := plus("b", a, nil)
		defs := definitions(asset.List{a, b, plus("d", b, nil)}, c)
		w := setup(t, defs, impatient)
		id := w.launch(run.Request{Job: "job"})
		ok := &runlog.Outcome{}
		w.dies(id, began(t, defs), stepStarted("a", false),
			runlog.Event{Type: runlog.Materialization, Step: "a", Attempt: 1, Data: &runlog.Materialized{Blocking: []string{"c"}, Value: &run.Value{Codec: "json", Inline: []byte("1"), Size: 1}}},
			runlog.Event{Type: runlog.StepSuccess, Step: "a", Attempt: 1, Data: ok},
			runlog.Event{Type: runlog.CheckEvaluation, Step: "a:c", Attempt: 1, Data: &runlog.Evaluated{Status: run.CheckFailed, Blocking: true, Severity: run.SeverityError}},
			runlog.Event{Type: runlog.StepSuccess, Step: "a:c", Attempt: 1, Data: ok})
		r := w.run(id, nil).Record
		want(t, r, "FAILURE a SUCCEEDED, a:c SUCCEEDED, b SKIPPED, d SKIPPED")
		if r.Error != "blocking check c failed on a" || *r.Step("d").Skipped != (run.Skip{Reason: run.CheckBlocked, Step: "a:c"}) {
			t.Errorf("%s, d skipped because of %+v", r.Error, r.Step("d").Skipped)
		}
	})
}

func TestARetryThatWaitedKeepsItsTimeAndCount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var at time.Time
		calls := 0
		a := asset.New("a", func(ctx *asset.Context) (int, error) {
			calls++
			at = time.Now()
			return 0, fmt.Errorf("attempt %d", ctx.Attempt())
		}, &asset.Options{Retry: asset.Retry{Max: 1, Delay: time.Hour}})
		defs := definitions(asset.List{a})
		w := setup(t, defs, impatient)
		id := w.launch(run.Request{Job: "job"})
		retry := time.Now().Add(time.Hour).UTC()
		w.dies(id, began(t, defs), stepStarted("a", false), runlog.Event{Type: runlog.StepUpForRetry, Step: "a", Attempt: 1, Data: &runlog.Outcome{RetryAt: &retry}})
		r := w.run(id, nil).Record
		want(t, r, "FAILURE a FAILED")
		if calls != 1 || at.Before(retry) || r.Step("a").Error.Message != "attempt 2" {
			t.Errorf("%d calls, the last at %s, want %s: %+v", calls, at, retry, r.Step("a").Error)
		}
	})
}

func TestARunThatHadEndedIsSettledByTheNextOwner(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		defs := definitions(asset.List{number("a", 1, nil)})
		w := setup(t, defs, impatient)
		id := w.launch(run.Request{Job: "job"})
		w.dies(id, began(t, defs), stepStarted("a", false),
			runlog.Event{Type: runlog.Materialization, Step: "a", Attempt: 1, Data: &runlog.Materialized{Value: &run.Value{Codec: "json", Inline: []byte("1"), Size: 1}}},
			runlog.Event{Type: runlog.StepSuccess, Step: "a", Attempt: 1, Data: &runlog.Outcome{}},
			runlog.Event{Type: runlog.RunSuccess})
		if ids, err := w.store.Due(t.Context(), 5); err != nil || len(ids) > 1 {
			t.Fatalf("%v, %v", ids, err)
		}
		out := w.run(id, nil)
		if fold := ended(t, w.db, w.store, id); out.End != engine.Ended || fold.Epoch != 1 {
			t.Errorf("%+v, epoch %d: an ended run is not sealed", out, fold.Epoch)
		}
	})
}

func TestTheSummaryTellsTheEndOnlyWhenItIsStored(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := setup(t, definitions(asset.List{number("a", 1, nil)}), impatient)
		id := w.launch(run.Request{Job: "job"})
		release := w.holdChunks(2)
		done := make(chan engine.Outcome)
		go func() { done <- w.run(id, nil) }()
		time.Sleep(3 * time.Second) // of heartbeats
		s, err := w.store.Summary(t.Context(), id)
		if err != nil || s.Status.Terminal() || len(w.logged(runlog.RunSuccess)) != 1 {
			t.Errorf("%s, %v", s.Status, err)
		}
		release()
		want(t, (<-done).Record, "SUCCESS a SUCCEEDED")
		ended(t, w.db, w.store, id)
	})
}

func TestAnOwnerThatWasReplacedStopsItsStepsAndWritesNoMore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var cause error
		a := asset.New("a", func(ctx *asset.Context) (int, error) {
			if ctx.Attempt() > 1 {
				return 2, nil
			}
			<-ctx.Done()
			cause = context.Cause(ctx)
			return 1, nil
		}, nil)
		defs := definitions(asset.List{a})
		bucket := memblob.OpenBucket(nil)
		db := tabletest.New(t, nil)
		g := newGate(1000, false)
		first := newProcess(&client{db, g.around}, bucket, defs, nil, impatient)
		id := first.launch(t)
		ended := make(chan error)
		go func() {
			_, err := first.engine.Run(context.Background(), id, nil)
			ended <- err
		}()
		time.Sleep(time.Second)
		g.mu.Lock()
		g.left = 0 // it sleeps from here on
		g.mu.Unlock()
		time.Sleep(time.Minute)
		second := newProcess(db, bucket, defs, nil, impatient)
		out, err := second.engine.Run(t.Context(), id, nil)
		if err != nil || out.Record.Status != run.Success {
			t.Fatalf("%+v, %v", out, err)
		}
		before := len(db.Snapshot())
		close(g.open)
		if err := <-ended; !errors.Is(err, fault.Lost) {
			t.Errorf("the first owner: %v", err)
		}
		if m, err := second.store.Latest(t.Context(), "a"); err != nil || string(m.Value.Inline) != "2" || len(db.Snapshot()) != before || cause == nil {
			t.Errorf("%+v, %v, %d items, want %d, the step was stopped by %v", m, err, len(db.Snapshot()), before, cause)
		}
		_ = bucket.Close()
	})
}

func TestAClockThatIsSetBackDisturbsNothing(t *testing.T) {
	t.Parallel()
	var back atomic.Int64
	now := func() time.Time { return time.Now().Add(-time.Duration(back.Load())) }
	bucket := memblob.OpenBucket(nil)
	defer func() { _ = bucket.Close() }()
	a := asset.New("a", func(ctx *asset.Context) (int, error) {
		back.Store(int64(time.Hour))
		return 1, nil
	}, nil)
	db := tabletest.New(t, nil)
	p := newProcess(db, bucket, definitions(asset.List{a, plus("b", a, nil)}), &store.Options{Now: now}, eager)
	id := p.launch(t)
	out, err := p.engine.Run(t.Context(), id, nil)
	if err != nil {
		t.Fatal(err)
	}
	want(t, out.Record, "SUCCESS a SUCCEEDED, b SUCCEEDED")
	last := time.Time{}
	if err := p.store.ReadLog(t.Context(), id, 0, func(c store.Stored) error {
		events, err := p.store.Unpack(c.Chunk)
		for _, e := range events {
			if e.Time.Before(last) {
				t.Errorf("%s at %s after %s", e.Type, e.Time, last)
			}
			last = e.Time
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for _, s := range out.Record.Steps {
		if s.Duration < 0 {
			t.Errorf("%s took %s", s.Key, s.Duration)
		}
	}
}

// TestALostAnswerIsNoLoss loses the answer to each write of a run in turn: taking it, its chunks, its rows, its end.
func TestALostAnswerIsNoLoss(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := 1
		for lost := 1; n >= lost; lost++ {
			w := setup(t, definitions(asset.List{number("a", 1, nil), number("b", 2, nil)}), eager)
			id := w.launch(run.Request{Job: "job"})
			n = 0
			w.onCall(func(c memorydriver.Call) error {
				if c.Done && c.Err == nil && c.Op.Writes() {
					w.mu.Lock()
					defer w.mu.Unlock()
					if n++; n == lost {
						return fault.New(fault.Unavailable, "the answer was lost")
					}
				}
				return nil
			})
			want(t, w.run(id, nil).Record, "SUCCESS a SUCCEEDED, b SUCCEEDED")
			w.onCall(nil)
			ended(t, w.db, w.store, id)
		}
		if n < 5 {
			t.Errorf("only %d writes", n)
		}
	})
}

func TestADeathThatWasDealtWithIsForgottenAtTheNextHandover(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		defs := definitions(asset.List{failing("a", errors.New("no"), &asset.Options{Retry: asset.Retry{Max: 1, Delay: time.Hour}})})
		opts := *impatient
		opts.Park = time.Second
		w := setup(t, defs, &opts)
		id := w.launch(run.Request{Job: "job"})
		w.dies(id, began(t, defs), stepStarted("a", false))
		for i, died := range []bool{true, false} {
			before := w.stored(id).Seq
			if out := w.run(id, nil); out.End != engine.Parked {
				t.Fatalf("%+v", out)
			}
			e := w.event(id, before+1)
			if o := e.Data.(*runlog.Ownership); o.Died != died {
				t.Errorf("owner %d: %+v", i+2, o)
			}
		}
	})
}

// event reads an event by its number.
func (w *world) event(id run.ID, seq int64) (found runlog.Event) {
	w.t.Helper()
	if err := w.store.ReadLog(w.t.Context(), id, 0, func(c store.Stored) error {
		events, err := w.store.Unpack(c.Chunk)
		for _, e := range events {
			if e.Seq == seq {
				found = e
			}
		}
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
	return found
}

func TestWhatWasInterruptedStartsFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		defs := jobOf(&job.Options{Parallelism: 1}, asset.List{number("a", 1, nil), number("b", 1, nil), number("z", 1, nil)})
		w := setup(t, defs, impatient)
		id := w.launch(run.Request{Job: "job"})
		lease := w.owns(id, began(t, defs), stepStarted("z", false), runlog.Event{Type: runlog.StepInterrupted, Step: "z", Attempt: 1, Data: &runlog.Outcome{}})
		if err := lease.Release(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		want(t, w.run(id, nil).Record, "SUCCESS a SUCCEEDED, b SUCCEEDED, z SUCCEEDED")
		var order []run.StepKey
		for _, e := range w.logged(runlog.StepStart) {
			order = append(order, e.Step)
		}
		if !slices.Equal(order, []run.StepKey{"z", "a", "b"}) {
			t.Errorf("%v", order)
		}
	})
}

func TestAChunkIsSettledOnlyWhenItsRowsAreWritten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := setup(t, definitions(asset.List{number("a", 1, nil)}), impatient)
		id := w.launch(run.Request{Job: "job"})
		held := make(chan struct{})
		w.onCall(func(c memorydriver.Call) error {
			if c.Op == memorydriver.PutAll && !c.Done {
				<-held
			}
			return nil
		})
		done := make(chan engine.Outcome)
		go func() { done <- w.run(id, nil) }()
		time.Sleep(3 * time.Second) // of heartbeats
		made := int64(-1)
		if err := w.store.ReadLog(t.Context(), id, 0, func(c store.Stored) error {
			if c.Chunk.Header.Types[runlog.Materialization] > 0 {
				made = c.N
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if s, err := w.store.Summary(t.Context(), id); err != nil || made < 0 || s.Settled >= made {
			t.Errorf("settled %d, but the rows of chunk %d are not written, %v", s.Settled, made, err)
		}
		close(held)
		want(t, (<-done).Record, "SUCCESS a SUCCEEDED")
		ended(t, w.db, w.store, id)
	})
}

func TestRowsThatCouldNotBeWrittenAreWrittenAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := setup(t, definitions(asset.List{number("a", 1, nil)}), impatient)
		id := w.launch(run.Request{Job: "job"})
		tries := 0
		w.onCall(func(c memorydriver.Call) error {
			if c.Op == memorydriver.PutAll && !c.Done {
				if tries++; tries < 3 {
					return fault.New(fault.Throttled, "not now")
				}
			}
			return nil
		})
		want(t, w.run(id, nil).Record, "SUCCESS a SUCCEEDED")
		ended(t, w.db, w.store, id)
	})
}

func TestALogThatCannotBeWrittenForTwoThirdsOfTheLeaseEndsTheExecution(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		stopped := false
		a := asset.New("a", func(ctx *asset.Context) (int, error) { <-ctx.Done(); stopped = true; return 0, ctx.Err() }, nil)
		w := setup(t, definitions(asset.List{a}), impatient)
		id := w.launch(run.Request{Job: "job"})
		time.AfterFunc(time.Minute, func() {
			w.onCall(func(memorydriver.Call) error { return fault.New(fault.Unavailable, "no answer") })
		})
		began := time.Now()
		_, err := w.try(t.Context(), id, nil)
		if took := time.Since(began) - time.Minute; !errors.Is(err, fault.Unavailable) && !errors.Is(err, fault.Lost) || took > w.store.Lease()+impatient.Grace || !stopped {
			t.Errorf("%v after %s, the step was stopped: %t", err, took, stopped)
		}
	})
}
