package monitor

import (
	"context"
	"errors"
	"time"

	"waggle/shared/engine"
	"waggle/shared/fault"
	"waggle/shared/run"
	"waggle/shared/store"
)

// glance is how often a process that waits for a slot looks whether it has it. On one machine there is nobody to tell it.
const glance = 50 * time.Millisecond

// Attend runs a run in this process until it has ended: a run that waits for a slot, or for a time, is waited for. Where another
// process has taken it meanwhile, that one is waited for. It returns early, with the run handed over, when the context ends.
func Attend(ctx context.Context, s *store.Store, e *engine.Engine, id run.ID, opts *engine.RunOptions) (engine.Outcome, error) {
	for waited := false; ; waited = true {
		out, err := e.Run(ctx, id, opts)
		switch {
		case waited && errors.Is(err, fault.Conflict):
			out = engine.Outcome{Due: s.Now().Add(s.Lease()), End: engine.Parked}
		case err != nil, out.End == engine.Ended, out.End == engine.HandedOver && ctx.Err() != nil:
			return out, err
		}
		if out.Wake {
			continue
		}
		if err := wait(ctx, s, id, out.Due, opts); err != nil {
			return out, err
		}
	}
}

// wait returns when a run is due, has its slots, is to be canceled, or the context ends.
func wait(ctx context.Context, s *store.Store, id run.ID, due time.Time, opts *engine.RunOptions) error {
	summary, err := s.Summary(ctx, id)
	if err != nil {
		return err
	}
	var cancel <-chan struct{}
	if opts != nil {
		cancel = opts.Cancel
	}
	ticker := time.NewTicker(glance)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil // the next Run hands over
		case <-cancel:
			return nil
		case <-ticker.C:
		}
		if !s.Now().Before(due) {
			return nil
		}
		if asked, err := s.CancelRequested(ctx, id); err != nil || asked {
			return err
		}
		if summary.Status != run.Queued {
			continue
		}
		if has, _, err := s.HasSlots(ctx, id, summary.Request.Limits); err != nil || has {
			return err
		}
	}
}
