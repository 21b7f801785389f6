package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"gocloud.dev/blob/memblob"

	"waggle/shared/event"
	"waggle/shared/fault"
	"waggle/shared/run"
	"waggle/shared/store"
	"waggle/shared/store/driver"
	"waggle/shared/store/memorydriver"
	"waggle/shared/store/sqlitedriver"
)

const someRun = run.ID("0199f3c2-1a2b-7000-8000-000000000001")

// failed is the event of a run's failure.
func failed(seq int64) event.Event {
	return event.Event{ID: fmt.Sprintf("%s#%d", someRun, seq), Type: event.RunStatus, Run: someRun, Seq: seq, Job: "job", Status: run.Failure,
		Time: time.Date(2026, 7, 1, 11, 59, 0, 0, time.UTC)}
}

func note(e event.Event, channel, call, text string) store.Out {
	return store.Out{Channel: channel, Time: e.Time, Run: e.Run, Seq: e.Seq, Source: "alarm", Call: call, Event: e.ID, Title: text, Body: []byte(text)}
}

// dueEvents waits for an index that lags.
func (b *backend) dueEvents(want int) []store.SensorEvent {
	b.Helper()
	for range 100 {
		due, err := b.DueEvents(b.Context(), 10, nil)
		b.ok(err)
		if len(due) == want {
			return due
		}
		_, _ = b.Switched(b.Context(), "nobody") // the index lags by calls
		b.ok(b.Switch(b.Context(), "nobody", true, ""))
	}
	b.Fatalf("never %d due", want)
	return nil
}

func (b *backend) dueChannels(want ...string) {
	b.Helper()
	var due []string
	for range 100 {
		var err error
		due, err = b.DueChannels(b.Context(), 10)
		b.ok(err)
		if strings.Join(due, " ") == strings.Join(want, " ") {
			return
		}
		b.ok(b.Switch(b.Context(), "nobody", true, ""))
	}
	b.Fatalf("channels due: %v, want %v", due, want)
}

func (b *backend) waiting(channel string) []store.Out {
	b.Helper()
	outs, cursor, err := b.Waiting(b.Context(), channel, 100, "")
	b.ok(err)
	if cursor != "" {
		b.Error("more than a page")
	}
	return outs
}

func TestAnEventThatComesAgainChangesNothing(t *testing.T) {
	onEach(t, func(b *backend) {
		e := failed(7)
		b.ok(b.PutEvents(b.Context(), "alarm", []event.Event{e, e}))
		row := b.dueEvents(1)[0]
		if row.Sensor != "alarm" || row.State != store.EventPending || row.Event != e {
			b.Errorf("stored %+v", row)
		}
		row, err := b.BeginEvent(b.Context(), row, time.Minute)
		b.ok(err)
		b.ok(b.PutEvents(b.Context(), "alarm", []event.Event{e}))
		if now, err := b.SensorEvent(b.Context(), "alarm", e); err != nil || now.State != store.EventWorking || now.Attempts != 1 {
			b.Errorf("after it came again: %+v, %v", now, err)
		}
		row.Reason = "notified"
		_, err = b.EndEvent(b.Context(), row, store.EventDone, []store.Out{note(e, "slack", "1", "a"), note(e, "slack", "2", "b"), note(e, "team", "1", "a")})
		b.ok(err)
		b.ok(b.PutEvents(b.Context(), "alarm", []event.Event{e}))
		b.dueEvents(0)
		if now, err := b.SensorEvent(b.Context(), "alarm", e); err != nil || now.State != store.EventDone || now.Messages != 3 || now.Reason != "notified" {
			b.Errorf("after its end: %+v, %v", now, err)
		}
		if slack, team := b.waiting("slack"), b.waiting("team"); len(slack) != 2 || len(team) != 1 || slack[0].ID() == slack[1].ID() || string(slack[1].Body) != "b" {
			b.Errorf("waiting %+v and %+v", slack, team)
		}
		b.dueChannels("slack", "team")
		// Whoever evaluated it at the same time comes too late, and gives nothing twice.
		if _, err := b.EndEvent(b.Context(), row, store.EventDone, []store.Out{note(e, "slack", "3", "c")}); err != nil && !errors.Is(err, fault.Conflict) {
			b.Error(err)
		}
		if slack := b.waiting("slack"); len(slack) != 2 {
			b.Errorf("%d wait", len(slack))
		}
	})
}

func TestWhoEvaluatesAnEventAndDiesLeavesItDue(t *testing.T) {
	onEach(t, func(b *backend) {
		b.ok(b.PutEvents(b.Context(), "alarm", []event.Event{failed(7)}))
		first := b.dueEvents(1)[0]
		working, err := b.BeginEvent(b.Context(), first, time.Minute)
		b.ok(err)
		if _, err := b.BeginEvent(b.Context(), first, 2*time.Minute); !errors.Is(err, fault.Conflict) {
			b.Errorf("two began it: %v", err)
		}
		b.dueEvents(0)
		b.advance(time.Minute)
		again := b.dueEvents(1)[0]
		again, err = b.BeginEvent(b.Context(), again, time.Minute)
		b.ok(err)
		if _, err := b.EndEvent(b.Context(), working, store.EventDone, nil); !errors.Is(err, fault.Conflict) {
			b.Errorf("the one that was given up ended it: %v", err)
		}
		again.Error = "slow"
		again, err = b.RetryEvent(b.Context(), again, b.Now().Add(time.Hour))
		b.ok(err)
		b.dueEvents(0)
		b.advance(time.Hour)
		b.dueEvents(1)
		if row, err := b.SensorEvent(b.Context(), "alarm", failed(7)); err != nil || row.Attempts != 2 || row.Error != "slow" {
			b.Errorf("%+v, %v", row, err)
		}
		_, err = b.EndEvent(b.Context(), again, store.EventDead, nil)
		b.ok(err)
		b.dueEvents(0)
		b.advance(91 * 24 * time.Hour)
		if rows, err := b.SensorEvents(b.Context(), "alarm", 10); err != nil || len(rows) != 0 {
			b.Errorf("after the retention: %+v, %v", rows, err)
		}
	})
}

func TestAnEventIsStoredAsBegunByOne(t *testing.T) {
	onEach(t, func(b *backend) {
		row, err := b.PutBegun(b.Context(), "alarm", failed(7), time.Minute)
		b.ok(err)
		if stored, err := b.SensorEvent(b.Context(), "alarm", failed(7)); err != nil || stored.State != store.EventWorking || stored.Attempts != 1 || !stored.Due.Equal(b.Now().Add(time.Minute)) {
			b.Errorf("stored %+v, %v", stored, err)
		}
		b.dueEvents(0)
		b.advance(time.Second)
		if _, err := b.PutBegun(b.Context(), "alarm", failed(7), time.Minute); !errors.Is(err, fault.Conflict) {
			b.Errorf("it came again, and two began it: %v", err)
		}
		b.ok(b.PutEvents(b.Context(), "alarm", []event.Event{failed(7), failed(8)}))
		if _, err := b.PutBegun(b.Context(), "alarm", failed(8), time.Minute); !errors.Is(err, fault.Conflict) {
			b.Errorf("what is stored for anybody was begun: %v", err)
		}
		if due := b.dueEvents(1); due[0].Event != failed(8) {
			b.Errorf("due are %+v", due)
		}
		b.advance(time.Minute)
		again, err := b.BeginEvent(b.Context(), b.dueEvents(2)[1], time.Minute)
		b.ok(err)
		if again.Event != failed(7) || again.Attempts != 2 {
			b.Errorf("after the promise %+v", again)
		}
		if _, err := b.EndEvent(b.Context(), row, store.EventDone, nil); !errors.Is(err, fault.Conflict) {
			b.Errorf("who died with it ended it: %v", err)
		}
		_, err = b.EndEvent(b.Context(), again, store.EventDone, nil)
		b.ok(err)
	})
}

// repeating is a table whose answer to each put is lost, so that its client puts again.
type repeating struct{ driver.Driver }

func (r repeating) Put(ctx context.Context, item driver.Item, cond driver.Condition) error {
	if err := r.Driver.Put(ctx, item, cond); err != nil {
		return err
	}
	return r.Driver.Put(ctx, item, cond)
}

func TestWhoStoresAnEventAsBegunMayLoseTheAnswer(t *testing.T) {
	onEach(t, func(b *backend) {
		s := store.New(repeating{b.db}, store.NewBlobs(memblob.OpenBucket(nil)), &store.Options{Now: b.clock})
		row, err := s.PutBegun(b.Context(), "alarm", failed(7), time.Minute)
		b.ok(err)
		_, err = b.EndEvent(b.Context(), row, store.EventDone, nil)
		b.ok(err)
	})
}

func TestAPromiseRunsOutByTheWallClock(t *testing.T) {
	t.Parallel()
	s := store.New(memorydriver.New(nil), store.NewBlobs(memblob.OpenBucket(nil)), nil)
	t.Cleanup(func() { _ = s.Close() })
	row, err := s.PutBegun(t.Context(), "alarm", failed(7), time.Minute)
	if err != nil || row.Due != row.Due.Round(0) {
		t.Errorf("due at %s, %v", row.Due, err)
	}
}

func TestAMessageLeavesItsChannelInOneWriteAndCanBeRevived(t *testing.T) {
	onEach(t, func(b *backend) {
		large := strings.Repeat("x", 300<<10)
		b.ok(b.PutEvents(b.Context(), "alarm", []event.Event{failed(1)}))
		row, err := b.SensorEvent(b.Context(), "alarm", failed(1))
		b.ok(err)
		_, err = b.EndEvent(b.Context(), row, store.EventDone, []store.Out{note(failed(1), "slack", "a#b/c", large)})
		b.ok(err)
		out := b.waiting("slack")[0]
		if out.Blob == "" {
			b.Error("a large message stands in its row")
		}
		out.Tried(store.SendAttempt{Time: b.Now(), Answer: "retry", Reason: "no_answer"})
		out, err = b.Postpone(b.Context(), out)
		b.ok(err)
		stale := b.waiting("slack")[0]
		out.Tried(store.SendAttempt{Time: b.Now(), Answer: "retry", Reason: "no_answer"})
		out, err = b.Postpone(b.Context(), out)
		b.ok(err)
		dead := store.Message{ID: out.ID(), Channel: "slack", Time: b.Now(), State: store.MessageDead, Reason: "given_up", Outs: []store.Out{stale}}
		if err := b.Conclude(b.Context(), dead); !errors.Is(err, fault.Conflict) {
			b.Errorf("an owner that was replaced concluded it: %v", err)
		}
		dead.Outs = []store.Out{out}
		b.ok(b.Conclude(b.Context(), dead))
		b.ok(b.Conclude(b.Context(), dead)) // the answer was lost
		list, err := b.Messages(b.Context(), "slack", time.Time{}, 10)
		b.ok(err)
		since, err := b.Messages(b.Context(), "slack", list[0].Time, 10)
		b.ok(err)
		after, err := b.Messages(b.Context(), "slack", list[0].Time.Add(time.Nanosecond), 10)
		b.ok(err)
		if len(since) != 1 || len(after) != 0 {
			b.Errorf("since its time: %+v, after: %+v", since, after)
		}
		if len(list) != 1 || list[0].Outs[0].Attempts != 2 || len(list[0].Outs[0].History) != 2 || len(b.waiting("slack")) != 0 {
			b.Fatalf("messages %+v", list)
		}
		b.ok(b.Revive(b.Context(), list[0]))
		b.ok(b.Revive(b.Context(), list[0]))
		revived := b.waiting("slack")
		if len(revived) != 1 || revived[0].Attempts != 0 || revived[0].ID() != out.ID() {
			b.Fatalf("revived %+v", revived)
		}
		if body, err := b.MessageBody(b.Context(), revived[0]); err != nil || string(body) != large {
			b.Errorf("%d bytes, %v", len(body), err)
		}
		if list, err := b.Messages(b.Context(), "slack", time.Time{}, 10); err != nil || len(list) != 0 {
			b.Errorf("still %+v, %v", list, err)
		}
	})
}

// TestWhatAMessageSaysStandsWhereItCostsLess has messages around the sizes at which it moves.
func TestWhatAMessageSaysStandsWhereItCostsLess(t *testing.T) {
	onEach(t, func(b *backend) {
		_, onLaptop := b.db.(*sqlitedriver.Driver)
		for seq, size := range []int{100, 1 << 10, 1<<10 + 1, 64 << 10, 64<<10 + 1} {
			e := failed(int64(seq + 1))
			text := strings.Repeat("x", size)
			b.ok(b.PutEvents(b.Context(), "alarm", []event.Event{e}))
			row, err := b.SensorEvent(b.Context(), "alarm", e)
			b.ok(err)
			_, err = b.EndEvent(b.Context(), row, store.EventDone, []store.Out{note(e, "slack", "1", text)})
			b.ok(err)
			says := func(o store.Out, when string) {
				b.Helper()
				if body, err := b.MessageBody(b.Context(), o); err != nil || string(body) != text {
					b.Errorf("%s one of %d says %d bytes, %v", when, size, len(body), err)
				}
			}
			out := b.waiting("slack")[0]
			says(out, "waiting")
			if blob, beside := size > 64<<10, !onLaptop && size > 1<<10 && size <= 64<<10; (out.Blob != "") != blob || out.Beside != beside || len(out.Body) > 0 == (blob || beside) {
				b.Errorf("one of %d bytes: blob %q, beside %t, %d bytes in its row", size, out.Blob, out.Beside, len(out.Body))
			}
			out.Tried(store.SendAttempt{Time: b.Now(), Answer: "retry", Reason: "no_answer"})
			out, err = b.Postpone(b.Context(), out)
			b.ok(err)
			says(b.waiting("slack")[0], "put off,")
			b.ok(b.Conclude(b.Context(), store.Message{ID: out.ID(), Channel: "slack", Time: b.Now(), State: store.MessageDead, Outs: []store.Out{out}}))
			list, err := b.Messages(b.Context(), "slack", time.Time{}, 1)
			b.ok(err)
			says(list[0].Outs[0], "given up,")
			b.advance(89 * 24 * time.Hour) // its record is about to expire, and it is to be sent again
			b.ok(b.Revive(b.Context(), list[0]))
			b.advance(60 * 24 * time.Hour)
			out = b.waiting("slack")[0]
			says(out, "revived,")
			b.ok(b.Conclude(b.Context(), store.Message{ID: out.ID(), Channel: "slack", Time: b.Now(), State: store.MessageSent, Outs: []store.Out{out}}))
			b.advance(time.Second) // the next record is newer
		}
	})
}

func TestASensorIsOnUntilSwitchedOffAndTheNewestSwitchHolds(t *testing.T) {
	onEach(t, func(b *backend) {
		for _, want := range []bool{true, false, true} {
			if b.advance(time.Second); !want || b.now.Second() > 1 {
				b.ok(b.Switch(b.Context(), "alarm", want, "me"))
			}
			if got, err := b.Switched(b.Context(), "alarm"); err != nil || got.On != want {
				b.Errorf("%+v, %v, want %t", got, err, want)
			}
		}
	})
}

func TestAlertsThatAreDueDoNotShowAmongRuns(t *testing.T) {
	onEach(t, func(b *backend) {
		b.ok(b.PutEvents(b.Context(), "alarm", []event.Event{failed(1)}))
		b.dueEvents(1)
		if due, err := b.Due(b.Context(), 10); err != nil || len(due) != 0 {
			b.Errorf("runs due: %v, %v", due, err)
		}
		if next, err := b.NextAlert(b.Context(), nil); err != nil || !next.Equal(b.Now()) {
			b.Errorf("next %s, %v", next, err)
		}
	})
}
