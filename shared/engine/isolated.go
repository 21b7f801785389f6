package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"waggle/shared/duration"
	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/store"
)

// Isolate starts a process that calls Engine.RunStep for an attempt. It may be called several times for one attempt: the process whose
// claim is stored first runs it. When the context ends, the process is asked to stop and, if it does not within the grace, ended.
//
// ended tells once how the process ended; it is nil where nobody can know, as of a function that is invoked. Such a process is
// taken for dead when its log has not grown for a lease.
type Isolate func(ctx context.Context, a store.Attempt) (ended <-chan Ending, err error)

// Ending is how the process of an isolated step ended. The zero value: as it should, its result is stored, or another process has claimed
// the attempt.
type Ending struct {
	How    string // "signal: killed", "exit status 2"
	Killed bool   // from outside
	Output string // the last of what it wrote to its error output; may be empty
}

const (
	// looks is how often a lease the owner looks at the log of an isolated attempt, and how often in a row that may not have grown
	// before its process counts as dead. A frozen owner does not look, so it blames nobody when it wakes.
	looks = 5
	// claimWithin is how long a process may take to claim its attempt before another one is started.
	claimWithin = 30 * time.Second
)

// remote is the owner's side of an attempt in a process of its own.
type remote struct {
	*attempt
	id      store.Attempt
	next    int64 // number of the next chunk to read
	seq     int64 // of the newest event read
	claimed bool
	grew    atomic.Bool // since this owner watches it
	found   *result
}

// watch follows an attempt in a process of its own to its result. adopted: an owner before has started it.
func (w *remote) watch(adopted bool) {
	ctx, stop := context.WithCancel(context.WithoutCancel(w.ctx))
	r, err := w.follow(ctx, stop, adopted)
	if err != nil {
		w.x.journal.fail(err)
		r = w.detached()
	}
	if !r.detached {
		stop()
	}
	select {
	case w.x.results <- r:
	case <-w.x.ctx.Done(): // the execution is over; the process goes on
	}
}

// follow watches the process until there is a result, or it is left alone. The end of process stops it.
func (w *remote) follow(process context.Context, stop func(), adopted bool) (result, error) {
	if err := w.prepare(adopted); err != nil {
		return result{}, err
	}
	var ended <-chan Ending
	var asked time.Time
	var grace <-chan time.Time
	ticker := time.NewTicker(w.x.store.Lease() / looks)
	defer ticker.Stop()
	over := w.ctx.Done()
	for silent := 0; w.found == nil; {
		if !w.claimed && ended == nil && w.ctx.Err() == nil && w.x.store.Now().Sub(asked) >= claimWithin {
			var err error
			asked = w.x.store.Now()
			if ended, err = w.x.engine.opts.Isolate(process, w.id); err != nil {
				return w.died("cannot start a process for "+string(w.step.Key)+": "+err.Error(), ""), nil
			}
		}
		select {
		case ending := <-ended:
			if ending.How != "" {
				return w.afterEnd(ending)
			}
			if ended = nil; w.read() != nil {
				continue // at the next tick
			}
		case <-ticker.C:
			before := w.next
			if err := w.read(); err != nil {
				return result{}, err
			}
			if silent++; w.next > before || !w.claimed || ended != nil {
				silent = 0
			}
			if silent > looks {
				return w.afterEnd(Ending{How: "not heard of for " + duration.Text(w.x.store.Lease()), Killed: true})
			}
		case <-over:
			over = nil
			if w.leftAlone() {
				return w.detached(), nil
			}
			stop()
			grace = time.After(w.grace())
		case <-grace:
			if err := w.giveUp(); err != nil {
				return result{}, err
			}
			if w.found == nil {
				return w.ignored(), nil
			}
		}
	}
	return *w.found, nil
}

// prepare waits until the start of the attempt is stored, or reads what an owner before has missed. An engine that starts no processes
// takes back an attempt that none has claimed, and runs it itself.
func (w *remote) prepare(adopted bool) error {
	if !adopted {
		if err := w.x.journal.Wait(w.ctx, w.x.journal.last()); err != nil && w.ctx.Err() == nil {
			return err
		}
		return nil
	}
	err := w.read()
	w.grew.Store(false) // what was there before says nothing about whether it lives
	if err == nil && !w.claimed && w.x.engine.opts.Isolate == nil {
		if err = w.giveUp(); err == nil && w.found == nil {
			w.found = w.stopped("no process had begun it")
		}
	}
	return err
}

// grace is how long a process that was asked to stop may take to say what became of the attempt.
func (w *remote) grace() time.Duration {
	if !w.claimed {
		return 0
	}
	return w.x.engine.opts.Grace + w.x.store.Lease()/looks
}

// leftAlone reports whether the process goes on without this owner: the next one takes its result.
func (w *remote) leftAlone() bool {
	cause := context.Cause(w.ctx)
	return errors.Is(cause, errInterrupted) || errors.Is(cause, errFailed) || errors.Is(cause, errOver)
}

func (w *remote) detached() result { return result{attempt: w.attempt, detached: true} }

// afterEnd is the result of an attempt whose process has ended, or counts as dead.
func (w *remote) afterEnd(e Ending) (result, error) {
	if err := w.giveUp(); err != nil {
		return result{}, err
	}
	if w.found != nil {
		return *w.found, nil
	}
	if context.Cause(w.ctx) != nil { // it was asked to stop, and could not say so
		return w.ignored(), nil
	}
	message := fmt.Sprintf("the worker died while running %s (%s)", w.step.Key, e.How)
	if !w.claimed {
		message = fmt.Sprintf("the worker of %s ended before it began (%s)", w.step.Key, e.How)
	}
	if words := lastWords(e.Output); words != "" && !(e.Killed && w.claimed) {
		message += ": " + words
	} else if w.claimed {
		message += "; likely out of memory or time"
	}
	return w.died(message, e.Output), nil
}

// lastWords is the line of a process's error output that says why it ended: that of a panic or of the runtime, else the last one.
func lastWords(output string) string {
	last := ""
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ") {
			return line
		}
		if line != "" {
			last = line
		}
	}
	return last
}

func (w *remote) died(message, output string) result {
	return result{attempt: w.attempt, err: &run.Error{Kind: run.Died, Message: w.cutText("error", message), Stack: w.cutText("stack", output)}}
}

// ignored is the result of an attempt that was asked to stop and had to be ended.
func (w *remote) ignored() result {
	cause := context.Cause(w.ctx)
	e := &run.Error{Kind: ignoredKind(cause), Message: ignoredText(cause, w.x.engine.opts.Grace)}
	if !w.claimed { // it had not begun
		e.Message = cause.Error()
	}
	return result{attempt: w.attempt, err: e}
}

// giveUp puts the next chunk of the attempt's log, reading on while its number is taken: whatever the process does from then on, it
// writes nothing.
func (w *remote) giveUp() error {
	epoch, worker, ctx := w.x.lease.Epoch(), w.x.engine.opts.Worker, context.WithoutCancel(w.x.ctx)
	for w.found == nil {
		event := w.event(runlog.Owner, &runlog.Ownership{Epoch: epoch, Worker: worker})
		event.Seq, event.Time, event.Message = w.seq+1, w.x.store.Now().UTC().Truncate(time.Microsecond), "given up by "+worker
		chunk, err := w.x.engine.chunkOf(epoch, &event)
		if err != nil {
			return err
		}
		err = w.x.engine.retry(ctx, w.x.lease, func() error { return w.x.store.PutAttemptChunk(ctx, w.id, w.next, chunk) })
		var taken *store.TakenError
		if !errors.As(err, &taken) {
			return err
		}
		if err := w.readChunk(taken.Stored); err != nil {
			return err
		}
	}
	return nil
}

// read takes in what was added to the attempt's log.
func (w *remote) read() error {
	ctx := context.WithoutCancel(w.x.ctx)
	return w.x.engine.retry(ctx, w.x.lease, func() error { return w.x.store.ReadAttempt(ctx, w.id, w.next, w.readChunk) })
}

func (w *remote) readChunk(c store.Stored) error {
	events, err := w.x.store.Unpack(c.Chunk)
	if err != nil {
		return err
	}
	w.next = c.N + 1
	if !w.grew.Swap(true) {
		w.x.nudge()
	}
	var logged, ends []runlog.Event
	for _, e := range events {
		w.seq = e.Seq
		switch e.Type {
		case runlog.WorkerStarted:
			w.claimed = true
		case runlog.Owner:
			w.found = w.stopped(e.Message) // by another owner, that died before it could say so
		case runlog.Log:
			logged = append(logged, e)
		default:
			ends = append(ends, e)
		}
	}
	w.x.journal.Show(logged)
	if len(ends) > 0 && w.found == nil {
		w.found = w.result(ends)
	}
	return nil
}

// stopped is the result of an attempt that is to be started anew, which counts against nobody.
func (w *remote) stopped(why string) *result {
	return &result{attempt: w.attempt, err: &run.Error{Kind: run.Stopped, Message: why}}
}

// result is what the events at the end of the attempt's log say. Those of a success are appended to the run's log.
func (w *remote) result(ends []runlog.Event) *result {
	r := &result{attempt: w.attempt}
	switch last := ends[len(ends)-1]; data := last.Data.(type) {
	case *runlog.Outcome:
		if data.Error != nil {
			w.metadata, r.err, r.canceled = data.Metadata, data.Error, last.Type == runlog.StepCanceled
			return r
		}
	default:
		r.err = &run.Error{Kind: run.Died, Message: "its worker left a result that cannot be read: " + string(last.Type)}
		return r
	}
	for _, e := range ends {
		switch data := e.Data.(type) {
		case *runlog.Materialized:
			w.x.values.stored(w.step.Asset, data.Value)
		case *runlog.Evaluated:
			r.blocks = data.Blocks()
		}
	}
	w.x.journal.Append(ends...)
	return r
}
