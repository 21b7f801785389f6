package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/blob/memblob"

	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/engine"
	"waggle/shared/fault"
	"waggle/shared/job"
	"waggle/shared/metadata"
	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/store"
	"waggle/shared/store/driver"
	"waggle/shared/store/tabletest"
	"waggle/shared/waggle"
)

// hive runs isolated steps as processes do: each has an engine and a way to the store of its own.
type hive struct {
	t      *testing.T
	db     tabletest.Table
	bucket *blob.Bucket
	defs   waggle.Definitions

	silent bool                              // nobody knows how a process ended
	each   int                               // processes started for an attempt
	way    func(driver.Driver) driver.Driver // of a process to the store; nil: straight

	mu      sync.Mutex
	started []store.Attempt
	refused int // processes whose attempt was another's
	events  []runlog.Event
}

func newHive(t *testing.T, defs waggle.Definitions) *hive {
	t.Helper()
	if err := defs.Validate(); err != nil {
		t.Fatal(err)
	}
	h := &hive{t: t, db: tabletest.New(t, nil), bucket: memblob.OpenBucket(nil), defs: defs, each: 1}
	t.Cleanup(func() { _ = h.bucket.Close() })
	return h
}

func (h *hive) isolate(ctx context.Context, a store.Attempt) (<-chan engine.Ending, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.started = append(h.started, a)
	ended := make(chan engine.Ending, h.each)
	for range h.each {
		db := driver.Driver(h.db)
		if h.way != nil {
			db = h.way(db)
		}
		p := newProcess(db, h.bucket, h.defs, nil, impatient)
		go func() {
			switch err := p.engine.RunStep(ctx, a, time.Time{}); {
			case err == nil:
				ended <- engine.Ending{}
			case errors.Is(err, fault.Conflict):
				h.mu.Lock()
				h.refused++
				h.mu.Unlock()
				ended <- engine.Ending{}
			case errors.Is(err, errDied):
				ended <- engine.Ending{How: "signal: killed", Killed: true}
			default:
				ended <- engine.Ending{How: "exit status 3", Output: err.Error()}
			}
		}()
	}
	if h.silent {
		return nil, nil
	}
	return ended, nil
}

// owner returns a process that runs runs and has others for isolated steps.
func (h *hive) owner(db driver.Driver) process {
	opts := *impatient
	opts.Isolate = h.isolate
	return newProcess(db, h.bucket, h.defs, nil, &opts)
}

func (h *hive) run(id run.ID, opts *engine.RunOptions) engine.Outcome {
	h.t.Helper()
	if opts == nil {
		opts = &engine.RunOptions{}
	}
	opts.Observe = func(e *runlog.Event) { h.events = append(h.events, *e) }
	out, err := h.owner(h.db).engine.Run(context.Background(), id, opts)
	if err != nil {
		h.t.Fatal(err)
	}
	return out
}

// job launches and runs the job.
func (h *hive) job() run.Record {
	h.t.Helper()
	return h.run(h.owner(h.db).launch(h.t), nil).Record
}

var isolated = &asset.Options{Isolated: true}

func TestAnIsolatedStepGetsItsInputsAndHandsOnItsValue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := number("a", 1, nil)
		large := asset.New1("large", func(ctx *asset.Context, n int) ([]int, error) {
			ctx.Log.Info("makes it", "n", n)
			ctx.AddMetadata(metadata.Map{"rows": 5000})
			return make([]int, 5000*n), nil
		}, a, isolated)
		small := asset.New1("small", func(_ *asset.Context, in []int) (int, error) { return len(in), nil }, large, isolated)
		checked := check.New1("long", func(_ *asset.Context, in []int) (check.Result, error) {
			return check.Result{Passed: len(in) == 5000, Metadata: metadata.Map{"n": len(in)}}, nil
		}, large, &check.Options{Blocking: true, Isolated: true})
		h := newHive(t, definitions(asset.List{a, large, small, plus("end", small, nil)}, checked))
		r := h.job()
		want(t, r, "SUCCESS a SUCCEEDED, end SUCCEEDED, large SUCCEEDED, large:long SUCCEEDED, small SUCCEEDED")
		p := newProcess(h.db, h.bucket, h.defs, nil, nil)
		if m, err := p.store.Latest(t.Context(), "end"); err != nil || string(m.Value.Inline) != "5001" {
			t.Errorf("end is %s, %v", m.Value.Inline, err)
		}
		if m, err := p.store.Latest(t.Context(), "large"); err != nil || m.Value.Blob == "" || string(m.Metadata["rows"].Value) != "5000" || m.Verdict != run.Good {
			t.Errorf("large is %+v, %v", m, err)
		}
		if len(h.started) != 3 {
			t.Errorf("processes for %v", h.started)
		}
		// The records of an isolated step stand in its own log, and the owner's observer sees them.
		if got := h.stepsThatLog(r.ID); got != "" {
			t.Errorf("the run's log has records of %s", got)
		}
		if !slices.ContainsFunc(h.events, func(e runlog.Event) bool { return e.Type == runlog.Log && e.Message == "makes it" }) {
			t.Error("nobody saw the record")
		}
		var own []runlog.Type
		if err := p.store.ReadAttempt(t.Context(), store.Attempt{Run: r.ID, Step: "large", Number: 1}, 0, func(c store.Stored) error {
			events, err := p.store.Unpack(c.Chunk)
			for _, e := range events {
				own = append(own, e.Type)
			}
			return err
		}); err != nil || fmt.Sprint(own) != "[STEP_WORKER_STARTED LOG ASSET_MATERIALIZATION STEP_SUCCESS]" {
			t.Errorf("its log: %v, %v", own, err)
		}
	})
}

// stepsThatLog names the steps whose log records stand in the run's log.
func (h *hive) stepsThatLog(id run.ID) string {
	h.t.Helper()
	p := newProcess(h.db, h.bucket, h.defs, nil, nil)
	var steps []string
	if err := p.store.ReadLog(h.t.Context(), id, 0, func(c store.Stored) error {
		events, err := p.store.Unpack(c.Chunk)
		for _, e := range events {
			if e.Type == runlog.Log {
				steps = append(steps, string(e.Step))
			}
		}
		return err
	}); err != nil {
		h.t.Fatal(err)
	}
	return strings.Join(steps, ",")
}

func TestWithoutOtherProcessesAnIsolatedStepRunsInThisOne(t *testing.T) {
	t.Parallel()
	w := setup(t, definitions(asset.List{number("a", 1, isolated)}), nil)
	want(t, w.job(), "SUCCESS a SUCCEEDED")
	if e := w.logged(runlog.WorkerStarting); len(e) != 0 {
		t.Errorf("%+v", e)
	}
}

func TestAFailedIsolatedStepFailsAsAnyOther(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fn    func(*asset.Context) (int, error)
		opts  asset.Options
		kind  run.ErrorKind
		error string
	}{
		"error":   {fn: func(*asset.Context) (int, error) { return 0, errors.New("no") }, kind: run.Returned, error: "no"},
		"panic":   {fn: func(*asset.Context) (int, error) { panic("no") }, kind: run.Panicked, error: "panic: no"},
		"timeout": {fn: func(ctx *asset.Context) (int, error) { <-ctx.Done(); return 0, ctx.Err() }, opts: asset.Options{Timeout: time.Second}, kind: run.TimedOut, error: "timed out after 1 s"},
		"ignored timeout": {fn: func(ctx *asset.Context) (int, error) { time.Sleep(10 * time.Minute); return 0, nil }, opts: asset.Options{Timeout: time.Second},
			kind: run.TimedOut, error: "timed out after 1 s, and did not stop within 1 s"},
		"metadata": {fn: func(ctx *asset.Context) (int, error) {
			ctx.AddMetadata(metadata.Map{"rows": 7})
			return 0, errors.New("no")
		}, kind: run.Returned, error: "no"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				opts := c.opts
				opts.Isolated = true
				a := asset.New("a", c.fn, &opts)
				h := newHive(t, definitions(asset.List{a, plus("b", a, nil), number("c", 1, nil)}))
				r := h.job()
				want(t, r, "FAILURE a FAILED, b SKIPPED, c SUCCEEDED")
				s := r.Failed()[0]
				if s.Error.Kind != c.kind || s.Error.Message != c.error {
					t.Errorf("%+v", s.Error)
				}
				if name == "metadata" && string(s.Metadata["rows"].Value) != "7" {
					t.Errorf("metadata %v", s.Metadata)
				}
				if r.Error != "a: "+c.error {
					t.Errorf("the run's error is %q", r.Error)
				}
				time.Sleep(time.Hour) // what ignores its timeout comes to its end
			})
		})
	}
}

func TestAFailedIsolatedStepIsTriedAgainInANewProcess(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		a := asset.New("a", func(ctx *asset.Context) (int, error) {
			if calls.Add(1); ctx.Attempt() < 3 {
				return 0, errors.New("not yet")
			}
			return 1, nil
		}, &asset.Options{Isolated: true, Retry: asset.Retry{Max: 2, Delay: time.Minute}})
		h := newHive(t, definitions(asset.List{a}))
		want(t, h.job(), "SUCCESS a SUCCEEDED")
		if calls.Load() != 3 || len(h.started) != 3 || h.started[2].Number != 3 {
			t.Errorf("%d calls, processes for %v", calls.Load(), h.started)
		}
	})
}

func TestOfSeveralProcessesForAnAttemptOneRunsIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		a := asset.New("a", func(*asset.Context) (int, error) { calls.Add(1); time.Sleep(time.Minute); return 1, nil }, isolated)
		h := newHive(t, definitions(asset.List{a}))
		h.each = 3
		want(t, h.job(), "SUCCESS a SUCCEEDED")
		if calls.Load() != 1 || h.refused != 2 {
			t.Errorf("%d calls, %d refused", calls.Load(), h.refused)
		}
	})
}

func TestAProcessThatComesTooLateIsRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHive(t, definitions(asset.List{number("a", 1, isolated), number("b", 1, nil)}))
		r := h.job()
		p := newProcess(h.db, h.bucket, h.defs, nil, impatient)
		for _, a := range []store.Attempt{{Run: r.ID, Step: "a", Number: 1}, {Run: r.ID, Step: "a", Number: 2}, {Run: r.ID, Step: "b", Number: 1}, {Run: r.ID, Step: "x", Number: 1}} {
			if err := p.engine.RunStep(t.Context(), a, time.Time{}); !errors.Is(err, fault.Conflict) {
				t.Errorf("%v: %v", a, err)
			}
		}
		if err := p.engine.RunStep(t.Context(), store.Attempt{Run: "0199f3c2-0000-7000-8000-000000000000", Step: "a", Number: 1}, time.Time{}); !errors.Is(err, fault.NotFound) {
			t.Errorf("an unknown run: %v", err)
		}
	})
}

func TestCancelReachesAnIsolatedStep(t *testing.T) {
	t.Parallel()
	for _, silent := range []bool{false, true} {
		for _, ignores := range []bool{false, true} {
			t.Run(fmt.Sprintf("silent %t, ignores %t", silent, ignores), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					a := asset.New("a", func(ctx *asset.Context) (int, error) {
						if ignores {
							time.Sleep(time.Hour)
						}
						<-ctx.Done()
						return 0, context.Cause(ctx)
					}, isolated)
					h := newHive(t, definitions(asset.List{a, plus("b", a, nil)}))
					h.silent = silent
					p := h.owner(h.db)
					id := p.launch(t)
					time.AfterFunc(time.Minute, func() {
						if err := p.store.RequestCancel(context.Background(), id); err != nil {
							t.Error(err)
						}
					})
					began := time.Now()
					r := h.run(id, nil).Record
					want(t, r, "CANCELED a CANCELED")
					if took := time.Since(began); took > time.Minute+10*time.Second {
						t.Errorf("it took %s", took)
					}
					time.Sleep(2 * time.Hour) // what ignores it comes to its end
				})
			})
		}
	}
}

func TestAStoppedOwnerStopsTheProcessesItStarted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		a := asset.New("a", func(ctx *asset.Context) (int, error) {
			if calls.Add(1) == 1 {
				<-ctx.Done()
				return 0, context.Cause(ctx)
			}
			return 1, nil
		}, isolated)
		h := newHive(t, definitions(asset.List{a}))
		p := h.owner(h.db)
		id := p.launch(t)
		ctx, stop := context.WithTimeout(context.Background(), time.Minute)
		defer stop()
		out, err := p.engine.Run(ctx, id, nil)
		if err != nil || out.End != engine.HandedOver {
			t.Fatalf("%+v, %v", out, err)
		}
		synctest.Wait()
		if calls.Load() != 1 {
			t.Fatalf("%d calls", calls.Load())
		}
		want(t, h.run(id, nil).Record, "SUCCESS a SUCCEEDED")
		if fold := foldOf(t, p, id); fold.Steps["a"].Interruptions != 0 {
			t.Error("a stop counts as an interruption")
		}
	})
}

func foldOf(t *testing.T, p process, id run.ID) *runlog.Fold {
	t.Helper()
	fold, _, err := p.store.Fold(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return fold
}

// TestAnIsolatedStepOutlivesItsOwner hands a run over, or lets its owner die, while the process of a step goes on: the next owner takes
// its result.
func TestAnIsolatedStepOutlivesItsOwner(t *testing.T) {
	t.Parallel()
	for _, dies := range []bool{false, true} {
		for _, silent := range []bool{false, true} {
			t.Run(fmt.Sprintf("dies %t, silent %t", dies, silent), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					var calls atomic.Int64
					a := asset.New("a", func(ctx *asset.Context) (int, error) {
						calls.Add(1)
						time.Sleep(10 * time.Minute)
						return 1, ctx.Err()
					}, isolated)
					h := newHive(t, definitions(asset.List{a, plus("b", a, nil), number("c", 1, nil)}))
					h.silent = silent
					m := &mortal{db: h.db, acknowledged: map[driver.Key][]byte{}}
					p := h.owner(&client{h.db, m.around})
					id := p.launch(t)
					began := time.Now()
					if dies {
						time.AfterFunc(time.Minute, func() { m.mu.Lock(); m.dead = true; m.mu.Unlock() })
						if _, err := p.engine.Run(context.Background(), id, nil); !errors.Is(err, errDied) {
							t.Fatal(err)
						}
						time.Sleep(p.store.Lease())
					} else if out, err := p.engine.Run(context.Background(), id, &engine.RunOptions{Deadline: began.Add(2 * time.Minute)}); err != nil || out.End != engine.HandedOver {
						t.Fatalf("%+v, %v", out, err)
					}
					want(t, h.run(id, nil).Record, "SUCCESS a SUCCEEDED, b SUCCEEDED, c SUCCEEDED")
					if calls.Load() != 1 || len(h.started) != 1 {
						t.Errorf("%d calls, processes for %v", calls.Load(), h.started)
					}
					if took := time.Since(began); took > 10*time.Minute+5*time.Second {
						t.Errorf("it took %s", took)
					}
				})
			})
		}
	}
}

func TestARunThatIsCanceledWithoutItsOwnerStopsItsIsolatedSteps(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var stopped atomic.Bool
		a := asset.New("a", func(ctx *asset.Context) (int, error) {
			<-ctx.Done()
			stopped.Store(true)
			return 0, context.Cause(ctx)
		}, isolated)
		h := newHive(t, definitions(asset.List{a}))
		p := h.owner(h.db)
		id := p.launch(t)
		if out, err := p.engine.Run(context.Background(), id, &engine.RunOptions{Deadline: time.Now().Add(time.Minute)}); err != nil || out.End != engine.HandedOver {
			t.Fatalf("%+v, %v", out, err)
		}
		if err := p.store.RequestCancel(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		want(t, h.run(id, nil).Record, "CANCELED a CANCELED")
		time.Sleep(p.store.Lease())
		synctest.Wait()
		if !stopped.Load() {
			t.Error("the step goes on")
		}
	})
}

func TestAnOwnerThatOnlyWaitsForOtherProcessesParksAndIsWokenByThem(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := asset.New("a", func(*asset.Context) (int, error) { time.Sleep(10 * time.Minute); return 1, nil }, isolated)
		h := newHive(t, definitions(asset.List{a, plus("b", a, nil)}))
		h.silent = true
		opts := *impatient
		opts.Isolate, opts.Park, opts.LookAgain = h.isolate, 30*time.Second, 4*time.Minute
		p := newProcess(h.db, h.bucket, h.defs, nil, &opts)
		id := p.launch(t)
		began, parked := time.Now(), 0
		for {
			out, err := p.engine.Run(context.Background(), id, nil)
			if err != nil {
				t.Fatal(err)
			}
			if out.End == engine.Ended {
				want(t, out.Record, "SUCCESS a SUCCEEDED, b SUCCEEDED")
				break
			}
			if parked++; out.End != engine.Parked || out.Wake || !out.Due.Equal(time.Now().Add(opts.LookAgain)) {
				t.Fatalf("%+v", out)
			}
			time.Sleep(time.Until(out.Due))
		}
		if parked != 3 || time.Since(began) > 14*time.Minute {
			t.Errorf("parked %d times in %s", parked, time.Since(began))
		}
		if told, err := p.store.Told(t.Context(), id, []store.Attempt{{Run: id, Step: "a", Number: 1}}); err != nil || !told {
			t.Errorf("the owner was not told: %v", err)
		}
	})
}

func TestANoteThatComesWhileTheOwnerParksIsSeen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		proceed := make(chan struct{})
		a := asset.New("a", func(*asset.Context) (int, error) { <-proceed; return 1, nil }, isolated)
		h := newHive(t, definitions(asset.List{a}))
		h.silent = true
		released := false
		began := time.Now()
		db := &client{h.db, func(op string, key driver.Key, done bool, _ error) error {
			if op == "query" && key.Sort == "NOTE#" && !done && !released && time.Since(began) > 29*time.Second {
				released = true
				close(proceed)
				time.Sleep(100 * time.Millisecond) // the step ends between the release and the last look
			}
			return nil
		}}
		opts := *impatient
		opts.Isolate, opts.Park = h.isolate, 30*time.Second
		p := newProcess(db, h.bucket, h.defs, &store.Options{Lease: 10 * time.Minute}, &opts)
		id := p.launch(t)
		out, err := p.engine.Run(context.Background(), id, nil)
		if err != nil || out.End != engine.Parked || !out.Wake {
			t.Fatalf("%+v, %v", out, err)
		}
	})
}

// TestAProcessMayDieAtAnyCall kills the process of an isolated step at each call that it makes to the table: the step fails by
// name, or is tried again, and nothing of the attempt that died is mixed into the next.
func TestAProcessMayDieAtAnyCall(t *testing.T) {
	t.Parallel()
	for _, silent := range []bool{false, true} {
		for _, after := range []bool{false, true} {
			for _, again := range []int{0, 1} {
				t.Run(fmt.Sprintf("silent %t, after %t, tried again %d times", silent, after, again), func(t *testing.T) {
					t.Parallel()
					came := true
					for at := 1; came; at++ {
						synctest.Test(t, func(t *testing.T) { came = processDies(t, at, silent, after, again) })
						if at > 100 {
							t.Fatal("it does not end")
						}
					}
				})
			}
		}
	}
}

// processDies reports whether the first process came as far as that call.
func processDies(t *testing.T, at int, silent, after bool, again int) bool {
	t.Helper()
	a := number("a", 1, nil)
	b := asset.New1("b", func(ctx *asset.Context, n int) (int, error) {
		for i := range 3 {
			ctx.Log.Info("at work", "i", i)
			time.Sleep(time.Second)
		}
		return n + 1, nil
	}, a, &asset.Options{Isolated: true, Retry: asset.Retry{Max: again}})
	h := newHive(t, definitions(asset.List{a, b, plus("d", b, nil)}))
	h.silent = silent
	m := &mortal{at: at, after: after, db: h.db, acknowledged: map[driver.Key][]byte{}}
	first := true
	h.way = func(db driver.Driver) driver.Driver {
		if !first {
			return db
		}
		first = false
		return &client{db, m.around}
	}
	r := h.job()
	time.Sleep(time.Minute) // the function of a process that died comes to its end
	m.mu.Lock()
	defer m.mu.Unlock()
	switch r.Status {
	case run.Success:
		want(t, r, "SUCCESS a SUCCEEDED, b SUCCEEDED, d SUCCEEDED")
	default:
		want(t, r, "FAILURE a SUCCEEDED, b FAILED, d SKIPPED")
		e := r.Failed()[0].Error
		if again > 0 || !m.dead || e.Kind != run.Died || !strings.Contains(e.Message, "b") {
			t.Errorf("died %t at call %d: %+v", m.dead, at, e)
		}
	}
	ended(t, h.db, newProcess(h.db, h.bucket, h.defs, nil, nil).store, r.ID)
	return m.dead
}

// TestAnOwnerOfIsolatedStepsMayDieAtAnyCall kills the owner at each call that it makes to the table. The process goes on, and its work is
// done once.
func TestAnOwnerOfIsolatedStepsMayDieAtAnyCall(t *testing.T) {
	t.Parallel()
	for _, silent := range []bool{false, true} {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("silent %t, after %t", silent, after), func(t *testing.T) {
				t.Parallel()
				came := true
				for at := 1; came; at++ {
					synctest.Test(t, func(t *testing.T) { came = ownerDies(t, at, silent, after) })
					if at > 300 {
						t.Fatal("it does not end")
					}
				}
			})
		}
	}
}

func ownerDies(t *testing.T, at int, silent, after bool) bool {
	t.Helper()
	var calls atomic.Int64
	a := number("a", 1, nil)
	b := asset.New1("b", func(ctx *asset.Context, n int) (int, error) {
		calls.Add(1)
		time.Sleep(7 * time.Second)
		return n + 1, nil
	}, a, isolated)
	h := newHive(t, definitions(asset.List{a, b, plus("d", b, nil)}))
	h.silent = silent
	m := &mortal{at: at, after: after, db: h.db, acknowledged: map[driver.Key][]byte{}}
	p := h.owner(&client{h.db, m.around})
	id := newProcess(h.db, h.bucket, h.defs, nil, nil).launch(t)
	_, _ = p.engine.Run(context.Background(), id, nil) // it may not notice its death
	if !m.dead {
		return false
	}
	time.Sleep(2 * p.store.Lease())
	r := h.run(id, nil).Record
	want(t, r, "SUCCESS a SUCCEEDED, b SUCCEEDED, d SUCCEEDED")
	if calls.Load() != 1 {
		t.Errorf("owner died at call %d: the step was called %d times", at, calls.Load())
	}
	time.Sleep(time.Minute)
	ended(t, h.db, newProcess(h.db, h.bucket, h.defs, nil, nil).store, id)
	return true
}

// TestAProcessThatWasGivenUpWritesNothingMore freezes a process at each of its writes, for as long as the owner waits, and lets it go on
// when another attempt has made the value.
func TestAProcessThatWasGivenUpWritesNothingMore(t *testing.T) {
	t.Parallel()
	came := true
	for at := 1; came; at++ {
		synctest.Test(t, func(t *testing.T) {
			a := asset.New("a", func(ctx *asset.Context) (int, error) {
				ctx.Log.Info("at work")
				time.Sleep(time.Second)
				return ctx.Attempt(), nil
			}, &asset.Options{Isolated: true, Retry: asset.Retry{Max: 1}})
			h := newHive(t, definitions(asset.List{a, plus("b", a, nil)}))
			h.silent = true
			first, n := true, 0
			var froze atomic.Bool
			h.way = func(db driver.Driver) driver.Driver {
				if !first {
					return db
				}
				first = false
				return &client{db, func(op string, key driver.Key, done bool, _ error) error {
					if op == "put" && !done && strings.HasPrefix(key.Sort, "STEP#") {
						if n++; n == at {
							froze.Store(true)
							time.Sleep(time.Hour)
						}
					}
					return nil
				}}
			}
			r := h.job()
			want(t, r, "SUCCESS a SUCCEEDED, b SUCCEEDED")
			time.Sleep(2 * time.Hour)
			m, err := newProcess(h.db, h.bucket, h.defs, nil, nil).store.Latest(t.Context(), "b")
			if wanted := map[bool]string{true: "3", false: "2"}[froze.Load() && at > 1]; err != nil || at > 1 && string(m.Value.Inline) != wanted {
				t.Errorf("frozen at write %d: b is %s, want %s, %v", at, m.Value.Inline, wanted, err)
			}
			var last []runlog.Type
			if err := newProcess(h.db, h.bucket, h.defs, nil, nil).store.ReadAttempt(t.Context(), store.Attempt{Run: r.ID, Step: "a", Number: 1}, 0, func(c store.Stored) error {
				for kind := range c.Chunk.Header.Types {
					last = append(last, kind)
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			if froze.Load() && at > 1 && (len(last) == 0 || last[len(last)-1] != runlog.Owner) {
				t.Errorf("frozen at write %d: its log has %v", at, last)
			}
			came = froze.Load()
		})
		if at > 50 {
			t.Fatal("it does not end")
		}
	}
}

func TestEveryAnswerToAProcessMayBeLost(t *testing.T) {
	t.Parallel()
	came := true
	for at := 1; came; at++ {
		synctest.Test(t, func(t *testing.T) {
			var calls atomic.Int64
			a := asset.New("a", func(ctx *asset.Context) (int, error) {
				ctx.Log.Info("x")
				calls.Add(1)
				time.Sleep(5 * time.Second)
				return 1, nil
			}, isolated)
			h := newHive(t, definitions(asset.List{a}))
			var n atomic.Int64
			h.way = func(db driver.Driver) driver.Driver {
				return &client{db, func(_ string, _ driver.Key, done bool, _ error) error {
					if done && n.Add(1) == int64(at) {
						return fault.New(fault.Unavailable, "the answer was lost")
					}
					return nil
				}}
			}
			r := h.job()
			if want(t, r, "SUCCESS a SUCCEEDED"); calls.Load() != 1 {
				t.Errorf("answer %d lost: %d calls", at, calls.Load())
			}
			time.Sleep(time.Minute) // the process may still be at its last write
			came = n.Load() >= int64(at)
		})
	}
}

func TestAProcessWhoseWritesTakeAlmostALeaseIsNotTakenForDead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := asset.New("a", func(*asset.Context) (int, error) { time.Sleep(10 * time.Minute); return 1, nil }, isolated)
		h := newHive(t, definitions(asset.List{a}))
		h.silent = true
		h.way = func(db driver.Driver) driver.Driver {
			return &client{db, func(op string, _ driver.Key, done bool, _ error) error {
				if op == "put" && !done {
					time.Sleep(store.DefaultLease * 3 / 4)
				}
				return nil
			}}
		}
		if want(t, h.job(), "SUCCESS a SUCCEEDED"); len(h.started) != 1 {
			t.Errorf("processes for %v", h.started)
		}
		time.Sleep(time.Minute)
	})
}

func TestAnAttemptThatHasNotBegunCannotBeClaimed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := asset.New("a", func(ctx *asset.Context) (int, error) {
			time.Sleep(time.Minute)
			if ctx.Attempt() == 1 {
				return 0, errors.New("not yet")
			}
			return 1, nil
		}, &asset.Options{Isolated: true, Retry: asset.Retry{Max: 1}})
		h := newHive(t, definitions(asset.List{a}))
		p := h.owner(h.db)
		id := p.launch(t)
		time.AfterFunc(30*time.Second, func() {
			if err := p.engine.RunStep(context.Background(), store.Attempt{Run: id, Step: "a", Number: 2}, time.Time{}); !errors.Is(err, fault.Conflict) {
				t.Error(err)
			}
		})
		want(t, h.run(id, nil).Record, "SUCCESS a SUCCEEDED")
	})
}

func TestAProcessThatSeesACancelBeforeItsOwnerDoesCancelsTheRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := asset.New("a", func(ctx *asset.Context) (int, error) { <-ctx.Done(); return 0, context.Cause(ctx) }, &asset.Options{Isolated: true, Retry: asset.Retry{Max: 3}})
		h := newHive(t, definitions(asset.List{a, plus("b", a, nil)}))
		p := h.owner(&client{h.db, func(op string, key driver.Key, _ bool, _ error) error {
			if op == "query" && key.Sort == "NOTE#" {
				return fault.New(fault.Unavailable, "no notes today")
			}
			return nil
		}})
		id := p.launch(t)
		time.AfterFunc(time.Minute, func() {
			if err := newProcess(h.db, h.bucket, h.defs, nil, nil).store.RequestCancel(context.Background(), id); err != nil {
				t.Error(err)
			}
		})
		out, err := p.engine.Run(context.Background(), id, nil)
		if err != nil {
			t.Fatal(err)
		}
		want(t, out.Record, "CANCELED a CANCELED")
	})
}

func TestAnIsolatedStepThatThePlatformInterruptsTwiceFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := asset.New("a", func(ctx *asset.Context) (int, error) { <-ctx.Done(); return 0, context.Cause(ctx) }, isolated)
		h := newHive(t, definitions(asset.List{a}))
		opts := *impatient
		opts.Isolate = func(ctx context.Context, id store.Attempt) (<-chan engine.Ending, error) {
			p := newProcess(h.db, h.bucket, h.defs, nil, impatient)
			go func() { _ = p.engine.RunStep(ctx, id, time.Now().Add(15*time.Minute)) }()
			return nil, nil
		}
		p := newProcess(h.db, h.bucket, h.defs, nil, &opts)
		id := p.launch(t)
		out, err := p.engine.Run(context.Background(), id, nil)
		if err != nil {
			t.Fatal(err)
		}
		want(t, out.Record, "FAILURE a FAILED")
		if e := out.Record.Failed()[0].Error; e.Kind != run.Interrupted || !strings.Contains(e.Message, "interrupted twice") || strings.Contains(e.Message, "Isolated") {
			t.Errorf("%+v", e)
		}
	})
}

func TestStepsInProcessesOfTheirOwnCountAgainstTheParallelism(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int64
		var all asset.List
		for i := range 6 {
			all = append(all, asset.New(fmt.Sprintf("a%d", i), func(*asset.Context) (int, error) {
				most.Store(max(most.Load(), now.Add(1)))
				time.Sleep(time.Minute)
				now.Add(-1)
				return 1, nil
			}, isolated))
		}
		h := newHive(t, jobOf(&job.Options{Parallelism: 2}, all))
		if r := h.job(); r.Status != run.Success || most.Load() != 2 {
			t.Errorf("%s, %d at once", r.Status, most.Load())
		}
	})
}
