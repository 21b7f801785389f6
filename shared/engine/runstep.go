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

// RunStep runs an attempt that an owner handed to a process of its own (see Isolate), and stores its log and its result; the caller then
// wakes the run's owner. A step that fails is no error. fault.Conflict says that the attempt is not this process's to run: another one has
// claimed it, or it is over; fault.Lost that it was given up meanwhile. When the context ends, or the deadline comes (zero: never), the step is asked to
// stop. A process whose step did not stop should exit.
func (e *Engine) RunStep(ctx context.Context, id store.Attempt, deadline time.Time) error {
	var fold *runlog.Fold
	if err := e.patiently(ctx, func() (err error) { fold, _, err = e.store.Fold(ctx, id.Run); return err }); err != nil {
		return err
	}
	known, progress := fold.Step(id.Step)
	if known == nil || !progress.Isolated || known.Status != run.StepRunning || known.Attempt != id.Number || fold.Record.Status.Terminal() {
		return fault.New(fault.Conflict, "run %s does not wait for attempt %d of %s", id.Run, id.Number, id.Step)
	}
	token, err := e.store.Token()
	if err != nil {
		return err
	}
	w := e.worker(ctx, id, fold)
	defer w.x.end(errOver)
	if err := w.claim(token); err != nil {
		_ = w.x.journal.Close() // says the same
		return err
	}
	p, config, failure := e.planOf(fold)
	if failure != nil {
		w.end(&run.Error{Kind: run.Returned, Message: failure.Error})
	} else {
		w.run(p, config, fold, deadline)
	}
	if err := w.x.journal.Close(); err != nil {
		return err
	}
	background := context.WithoutCancel(ctx)
	return e.patiently(background, func() error { return e.store.TellOwner(background, id) })
}

// worker is the side of an isolated attempt that runs it. It is an execution of one step, whose journal is the attempt's.
type worker struct {
	*attempt
	id store.Attempt
}

func (e *Engine) worker(ctx context.Context, id store.Attempt, fold *runlog.Fold) *worker {
	x := &execution{engine: e, store: e.store, id: id.Run, request: fold.Record.Request, outer: ctx, results: make(chan result, 1),
		spill: &spiller{store: e.store, id: id.Run}} // epoch 0: no owner of the run writes such blobs
	x.ctx, x.end = context.WithCancelCause(context.WithoutCancel(ctx))
	x.journal = newAttemptJournal(e.store, id, fold, &e.opts)
	a := &attempt{x: x, step: &plan.Step{Key: id.Step}, number: id.Number, began: e.store.Now()}
	a.ctx, a.stop = context.WithCancelCause(x.ctx)
	return &worker{attempt: a, id: id}
}

// claim makes the attempt this process's. The claim is the first chunk of its log.
func (w *worker) claim(token string) error {
	j, ctx := w.x.journal, context.WithoutCancel(w.x.outer)
	j.Append(w.event(runlog.WorkerStarted, &runlog.Claim{Worker: w.x.engine.opts.Worker, Token: token}))
	go j.write(ctx, w.x.engine.patiently, func(int64, runlog.Rows) {})
	err := j.Wait(ctx, j.last())
	if errors.Is(err, fault.Lost) {
		return fault.New(fault.Conflict, "attempt %d of %s is another process's, or was given up", w.id.Number, w.id.Step)
	}
	return err
}

// run runs the step to its result.
func (w *worker) run(p *plan.Plan, config run.Config, fold *runlog.Fold, deadline time.Time) {
	w.step = p.Step(w.id.Step)
	w.x.plan, w.x.config = p, config
	w.x.values = newValues(w.x.store, p, fold.Record, func(s *plan.Step) bool { return s != w.step })
	defer w.x.closeResources()
	go w.attempt.run()
	if r, wanted := w.wait(deadline); wanted && r.err != nil {
		w.end(r.err)
	}
}

// wait returns the result, stopping the step for each reason there may be, and whether it is wanted: an attempt that was given up is not.
func (w *worker) wait(deadline time.Time) (r result, wanted bool) {
	var timeout, end, giveUp <-chan time.Time
	if limit := timeoutOf(w.step); limit > 0 {
		timeout = time.After(limit)
	}
	if !deadline.IsZero() {
		end = time.After(deadline.Add(-w.x.engine.opts.Margin).Sub(w.x.store.Now()))
	}
	notes := time.NewTicker(w.x.store.Lease() / looks)
	defer notes.Stop()
	stop := func(why error) {
		if giveUp == nil {
			w.stop(why)
			giveUp = time.After(w.x.engine.opts.Grace)
		}
	}
	outer, failed := w.x.outer.Done(), w.x.journal.failed
	for {
		select {
		case r := <-w.x.results:
			return r, true
		case <-timeout:
			stop(timedOut(timeoutOf(w.step)))
		case <-end:
			stop(errInterrupted)
		case <-outer:
			outer = nil
			stop(errStopped)
		case <-failed:
			failed = nil
			stop(errFailed)
		case <-notes.C:
			if asked, err := w.x.store.CancelRequested(w.x.ctx, w.x.id); err == nil && asked {
				stop(errCanceled)
			}
		case <-giveUp:
			if !w.over.CompareAndSwap(false, true) {
				return <-w.x.results, true // it has just ended
			}
			cause := context.Cause(w.ctx)
			return result{attempt: w.attempt, err: &run.Error{Kind: ignoredKind(cause), Message: ignoredText(cause, w.x.engine.opts.Grace)}}, !errors.Is(cause, errFailed)
		}
	}
}

// end appends how the attempt failed. What follows from it is the owner's matter.
func (w *worker) end(e *run.Error) {
	t := runlog.StepFailure
	switch {
	case errors.Is(context.Cause(w.ctx), errCanceled):
		t = runlog.StepCanceled
	case e.Kind == run.Interrupted, e.Kind == run.Stopped:
		t = runlog.StepInterrupted
	}
	event := w.event(t, w.outcome(e))
	event.Level, event.Message = levelError, brief(e.Message)
	w.x.journal.Append(event)
}

// patiently repeats what failed in a way that may pass, for as long as somebody may still wait for the result.
func (e *Engine) patiently(ctx context.Context, act func() error) error {
	return e.retry(ctx, patience{e.store, e.store.Now().Add(patienceLeases * e.store.Lease())}, act)
}

// patienceLeases is for how many leases the worker of an isolated step tries one thing.
const patienceLeases = 12

type patience struct {
	store *store.Store
	until time.Time
}

// Stale reports that the time is over.
func (p patience) Stale() bool { return p.store.Now().After(p.until) }
