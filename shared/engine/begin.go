package engine

import (
	"log/slog"
	"slices"

	"waggle/shared/asset"
	"waggle/shared/plan"
	"waggle/shared/run"
	"waggle/shared/runlog"
)

// maxBarren is how many owners in a row may die without a new result before the run fails.
const maxBarren = 3

const (
	levelWarning = slog.LevelWarn
	levelError   = slog.LevelError
)

// begin brings the loop to where the log ends. It reports whether there is something to run; if not, how
// this execution ends.
func (x *execution) begin() (bool, End) {
	p, config, failure := (*plan.Plan)(nil), run.Config(nil), (*runlog.Failure)(nil)
	var barren int
	var fresh, canceling, gone bool
	x.journal.Look(func(f *runlog.Fold) {
		p, config, failure = x.engine.planOf(f)
		x.plan, x.config = p, config
		barren, fresh, canceling, gone = f.Barren, f.Record.Started.IsZero(), f.Record.Status == run.Canceling, f.Expired
	})
	switch asked, err := x.store.CancelRequested(x.ctx, x.id); {
	case err == nil && asked, canceling, closed(x.opts.Cancel):
		x.journal.Append(runlog.Event{Type: runlog.RunCanceled})
		return false, Ended
	case gone:
		x.failRun(&runlog.Failure{Reason: run.Crashed, Error: "its log has expired, since nobody looked after it for months; launch it again"})
		return false, Ended
	case failure != nil:
		x.failRun(failure)
		return false, Ended
	case barren >= maxBarren:
		x.failRun(&runlog.Failure{Reason: run.Crashed, Error: "three workers in a row died before a step came to a result; likely out of memory or time"})
		return false, Ended
	}
	if fresh {
		if has, err := x.slots(); err != nil {
			x.journal.fail(err)
			return false, HandedOver
		} else if !has {
			return false, Parked
		}
		x.journal.Append(runlog.Event{Type: runlog.RunStart, Data: &runlog.Start{Plan: p.Hash, Steps: len(p.Steps), CodeVersion: x.request.CodeVersion}})
	}
	x.journal.Look(x.resume)
	x.judge()
	for _, s := range x.adopted {
		x.watch(x.attempt(s), true)
	}
	return true, ""
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// resume takes the state of every step from the fold.
func (x *execution) resume(f *runlog.Fold) {
	x.steps = make([]progress, len(x.plan.Steps))
	for _, s := range x.plan.Steps {
		p := &x.steps[s.Index]
		p.status = run.StepPending
		known, more := f.Step(s.Key)
		if known == nil {
			continue
		}
		p.status, p.attempts = known.Status, known.Attempt
		p.failures, p.interruptions, p.retryAt = more.Failures, more.Interruptions, more.RetryAt
		if more.Suspect {
			x.careful[s] = true
		}
	}
	x.values = newValues(x.store, x.plan, f.Record, func(s *plan.Step) bool { return x.steps[s.Index].status.Done() })
	blocked := map[run.StepKey]bool{}
	for _, c := range f.Record.Checks {
		blocked[run.CheckStep(c.Asset, c.Check)] = c.Blocks()
	}
	var first *run.Step
	for i := range f.Record.Steps {
		s := &f.Record.Steps[i]
		if s.Status == run.StepFailed && s.Error != nil && (first == nil || s.Ended.Before(first.Ended)) {
			first = s
		}
	}
	if first != nil {
		x.firstError = string(first.Key) + ": " + first.Error.Message
	}
	for _, s := range x.plan.Steps {
		p := &x.steps[s.Index]
		if !p.status.Done() {
			x.left++
		}
		for _, need := range slices.Concat(s.Needs, s.Gates) {
			if x.steps[need.Index].status != run.StepSucceeded || blocked[need.Key] {
				p.waits++
			}
		}
		switch {
		case p.status == run.StepRunning:
			x.adopted = append(x.adopted, s)
		case p.status == run.StepRetrying:
			x.retrying = append(x.retrying, s)
		case p.status == run.StepPending && p.waits == 0:
			x.ready = append(x.ready, s)
		}
	}
	// What was started and stopped before has waited longest.
	slices.SortStableFunc(x.ready, func(a, b *plan.Step) int {
		return min(1, x.steps[b.Index].attempts) - min(1, x.steps[a.Index].attempts)
	})
	if x.lease.Died && len(x.careful) == 0 {
		for _, s := range x.ready {
			x.careful[s] = true
		}
	}
}

// judge draws what the log implies and an owner before could not write: a step that killed its worker while it ran alone has
// failed, and what is downstream of a failure is skipped, however far the owner before came with that.
func (x *execution) judge() {
	var deadly []*plan.Step
	blocking, skipped := map[run.StepKey]bool{}, map[run.StepKey]run.Skip{}
	x.journal.Look(func(f *runlog.Fold) {
		for _, s := range x.plan.Steps {
			known, p := f.Step(s.Key)
			switch {
			case p == nil:
			case p.Deaths > 0 && !known.Status.Done():
				deadly = append(deadly, s)
			case known.Skipped != nil:
				skipped[s.Key] = *known.Skipped
			}
		}
		for _, c := range f.Record.Checks {
			if c.Blocks() {
				blocking[run.CheckStep(c.Asset, c.Check)] = true
			}
		}
	})
	for _, s := range deadly {
		e := &run.Error{Kind: run.Died, Message: "the worker died while running " + string(s.Key) + "; likely out of memory or time"}
		x.ready = slices.DeleteFunc(x.ready, func(r *plan.Step) bool { return r == s })
		x.fail(s, runlog.Event{Type: runlog.StepFailure, Step: s.Key, Attempt: x.steps[s.Index].attempts, Data: &runlog.Outcome{Error: e}}, e)
	}
	for _, s := range x.plan.Steps {
		switch {
		case blocking[s.Key]:
			x.remember(blockedError(s))
			x.skip(s, skipAfter(s))
		case x.steps[s.Index].status == run.StepFailed:
			x.skip(s, skipAfter(s))
		case skipped[s.Key] != run.Skip{}:
			x.skip(s, skipped[s.Key])
		}
	}
}

func blockedError(s *plan.Step) string {
	return "blocking check " + s.Check.Name + " failed on " + string(s.Asset.Key)
}

func retryOf(s *plan.Step) asset.Retry {
	if s.Check != nil {
		return s.Check.Options.Retry
	}
	return s.Asset.Options.Retry
}
