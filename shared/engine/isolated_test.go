package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

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
)

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
		if refused := h.refused.Load(); calls.Load() != 1 || refused != 2 {
			t.Errorf("%d calls, %d refused", calls.Load(), refused)
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

func TestAnOwnerThatIsWokenDoesNotParkBeforeItKnowsThatTheProcessLives(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := asset.New("a", func(*asset.Context) (int, error) { time.Sleep(10 * time.Minute); return 1, nil }, isolated)
		h := newHive(t, definitions(asset.List{a}))
		h.silent = true
		// The process claims the attempt, lives for a minute and is gone.
		m := &mortal{at: 9, db: h.db, acknowledged: map[driver.Key][]byte{}}
		h.way = func(db driver.Driver) driver.Driver { return &client{db, m.around} }
		opts := *impatient
		opts.Isolate, opts.Park, opts.LookAgain = h.isolate, 2*time.Second, 10*time.Second // less than it takes to see that it is dead
		p := newProcess(h.db, h.bucket, h.defs, nil, &opts)
		id := p.launch(t)
		for began := time.Now(); ; {
			out, err := p.engine.Run(context.Background(), id, nil)
			if err != nil {
				t.Fatal(err)
			}
			if out.End == engine.Ended {
				want(t, out.Record, "FAILURE a FAILED")
				break
			}
			if time.Since(began) > 5*time.Minute {
				t.Fatal("nobody sees that the process is dead")
			}
			time.Sleep(time.Until(out.Due))
		}
		if !m.dead {
			t.Error("the process lives")
		}
		time.Sleep(15 * time.Minute) // its function comes to its end
	})
}

// releasing is an owner's way to the store, which calls before when the owner has given its run up and looks at the notes.
type releasing struct {
	driver.Driver
	before func()

	released atomic.Bool
}

func (r *releasing) Put(ctx context.Context, item driver.Item, cond driver.Condition) error {
	err := r.Driver.Put(ctx, item, cond)
	var meta struct{ Owner string }
	if item.Sort == "META" && err == nil {
		err = json.Unmarshal(item.Data, &meta)
		r.released.Store(meta.Owner == "")
	}
	return err
}

func (r *releasing) Query(ctx context.Context, q driver.Query) (driver.Page, error) {
	if q.From == "NOTE#" && r.released.Load() {
		r.before()
	}
	return r.Driver.Query(ctx, q)
}

func TestANoteThatComesWhileTheOwnerParksIsSeen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		proceed := make(chan struct{})
		a := asset.New("a", func(*asset.Context) (int, error) { <-proceed; return 1, nil }, isolated)
		h := newHive(t, definitions(asset.List{a}))
		h.silent = true
		db := &releasing{Driver: h.db, before: sync.OnceFunc(func() {
			close(proceed)
			time.Sleep(100 * time.Millisecond) // the step ends between the release and the last look
		})}
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
