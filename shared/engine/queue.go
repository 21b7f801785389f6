package engine

import (
	"context"
	"slices"

	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/store"
)

// wait looks after a run in the queue without becoming its owner, and reports whether it still waits. Where that cannot be
// told, an owner must look.
func (e *Engine) wait(ctx context.Context, id run.ID) (Outcome, bool) {
	out := Outcome{End: Parked, Due: e.store.Now().Add(e.opts.LookAgain)}
	waits, admitted, err := e.store.Wait(ctx, id, out.Due)
	out.Woken = slices.DeleteFunc(admitted, func(other run.ID) bool { return other == id })
	if err != nil || !waits {
		return out, false
	}
	fold, _, err := e.store.Fold(ctx, id)
	if err != nil {
		return out, false
	}
	out.Record = fold.Record
	return out, true
}

// slots reports whether the run has its slots, and queues it if not: first it queues, then it looks, so that a slot that becomes
// free meanwhile is seen by one of the two.
func (x *execution) slots() (bool, error) {
	if len(x.request.Limits) == 0 {
		return true, nil
	}
	var has bool
	var waiting store.Waiting
	err := x.engine.retry(x.ctx, x.lease, func() (err error) {
		if has, waiting, err = x.store.HasSlots(x.ctx, x.id, x.request.Limits); err != nil || has {
			return err
		}
		if err = x.store.Enqueue(x.ctx, x.id, x.request); err != nil {
			return err
		}
		if err = x.admit(x.ctx); err != nil {
			return err
		}
		has, waiting, err = x.store.HasSlots(x.ctx, x.id, x.request.Limits)
		return err
	})
	if err != nil {
		return false, err
	}
	queued := x.status() == run.Queued
	switch {
	case has && queued:
		x.journal.Append(runlog.Event{Type: runlog.RunDequeued})
	case !has && !queued:
		x.journal.Append(runlog.Event{Type: runlog.RunEnqueued, Message: waiting.String()})
	}
	x.lease.Update(func(s *store.Summary) {
		s.Waiting = ""
		if !has {
			s.Waiting = waiting.String()
		}
	})
	return has, nil
}

// admit gives free slots to whoever waits, and notes whom the caller of Run has to wake.
func (x *execution) admit(ctx context.Context) error {
	admitted, err := x.store.Admit(ctx)
	for _, id := range admitted {
		if id != x.id {
			x.woken = append(x.woken, id)
		}
	}
	return err
}
