package engine_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"waggle/shared/asset"
	"waggle/shared/fault"
	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/store"
	"waggle/shared/store/driver"
)

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
