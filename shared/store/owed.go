package store

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"waggle/shared/event"
	"waggle/shared/fault"
	"waggle/shared/run"
	"waggle/shared/store/driver"
)

// A tick that was missed and a delivery that was given up follow from a row, not from the log of a run. So the row owes their event: it is
// written with the event and with an entry in the index of what is due, in one write, and without both when the event is published. Who
// dies in between leaves it to be published again: its id is the row and its state, so that this is harmless.
//
//	due  bus   time#key  rows that owe events to a bus
//	due  here  time#key  rows that owe events to the sensors of those who share the store
//
// The rows are TICK (late), META of a schedule (passed over, or could not be launched), MSG and EVENT of a sensor (DEAD).

// Hearer is to whom rows owe events.
type Hearer string

// The hearers.
const (
	Bus  Hearer = "bus"  // a bus, and whoever listens there
	Here Hearer = "here" // sensors, where there is no bus
)

// Debt is what a row owes.
type Debt struct {
	To     Hearer        `json:"to"`
	Events []event.Event `json:"events"`
}

// owing says which events rows are to owe.
type owing struct {
	to    Hearer
	wants func(event.Event) bool // nil: every event
}

// Owing returns the same store, whose rows from now on owe their events to a hearer: those that wants names, nil is all of them. Without
// it rows owe nothing. Somebody must publish them: see OwedEvents.
func (s *Store) Owing(to Hearer, wants func(event.Event) bool) *Store {
	owes := *s
	owes.owing = owing{to, wants}
	return &owes
}

// debt is what a row owes for events that follow from it; nil: nothing.
func (s *Store) debt(events ...event.Event) *Debt {
	if s.owing.to == "" {
		return nil
	}
	var wanted []event.Event
	for _, e := range events {
		if s.owing.wants == nil || s.owing.wants(e) {
			wanted = append(wanted, e)
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	return &Debt{s.owing.to, wanted}
}

// maxOwed is how many events one row owes at most. Only a schedule comes to it, whose every tick fails while no bus answers: then the
// oldest are let go.
const maxOwed = 100

// with is what a row owes that owed something before.
func (d *Debt) with(before *Debt) *Debt {
	switch {
	case before == nil:
		return d
	case d == nil:
		return before
	}
	all := slices.Concat(before.Events, d.Events)
	return &Debt{before.To, all[max(0, len(all)-maxOwed):]}
}

// entries is the place of a row in the index of what is due; none where it owes nothing.
func (d *Debt) entries(at time.Time, key driver.Key) []driver.Entry {
	if d == nil {
		return nil
	}
	return []driver.Entry{dueEntry(string(d.To), at, key)}
}

// Owed are the events that a row owes.
type Owed struct {
	Events []event.Event
	key    driver.Key
}

// owesField is where a row says what it owes.
const owesField = "owes"

// OwedEvents returns what rows owe to a hearer, those first that have for longest; at most limit rows. An index may lag: an event may be
// listed that is published already.
func (s *Store) OwedEvents(ctx context.Context, to Hearer, limit int) ([]Owed, error) {
	page, err := s.db.Query(ctx, driver.Query{Index: indexDue, Partition: string(to), To: s.dueBefore(), Limit: limit})
	if err != nil {
		return nil, err
	}
	var list []Owed
	for _, item := range page.Items {
		_, debt, err := debtOf(item)
		if err != nil {
			return nil, err
		}
		if debt != nil {
			list = append(list, Owed{debt.Events, item.Key})
		}
	}
	return list, nil
}

func debtOf(item driver.Item) (map[string]json.RawMessage, *Debt, error) {
	var fields map[string]json.RawMessage
	if err := decodeRow(item, &fields); err != nil {
		return nil, nil, err
	}
	if fields[owesField] == nil {
		return fields, nil, nil
	}
	var debt Debt
	return fields, &debt, fault.Wrap(fault.Corrupt, "read "+item.Key.String(), json.Unmarshal(fields[owesField], &debt))
}

// Published says that the events of a row are published. What it has come to owe since stays. Doing it twice is the same as once.
func (s *Store) Published(ctx context.Context, o Owed) error {
	published := func(e event.Event) bool {
		return slices.ContainsFunc(o.Events, func(other event.Event) bool { return other.ID == e.ID })
	}
	for {
		item, err := s.db.Get(ctx, o.key)
		if errors.Is(err, fault.NotFound) {
			return nil // it was sent again by hand, or has expired
		}
		if err != nil {
			return err
		}
		fields, debt, err := debtOf(item)
		if err != nil || debt == nil {
			return err
		}
		left := slices.DeleteFunc(slices.Clone(debt.Events), published)
		if len(left) == len(debt.Events) {
			return nil
		}
		delete(fields, owesField)
		if len(left) > 0 {
			if fields[owesField], err = encodeRow("what "+o.key.String()+" owes", Debt{debt.To, left}); err != nil {
				return err
			}
		} else {
			item.Entries = slices.DeleteFunc(slices.Clone(item.Entries), func(e driver.Entry) bool { return e.Index == indexDue && e.Partition == string(debt.To) })
		}
		if item.Data, err = encodeRow(o.key.String(), fields); err != nil {
			return err
		}
		before := item.Version
		item.Version++
		err = s.db.Put(ctx, item, driver.IfVersion(before))
		if !errors.Is(err, fault.Conflict) {
			return err
		}
	}
}

// failed is the event that a message tells that was given up; false: it is about alerting itself, and makes no further deliveries.
func (m Message) failed() (event.Event, bool) {
	if len(m.Outs) == 0 || m.Outs[0].OfAlerting() {
		return event.Event{}, false
	}
	o := m.Outs[0]
	e := event.Event{ID: "channel/" + m.Channel + "/" + m.Time.UTC().Format(keyTime) + "/" + m.ID + "#" + string(event.DeliveryDead), Type: event.DeliveryFailed, Time: m.Time.UTC(),
		Run: o.Run, EventID: o.Event, Channel: m.Channel, Delivery: m.ID, DeliveryStatus: event.DeliveryDead, DeliveryReason: m.Reason, Attempts: o.Attempts}
	if o.OfStep() {
		e.Step = run.StepKey(o.Source)
	} else {
		e.Sensor = o.Source
	}
	if o.About != nil {
		e.Job = o.About.Name
	}
	return e, true
}

// failed is the event that the call of a sensor tells that was given up.
func (row SensorEvent) failed() event.Event {
	return event.Event{ID: "sensor/" + row.Sensor + "/" + row.Event.ID + "#" + string(event.DeliveryDead), Type: event.DeliveryFailed, Time: row.Ended, Run: row.Event.Run,
		Job: row.Event.Job, Sensor: row.Sensor, EventID: row.Event.ID, DeliveryStatus: event.DeliveryDead, DeliveryReason: row.Reason, Attempts: row.Attempts}
}
