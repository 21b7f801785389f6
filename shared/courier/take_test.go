package courier_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"waggle/shared/courier"
	"waggle/shared/event"
	"waggle/shared/fault"
	"waggle/shared/notify"
	"waggle/shared/run"
	"waggle/shared/sensor"
	"waggle/shared/store"
	"waggle/shared/store/driver"
	"waggle/shared/store/memorydriver"
)

// happens runs the job and returns what a bus tells of it.
func (w *world) happens() (told []event.Event) {
	w.t.Helper()
	w.runJob("job", func(_ context.Context, events []event.Event) error {
		told = append(told, events...)
		return nil
	})
	return told
}

func (w *world) take(events ...event.Event) {
	w.t.Helper()
	if err := w.courier.Take(context.Background(), events...); err != nil {
		w.t.Fatal(err)
	}
}

// takes has a sensor's function take a time, and counts its calls.
func takes(name string, d time.Duration, calls *atomic.Int64) *sensor.Sensor {
	return sensor.OnRunFailure(name, func(ctx *sensor.Context, _ sensor.Run) error {
		calls.Add(1)
		time.Sleep(d)
		return ctx.Notify(notify.Message{Text: name}, slack)
	}, nil)
}

func TestAnEventThatIsTakenIsWrittenTwiceAndLookedForNowhere(t *testing.T) {
	t.Parallel()
	w := setup(t, nil, tells("alarm", slack))
	told := w.happens()
	var writes []string
	asked := false
	w.db = w.db.Clone(&memorydriver.Options{Faults: memorydriver.Faults{Seed: 1, IndexDelay: time.Hour}, Hook: func(c memorydriver.Call) error {
		asked = asked || c.Op == memorydriver.Query && c.Query.Index == "due"
		event := slices.ContainsFunc(c.Keys, func(k driver.Key) bool { return strings.HasPrefix(k.Sort, "EVENT#") })
		if c.Done && c.Op.Writes() && event {
			writes = append(writes, fmt.Sprintf("%s, asked: %t", c.Op, asked))
		}
		return nil
	}})
	w.open(&courier.Options{Bus: (&bus{}).publish})
	w.take(told...)
	if row := w.state("alarm"); row.State != store.EventWorking || row.Attempts != 1 || time.Until(row.Due) < 50*time.Second {
		t.Errorf("%+v", row)
	}
	w.once() // the index shows neither the event nor the message
	w.want("slack: job: broken: it broke")
	if want := []string{"put, asked: false", "write, asked: false"}; !slices.Equal(writes, want) {
		t.Errorf("the event was written by %q, want %q", writes, want)
	}
	if row := w.state("alarm"); row.State != store.EventDone || row.Attempts != 1 {
		t.Errorf("%+v", row)
	}
}

func TestAnEventThatComesAgainWhileItIsEvaluatedIsEvaluatedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		w := setup(t, nil, takes("alarm", 30*time.Second, &calls))
		told := w.happens()
		w.take(told...)
		first, done := w.courier, make(chan error)
		go func() { done <- first.Once(context.Background()) }()
		time.Sleep(10 * time.Second)
		w.open(nil) // another invocation
		w.take(told...)
		w.once()
		time.Sleep(time.Second)
		w.take(told...)
		w.once()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		w.take(told...)
		w.once()
		w.want("slack: alarm")
		if calls.Load() != 1 {
			t.Errorf("%d calls", calls.Load())
		}
	})
}

// TestAPromiseOutlastsWhatIsBegunUnderIt has functions take so long that the promises of those behind them run out, and another courier
// look for what is due all the time.
func TestAPromiseOutlastsWhatIsBegunUnderIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var a, b, c atomic.Int64
		w := setup(t, nil, takes("a", 40*time.Second, &a), takes("b", 45*time.Second, &b), takes("c", time.Second, &c))
		w.take(w.happens()...)
		holder := w.courier
		w.open(nil)
		other := w.courier
		ctx, stop := context.WithCancel(context.Background())
		kept := make(chan struct{})
		go func() {
			defer close(kept)
			for ctx.Err() == nil {
				if err := other.Once(context.Background()); err != nil {
					t.Error(err)
				}
				time.Sleep(time.Second)
			}
		}()
		began := time.Now()
		if err := holder.Once(context.Background()); err != nil {
			t.Fatal(err)
		}
		// c's turn would come after 85 s: its promise has run out by then, and the other has called it.
		if took := time.Since(began); took != 85*time.Second || a.Load() != 1 || b.Load() != 1 || c.Load() != 1 {
			t.Errorf("a was called %d times, b %d, c %d, in %s", a.Load(), b.Load(), c.Load(), took)
		}
		stop()
		<-kept
		for name, attempts := range map[string]int{"a": 1, "b": 1, "c": 2} {
			if row := w.state(name); row.State != store.EventDone || row.Attempts != attempts {
				t.Errorf("%+v", row)
			}
		}
		if got := w.server.got(); len(got) != 3 {
			t.Errorf("received %q", got)
		}
	})
}

func TestWhatIsTakenByOneThatDiesIsEvaluatedByAnother(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := setup(t, nil, tells("alarm", slack))
		w.take(w.happens()...)
		w.open(nil) // and no more is heard of the one before
		w.once()
		w.want()
		if next, err := w.store.NextAlert(t.Context(), nil); err != nil || time.Until(next) != time.Minute {
			t.Errorf("due at %s, %v", next, err)
		}
		time.Sleep(time.Minute)
		w.once()
		w.want("slack: " + told)
	})
}

func TestWhatACourierStopsBeforeStaysItsOwn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ends, stop := context.WithCancel(t.Context())
		var last atomic.Int64
		w := setup(t, nil, sensor.OnRunFailure("first", func(*sensor.Context, sensor.Run) error { stop(); return nil }, nil), takes("last", time.Second, &last))
		w.take(w.happens()...)
		if err := w.courier.Once(ends); !errors.Is(err, fault.Canceled) || last.Load() != 0 || w.state("first").State != store.EventDone {
			t.Errorf("%v, %d calls", err, last.Load())
		}
		time.Sleep(time.Second)
		w.once()
		if row := w.state("last"); row.State != store.EventDone || row.Attempts != 1 || last.Load() != 1 {
			t.Errorf("%+v after %d calls", row, last.Load())
		}
	})
}

// TestWhatIsTakenHalfwayIsTakenOnceInTheEnd has the table fail at each call of Take in turn, before it is done and after, and the events come again.
func TestWhatIsTakenHalfwayIsTakenOnceInTheEnd(t *testing.T) {
	t.Parallel()
	for _, lost := range []bool{false, true} {
		for at := 1; ; at++ {
			failed := false
			synctest.Test(t, func(t *testing.T) {
				w := setup(t, nil, reports("a", slack), reports("b", slack), reports("c", slack))
				told := w.happens()
				n := 0
				w.db = w.db.Clone(&memorydriver.Options{Hook: func(c memorydriver.Call) error {
					if c.Done != lost {
						return nil
					}
					if n++; n == at {
						failed = true
						return fault.New(fault.Unavailable, "no answer")
					}
					return nil
				}})
				w.open(nil)
				err := w.courier.Take(t.Context(), told...)
				if failed != (err != nil) {
					t.Errorf("call %d, done: %t: %v", at, lost, err)
				}
				n = at + 1 // from now on it answers
				w.once()
				time.Sleep(time.Second)
				w.open(nil)
				w.take(told...)
				w.once()
				time.Sleep(time.Minute)
				w.once()
				if got := w.server.got(); len(got) != 3 {
					t.Errorf("call %d, done: %t: %d messages", at, lost, len(got))
				}
			})
			if !failed {
				if at < 4 {
					t.Errorf("Take made %d calls", at-1)
				}
				break
			}
		}
	}
}

// TestWhatWasGivenIsSentThoughTheNextFails has the table fail while the second of two sensors is called, by one that began the events and by one
// that found them.
func TestWhatWasGivenIsSentThoughTheNextFails(t *testing.T) {
	t.Parallel()
	for _, taken := range []bool{true, false} {
		w := setup(t, nil, tells("first", slack), tells("second", team))
		events := w.happens()
		w.db = w.db.Clone(&memorydriver.Options{Hook: func(c memorydriver.Call) error {
			if c.Op == memorydriver.Query && c.Query.Partition == "SENSOR#second" {
				return fault.New(fault.Unavailable, "no answer")
			}
			return nil
		}})
		w.open(nil)
		if taken {
			w.take(events...)
		} else if err := w.courier.Publish()(t.Context(), events); err != nil {
			t.Fatal(err)
		}
		if err := w.courier.Once(t.Context()); !errors.Is(err, fault.Unavailable) {
			t.Errorf("taken: %t: %v", taken, err)
		}
		w.want("slack: " + told)
	}
}

func TestEventsOfSensorsThatOthersCallAreStoredForThem(t *testing.T) {
	t.Parallel()
	w := setup(t, nil, tells("mine", slack), tells("theirs", slack))
	w.open(&courier.Options{Calls: func(name string) bool { return name == "mine" }})
	w.take(w.happens()...)
	if mine, theirs := w.state("mine"), w.state("theirs"); mine.State != store.EventWorking || theirs.State != store.EventPending || theirs.Due.After(time.Now()) {
		t.Errorf("%+v, %+v", mine, theirs)
	}
}

func TestNoMoreIsHeldThanIsSoonEvaluated(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	w := setup(t, nil, sensor.OnRunFailure("alarm", func(*sensor.Context, sensor.Run) error { calls.Add(1); return nil }, nil))
	told := w.happens()
	end := told[len(told)-1]
	for i := range 60 { // as if 60 runs had failed
		e := end
		e.Seq += int64(i)
		w.take(e)
	}
	rows, err := w.store.SensorEvents(t.Context(), "alarm", 100)
	if err != nil {
		t.Fatal(err)
	}
	states := map[store.EventState]int{}
	for _, row := range rows {
		states[row.State]++
	}
	if states[store.EventWorking] != 50 || states[store.EventPending] != 10 {
		t.Errorf("%v", states)
	}
	w.once()
	if n := w.courier.Tally().Evaluated; n != 60 || calls.Load() != 60 {
		t.Errorf("%d evaluated, %d calls", n, calls.Load())
	}
}

func TestASensorThatIsOffIsNotCalledForWhatIsTaken(t *testing.T) {
	t.Parallel()
	w := setup(t, nil, tells("alarm", slack))
	if err := w.store.Switch(t.Context(), "alarm", false, "me"); err != nil {
		t.Fatal(err)
	}
	w.take(w.happens()...)
	w.once()
	if row := w.state("alarm"); row.State != store.EventDone || row.Reason != courier.ReasonSwitchedOff {
		t.Errorf("%+v", row)
	}
	w.want()
	none := setup(t, nil)
	none.take(event.Event{ID: "x", Type: event.RunStatus, Status: run.Failure})
}
