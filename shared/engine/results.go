package engine

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"waggle/shared/duration"
	"waggle/shared/plan"
	"waggle/shared/run"
	"waggle/shared/runlog"
)

// take takes the result of an attempt.
func (x *execution) take(r result) {
	a, s := r.attempt, r.attempt.step
	if r.canceled {
		x.cancel()
	}
	cause := context.Cause(a.ctx)
	x.close(a)
	if r.detached {
		return
	}
	if r.err == nil {
		x.succeed(s, r)
		return
	}
	p := &x.steps[s.Index]
	switch {
	case errors.Is(cause, errCanceled):
		x.journal.Append(a.event(runlog.StepCanceled, a.outcome(r.err)))
		x.done(s, run.StepCanceled)
	case errors.Is(cause, errFailed):
		p.status = run.StepPending
	case r.err.Kind == run.Interrupted, r.err.Kind == run.Stopped:
		x.interrupted(a, r.err)
	default:
		x.failed(a, r.err)
	}
}

// close frees what an attempt that is over holds.
func (x *execution) close(a *attempt) {
	a.stop(errOver)
	for _, timer := range a.timers {
		timer.Stop()
	}
	delete(x.running, a.step)
}

func (x *execution) succeed(s *plan.Step, r result) {
	if s.Check == nil && r.attempt.remote == nil {
		x.values.hold(s.Asset, r.value)
	}
	x.done(s, run.StepSucceeded)
	if r.blocks {
		x.remember(blockedError(s))
		x.skip(s, skipAfter(s))
		return
	}
	for _, f := range s.Follows {
		p := &x.steps[f.Index]
		if p.waits--; p.waits == 0 && p.status == run.StepPending {
			x.ready = append(x.ready, f)
		}
	}
}

// done notes a step's result.
func (x *execution) done(s *plan.Step, status run.StepStatus) {
	x.steps[s.Index].status = status
	x.left--
	x.clear(s)
	x.values.release(s)
}

// clear ends the suspicion of a step that has its result, which is in the log. Were that not stored when another step kills
// this worker, the next owner would blame this one.
func (x *execution) clear(s *plan.Step) {
	if !x.careful[s] {
		return
	}
	if delete(x.careful, s); len(x.careful) == 0 {
		x.cleared = x.journal.last()
	}
}

func (x *execution) remember(text string) {
	if x.firstError == "" {
		x.firstError = text
	}
}

// failed retries the step or ends it.
func (x *execution) failed(a *attempt, e *run.Error) {
	s, p := a.step, &x.steps[a.step.Index]
	p.failures++
	retry := retryOf(s)
	if (x.stopping == nil || errors.Is(x.stopping, errInterrupted) || errors.Is(x.stopping, errStopped)) && p.failures <= retry.Max {
		wait := retry.Wait(p.failures, rand.Float64())
		at := x.store.Now().Add(wait)
		p.retryAt, p.status = at, run.StepRetrying
		outcome, stored := a.outcome(e), at.UTC().Truncate(time.Microsecond)
		outcome.RetryAt = &stored
		event := a.event(runlog.StepUpForRetry, outcome)
		event.Level, event.Message = levelWarning, fmt.Sprintf("%s; attempt %d of %d in %s", brief(e.Message), p.failures+1, retry.Max+1, duration.Text(wait))
		x.journal.Append(event)
		x.clear(s)
		x.retrying = append(x.retrying, s)
		return
	}
	x.fail(s, a.event(runlog.StepFailure, a.outcome(e)), e)
}

// fail ends a step with an error and skips what follows from it.
func (x *execution) fail(s *plan.Step, event runlog.Event, e *run.Error) {
	event.Level, event.Message = levelError, brief(e.Message)
	events := []runlog.Event{event}
	if s.Check != nil {
		evaluation := runlog.Event{Type: runlog.CheckEvaluation, Level: levelError, Step: s.Key, Attempt: event.Attempt, Data: &runlog.Evaluated{
			Status: run.CheckExecutionFailed, Blocking: s.Check.Options.Blocking, Severity: s.Check.Options.Severity, Error: e.Message}}
		events = []runlog.Event{evaluation, event}
	}
	x.journal.Append(events...)
	x.remember(fmt.Sprintf("%s: %s", s.Key, e.Message))
	x.done(s, run.StepFailed)
	x.skip(s, skipAfter(s))
}

// skipAfter is why steps downstream of one that failed or blocks do not run.
func skipAfter(s *plan.Step) run.Skip {
	if s.Check != nil {
		return run.Skip{Reason: run.CheckBlocked, Step: s.Key}
	}
	return run.Skip{Reason: run.UpstreamFailed, Step: s.Key}
}

// skip skips everything downstream of a step that has no result yet.
func (x *execution) skip(after *plan.Step, why run.Skip) {
	for queue := slices.Clone(after.Follows); len(queue) > 0; queue = queue[1:] {
		s := queue[0]
		if x.steps[s.Index].status != run.StepPending {
			continue
		}
		x.journal.Append(runlog.Event{Type: runlog.StepSkipped, Step: s.Key, Data: &why})
		x.done(s, run.StepSkipped)
		queue = append(queue, s.Follows...)
	}
}

// interrupted sends a step back to be started first by the next owner. The second time that the platform's deadline comes before
// its end it fails; a worker that somebody stops says nothing about the step.
func (x *execution) interrupted(a *attempt, e *run.Error) {
	p := &x.steps[a.step.Index]
	if e.Kind == run.Interrupted {
		p.interruptions++
	}
	if p.interruptions > 1 {
		e.Message = fmt.Sprintf("%s needs longer than its worker lives: it was interrupted twice (%s)", a.step.Key, e.Message)
		if a.remote == nil {
			e.Message += "; mark it Isolated"
		}
		x.fail(a.step, a.event(runlog.StepFailure, a.outcome(e)), e)
		return
	}
	p.status = run.StepPending
	if x.stopping == nil { // its own process was stopped, not this one
		x.ready = slices.Insert(x.ready, 0, a.step)
	}
	event := a.event(runlog.StepInterrupted, a.outcome(e))
	event.Level = levelWarning
	x.journal.Append(event)
}

// leave gives up a step that does not stop.
func (x *execution) leave(a *attempt) {
	if !a.over.CompareAndSwap(false, true) {
		return // it has just ended; its result is on its way
	}
	cause := context.Cause(a.ctx)
	e := &run.Error{Kind: ignoredKind(cause), Message: ignoredText(cause, x.engine.opts.Grace)}
	x.leftRunning++
	x.close(a)
	switch {
	case errors.Is(cause, errCanceled):
		event := a.event(runlog.StepCanceled, a.outcome(e))
		event.Level, event.Message = levelWarning, e.Message
		x.journal.Append(event)
		x.done(a.step, run.StepCanceled)
	case errors.Is(cause, errInterrupted), errors.Is(cause, errStopped):
		x.interrupted(a, e)
	case errors.Is(cause, errFailed):
		x.steps[a.step.Index].status = run.StepPending
	default:
		x.fail(a.step, a.event(runlog.StepFailure, a.outcome(e)), e)
	}
}

// ignoredKind is the kind of error of an attempt that did not stop when it was asked to.
func ignoredKind(cause error) run.ErrorKind {
	switch {
	case errors.Is(cause, errInterrupted):
		return run.Interrupted
	case errors.Is(cause, errStopped):
		return run.Stopped
	case errors.Is(cause, errTimeout), errors.Is(cause, errRunTimeout):
		return run.TimedOut
	default:
		return run.Ignored
	}
}

func ignoredText(cause error, grace time.Duration) string {
	return fmt.Sprintf("%v, and did not stop within %s", cause, duration.Text(grace))
}
