package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"waggle/shared/duration"
	"waggle/shared/event"
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
	nudged     chan struct{} // something that the loop waits for may have changed
	canceled   chan struct{}
	cancelNote func()
	// ----
	steps       []progress // by plan.Step.Index
	ready       []*plan.Step
	retrying    []*plan.Step
	adopted     []*plan.Step // they run in processes that an owner before started
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
		lease: p.lease, unsettled: p.unsettled, results: make(chan result, 64), overdue: make(chan *attempt), nudged: make(chan struct{}, 1),
		canceled: make(chan struct{}), running: map[*plan.Step]*attempt{}, careful: map[*plan.Step]bool{}}
	x.ctx, x.end = context.WithCancelCause(context.WithoutCancel(ctx))
	x.cancelNote = sync.OnceFunc(func() { close(x.canceled) })
	x.journal = newJournal(e.store, p.id, p.lease.Epoch(), p.fold, p.projector, p.next, &e.opts)
	x.journal.observe = opts.Observe
	x.settler = newSettler(e.store, p.lease)
	x.settler.publish = e.opts.Publish
	x.settler.events = func(rows runlog.Rows) []event.Event { return event.Of(p.id, x.request, rows) }
	x.spill = &spiller{store: e.store, id: p.id, epoch: p.lease.Epoch()}
	if e.store.PaidBySize() {
		x.spill.journal = x.journal
	}
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
	switch { // before anything has started that would be stopped at once
	case x.outer.Err() != nil:
		x.halt(errStopped, 0)
	case !x.opts.Deadline.IsZero() && !x.store.Now().Before(x.opts.Deadline.Add(-x.engine.opts.Margin)):
		x.halt(errInterrupted, 0)
	}
	idle := x.store.Now()
	for {
		x.start()
		if !x.idle() {
			idle = x.store.Now()
		}
		if len(x.running) == 0 && (x.left == 0 || x.stopping != nil) {
			return x.finish()
		}
		if len(x.running) == 0 && len(x.retrying) == 0 {
			return x.stuck()
		}
		var park <-chan time.Time
		if x.engine.opts.Park > 0 && x.idle() && x.stopping == nil {
			if at := x.nextRetry(); at.IsZero() || at.Sub(idle) > x.engine.opts.Park {
				park = time.After(x.engine.opts.Park - x.store.Now().Sub(idle))
			}
		}
		alarm, stop := x.alarm()
		select {
		case r := <-x.results:
			x.take(r)
		case a := <-x.overdue:
			x.leave(a)
		case <-x.nudged:
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
			x.halt(errStopped, x.engine.opts.Grace)
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

// Why no more steps start, besides errCanceled, errInterrupted and errStopped.
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
			if a.remote == nil { // else it is given up by who watches it
				x.leave(a)
			}
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
	a := x.attempt(s)
	a.careful, a.after = len(x.careful) > 0, x.cleared
	e := a.event(runlog.StepStart, nil)
	if a.careful {
		e.Data = &runlog.Begun{Careful: true}
	}
	if isolated(s) && x.engine.opts.Isolate != nil {
		x.journal.Append(e, a.event(runlog.WorkerStarting, nil))
		x.watch(a, false)
		return
	}
	x.journal.Append(e)
	if limit := timeoutOf(s); limit > 0 {
		a.timers = []*time.Timer{
			time.AfterFunc(limit, func() { a.stop(timedOut(limit)) }),
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

// attempt makes the step's attempt, as one that runs.
func (x *execution) attempt(s *plan.Step) *attempt {
	a := &attempt{x: x, step: s, number: x.steps[s.Index].attempts, began: x.store.Now()}
	a.ctx, a.stop = context.WithCancelCause(x.ctx)
	x.running[s] = a
	return a
}

// watch follows an attempt in a process of its own. That process minds the timeout; should it not, this one does.
func (x *execution) watch(a *attempt, adopted bool) {
	a.remote = &remote{attempt: a, id: store.Attempt{Run: x.id, Step: a.step.Key, Number: a.number}}
	if limit := timeoutOf(a.step); limit > 0 {
		a.timers = []*time.Timer{time.AfterFunc(limit+2*x.engine.opts.Grace, func() { a.stop(timedOut(limit)) })}
	}
	go a.remote.watch(adopted)
}

// idle reports whether nothing runs here. What runs in processes that were heard of needs no owner until it ends.
func (x *execution) idle() bool {
	for _, a := range x.running {
		if a.remote == nil || !a.remote.grew.Load() {
			return false
		}
	}
	return true
}

// elsewhere lists the attempts that run in processes of their own.
func (x *execution) elsewhere() []store.Attempt {
	var list []store.Attempt
	for _, a := range x.running {
		if a.remote != nil {
			list = append(list, a.remote.id)
		}
	}
	return list
}

// nudge makes the loop look again.
func (x *execution) nudge() {
	select {
	case x.nudged <- struct{}{}:
	default:
	}
}

func timedOut(limit time.Duration) error {
	return fmt.Errorf("%w after %s", errTimeout, duration.Text(limit))
}

func isolated(s *plan.Step) bool {
	if s.Check != nil {
		return s.Check.Options.Isolated
	}
	return s.Asset.Options.Isolated
}

func timeoutOf(s *plan.Step) time.Duration {
	if s.Check != nil {
		return s.Check.Options.Timeout
	}
	return s.Asset.Options.Timeout
}
