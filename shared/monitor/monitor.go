// Package monitor looks after runs that nobody owns: whose process died, was stopped, or never started them.
//
// Once looks after them once; a Keeper stays, and launches the ticks of schedules too.
//
// It imports engine, fault, owner, run, runlog, scheduler and store of ours.
package monitor

import (
	"context"
	"errors"

	"waggle/shared/engine"
	"waggle/shared/fault"
	"waggle/shared/run"
	"waggle/shared/store"
)

// How much one look does at most.
const (
	atOnce      = 100 // runs that it takes up
	sweptAtOnce = 500 // expired items that it deletes
)

// Resumed is what became of a run.
type Resumed struct {
	ID   run.ID
	Name string // of its job or selection
	engine.Outcome
	Err error // why it could not go on; nil: it ended or is due again
}

// Once resumes every run that is due, each in turn, and tells before and after each: before its work starts, for that may end
// this process. It ends early, with the context's error, when the context ends, and after a run that left steps running, since they
// still run in this process. Runs that another process took first are passed over; those that follow from a run, its retry or
// ones that now have its slots, are taken up too, and so are those that the caller has just launched. Last, some of what has
// expired is deleted.
func Once(ctx context.Context, s *store.Store, e *engine.Engine, before func(store.Summary), after func(Resumed), launched ...run.ID) error {
	due, err := s.Due(ctx, atOnce)
	if err != nil {
		return err
	}
	if err := Resume(ctx, s, e, append(due, launched...), before, after); err != nil {
		return err
	}
	_, err = s.Sweep(ctx, sweptAtOnce)
	return err
}

// Resume takes up runs as Once does.
func Resume(ctx context.Context, s *store.Store, e *engine.Engine, due []run.ID, before func(store.Summary), after func(Resumed)) error {
	for len(due) > 0 {
		id := due[0]
		due = due[1:]
		if ctx.Err() != nil {
			return fault.Wrap(fault.Canceled, "resume runs", context.Cause(ctx))
		}
		summary, err := s.Summary(ctx, id)
		if err != nil {
			return err
		}
		before(summary)
		out, err := e.Run(ctx, id, nil)
		for err == nil && out.Wake && ctx.Err() == nil {
			out, err = e.Run(ctx, id, nil)
		}
		if errors.Is(err, fault.Conflict) {
			continue
		}
		due = append(due, out.Woken...)
		if out.Retry != "" {
			due = append(due, out.Retry)
		}
		after(Resumed{ID: id, Name: summary.Request.Name(), Outcome: out, Err: err})
		if out.LeftRunning > 0 {
			return nil
		}
	}
	return nil
}
