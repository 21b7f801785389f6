package engine

import (
	"context"

	"waggle/shared/run"
)

// follow does what the end of a run entails, before the run counts as settled: the retry that was promised exists, and
// the slots are free. All of it may be done twice.
func (x *execution) follow(ctx context.Context, out *Outcome) error {
	record := out.Record
	if !record.Status.Terminal() {
		return nil
	}
	if record.WillRetry {
		if err := x.launchRetry(ctx, record, out); err != nil {
			return err
		}
	}
	if len(x.request.Limits) == 0 {
		return nil
	}
	if err := x.store.Free(ctx, x.id, x.request); err != nil {
		return err
	}
	return x.admit(ctx)
}

// launchRetry launches the run that retries this one, once.
func (x *execution) launchRetry(ctx context.Context, record run.Record, out *Outcome) error {
	p, err := x.engine.plans.Plan(record.Request)
	if err != nil {
		return nil // the code has changed since: there is nothing to retry
	}
	fromStart := p.Job != nil && p.Job.Options.Retry.FromStart
	out.Retry, _, err = x.store.LaunchOnce(ctx, p.Retry(record, fromStart), run.RetryKey(record.ID))
	return err
}

// retried reports whether a run that fails for a reason is run again.
func (x *execution) retried(reason run.Reason) bool {
	if x.plan == nil || x.plan.Job == nil || x.request.Retries >= x.plan.Job.Options.Retry.Max {
		return false
	}
	return reason == run.StepFailure || reason == run.Crashed || reason == run.Timeout
}
