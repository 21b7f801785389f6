package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"waggle/shared/event"
	"waggle/shared/fault"
	"waggle/shared/run"
	"waggle/shared/store/driver"
)

// A sensor's rows: the events that it is to be told of, and whether it is switched on.
//
//	SENSOR#name  EVENT#run#seq                one event: put if absent, perhaps as begun, then written by whoever evaluates it
//	SENSOR#name  EVENT##tick#schedule#status  the same of a missed tick, which is in no log
//	SENSOR#name  SWITCH#time                  it was switched on or off; the newest one holds
//	SENSOR#name  AWAIT#subject                the channels that wait to hear that the subject works again
//
// An event that is not DONE or DEAD is in the partition "sensor" of the index of what is due.
const (
	dueSensors  = "sensor"
	eventPrefix = "EVENT#"
)

// EventState is how far a sensor has come with an event.
type EventState string

// The states of a sensor's event.
const (
	EventPending EventState = "PENDING" // not evaluated, or to be tried again at Due
	EventWorking EventState = "WORKING" // somebody evaluates it; should they die, it is due again
	EventDone    EventState = "DONE"    // evaluated; Reason says what came of it
	EventDead    EventState = "DEAD"    // given up: its handler failed every time
)

// Ended reports whether nothing is left to do.
func (s EventState) Ended() bool { return s == EventDone || s == EventDead }

// SensorEvent is what became of an event that a sensor is to be told of.
type SensorEvent struct {
	Sensor   string      `json:"-"`
	Event    event.Event `json:"event"`
	State    EventState  `json:"state"`
	Reason   string      `json:"reason,omitempty"` // why it ended so; a named reason
	Error    string      `json:"error,omitempty"`  // of the last attempt
	Attempts int         `json:"attempts,omitempty"`
	Stored   time.Time   `json:"stored"`
	Due      time.Time   `json:"due,omitzero"` // when somebody must look at it; zero: it has ended
	Ended    time.Time   `json:"ended,omitzero"`
	Messages int         `json:"messages,omitempty"` // that its evaluation gave to channels
	// Launches are the runs that the call of a polled sensor asked for. Until it has ended they are being launched.
	Launches []Launch    `json:"launches,omitempty"`
	Log      []EventLine `json:"log,omitempty"` // of the last attempt
	Owes     *Debt       `json:"owes,omitempty"`

	version int64
}

// EventLine is a line that an evaluation logged.
type EventLine struct {
	Time    time.Time       `json:"time"`
	Level   string          `json:"level"`
	Message string          `json:"message"`
	Attrs   json.RawMessage `json:"attrs,omitempty"` // an object
}

func sensorPartition(name string) string { return "SENSOR#" + name }

func sensorEventKey(sensor string, e event.Event) driver.Key {
	sort := fmt.Sprintf("%s%s#%08d", eventPrefix, e.Run, e.Seq)
	if e.Type == event.TickMissed {
		sort = fmt.Sprintf("%s#%s#%s#%s", eventPrefix, e.Tick.UTC().Format(keyTime), e.Schedule, e.TickStatus)
	}
	return driver.Key{Partition: sensorPartition(sensor), Sort: sort}
}

// PutEvents stores events that a sensor is to be told of, due at once. One that is stored already stays as it is, so that an
// event may come any number of times. After an error some are stored.
func (s *Store) PutEvents(ctx context.Context, sensor string, events []event.Event) error {
	now := s.now().UTC()
	for _, e := range events {
		row := SensorEvent{Sensor: sensor, Event: e, State: EventPending, Stored: now, Due: now, version: 1}
		item, err := s.sensorEventItem(row)
		if err != nil {
			return err
		}
		if err := s.db.Put(ctx, item, driver.IfAbsent); err != nil && !errors.Is(err, fault.Conflict) {
			return err
		}
	}
	return nil
}

// PutBegun stores an event that a sensor is to be told of and that the caller evaluates at once, as PutEvents and BeginEvent would, in one
// write. fault.Conflict says that it is stored already, by whomever: that row brings it back.
func (s *Store) PutBegun(ctx context.Context, sensor string, e event.Event, within time.Duration) (SensorEvent, error) {
	now := s.now().UTC() // without a monotonic reading: that clock may stand still while a process is frozen
	return s.putEvent(ctx, SensorEvent{Sensor: sensor, Event: e, State: EventWorking, Attempts: 1, Stored: now, Due: now.Add(within)})
}

func (s *Store) sensorEventItem(row SensorEvent) (driver.Item, error) {
	data, err := json.Marshal(row)
	if err != nil {
		return driver.Item{}, fault.Wrap(fault.Internal, "encode an event of sensor "+row.Sensor, err)
	}
	item := driver.Item{Key: sensorEventKey(row.Sensor, row.Event), Version: row.version, Data: data}
	item.Entries = row.Owes.entries(row.Ended, item.Key)
	if !row.Due.IsZero() {
		item.Entries = []driver.Entry{dueEntry(dueSensors, row.Due, item.Key)}
	}
	if row.State.Ended() {
		item.Expires = s.expiry(row.Ended)
	}
	if row.idle() {
		item.Expires = row.Ended.Add(keepIdle)
	}
	return item, nil
}

// dueEntry is the place of an item in a partition of the index of what is due.
func dueEntry(partition string, at time.Time, key driver.Key) driver.Entry {
	return driver.Entry{Index: indexDue, Partition: partition, Sort: at.UTC().Format(keyTime) + "#" + key.Partition + "#" + key.Sort}
}

// expiry is when a row ends that nobody needs from a time on; zero: never.
func (s *Store) expiry(from time.Time) time.Time {
	if s.retention < 0 {
		return time.Time{}
	}
	return from.Add(s.retention)
}

func decodeSensorEvent(item driver.Item) (SensorEvent, error) {
	var row SensorEvent
	if err := json.Unmarshal(item.Data, &row); err != nil {
		return row, fault.Wrap(fault.Corrupt, "read "+item.Key.String(), err)
	}
	row.Sensor, row.version = sensorOf(item), item.Version
	return row, nil
}

// sensorOf is the name of the sensor that a row of its events belongs to.
func sensorOf(item driver.Item) string { return item.Partition[len(sensorPartition("")):] }

// pageOfDue is how many rows are read at once where some of them are left out.
const pageOfDue = 100

// DueEvents returns the events that somebody must evaluate, those that have been due longest first; at most limit. of chooses sensors by name;
// nil: all. An index may lag: BeginEvent decides.
func (s *Store) DueEvents(ctx context.Context, limit int, of func(sensor string) bool) ([]SensorEvent, error) {
	var due []SensorEvent
	q := driver.Query{Partition: dueSensors, To: s.dueBefore(), Limit: limit}
	if of != nil {
		q.Limit = max(limit, pageOfDue)
	}
	err := s.eachDue(ctx, q, func(item driver.Item) (bool, error) {
		row, err := decodeSensorEvent(item)
		if err == nil && (of == nil || of(row.Sensor)) {
			due = append(due, row)
		}
		return len(due) < limit, err
	})
	return due, err
}

// dueBefore is the sort key in the index of what is due below which all is due now.
func (s *Store) dueBefore() string {
	return s.now().UTC().Add(time.Microsecond).Format(keyTime)
}

// SensorEvent returns how a sensor stands with an event; fault.NotFound where it was not told of it.
func (s *Store) SensorEvent(ctx context.Context, sensor string, e event.Event) (SensorEvent, error) {
	item, err := s.db.Get(ctx, sensorEventKey(sensor, e))
	if err != nil {
		return SensorEvent{}, err
	}
	return decodeSensorEvent(item)
}

// SensorEvents returns the newest events of a sensor, those of the newest run, or the newest tick, first; at most limit.
func (s *Store) SensorEvents(ctx context.Context, sensor string, limit int) ([]SensorEvent, error) {
	var rows []SensorEvent
	err := s.newest(ctx, sensorPartition(sensor), eventPrefix, limit, func(item driver.Item) (bool, error) {
		row, err := decodeSensorEvent(item)
		rows = append(rows, row)
		return len(rows) < limit, err
	})
	return rows, err
}

// SensorEventsOf returns the events of one run's log that a sensor is to be told of, newest first.
func (s *Store) SensorEventsOf(ctx context.Context, sensor string, id run.ID) ([]SensorEvent, error) {
	var rows []SensorEvent
	err := s.newest(ctx, sensorPartition(sensor), eventPrefix+string(id)+"#", 100, func(item driver.Item) (bool, error) {
		row, err := decodeSensorEvent(item)
		rows = append(rows, row)
		return true, err
	})
	return rows, err
}

// BeginEvent says that the caller evaluates an event, and returns it as it is now stored. The row is a promise and no lock: it is due
// again after a time, should the caller die. fault.Conflict says that somebody else was faster.
func (s *Store) BeginEvent(ctx context.Context, row SensorEvent, within time.Duration) (SensorEvent, error) {
	row.State, row.Due = EventWorking, s.now().UTC().Add(within)
	row.Attempts++
	return s.putEvent(ctx, row)
}

// RetryEvent stores that the evaluation of an event failed and is due again at a time.
func (s *Store) RetryEvent(ctx context.Context, row SensorEvent, due time.Time) (SensorEvent, error) {
	row.State, row.Due = EventPending, due.UTC()
	return s.putEvent(ctx, row)
}

// ReviveEvent has an event that was given up, or is tried again later, evaluated at once, as if it had never been.
func (s *Store) ReviveEvent(ctx context.Context, row SensorEvent) error {
	row.State, row.Reason, row.Error, row.Attempts, row.Due, row.Ended = EventPending, "", "", 0, s.now().UTC(), time.Time{}
	row.Owes = nil // it is not given up any more
	_, err := s.putEvent(ctx, row)
	return err
}

// EndEvent stores what came of an event, with the messages for channels, in one write: an event that comes again, or is evaluated
// twice, gives no message twice. fault.Conflict says that somebody else ended it; their messages count. It takes up to MaxOuts messages.
func (s *Store) EndEvent(ctx context.Context, row SensorEvent, state EventState, outs []Out) (SensorEvent, error) {
	row.State, row.Due, row.Ended = state, time.Time{}, s.now().UTC()
	if state == EventDead {
		row.Owes = s.debt(row.failed())
	}
	if len(outs) == 0 {
		return s.putEvent(ctx, row)
	}
	row.Messages = len(outs)
	ops, err := s.outOps(ctx, outs)
	if err != nil {
		return row, err
	}
	subject := ""
	for _, o := range outs {
		if o.About != nil {
			subject = o.About.Subject // an event has one
		}
	}
	for {
		var awaits []driver.Op
		if subject != "" {
			if awaits, err = s.awaitOps(ctx, row.Sensor, subject, outs); err != nil {
				return row, err
			}
		}
		ended, err := s.putEvent(ctx, row, slices.Concat(ops, awaits)...)
		var conflict *driver.ConflictError
		if errors.As(err, &conflict) && conflict.Key == awaitKey(row.Sensor, subject) {
			continue // another event of the subject was ended meanwhile
		}
		return ended, err
	}
}

// putEvent writes a row over the version that was read, or where there is none, and what goes with it in the same write.
func (s *Store) putEvent(ctx context.Context, row SensorEvent, with ...driver.Op) (SensorEvent, error) {
	before := row.version
	row.version++
	item, err := s.sensorEventItem(row)
	if err != nil {
		return row, err
	}
	if len(with) == 0 {
		err = s.db.Put(ctx, item, over(before))
	} else {
		err = s.db.Write(ctx, append(with, driver.Op{Put: &item, If: over(before)}))
	}
	var conflict *driver.ConflictError
	if errors.As(err, &conflict) && conflict.Stored != nil && conflict.Key == item.Key {
		stored, decodeErr := decodeSensorEvent(*conflict.Stored)
		// Who began an attempt alone knows when: the same row is the caller's own, whose answer was lost.
		if decodeErr == nil && stored.version == row.version && stored.State == row.State && stored.Due.Equal(row.Due) && stored.Ended.Equal(row.Ended) {
			return row, nil
		}
	}
	return row, err
}
