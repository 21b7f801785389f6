package engine

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"waggle/shared/fault"
	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/store"
)

// A batch is what goes into one chunk, the rows that follow from it, and the blobs that its events name.
type batch struct {
	builder *runlog.Builder
	rows    runlog.Rows
	blobs   *blobs // nil: none
}

func (b *batch) full() bool {
	return b.builder.Size() >= chunkFull || b.blobs != nil && b.blobs.pack.Size() >= packFull
}

// blobs are stored together, before the events that name them.
type blobs struct {
	pack    *store.Pack
	after   int64         // number of the newest event when the first of them came: no event up to it names one
	awaited chan struct{} // closed, with err set, when they were stored or could not be; nil: nobody waits for that
	err     error
}

const (
	chunkFull  = 128 << 10 // bytes of events after which a chunk takes no more
	chunkEager = 64 << 10  // bytes of events that are written without waiting for the flush interval
	packFull   = 1 << 20   // bytes of blobs after which a pack takes no more
	backlog    = 8         // full batches that may wait before writers of events must
)

// journal appends events to a log: that of a run, or of an attempt in a process of its own. Appending numbers them, applies them and
// gathers them; one goroutine packs what is there and stores it. Step and status events go out as soon as it is free, at most every pace;
// log records wait for the flush interval.
type journal struct {
	store *store.Store
	id    run.ID
	put   func(ctx context.Context, n int64, chunk runlog.Chunk) error
	apply func(*runlog.Event, *runlog.Rows) error // what an event changes, and the rows that follow from it
	epoch int64
	pace  time.Duration
	flush time.Duration
	beat  time.Duration // an empty chunk says that the writer lives when it has stored nothing for that long; 0: never

	mu       sync.Mutex
	fold     *runlog.Fold // of the run
	observe  func(*runlog.Event)
	batches  []*batch
	packs    []*store.Pack // that are not stored yet
	packed   int           // how many were begun
	newest   time.Time     // time of the newest event
	appended int64         // number of the newest event
	stored   int64         // number of the newest event that is stored
	urgent   bool          // a step or status event waits
	hurry    bool          // somebody waits for an event to be stored
	closed   bool
	err      error         // why nothing can be stored any more
	changed  chan struct{} // closed and replaced when stored, err or room change
	wake     chan struct{}

	next   int64         // number of the next chunk
	failed chan struct{} // closed with err set
	done   chan struct{} // the writer has ended
}

// newJournal continues the log of a run, whose next chunk has the number next.
func newJournal(s *store.Store, id run.ID, epoch int64, fold *runlog.Fold, projector *runlog.Projector, next int64, o *Options) *journal {
	fold.Lean = true
	j := emptyJournal(s, fold, o)
	j.id = id
	j.epoch, j.newest, j.appended, j.stored, j.next = epoch, fold.Time, fold.Seq, fold.Seq, next
	j.put = func(ctx context.Context, n int64, chunk runlog.Chunk) error { return s.PutChunk(ctx, id, n, chunk) }
	j.apply = func(e *runlog.Event, rows *runlog.Rows) error {
		if err := fold.Apply(e); err != nil {
			return err
		}
		projector.Take(e, rows)
		return nil
	}
	return j
}

// newAttemptJournal begins the log of an attempt. The fold is that of its run as it was when the attempt began.
func newAttemptJournal(s *store.Store, a store.Attempt, fold *runlog.Fold, o *Options) *journal {
	j := emptyJournal(s, fold, o)
	j.beat = s.Lease() / 3
	j.put = func(ctx context.Context, n int64, chunk runlog.Chunk) error {
		return s.PutAttemptChunk(ctx, a, n, chunk)
	}
	j.apply = func(*runlog.Event, *runlog.Rows) error { return nil }
	return j
}

func emptyJournal(s *store.Store, fold *runlog.Fold, o *Options) *journal {
	return &journal{store: s, pace: o.Pace, flush: o.Flush, fold: fold,
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
		if e.Time.Before(j.newest) { // the clock was set back
			e.Time = j.newest
		}
		err := b.builder.Add(e, encoded[i])
		if err == nil {
			err = j.apply(e, &b.rows)
		}
		if err != nil {
			j.failLocked(err)
			return j.appended
		}
		j.appended, j.newest = e.Seq, e.Time
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
	if n := len(j.batches); n == 0 || j.batches[n-1].full() {
		j.batches = append(j.batches, &batch{builder: runlog.NewBuilder(j.epoch)})
	}
}

// Keep adds a blob to those that are stored, together, before any event that is appended from now on, and returns its name. Until one of this
// process was taken it waits until this one is, and returns why it was not.
func (j *journal) Keep(ctx context.Context, name string, data []byte) (blob string, err error) {
	b, blob, err := j.keep(name, data)
	if err != nil || b.awaited == nil {
		return blob, err
	}
	select {
	case <-b.awaited:
		return blob, b.err
	case <-j.failed:
		return blob, j.err
	case <-ctx.Done():
		return blob, context.Cause(ctx)
	}
}

func (j *journal) keep(name string, data []byte) (b *blobs, blob string, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.makeRoom()
	if j.err != nil {
		return nil, "", j.err
	}
	if j.closed {
		return nil, "", fault.New(fault.Canceled, "run %s is over here", j.id)
	}
	last := j.batches[len(j.batches)-1]
	if last.blobs == nil {
		j.packed++
		last.blobs = &blobs{pack: j.store.NewPack(j.id, j.epoch, j.packed), after: j.appended}
		j.packs = append(j.packs, last.blobs.pack)
		if !j.store.BlobsTaken() {
			last.blobs.awaited = make(chan struct{})
			j.urgent = true
		}
	}
	blob, err = last.blobs.pack.Add(name, data)
	j.signal()
	return last.blobs, blob, err
}

// Kept returns a blob that waits to be stored; false where it does not.
func (j *journal) Kept(blob string) ([]byte, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, p := range j.packs {
		if data, ok := p.Blob(blob); ok {
			return data, true
		}
	}
	return nil, false
}

// keeping reports whether the next blob is stored with others that are there already.
func (j *journal) keeping() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	n := len(j.batches)
	return n > 0 && j.batches[n-1].blobs != nil && !j.batches[n-1].full()
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

// Show tells the observer of events that stand in the log of an attempt: they have no number here.
func (j *journal) Show(events []runlog.Event) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, e := range events {
		if e.Seq = 0; j.observe != nil {
			j.observe(&e)
		}
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
		if b.blobs != nil {
			if err := j.putBlobs(ctx, retry, b.blobs); err != nil {
				j.fail(fault.Wrap(fault.CodeOf(err), "write values and texts", err))
				return
			}
			if b.builder.Size() == 0 {
				continue
			}
		}
		chunk := j.store.Pack(b.builder)
		if err := retry(ctx, func() error { return j.put(ctx, j.next, chunk) }); err != nil {
			j.fail(fault.Wrap(fault.CodeOf(err), "write the log", err))
			return
		}
		j.mu.Lock()
		j.stored = max(j.stored, b.builder.Last())
		j.tell()
		j.mu.Unlock()
		settle(j.next, b.rows)
		j.next++
	}
}

// putBlobs stores blobs. Where somebody waits for them it is theirs that they were not taken: no event names them.
func (j *journal) putBlobs(ctx context.Context, retry func(context.Context, func() error) error, b *blobs) error {
	err := retry(ctx, func() error { return j.store.PutPack(ctx, b.pack) })
	j.mu.Lock()
	j.packs = slices.DeleteFunc(j.packs, func(p *store.Pack) bool { return p == b.pack })
	j.tell() // there is room
	j.mu.Unlock()
	if b.awaited == nil || errors.Is(err, fault.Lost) {
		return err
	}
	b.err = err
	close(b.awaited)
	return nil
}

// take returns the next batch to store; or nil and how long to wait at most, unless woken; or that there will be no more.
func (j *journal) take(sinceLast time.Duration) (b *batch, wait time.Duration, over bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	empty := len(j.batches) == 0 || j.batches[0].builder.Size() == 0 && !j.awaited()
	switch {
	case j.err != nil, empty && j.closed:
		return nil, 0, true
	case empty && j.beat > 0 && sinceLast >= j.beat:
		return &batch{builder: runlog.NewBuilder(j.epoch)}, 0, false
	case empty && j.beat > 0:
		return nil, j.beat - sinceLast, false
	case empty:
		return nil, time.Hour, false
	}
	wait = j.flush - sinceLast
	if j.urgent {
		wait = j.pace - sinceLast
	}
	if wait > 0 && !j.hurry && !j.closed && len(j.batches) == 1 && j.batches[0].builder.Size() < chunkEager {
		return nil, wait, false
	}
	b = j.batches[0]
	j.batches = append(j.batches[:0], j.batches[1:]...)
	if len(j.batches) > 0 {
		return b, 0, false
	}
	j.urgent, j.hurry = false, false
	if waiting := b.blobs; waiting != nil && waiting.awaited == nil && b.builder.Last() <= waiting.after { // the events that name them are to come
		b.blobs = nil
		j.batches = append(j.batches, &batch{builder: runlog.NewBuilder(j.epoch), blobs: waiting})
	}
	return b, 0, false
}

// awaited reports whether the first batch, which has no events, is to be stored: its blobs are full, or somebody waits for them.
func (j *journal) awaited() bool {
	b := j.batches[0].blobs
	return b != nil && (len(j.batches) > 1 || b.awaited != nil)
}
