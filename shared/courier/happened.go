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
	err := c.store.ReadLog(ctx, id, 0, func(stored store.Stored) error {
		events, err := c.store.Unpack(stored.Chunk)
		if err != nil {
			return err
		}
		var rows runlog.Rows
		for i := range events {
			projector.Take(&events[i], &rows)
		}
		for _, e := range event.Of(id, req, rows) {
			all = append(all, happened{e, stored.N})
		}
		return nil
	})
	return all, err
}

var errEnough = errors.New("enough")

// recordAt is a run as its log told it up to an event.
func (c *Courier) recordAt(ctx context.Context, record run.Record, seq int64) (run.Record, error) {
	fold := runlog.NewFold(record.ID, record.Request, record.Launched)
	err := c.store.ReadLog(ctx, record.ID, 0, func(stored store.Stored) error {
		events, err := c.store.Unpack(stored.Chunk)
		for i := range events {
			if events[i].Seq > seq {
				return errEnough
			}
			if err := fold.Apply(&events[i]); err != nil {
				return err
			}
		}
		return err
	})
	if err == errEnough {
		err = nil
	}
	return fold.Record, err
}
