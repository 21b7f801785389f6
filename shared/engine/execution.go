package engine

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"waggle/shared/duration"
	"waggle/shared/plan"
	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/store"
)

// execution is one owner's work on a run. Only the loop touches the fields below the line.
type execution struct {
	engine  *Engine
	store   *store.Store
	id      run.ID
	request run.Request
	opts    *RunOptions
	ctx     context.Context // of all steps; ends when the execution does
	end     context.CancelCauseFunc
	outer   context.Context // the caller's

	lease     *store.Lease
	journal   *journal
	settler   *settler
	unsettled runlog.Rows
	spill     *spiller
	resources resources
	values    *values
	plan      *plan.Plan
	config    run.Config

	results    chan result
	overdue    chan *attempt
	canceled   chan struct{}
	cancelNote func()
	// ----
	steps       []progress // by plan.Step.Index
	ready       []*plan.Step
	retrying    []*plan.Step
	running     map[*plan.Step]*attempt
	careful     map[*plan.Step]bool // must have results before others start
	cleared     int64               // number of the event that the last of them ended with; it must be stored before others start
	left        int                 // steps without a result
	firstError  string
	stopping    error     // why no more steps start; nil: they do
	giveUp      time.Time // when steps that do not stop are left running
	leftRunning int
	woken       []run.ID // runs that this one gave slots to
}

// progress is what the loop knows of a step.
type progress struct {
	status        run.StepStatus
	waits         int // needs and gates that are not there yet
	attempts      int
	failures      int
	interruptions int
	retryAt       time.Time
}

func (e *Engine) execution(ctx context.Context, p *possession, opts *RunOptions) *execution {
	x := &execution{engine: e, store: e.store, id: p.id, request: p.fold.Record.Request, opts: opts, outer: ctx,
		lease: p.lease, unsettled: p.unsettled, results: make(chan result, 64), overdue: make(chan *attempt),
		canceled: make(chan struct{}), running: map[*plan.Step]*attempt{}, careful: map[*plan.Step]bool{}}
	x.ctx, x.end = context.WithCancelCause(context.WithoutCancel(ctx))
	x.cancelNote = sync.OnceFunc(func() { close(x.canceled) })
	x.journal = newJournal(e.store, p.id, p.lease.Epoch(), p.fold, p.projector, p.next, &e.opts)
	x.journal.observe = opts.Observe
	x.settler = newSettler(e.store, p.lease)
	x.spill = &spiller{store: e.store, id: p.id, epoch: p.lease.Epoch()}
	return x
}

// loop runs steps until the run has ended or this execution must end.
func (x *execution) loop() End {
	if ok, end := x.begin(); !ok {
		return end
	}
	var timeout, deadline <-chan time.Time
	if d := x.timeLimit(); d > 0 {
		timeout = time.After(d - x.store.Now().Sub(x.started()))
	}
	if !x.opts.Deadline.IsZero() {
		deadline = time.After(x.opts.Deadline.Add(-x.engine.opts.Margin).Sub(x.store.Now()))
	}
	cancel, note, outer, failed := x.opts.Cancel, x.canceled, x.outer.Done(), x.journal.failed
	if x.outer.Err() != nil || !x.opts.Deadline.IsZero() && !x.store.Now().Before(x.opts.Deadline.Add(-x.engine.opts.Margin)) {
		x.halt(errInterrupted, 0) // before anything has started that would be interrupted at once
	}
	idle := x.store.Now()
	for {
		x.start()
		if len(x.running) > 0 {
			idle = x.store.Now()
		}
		if len(x.running) == 0 && (x.left == 0 || x.stopping != nil) {
			return x.finish()
		}
		if len(x.running) == 0 && len(x.retrying) == 0 {
			return x.stuck()
		}
		var park <-chan time.Time
		if x.engine.opts.Park > 0 && len(x.running) == 0 && x.stopping == nil {
			if x.nextRetry().Sub(idle) > x.engine.opts.Park {
				park = time.After(x.engine.opts.Park - x.store.Now().Sub(idle))
			}
		}
		alarm, stop := x.alarm()
		select {
		case r := <-x.results:
			x.take(r)
		case a := <-x.overdue:
			x.leave(a)
		case <-alarm:
			x.ring()
		case <-cancel:
			cancel = nil
			x.cancel()
		case <-note:
			note = nil
			x.cancel()
		case <-timeout:
			timeout = nil
			x.halt(errRunTimeout, x.engine.opts.Grace)
		case <-deadline:
			deadline = nil
			x.halt(errInterrupted, x.engine.opts.Margin/2)
		case <-outer:
			outer = nil
			x.halt(errInterrupted, x.engine.opts.Grace)
		case <-failed:
			failed = nil
			x.halt(errFailed, x.engine.opts.Grace)
		case <-park:
			stop()
			x.closeResources()
			return Parked
		}
		stop()
	}
}

// Why no more steps start, besides errCanceled and errInterrupted.
var (
	errRunTimeout = errors.New("the run took longer than its job allows")
	errFailed     = errors.New("the record of the run cannot be written")
)

func (x *execution) timeLimit() time.Duration {
	if x.plan.Job == nil {
		return 0
	}
	return x.plan.Job.Options.Timeout
}

func (x *execution) started() (t time.Time) {
	x.journal.Look(func(f *runlog.Fold) { t = f.Record.Started })
	return t
}

// alarm fires at the next time something is to be done without a result: a retry, or giving up steps
// that do not stop.
func (x *execution) alarm() (<-chan time.Time, func()) {
	at := x.giveUp
	if x.stopping == nil {
		at = x.nextRetry()
	}
	if at.IsZero() {
		return nil, func() {}
	}
	timer := time.NewTimer(at.Sub(x.store.Now()))
	return timer.C, func() { timer.Stop() }
}

// nextRetry is when the first of the steps that wait to be tried again may start; zero: none waits.
func (x *execution) nextRetry() time.Time {
	var first time.Time
	for _, s := range x.retrying {
		if at := x.steps[s.Index].retryAt; first.IsZero() || at.Before(first) {
			first = at
		}
	}
	return first
}

// ring does what alarm was set for.
func (x *execution) ring() {
	now := x.store.Now()
	if x.stopping != nil {
		for _, a := range x.running {
			x.leave(a)
		}
		x.giveUp = time.Time{} // what has just ended is on its way
		return
	}
	x.retrying = slices.DeleteFunc(x.retrying, func(s *plan.Step) bool {
		due := !x.steps[s.Index].retryAt.After(now)
		if due {
			x.ready = append(x.ready, s)
		}
		return due
	})
}

// start starts what is ready: up to the job's parallelism; in careful mode one suspect at a time.
func (x *execution) start() {
	if x.stopping != nil {
		return
	}
	for len(x.ready) > 0 && len(x.running) < x.plan.Parallelism() {
		next := 0
		if len(x.careful) > 0 {
			if len(x.running) > 0 {
				return
			}
			if next = slices.IndexFunc(x.ready, func(s *plan.Step) bool { return x.careful[s] }); next < 0 {
				return
			}
		}
		s := x.ready[next]
		if next == 0 {
			x.ready = x.ready[1:]
		} else {
			x.ready = slices.Delete(x.ready, next, next+1)
		}
		x.launch(s)
	}
}

func (x *execution) launch(s *plan.Step) {
	p := &x.steps[s.Index]
	p.status = run.StepRunning
	p.attempts++
	a := &attempt{x: x, step: s, number: p.attempts, careful: len(x.careful) > 0, after: x.cleared, began: x.store.Now()}
	a.ctx, a.stop = context.WithCancelCause(x.ctx)
	x.running[s] = a
	e := a.event(runlog.StepStart, nil)
	if a.careful {
		e.Data = &runlog.Begun{Careful: true}
	}
	x.journal.Append(e)
	if limit := timeoutOf(s); limit > 0 {
		a.timers = []*time.Timer{
			time.AfterFunc(limit, func() { a.stop(fmt.Errorf("%w after %s", errTimeout, duration.Text(limit))) }),
			time.AfterFunc(limit+x.engine.opts.Grace, func() {
				select {
				case x.overdue <- a:
				case <-x.ctx.Done():
				}
			}),
		}
	}
	go a.run()
}

func timeoutOf(s *plan.Step) time.Duration {
	if s.Check != nil {
		return s.Check.Options.Timeout
	}
	return s.Asset.Options.Timeout
}

// take takes the result of an attempt.
func (x *execution) take(r result) {
	a, s := r.attempt, r.attempt.step
	cause := context.Cause(a.ctx)
	x.close(a)
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
	case r.err.Kind == run.Interrupted:
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
	if s.Check == nil {
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
	if (x.stopping == nil || errors.Is(x.stopping, errInterrupted)) && p.failures <= retry.Max {
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

// interrupted sends a step back to be started first by the next owner; the second time it fails.
func (x *execution) interrupted(a *attempt, e *run.Error) {
	p := &x.steps[a.step.Index]
	if p.interruptions++; p.interruptions > 1 {
		e.Message = fmt.Sprintf("%s needs longer than its worker lives: it was interrupted twice (%s)", a.step.Key, e.Message)
		x.fail(a.step, a.event(runlog.StepFailure, a.outcome(e)), e)
		return
	}
	p.status = run.StepPending
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
	e := &run.Error{Kind: run.Ignored, Message: fmt.Sprintf("%v, and did not stop within %s", cause, duration.Text(x.engine.opts.Grace))}
	x.leftRunning++
	x.close(a)
	switch {
	case errors.Is(cause, errCanceled):
		event := a.event(runlog.StepCanceled, a.outcome(e))
		event.Level, event.Message = levelWarning, e.Message
		x.journal.Append(event)
		x.done(a.step, run.StepCanceled)
	case errors.Is(cause, errInterrupted):
		x.interrupted(a, e)
	case errors.Is(cause, errFailed):
		x.steps[a.step.Index].status = run.StepPending
	default:
		e.Kind = run.TimedOut
		x.fail(a.step, a.event(runlog.StepFailure, a.outcome(e)), e)
	}
}

// cancel cancels the run: steps are asked to stop and no more start.
func (x *execution) cancel() {
	if x.stopping != nil {
		return
	}
	x.journal.Append(runlog.Event{Type: runlog.RunCanceling, Message: "asked to cancel"})
	x.halt(errCanceled, x.engine.opts.Grace)
}

// halt asks all steps to stop, and gives up those that have not after a grace.
func (x *execution) halt(why error, grace time.Duration) {
	if x.stopping != nil && why != errFailed {
		return
	}
	x.stopping = why
	x.giveUp = x.store.Now().Add(grace)
	for _, a := range x.running {
		a.stop(why)
	}
}

func (x *execution) closeResources() {
	if err := x.resources.close(); err != nil {
		x.journal.Append(runlog.Event{Type: runlog.Log, Level: levelWarning, Message: cutTo(err.Error(), inlineText)})
	}
}

// stuck ends a run whose steps wait for what never comes, which only a mistake in this package can bring about.
func (x *execution) stuck() End {
	x.closeResources()
	x.failRun(&runlog.Failure{Reason: run.RunException, Error: fmt.Sprintf("%d steps wait for what never comes; this is a bug in Waggle", x.left)})
	return Ended
}

// finish ends the run, or this execution.
func (x *execution) finish() End {
	x.closeResources()
	switch {
	case errors.Is(x.stopping, errFailed):
		return HandedOver
	case errors.Is(x.stopping, errCanceled):
		x.journal.Append(runlog.Event{Type: runlog.RunCanceled})
	case errors.Is(x.stopping, errRunTimeout):
		x.failRun(&runlog.Failure{Reason: run.Timeout, Error: fmt.Sprintf("%v: %s", errRunTimeout, duration.Text(x.timeLimit()))})
	case x.left > 0:
		return HandedOver
	case x.firstError != "":
		x.failRun(&runlog.Failure{Reason: run.StepFailure, Error: x.firstError})
	default:
		x.journal.Append(runlog.Event{Type: runlog.RunSuccess})
	}
	return Ended
}

func (x *execution) failRun(f *runlog.Failure) {
	f.Error, f.WillRetry = cutTo(f.Error, 2*inlineText), x.retried(f.Reason)
	x.journal.Append(runlog.Event{Type: runlog.RunFailure, Level: levelError, Message: brief(f.Error), Data: f})
}
