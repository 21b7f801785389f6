package cli

import (
	"context"
	"slices"
	"time"

	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/store"
)

// attemptLogs are the logs of a run's attempts that ran in processes of their own, to be shown among the events of the run.
type attemptLogs struct {
	st   *store.Store
	open []*attemptLog
}

type attemptLog struct {
	id      store.Attempt
	next    int64 // number of the next chunk
	over    bool  // nothing more comes
	pending []runlog.Event
}

// begin adds the log of an attempt.
func (l *attemptLogs) begin(id run.ID, e *runlog.Event) {
	l.open = append(l.open, &attemptLog{id: store.Attempt{Run: id, Step: e.Step, Number: e.Attempt}})
}

// read takes in what was stored since the last time.
func (l *attemptLogs) read(ctx context.Context) error {
	for _, a := range l.open {
		if a.over {
			continue
		}
		if err := l.st.ReadAttempt(ctx, a.id, a.next, func(c store.Stored) error { return a.take(l.st, c) }); err != nil {
			return err
		}
	}
	return nil
}

// take keeps what the run's own log does not say: the results of attempts stand in that too.
func (a *attemptLog) take(st *store.Store, c store.Stored) error {
	a.next = c.N + 1
	events, err := st.Unpack(c.Chunk)
	for _, e := range events {
		e.Seq = 0 // a number of this log, not of the run's
		switch e.Type {
		case runlog.Log, runlog.WorkerStarted:
			a.pending = append(a.pending, e)
		case runlog.Owner:
			a.pending, a.over = append(a.pending, e), true
		default:
			a.over = true
		}
	}
	return err
}

// among returns events of the run with what happened meanwhile in the attempts, oldest first.
func (l *attemptLogs) among(events []runlog.Event) []runlog.Event {
	if len(l.open) == 0 {
		return events
	}
	var all []runlog.Event
	for _, e := range events {
		all = append(append(all, l.until(e.Time)...), e)
	}
	return all
}

// until returns what happened before a time, oldest first; zero: all of it.
func (l *attemptLogs) until(t time.Time) []runlog.Event {
	var found []runlog.Event
	for _, a := range l.open {
		n := len(a.pending)
		if !t.IsZero() {
			if n = slices.IndexFunc(a.pending, func(e runlog.Event) bool { return e.Time.After(t) }); n < 0 {
				n = len(a.pending)
			}
		}
		found = append(found, a.pending[:n]...)
		a.pending = a.pending[n:]
	}
	l.open = slices.DeleteFunc(l.open, func(a *attemptLog) bool { return a.over && len(a.pending) == 0 })
	slices.SortStableFunc(found, func(a, b runlog.Event) int { return a.Time.Compare(b.Time) })
	return found
}
