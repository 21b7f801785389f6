package store_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"waggle/shared/event"
	"waggle/shared/fault"
	"waggle/shared/run"
	"waggle/shared/store"
)

// about is a report of the job's failure or success for channels.
func about(e event.Event, status run.Status, channels ...string) []store.Out {
	var outs []store.Out
	for _, channel := range channels {
		o := note(e, channel, "1", "x")
		o.About = &store.About{Subject: "job job", Name: "job", Status: status}
		outs = append(outs, o)
	}
	return outs
}

// ended stores an event and ends it with messages.
func (b *backend) ended(seq int64, at time.Time, status run.Status, channels ...string) {
	b.Helper()
	e := failed(seq)
	e.Time, e.Status = at, status
	b.ok(b.PutEvents(b.Context(), "alarm", []event.Event{e}))
	row, err := b.SensorEvent(b.Context(), "alarm", e)
	b.ok(err)
	_, err = b.EndEvent(b.Context(), row, store.EventDone, about(e, status, channels...))
	b.ok(err)
}

func TestAChannelAwaitsTheEndOfWhatItWasGivenUntilItHappened(t *testing.T) {
	onEach(t, func(b *backend) {
		want := func(channels ...string) {
			b.Helper()
			if got, err := b.Awaiting(b.Context(), "alarm", "job job"); err != nil || !slices.Equal(got, channels) {
				b.Errorf("awaiting %q, %v; want %q", got, err, channels)
			}
		}
		at := b.Now()
		want()
		b.ended(1, at, run.Success, "slack") // nobody waits, and nobody begins to
		want()
		b.ended(2, at.Add(time.Minute), run.Failure, "slack")
		b.ended(3, at.Add(3*time.Minute), run.Failure, "team", "slack")
		want("slack", "team")
		b.ended(4, at.Add(2*time.Minute), run.Success, "slack", "team") // older than the newest failure
		want("slack", "team")
		b.ended(5, at.Add(3*time.Minute), run.Success, "slack")
		want("team")
		b.ended(6, at.Add(4*time.Minute), run.Success, "team")
		want()
		b.ended(7, at.Add(5*time.Minute), run.Failure, "slack")
		want("slack")
	})
}

func TestAThreadIsWrittenWithTheMessageThatToldIt(t *testing.T) {
	onEach(t, func(b *backend) {
		b.ended(1, b.Now(), run.Failure, "slack")
		thread, err := b.Thread(b.Context(), "slack", "alarm", "job job")
		b.ok(err)
		if thread.Open() || thread.Channel != "slack" || thread.Source != "alarm" || thread.Subject != "job job" {
			b.Errorf("before: %+v", thread)
		}
		stale := thread
		thread.Name, thread.Opener, thread.Opened, thread.Failures = "job", someRun, b.Now(), 1
		out := b.waiting("slack")[0]
		b.ok(b.Conclude(b.Context(), store.Message{ID: out.ID(), Channel: "slack", Time: b.Now(), State: store.MessageSent, Outs: []store.Out{out}}, thread))
		list, err := b.Threads(b.Context(), "slack")
		b.ok(err)
		if len(list) != 1 || !list[0].Open() || list[0].Failures != 1 || list[0].Episode() != store.EpisodeID("alarm", "job job", someRun) || len(b.waiting("slack")) != 0 {
			b.Fatalf("after: %+v", list)
		}
		// An owner that was replaced knows less of the thread: it neither tells nor takes anything away.
		b.ended(2, b.Now(), run.Failure, "slack")
		out = b.waiting("slack")[0]
		m := store.Message{ID: out.ID(), Channel: "slack", Time: b.Now(), State: store.MessageSent, Outs: []store.Out{out}}
		if err := b.Conclude(b.Context(), m, stale); !errors.Is(err, fault.Conflict) || len(b.waiting("slack")) != 1 {
			b.Errorf("%v", err)
		}
		list[0].Resolved = b.Now()
		b.ok(b.Conclude(b.Context(), m, list[0]))
		if thread, err = b.Thread(b.Context(), "slack", "alarm", "job job"); err != nil || thread.Open() || thread.Opener != someRun {
			b.Errorf("resolved: %+v, %v", thread, err)
		}
	})
}

func TestAMessageOfMoreThanOneWriteTakesIsFinishedByTheNextOwner(t *testing.T) {
	onEach(t, func(b *backend) {
		const n = 120
		for i := range n {
			b.ended(int64(i+1), b.Now(), run.Failure, "slack")
		}
		all := func() []store.Out {
			b.Helper()
			outs, _, err := b.Waiting(b.Context(), "slack", 1000, "")
			b.ok(err)
			return outs
		}
		outs := all()
		if len(outs) != n {
			b.Fatalf("%d wait", len(outs))
		}
		m := store.Message{ID: "m", Channel: "slack", Time: b.Now(), State: store.MessageSent, Decision: "digest", Body: []byte("what was said"), Outs: outs}
		left := m
		left.Outs = slices.Clone(outs)
		left.Outs[n-1].Source = "stranger" // is not there, so the second write fails
		if err := b.Conclude(b.Context(), left); !errors.Is(err, fault.Conflict) {
			b.Fatalf("it was concluded: %v", err)
		}
		list, err := b.Messages(b.Context(), "slack", time.Time{}, 10)
		b.ok(err)
		if len(list) != 1 || !list[0].Unfinished || len(all()) == 0 {
			b.Fatalf("%d wait, %+v", len(all()), list)
		}
		b.ok(b.FinishMessage(b.Context(), "slack"))
		b.ok(b.FinishMessage(b.Context(), "slack"))
		if list, err = b.Messages(b.Context(), "slack", time.Time{}, 10); err != nil || len(list) != 1 || list[0].Unfinished || string(list[0].Body) != "what was said" {
			b.Errorf("%+v, %v", list, err)
		}
		if rest := all(); len(rest) != 1 || rest[0].Source != "alarm" { // the one that the message did not have
			b.Errorf("%d wait", len(rest))
		}
	})
}

func TestASensorsPaceHoldsBackWhatComesWithinAnInterval(t *testing.T) {
	onEach(t, func(b *backend) {
		began := b.Now()
		for _, c := range []struct{ at, due time.Duration }{
			{0, 0}, {10 * time.Second, time.Minute}, {59 * time.Second, time.Minute}, // one at once, two at the end of its minute
			{61 * time.Second, 2 * time.Minute}, {119 * time.Second, 2 * time.Minute}, // those left at 1:00, so these leave a minute later
			{4 * time.Minute, 0}, {5 * time.Minute, 0}, // it was quiet for an interval
		} {
			b.now = began.Add(c.at)
			due, err := b.Pace(b.Context(), "alarm", time.Minute)
			b.ok(err)
			var want time.Time
			if c.due > 0 {
				want = began.Add(c.due)
			}
			if !due.Equal(want) {
				b.Errorf("at %s: %s, want %s", c.at, due, want)
			}
		}
	})
}
