package courier

import (
	"context"
	"errors"

	"waggle/shared/event"
	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/store"
)

// happened is an event as it follows from the stored log.
type happened struct {
	event.Event
	chunk int64 // of the log; what is settled up to there is published
}

// happened lists the events of a run, in the order in which they are published; none where its log is gone.
func (c *Courier) happened(ctx context.Context, id run.ID, req run.Request) ([]happened, error) {
	projector := runlog.NewProjector(id)
	var all []happened
	err := c.eachChunk(ctx, id, func(chunk int64, events []runlog.Event) error {
		var rows runlog.Rows
		for i := range events {
			projector.Take(&events[i], &rows)
		}
		for _, e := range event.Of(id, req, rows) {
			all = append(all, happened{e, chunk})
		}
		return nil
	})
	return all, err
}

var errEnough = errors.New("enough")

// recordAt is a run as its log told it up to an event.
func (c *Courier) recordAt(ctx context.Context, record run.Record, seq int64) (run.Record, error) {
	fold := runlog.NewFold(record.ID, record.Request, record.Launched)
	err := c.eachChunk(ctx, record.ID, func(_ int64, events []runlog.Event) error {
		for i := range events {
			if events[i].Seq > seq {
				return errEnough
			}
			if err := fold.Apply(&events[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err == errEnough {
		err = nil
	}
	return fold.Record, err
}

// eachChunk visits the log of a run, chunk by chunk.
func (c *Courier) eachChunk(ctx context.Context, id run.ID, visit func(chunk int64, events []runlog.Event) error) error {
	return c.store.ReadLog(ctx, id, 0, func(stored store.Stored) error {
		events, err := c.store.Unpack(stored.Chunk)
		if err != nil {
			return err
		}
		return visit(stored.N, events)
	})
}
