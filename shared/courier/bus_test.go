package courier_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"waggle/shared/courier"
	"waggle/shared/event"
	"waggle/shared/fault"
	"waggle/shared/job"
	"waggle/shared/notify"
	"waggle/shared/run"
	"waggle/shared/scheduler"
	"waggle/shared/sensor"
	"waggle/shared/store"
	"waggle/shared/store/driver"
	"waggle/shared/store/memorydriver"
)

// bus keeps what is published on it, and answers by a script.
type bus struct {
	mu     sync.Mutex
	answer func(call int) (takes bool, err error) // nil: it takes all
	calls  int
	heard  []event.Event
}

func (b *bus) publish(_ context.Context, events []event.Event) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls++
	takes, err := true, error(nil)
	if b.answer != nil {
		takes, err = b.answer(b.calls)
	}
	if takes {
		b.heard = append(b.heard, events...)
	}
	return err
}

// once are the ids of what was heard; the test fails where two events with one id differ.
func (b *bus) once(t *testing.T) []string {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	byID := map[string]event.Event{}
	for _, e := range b.heard {
		if before, ok := byID[e.ID]; ok && before != e {
			t.Errorf("%s was heard as\n%+v and as\n%+v", e.ID, before, e)
		}
		byID[e.ID] = e
	}
	return slices.Sorted(maps.Keys(byID))
}

// busy is a deployment with a bus, in which everything goes wrong that a row owes an event for: an hourly schedule, one whose runs cannot be
// launched, a sensor that is called wrongly, one whose message no channel takes in any size.
func busy(t *testing.T) *world {
	t.Helper()
	w := setup(t, nil)
	w.defs.Schedules = job.Schedules{job.Cron("hourly", "0 * * * *", w.defs.Jobs[1], nil), job.Cron("broken", "0 0 * * *", job.New("gone", nil, nil), nil)}
	w.defs.Sensors = sensor.List{tells("told", slack), sensor.OnRunFailure("wrong", func(ctx *sensor.Context, _ sensor.Run) error {
		return ctx.Notify(notify.Message{Text: "x"}, notify.Slack("unlisted", nil))
	}, nil)}
	w.server.answer = func(string, int, notify.Content) notify.Answer { return notify.Answer{Kind: notify.Smaller} }
	return w
}

// process is one that launches ticks, publishes what the run tells, and does what is due, until something fails.
func (w *world) process(b *bus, failed run.ID) error {
	w.open(&courier.Options{Bus: b.publish})
	ctx := context.Background()
	if _, _, err := scheduler.New(w.store.Owing(store.Bus, nil), w.defs).Launch(ctx); err != nil {
		return err
	}
	e := event.Event{ID: string(failed) + "#9", Type: event.RunStatus, Time: w.store.Now().UTC(), Run: failed, Seq: 9, Job: "job", Status: run.Failure}
	if err := w.courier.Publish()(ctx, []event.Event{e}); err != nil {
		return err
	}
	return w.courier.Once(ctx)
}

// begin has the schedules known since two days and a run that failed, and returns what a bus is to hear.
func (w *world) begin() (failed run.ID, want []string) {
	w.t.Helper()
	if _, _, err := scheduler.New(w.store, w.defs).Launch(context.Background()); err != nil {
		w.t.Fatal(err)
	}
	failed = w.runJob("job", nil)
	time.Sleep(48*time.Hour + 30*time.Minute)
	day := func(n int) time.Time { return time.Date(2000, 1, 1+n, 0, 0, 0, 0, time.UTC) }
	// 48 ticks came, the last half an hour ago: those of the first day, the newest of which is a day and half an hour old, are passed over.
	want = append(want, "schedule/hourly/"+day(1).Format(time.RFC3339)+"#PASSED_OVER", "schedule/broken/"+day(1).Format(time.RFC3339)+"#PASSED_OVER")
	for h := range 24 {
		want = append(want, "schedule/hourly/"+day(1).Add(time.Duration(h+1)*time.Hour).Format(time.RFC3339)+"#LATE")
	}
	want = append(want, "schedule/broken/"+day(2).Format(time.RFC3339)+"#FAILED", "sensor/wrong/"+string(failed)+"#9#DEAD")
	slices.Sort(want)
	return failed, want
}

// check holds what was heard against what was to be.
func (b *bus) check(t *testing.T, w *world, want []string, when string) {
	t.Helper()
	var got []string
	dead := 0
	for _, id := range b.once(t) {
		if strings.HasPrefix(id, "channel/slack/") {
			dead++
			continue
		}
		got = append(got, id)
	}
	if !slices.Equal(got, want) || dead != 1 {
		t.Errorf("%s: heard\n%s\nand %d messages that were given up; want\n%s\nand one", when, strings.Join(got, "\n"), dead, strings.Join(want, "\n"))
	}
	if owed, err := w.store.OwedEvents(context.Background(), store.Bus, 10); err != nil || len(owed) > 0 {
		t.Errorf("%s: %d rows owe an event at the end, %v", when, len(owed), err)
	}
	if next, err := w.store.NextAlert(context.Background(), nil); err != nil || !next.IsZero() {
		t.Errorf("%s: something is due at %s, %v", when, next, err)
	}
}

func TestWhatGoesWrongIsPublishedOnceItIsStored(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, b := busy(t), &bus{}
		failed, want := w.begin()
		if err := w.process(b, failed); err != nil {
			t.Fatal(err)
		}
		b.check(t, w, want, "")
		if n := len(want) + 1; len(b.heard) != n {
			t.Errorf("%d events, want each of %d once", len(b.heard), n)
		}
		for _, e := range b.heard {
			switch {
			case e.TickStatus == event.TickPassedOver && e.Schedule == "hourly":
				if e.Ticks != 24 || e.MissedAfter != 24 || e.MissedBefore != 0 {
					t.Errorf("%+v", e)
				}
			case e.TickStatus == event.TickLate:
				if e.Run == "" || e.MissedBefore+e.MissedAfter != 47 || e.Job != "job_00" || e.Time.Sub(e.Tick) < 30*time.Minute {
					t.Errorf("%+v", e)
				}
			case e.Sensor == "wrong":
				if e.DeliveryReason != courier.ReasonMistake || e.Attempts != 1 || e.Job != "job" || e.Run != failed {
					t.Errorf("%+v", e)
				}
			case e.Channel != "":
				if e.Sensor != "told" || e.DeliveryReason != courier.ReasonTooLarge || e.EventID != string(failed)+"#9" || len(e.Delivery) != 12 {
					t.Errorf("%+v", e)
				}
			}
		}
		// Rows that owed something still read, and nothing is published again.
		ticks, err := w.store.Ticks(t.Context(), "hourly", 100)
		if err != nil || len(ticks) != 24 || !ticks[0].Late || ticks[0].Run == "" || ticks[0].Owes != nil {
			t.Errorf("%+v, %v", ticks, err)
		}
		if err := w.process(b, failed); err != nil || len(b.heard) != len(want)+1 {
			t.Errorf("%d events after a second look, %v", len(b.heard), err)
		}
		list, err := w.courier.Deliveries(t.Context(), courier.Query{})
		if err != nil || len(list) != 2 || list[0].State != courier.Dead || list[1].State != courier.Dead {
			t.Errorf("%+v, %v", list, err)
		}
	})
}

// TestADeathBetweenARowAndTheBusLosesNoEvent has the process die at each of its calls to the table, before and after it is done.
func TestADeathBetweenARowAndTheBusLosesNoEvent(t *testing.T) {
	t.Parallel()
	for _, after := range []bool{false, true} {
		// Ticks by the hour are alike: every call of one in seven runs, and every call that does not launch.
		for at := 1; ; at++ {
			reached := false
			synctest.Test(t, func(t *testing.T) {
				w, b := busy(t), &bus{}
				failed, want := w.begin()
				launches := 0
				db, dead := mortal(t, w.db, at, func(c memorydriver.Call) bool {
					if c.Done == after && slices.ContainsFunc(c.Keys, func(k driver.Key) bool { return strings.HasPrefix(k.Partition, "KEY#") }) {
						launches++
						return launches%7 == 1
					}
					return c.Done == after
				})
				w.db = db
				b.answer = func(int) (bool, error) { // the dead publish nothing
					if dead() {
						return false, fault.New(fault.Internal, "the process died")
					}
					return true, nil
				}
				_ = w.process(b, failed)
				reached = dead()
				w.db, b.answer = w.db.Clone(nil), nil
				time.Sleep(10 * time.Minute)
				if err := w.process(b, failed); err != nil {
					t.Fatal(err)
				}
				b.check(t, w, want, fmt.Sprintf("died at call %d (after %t)", at, after))
			})
			if t.Failed() {
				t.FailNow()
			}
			if !reached {
				if at < 60 {
					t.Errorf("only %d calls", at)
				}
				break
			}
		}
	}
}

func TestAStoreAndABusThatMisbehaveLoseNoEvent(t *testing.T) {
	t.Parallel()
	for range 20 {
		seed := rand.Uint64()
		synctest.Test(t, func(t *testing.T) {
			w, b := busy(t), &bus{}
			failed, want := w.begin()
			random := rand.New(rand.NewPCG(seed, 1))
			b.answer = func(int) (bool, error) {
				switch random.IntN(4) {
				case 0:
					return false, fault.New(fault.Unavailable, "the bus is down")
				case 1:
					return true, fault.New(fault.Unavailable, "the answer was lost")
				}
				return true, nil
			}
			w.db = w.db.Clone(&memorydriver.Options{Faults: memorydriver.Faults{Seed: seed, Throttle: 0.03, Unavailable: 0.01, Conflict: 0.03, ApplyThenFail: 0.03, IndexLag: 5}})
			for range 200 {
				_ = w.process(b, failed)
				time.Sleep(10 * time.Second)
			}
			b.answer, w.db = nil, w.db.Clone(nil)
			time.Sleep(10 * time.Minute)
			if err := w.process(b, failed); err != nil {
				t.Fatal(err)
			}
			b.check(t, w, want, fmt.Sprintf("seed %d", seed))
		})
	}
}

func TestABusThatIsDownKeepsNoMessageBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, b := busy(t), &bus{}
		failed, want := w.begin()
		w.server.answer = nil
		b.answer = func(int) (bool, error) { return false, fault.New(fault.Unavailable, "the bus is down") }
		if err := w.process(b, failed); !errors.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "the bus is down") {
			t.Errorf("no word of the bus: %v", err)
		}
		w.want("slack: " + told)
		if b.calls != 1 {
			t.Errorf("it was tried %d times at once", b.calls)
		}
		b.answer = nil
		if err := w.courier.Once(t.Context()); !errors.Is(err, fault.Unavailable) || b.calls != 1 {
			t.Errorf("a bus that is down is left alone for a while: %d calls, %v", b.calls, err)
		}
		time.Sleep(time.Minute)
		w.once()
		if got := b.once(t); !slices.Equal(got, want) {
			t.Errorf("heard %q, want %q", got, want)
		}
	})
}

func TestTroubleOfTheBusIsToldOnceWhileItLasts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, b := busy(t), &bus{answer: func(int) (bool, error) { return false, fault.New(fault.Unavailable, "the bus is down") }}
		failed, want := w.begin()
		w.server.answer = nil
		_ = w.process(b, failed)
		var told []error
		ctx, stop := context.WithCancel(t.Context())
		kept := make(chan struct{})
		go func() {
			defer close(kept)
			w.courier.Keep(ctx, func(err error) { told = append(told, err) })
		}()
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		if len(told) != 1 || b.calls < 5 || b.calls > 12 {
			t.Errorf("told %v of %d calls in five minutes", told, b.calls)
		}
		b.mu.Lock()
		b.answer = nil
		b.mu.Unlock()
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := b.once(t); !slices.Equal(got, want) {
			t.Errorf("heard %q, want %q", got, want)
		}
		stop()
		<-kept
	})
}

func TestALaptopsRowsOweNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := busy(t)
		failed, _ := w.begin()
		writes := map[string]int{}
		w.db = w.db.Clone(&memorydriver.Options{Hook: func(c memorydriver.Call) error {
			for _, k := range c.Keys {
				if c.Done && c.Op.Writes() {
					writes[k.String()]++
				}
			}
			return nil
		}})
		w.open(nil)
		scheduled := w.store.Owing(store.Here, w.defs.Sensors.Hear) // as the commands do
		if _, _, err := scheduler.New(scheduled, w.defs).Launch(t.Context()); err != nil {
			t.Fatal(err)
		}
		_ = failed
		w.run()
		w.once()
		for _, to := range []store.Hearer{store.Bus, store.Here} {
			if owed, err := w.store.OwedEvents(t.Context(), to, 10); err != nil || len(owed) > 0 {
				t.Errorf("rows owe to %s: %+v, %v", to, owed, err)
			}
		}
		ticks := 0
		for key, n := range writes {
			if strings.HasPrefix(key, "SCHEDULE#") {
				ticks++
				if n != 1 {
					t.Errorf("%s was written %d times", key, n)
				}
			}
		}
		if ticks != 26 {
			t.Errorf("%d rows of schedules", ticks)
		}
	})
}

func TestTroubleOfAlertingItselfIsPublishedNowhere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &bus{}
		w := setup(t, nil, sensor.OnRunFailure("wrong", func(ctx *sensor.Context, _ sensor.Run) error {
			return ctx.Notify(notify.Message{Text: "x"}, notify.Slack("unlisted", nil))
		}, &sensor.Options{Fallback: team}))
		w.open(&courier.Options{Bus: b.publish})
		w.server.answer = func(string, int, notify.Content) notify.Answer { return notify.Answer{Kind: notify.Smaller} }
		w.run()
		w.once()
		messages, err := w.store.Messages(t.Context(), "team", time.Time{}, 10)
		if err != nil || len(messages) != 1 || messages[0].State != store.MessageDead {
			t.Fatalf("%+v, %v", messages, err)
		}
		if len(b.heard) != 1 || b.heard[0].Sensor != "wrong" || b.heard[0].Channel != "" {
			t.Errorf("heard %+v", b.heard)
		}
	})
}

func TestASchedulesRowThatIsPublishedMeanwhileIsWrittenAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := busy(t)
		w.begin()
		if _, _, err := scheduler.New(w.store.Owing(store.Bus, nil), w.defs).Launch(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(24 * time.Hour)
		var others *store.Store
		w.db = w.db.Clone(&memorydriver.Options{Hook: func(c memorydriver.Call) error {
			if others == nil || c.Op != memorydriver.Put || c.Done || c.Keys[0].Partition != "SCHEDULE#broken" {
				return nil
			}
			s := others
			others = nil
			owed, err := s.OwedEvents(context.Background(), store.Bus, 1000)
			for _, o := range owed {
				err = errors.Join(err, s.Published(context.Background(), o))
			}
			return err
		}})
		w.open(nil)
		others = w.store
		launched, _, err := scheduler.New(w.store.Owing(store.Bus, nil), w.defs).Launch(t.Context())
		failed := slices.DeleteFunc(slices.Clone(launched), func(l scheduler.Launched) bool { return l.Err == nil })
		at, getErr := w.store.Schedule(t.Context(), "broken")
		if err != nil || getErr != nil || others != nil || len(failed) != 1 || len(launched) != 25 || !at.Last.Equal(failed[0].Time) || at.Owes == nil || len(at.Owes.Events) != 1 {
			t.Errorf("%d launched, %d failed, %+v, %v, %v", len(launched), len(failed), at, err, getErr)
		}
	})
}

func TestAScheduleOwesAHundredEventsAtMost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := setup(t, nil)
		s := w.store.Owing(store.Bus, nil)
		for i := range 130 {
			at, err := s.Schedule(t.Context(), "every_minute")
			if err != nil {
				t.Fatal(err)
			}
			e := event.OfTick("every_minute", "gone", time.Now().Add(time.Duration(i)*time.Minute), event.TickFailed)
			if err := s.PutSchedule(t.Context(), "every_minute", at, at, e); err != nil {
				t.Fatal(err)
			}
		}
		owed, err := s.OwedEvents(t.Context(), store.Bus, 10)
		if err != nil || len(owed) != 1 || len(owed[0].Events) != 100 || !strings.Contains(owed[0].Events[99].ID, "T02:09:00Z") {
			t.Fatalf("%d rows, %+v, %v", len(owed), owed, err)
		}
		// What it has come to owe since is left.
		at, _ := s.Schedule(t.Context(), "every_minute")
		if err := s.PutSchedule(t.Context(), "every_minute", at, at, event.OfTick("every_minute", "gone", time.Now().Add(time.Hour*24), event.TickFailed)); err != nil {
			t.Fatal(err)
		}
		if err := s.Published(t.Context(), owed[0]); err != nil {
			t.Fatal(err)
		}
		left, err := s.OwedEvents(t.Context(), store.Bus, 10)
		if err != nil || len(left) != 1 || len(left[0].Events) != 1 || left[0].Events[0].TickStatus != event.TickFailed {
			t.Errorf("%+v, %v", left, err)
		}
	})
}
