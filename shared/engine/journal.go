package engine

import (
	"context"
	"sync"
	"time"

	"waggle/shared/fault"
	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/store"
)

// A batch is what goes into one chunk, and the rows that follow from it.
type batch struct {
	builder *runlog.Builder
	rows    runlog.Rows
}

const (
	chunkFull  = 128 << 10 // bytes of events after which a chunk takes no more
	chunkEager = 64 << 10  // bytes of events that are written without waiting for the flush interval
	backlog    = 8         // full batches that may wait before writers of events must
)

// journal appends events to a run's log. Appending numbers them, folds them and gathers them; one goroutine
// packs what is there and stores it. Step and status events go out as soon as it is free, at most every pace;
// log records wait for the flush interval.
type journal struct {
	store *store.Store
	id    run.ID
	epoch int64
	pace  time.Duration
	flush time.Duration

	mu        sync.Mutex
	fold      *runlog.Fold
	projector *runlog.Projector
	observe   func(*runlog.Event)
	batches   []*batch
	appended  int64 // number of the newest event
	stored    int64 // number of the newest event that is stored
	urgent    bool  // a step or status event waits
	hurry     bool  // somebody waits for an event to be stored
	closed    bool
	err       error         // why nothing can be stored any more
	changed   chan struct{} // closed and replaced when stored, err or room change
	wake      chan struct{}

	next   int64         // number of the next chunk
	failed chan struct{} // closed with err set
	done   chan struct{} // the writer has ended
}

// newJournal continues a log whose next chunk has the number next.
func newJournal(s *store.Store, id run.ID, epoch int64, fold *runlog.Fold, projector *runlog.Projector, next int64, o *Options) *journal {
	fold.Lean = true
	return &journal{store: s, id: id, epoch: epoch, pace: o.Pace, flush: o.Flush, fold: fold, projector: projector,
		appended: fold.Seq, stored: fold.Seq, next: next,
		changed: make(chan struct{}), wake: make(chan struct{}, 1), failed: make(chan struct{}), done: make(chan struct{})}
}

// Append adds events, which stay together in one chunk, and returns the number of the last. After a
// failure it does nothing: the failure ends the execution.
func (j *journal) Append(events ...runlog.Event) int64 {
	encoded := make([][]byte, len(events))
	for i := range events {
		data, err := runlog.EncodeData(events[i].Data)
		if err != nil {
			j.fail(err)
			return 0
		}
		encoded[i] = data
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.makeRoom()
	if j.err != nil || j.closed {
		return j.appended
	}
	b := j.batches[len(j.batches)-1]
	now := j.store.Now().UTC().Truncate(time.Microsecond)
	for i := range events {
		e := &events[i]
		e.Seq, e.Time = j.appended+1, now
		if e.Time.Before(j.fold.Time) { // the clock was set back
			e.Time = j.fold.Time
		}
		err := b.builder.Add(e, encoded[i])
		if err == nil {
			err = j.fold.Apply(e)
		}
		if err != nil {
			j.failLocked(err)
			return j.appended
		}
		j.appended = e.Seq
		j.projector.Take(e, &b.rows)
		j.urgent = j.urgent || e.Type != runlog.Log
		if j.observe != nil {
			j.observe(e)
		}
	}
	j.signal()
	return j.appended
}

// makeRoom makes the last batch one that takes events, and waits while too many are full.
func (j *journal) makeRoom() {
	for len(j.batches) > backlog && j.err == nil && !j.closed {
		changed := j.changed
		j.mu.Unlock()
		<-changed
		j.mu.Lock()
	}
	if n := len(j.batches); n == 0 || j.batches[n-1].builder.Size() >= chunkFull {
		j.batches = append(j.batches, &batch{builder: runlog.NewBuilder(j.epoch)})
	}
}

// last is the number of the newest event.
func (j *journal) last() int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.appended
}

// complete reports whether every event is stored.
func (j *journal) complete() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.stored == j.appended
}

// Wait returns when the event with a number is stored, or with why it will not be.
func (j *journal) Wait(ctx context.Context, seq int64) error {
	j.mu.Lock()
	for j.stored < seq && j.err == nil {
		j.hurry = true
		j.signal()
		changed := j.changed
		j.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		j.mu.Lock()
	}
	defer j.mu.Unlock()
	if j.stored >= seq {
		return nil
	}
	return j.err
}

// Close stores what is left and ends the writer. It returns why something could not be stored.
func (j *journal) Close() error {
	j.mu.Lock()
	j.closed = true
	j.signal()
	j.mu.Unlock()
	<-j.done
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.err
}

// Look calls see with the fold, which does not change meanwhile.
func (j *journal) Look(see func(*runlog.Fold)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	see(j.fold)
}

func (j *journal) fail(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.failLocked(err)
}

func (j *journal) failLocked(err error) {
	if j.err == nil {
		j.err = err
		close(j.failed)
		j.tell()
	}
	j.signal()
}

// tell wakes everybody who waits for a change.
func (j *journal) tell() {
	close(j.changed)
	j.changed = make(chan struct{})
}

func (j *journal) signal() {
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

// write is the writer: it runs until the journal is closed or fails. What it stored goes to settle, in order.
func (j *journal) write(ctx context.Context, retry func(context.Context, func() error) error, settle func(n int64, rows runlog.Rows)) {
	defer close(j.done)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	last := time.Time{}
	for {
		b, wait, over := j.take(time.Since(last))
		if over {
			return
		}
		if b == nil {
			timer.Reset(wait)
			select {
			case <-j.wake:
			case <-timer.C:
			}
			continue
		}
		last = time.Now()
		chunk := j.store.Pack(b.builder)
		if err := retry(ctx, func() error { return j.store.PutChunk(ctx, j.id, j.next, chunk) }); err != nil {
			j.fail(fault.Wrap(fault.CodeOf(err), "write the log", err))
			return
		}
		j.mu.Lock()
		j.stored = b.builder.Last()
		j.tell()
		j.mu.Unlock()
		settle(j.next, b.rows)
		j.next++
	}
}

// take returns the next batch to store; or nil and how long to wait at most, unless woken; or that there will be no more.
func (j *journal) take(sinceLast time.Duration) (b *batch, wait time.Duration, over bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	empty := len(j.batches) == 0 || j.batches[0].builder.Size() == 0
	switch {
	case j.err != nil, empty && j.closed:
		return nil, 0, true
	case empty:
		return nil, time.Hour, false
	}
	wait = j.flush - sinceLast
	if j.urgent {
		wait = j.pace - sinceLast
	}
	if wait > 0 && !j.hurry && !j.closed && j.batches[0].builder.Size() < chunkEager {
		return nil, wait, false
	}
	b = j.batches[0]
	j.batches = append(j.batches[:0], j.batches[1:]...)
	if len(j.batches) == 0 {
		j.urgent, j.hurry = false, false
	}
	return b, 0, false
}
