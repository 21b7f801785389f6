package engine

import (
	"context"
	"errors"
	"time"

	"waggle/shared/fault"
	"waggle/shared/plan"
	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/store"
)

// RunOptions are the optional parts of one execution. The zero value and nil mean none.
type RunOptions struct {
	// Cancel cancels the run when it is closed.
	Cancel <-chan struct{}
	// Deadline is when the platform ends this process. Zero is never.
	Deadline time.Time
	// Observe is called for each event as it is appended, in order, by one goroutine at a time. It must be quick
	// and must not call the engine. Records of steps in processes of their own come when they are read, with 0 as their number.
	Observe func(*runlog.Event)
}

// End says how an execution ended.
type End string

// The ends of an execution.
const (
	Ended      End = "ended"       // the run has ended, or had before
	HandedOver End = "handed over" // the deadline came or the context ended; the run is due at once
	Parked     End = "parked"      // nothing to do before Due
)

// Outcome is what an execution came to.
type Outcome struct {
	Record run.Record
	End    End
	Due    time.Time // when the run must be looked at; zero if it ended
	// Wake says that a note came while the run was given up, too late to be acted on: the caller runs it again.
	Wake bool
	// Retry is the run that was launched to retry this one; empty: none. The caller runs it.
	Retry run.ID
	// Woken are runs that waited and now have their slots. The caller wakes whoever runs them.
	Woken []run.ID
	// LeftRunning is how many steps ignored their cancellation and still run. A process
	// with some should exit.
	LeftRunning int
}

// Run takes ownership of a run and runs it to its end, or until the context ends, the deadline comes or there
// is nothing to do. The error says that it could not go on: fault.Conflict where another owns the run, fault.NotFound for an
// unknown one, fault.Lost where another took over, or what the store said. A run that failed is no error.
func (e *Engine) Run(ctx context.Context, id run.ID, opts *RunOptions) (Outcome, error) {
	if opts == nil {
		opts = &RunOptions{}
	}
	settled, waits, err := e.store.Standing(ctx, id)
	if err != nil {
		return Outcome{}, err
	}
	if settled { // nobody needs to own it; and its log may be gone, so that an owner would take it for a run that never began
		fold, _, err := e.store.Fold(ctx, id)
		if err != nil {
			return Outcome{End: Ended}, err
		}
		out := Outcome{Record: fold.Record, End: Ended}
		if out.Record.WillRetry {
			out.Retry, _, err = e.store.RunOf(ctx, out.Record.Request.Job, run.RetryKey(id))
		}
		return out, err
	}
	var woken []run.ID
	if waits && !closed(opts.Cancel) {
		out, still := e.wait(ctx, id)
		if still {
			return out, nil
		}
		woken = out.Woken
	}
	p, err := e.take(ctx, id)
	if err != nil {
		return Outcome{Woken: woken}, err
	}
	x := e.execution(ctx, p, opts)
	x.woken = woken
	return x.execute()
}

// execute runs the loop between the goroutines that write, settle and renew.
func (x *execution) execute() (Outcome, error) {
	// What must be written is written also when the caller's context has ended.
	background := context.WithoutCancel(x.ctx)
	retry := func(ctx context.Context, act func() error) error {
		return x.engine.retry(ctx, x.lease, func() error {
			if x.lease.Stale() { // this process slept; where nobody took over, it may go on
				if err := x.lease.Renew(ctx); err != nil {
					return err
				}
			}
			return act()
		})
	}
	x.settler.Add(x.journal.next-1, x.unsettled)
	go x.journal.write(background, retry, x.settler.Add)
	go x.settler.settle(background, retry, x.journal.fail)
	stopHeart := x.heartbeat(background)
	out := Outcome{End: Ended}
	if !x.status().Terminal() {
		out.End = x.loop()
	}
	x.end(errOver)
	err := errors.Join(x.journal.Close(), x.settler.Close())
	stopHeart()
	out.LeftRunning = x.leftRunning
	x.journal.Look(func(f *runlog.Fold) { out.Record = f.Record.Clone() })
	x.tell(x.journal.complete())
	if err == nil {
		err = x.engine.retry(background, x.lease, func() error { return x.follow(background, &out) })
	}
	out.Woken = x.woken
	switch {
	case err != nil:
		out.Due = x.store.Now().Add(x.store.Lease())
	case out.End == HandedOver:
		out.Due = x.store.Now()
	case out.End == Parked:
		again := x.store.Now().Add(x.engine.opts.LookAgain)
		if out.Due = x.nextRetry(); out.Due.IsZero() || len(x.running) > 0 && again.Before(out.Due) {
			out.Due = again
		}
	}
	if errors.Is(err, fault.Lost) {
		return out, err
	}
	err = errors.Join(err, x.engine.retry(background, x.lease, func() error { return x.lease.Release(background, out.Due) }))
	if err == nil && out.Due.IsZero() {
		// The run is over either way: a log that is not told when it ends is deleted by the next gc.
		_ = x.store.LetExpire(background, x.id, out.Record.Ended)
	}
	if err == nil && out.End != Ended && x.noted(background) {
		out.Due, out.Wake = x.store.Now(), true
	}
	return out, err
}

// tell brings the summary up to the log. The end of a run counts when it is stored: all says that everything is.
func (x *execution) tell(all bool) {
	x.journal.Look(func(f *runlog.Fold) {
		if all || !f.Record.Status.Terminal() {
			x.lease.Update(func(s *store.Summary) { s.Tell(f) })
		}
	})
}

// noted is the last look at the notes, after the release: whoever left one before could not wake the run, since it was
// owned. Where the store does not say, there may be one.
func (x *execution) noted(ctx context.Context) bool {
	for try := 1; ; try++ {
		asked, err := x.store.CancelRequested(ctx, x.id)
		if err == nil && !asked {
			asked, err = x.store.Told(ctx, x.id, x.elsewhere())
		}
		if err == nil || !fault.Retryable(err) || try == 3 {
			return asked || err != nil
		}
	}
}

// heartbeat renews the lease and reads the notes until the returned function is called.
func (x *execution) heartbeat(ctx context.Context) (stop func()) {
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(x.store.Lease() / 5)
		defer ticker.Stop()
		for {
			select {
			case <-quit:
				return
			case <-ticker.C:
			}
			x.tell(false)
			if err := x.lease.Renew(ctx); err != nil && (!fault.Retryable(err) || x.lease.Stale()) {
				x.journal.fail(err)
				return
			}
			if asked, err := x.store.CancelRequested(ctx, x.id); err == nil && asked {
				x.cancelNote()
			}
		}
	}()
	return func() {
		close(quit)
		<-done
	}
}

func (x *execution) status() (s run.Status) {
	x.journal.Look(func(f *runlog.Fold) { s = f.Record.Status })
	return s
}

// planOf returns the run's plan and configuration, or why it cannot be run by this code.
func (e *Engine) planOf(f *runlog.Fold) (*plan.Plan, run.Config, *runlog.Failure) {
	p, err := e.plans.Plan(f.Record.Request)
	if err != nil {
		return nil, nil, &runlog.Failure{Reason: run.RunException, Error: "this code cannot run it: " + err.Error()}
	}
	if f.Plan != "" && f.Plan != p.Hash {
		return nil, nil, &runlog.Failure{Reason: run.RunException,
			Error: "the code has changed since the run began (its plan was " + f.Plan + ", now it is " + p.Hash + "); launch it again"}
	}
	config, err := p.Config(f.Record.Request.Config)
	if err != nil {
		return nil, nil, &runlog.Failure{Reason: run.BadConfig, Error: err.Error()}
	}
	return p, config, nil
}
