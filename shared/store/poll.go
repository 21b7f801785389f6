package store

import (
	"context"
	"errors"
	"time"

	"waggle/shared/event"
	"waggle/shared/fault"
	"waggle/shared/run"
	"waggle/shared/store/driver"
)

// A sensor that the clock calls has a row that says where it is. Its calls are events of its own.
//
//	SENSOR#name  POLL  its cursor, the number of its newest call, and when the next one is; of a daily summary the cursor is the newest day
//	                   that was told or passed over
const pollSort = "POLL"

// keepIdle is how long a call stays of which nothing came.
const keepIdle = 24 * time.Hour

// Poll is where a polled sensor is.
type Poll struct {
	Sensor string    `json:"-"`
	Cursor string    `json:"cursor,omitempty"`
	Number int64     `json:"number"`        // of the newest call; 0: there was none
	Next   time.Time `json:"next,omitzero"` // when it is called again, should the newest call have ended

	version int64
}

// Launch is a run that a sensor asked for.
type Launch struct {
	Request run.Request `json:"request"`
	Key     string      `json:"key"`
	Run     run.ID      `json:"run_id,omitempty"` // empty: not launched yet
	Error   string      `json:"error,omitempty"`  // why it could not be launched
}

func pollKey(sensor string) driver.Key {
	return driver.Key{Partition: sensorPartition(sensor), Sort: pollSort}
}

// Poll returns where a polled sensor is; the zero value for one that was never called.
func (s *Store) Poll(ctx context.Context, sensor string) (Poll, error) {
	p := Poll{Sensor: sensor}
	item, err := s.db.Get(ctx, pollKey(sensor))
	if errors.Is(err, fault.NotFound) {
		return p, nil
	}
	if err != nil {
		return p, err
	}
	p.version = item.Version
	return p, decodeRow(item, &p)
}

func (p Poll) op() (driver.Op, error) {
	data, err := encodeRow("where sensor "+p.Sensor+" is", p)
	return driver.Op{Put: &driver.Item{Key: pollKey(p.Sensor), Version: p.version + 1, Data: data}, If: over(p.version)}, err
}

// PutPoll stores where a sensor is, over what was read before. fault.Conflict says that another process was faster.
func (s *Store) PutPoll(ctx context.Context, p Poll) error {
	op, err := p.op()
	if err != nil {
		return err
	}
	return s.db.Put(ctx, *op.Put, op.If)
}

// PutTick stores the next call of a polled sensor as an event, due at once, and when the one after it is. fault.Conflict says that another
// process was faster.
func (s *Store) PutTick(ctx context.Context, p Poll, tick event.Event, next time.Time) error {
	now := s.now().UTC()
	p.Number, p.Next = tick.Seq, next.UTC()
	op, err := p.op()
	if err != nil {
		return err
	}
	item, err := s.sensorEventItem(SensorEvent{Sensor: p.Sensor, Event: tick, State: EventPending, Stored: now, Due: now, version: 1})
	if err != nil {
		return err
	}
	return s.db.Write(ctx, []driver.Op{op, {Put: &item, If: driver.IfAbsent}})
}

// DecideTick stores what the call of a polled sensor asks for: its new cursor, messages and runs, in one write. A call that asks for runs
// has not ended: the caller launches them, and ends it with EndEvent. fault.Conflict says that somebody else has decided it.
func (s *Store) DecideTick(ctx context.Context, row SensorEvent, cursor string, outs []Out, within time.Duration) (SensorEvent, error) {
	p, err := s.Poll(ctx, row.Sensor)
	if err != nil {
		return row, err
	}
	if p.Number != row.Event.Seq {
		return row, fault.New(fault.Conflict, "call %d of sensor %s is not its newest", row.Event.Seq, row.Sensor)
	}
	p.Cursor = cursor
	op, err := p.op()
	if err != nil {
		return row, err
	}
	ops, err := s.outOps(ctx, outs)
	if err != nil {
		return row, err
	}
	now := s.now().UTC()
	row.Messages = len(outs)
	row.State, row.Due, row.Ended = EventDone, time.Time{}, now
	if len(row.Launches) > 0 {
		row.State, row.Due, row.Ended = EventWorking, now.Add(within), time.Time{}
	}
	return s.putEvent(ctx, row, append(ops, op)...)
}

// idle reports whether nothing came of a call of a polled sensor, so that its row need not stay for long.
func (row SensorEvent) idle() bool {
	return row.Event.Run == "" && row.State == EventDone && row.Messages == 0 && len(row.Launches) == 0
}
