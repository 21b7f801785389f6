package engine

import (
	"context"
	"errors"
	"time"

	"waggle/shared/fault"
	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/store"
)

// possession is a run that this worker owns, its log read and sealed.
type possession struct {
	id        run.ID
	lease     *store.Lease
	fold      *runlog.Fold
	projector *runlog.Projector
	next      int64       // number of the next chunk
	unsettled runlog.Rows // of chunks that the owners before did not settle
}

func newPossession(id run.ID, lease *store.Lease) *possession {
	state := lease.State()
	return &possession{id: id, lease: lease, fold: runlog.NewFold(id, state.Request, state.Launched), projector: runlog.NewProjector(id)}
}

// take acquires a run, reads its log and, unless it has ended, seals it: the OWNER chunk stands at the
// next free number, so that no owner before can append any more.
func (e *Engine) take(ctx context.Context, id run.ID) (*possession, error) {
	lease, err := e.store.Acquire(ctx, id, e.opts.Worker)
	if err != nil {
		return nil, err
	}
	state := lease.State()
	p := newPossession(id, lease)
	gap := false
	err = e.store.ReadLog(ctx, id, 0, func(c store.Stored) error {
		if lease.Stale() {
			if err := lease.Renew(ctx); err != nil {
				return err
			}
		}
		if gap = gap || c.N != p.next; gap {
			p.next = c.N + 1
			return nil
		}
		return p.read(e.store, c, state.Settled)
	})
	if err == nil && state.Status.Terminal() && !p.fold.Record.Status.Terminal() { // it has expired since Run looked
		return nil, errors.Join(fault.New(fault.NotFound, "run %s has ended, and its log has expired", id), lease.Release(ctx, time.Time{}))
	}
	if err == nil && (gap || p.next == 0 && !state.Started.IsZero()) { // its log has expired, or a part of it
		next := p.next
		p = newPossession(id, lease)
		p.next, p.fold.Expired = next, true
		lease.Update(func(s *store.Summary) { s.Settled = next - 1 })
	}
	if err == nil && !p.fold.Record.Status.Terminal() {
		err = e.seal(ctx, p)
	}
	if err != nil {
		return nil, errors.Join(err, e.giveBack(ctx, lease, err))
	}
	return p, nil
}

// giveBack releases a run that could not be read, due again after a lease, so that it is not held in vain.
func (e *Engine) giveBack(ctx context.Context, lease *store.Lease, cause error) error {
	if errors.Is(cause, fault.Lost) {
		return nil
	}
	if err := lease.Release(context.WithoutCancel(ctx), e.store.Now().Add(e.store.Lease())); err != nil && !errors.Is(err, fault.Lost) {
		return err
	}
	return nil
}

// read takes a chunk of an owner before.
func (p *possession) read(s *store.Store, c store.Stored, settled int64) error {
	events, err := s.Unpack(c.Chunk)
	if err != nil {
		return err
	}
	for i := range events {
		if err := p.fold.Apply(&events[i]); err != nil {
			return err
		}
		var rows runlog.Rows
		p.projector.Take(&events[i], &rows)
		if c.N > settled {
			p.unsettled.Add(rows)
		}
	}
	p.next = c.N + 1
	return nil
}

// seal puts the OWNER chunk at the next free number, reading on while the number is taken.
func (e *Engine) seal(ctx context.Context, p *possession) error {
	epoch := p.lease.Epoch()
	for {
		event := runlog.Event{Seq: p.fold.Seq + 1, Time: later(e.store.Now().UTC().Truncate(time.Microsecond), p.fold.Time), Type: runlog.Owner,
			Message: "taken by " + e.opts.Worker, Data: &runlog.Ownership{Epoch: epoch, Worker: e.opts.Worker, Died: p.lease.Died}}
		if p.lease.Died {
			event.Message += "; the owner before died"
		}
		chunk, err := e.chunkOf(epoch, &event)
		if err != nil {
			return err
		}
		err = e.retry(ctx, p.lease, func() error { return e.store.PutChunk(ctx, p.id, p.next, chunk) })
		var taken *store.TakenError
		if errors.As(err, &taken) && taken.Stored.Chunk.Header.Epoch < epoch {
			if err := p.read(e.store, taken.Stored, -1); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		p.next++
		p.lease.Heard()
		return p.fold.Apply(&event)
	}
}

// chunkOf is a chunk of one event.
func (e *Engine) chunkOf(epoch int64, event *runlog.Event) (runlog.Chunk, error) {
	data, err := runlog.EncodeData(event.Data)
	if err != nil {
		return runlog.Chunk{}, err
	}
	b := runlog.NewBuilder(epoch)
	if err := b.Add(event, data); err != nil {
		return runlog.Chunk{}, err
	}
	return e.store.Pack(b), nil
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// retry repeats what failed in a way that may pass, with growing waits, until the lease is stale: then
// nothing may be written any more and the error is fault.Lost.
func (e *Engine) retry(ctx context.Context, lease interface{ Stale() bool }, act func() error) error {
	for wait := 5 * time.Millisecond; ; wait = min(2*wait, 500*time.Millisecond) {
		err := act()
		if !fault.Retryable(err) {
			return err
		}
		if lease.Stale() {
			return fault.New(fault.Lost, "the store did not answer for most of the lease: %w", err)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return fault.Wrap(fault.Canceled, "wait to try again", context.Cause(ctx))
		}
	}
}
