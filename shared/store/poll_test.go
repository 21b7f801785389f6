package store_test

import (
	"errors"
	"testing"
	"time"

	"waggle/shared/event"
	"waggle/shared/fault"
	"waggle/shared/run"
	"waggle/shared/store"
)

func TestACallOfAPolledSensorIsStoredOnceAndDecidedOnce(t *testing.T) {
	onEach(t, func(b *backend) {
		tick := func(n int64) event.Event {
			return event.Event{ID: "watch#" + string(rune('0'+n)), Type: "Sensor Tick", Time: b.Now(), Seq: n}
		}
		p, err := b.Poll(b.Context(), "watch")
		b.ok(err)
		if p.Sensor != "watch" || p.Number != 0 || !p.Next.IsZero() {
			b.Errorf("before: %+v", p)
		}
		b.ok(b.PutTick(b.Context(), p, tick(1), b.Now().Add(time.Minute)))
		if err := b.PutTick(b.Context(), p, tick(1), b.Now().Add(time.Hour)); !errors.Is(err, fault.Conflict) {
			b.Errorf("two processes stored the call: %v", err)
		}
		row := b.dueEvents(1)[0]
		row, err = b.BeginEvent(b.Context(), row, time.Minute)
		b.ok(err)
		other := row
		row.Launches = []store.Launch{{Request: run.Request{Job: "job"}, Key: "a.csv"}}
		out := note(tick(1), "slack", "1", "found a.csv")
		row, err = b.DecideTick(b.Context(), row, "a.csv", []store.Out{out}, time.Minute)
		b.ok(err)
		if row.State != store.EventWorking || len(b.waiting("slack")) != 1 {
			b.Errorf("decided: %+v", row)
		}
		if _, err := b.DecideTick(b.Context(), other, "b.csv", nil, time.Minute); !errors.Is(err, fault.Conflict) {
			b.Errorf("it was decided twice: %v", err)
		}
		if p, err = b.Poll(b.Context(), "watch"); err != nil || p.Cursor != "a.csv" || p.Number != 1 || !p.Next.Equal(b.Now().Add(time.Minute)) {
			b.Errorf("where it is: %+v, %v", p, err)
		}
		// Who decided it and died leaves it due, with its launches.
		b.advance(2 * time.Minute)
		left, err := b.SensorEvent(b.Context(), "watch", tick(1))
		b.ok(err)
		if left.State != store.EventWorking || left.Due.After(b.Now()) || len(left.Launches) != 1 || left.Launches[0].Key != "a.csv" || left.Messages != 1 {
			b.Errorf("left: %+v", left)
		}
		left, err = b.BeginEvent(b.Context(), left, time.Minute)
		b.ok(err)
		left.Launches[0].Run = someRun
		_, err = b.EndEvent(b.Context(), left, store.EventDone, nil)
		b.ok(err)
		// A call that is not the newest decides nothing.
		b.ok(b.PutTick(b.Context(), p, tick(2), b.Now().Add(time.Minute)))
		if _, err := b.DecideTick(b.Context(), left, "old", nil, time.Minute); !errors.Is(err, fault.Conflict) {
			b.Errorf("an old call decided: %v", err)
		}
		rows, err := b.SensorEvents(b.Context(), "watch", 10)
		b.ok(err)
		if len(rows) != 2 || rows[1].State != store.EventDone || rows[1].Launches[0].Run != someRun || rows[1].Messages != 1 {
			b.Errorf("rows: %+v", rows)
		}
	})
}
