package courier

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"waggle/shared/fault"
	"waggle/shared/notify"
	"waggle/shared/run"
	"waggle/shared/store"
)

// State is how far a delivery has come.
type State string

// The states of a delivery.
const (
	Evaluating State = "EVALUATING" // the sensor has not been called yet, or is called again; its channels are not known
	Queued     State = "QUEUED"     // waits for its channel
	Retrying   State = "RETRYING"   // was tried, and is tried again
	Parked     State = "PARKED"     // its channel is broken or lacks a setting
	Sent       State = "SENT"
	Folded     State = "FOLDED" // nothing was sent, as people know it already
	Dead       State = "DEAD"   // given up
)

// States lists every state of a delivery.
func States() []State { return []State{Evaluating, Queued, Retrying, Parked, Sent, Folded, Dead} }

// Ended reports whether nothing more happens by itself.
func (s State) Ended() bool { return s == Sent || s == Folded || s == Dead }

// Delivery is one message on its way from a sensor to a channel.
type Delivery struct {
	ID      string // of the message; empty while it is evaluated
	Source  string // the sensor
	Channel string
	EventID string
	Run     run.ID
	Title   string
	State   State
	Reason  string
	Error   string
	// Attempts is how often it was tried to send it, or to evaluate it.
	Attempts int
	Happened time.Time // when what it tells of happened
	Stored   time.Time // when it came into its channel, or to its sensor
	Ended    time.Time // zero: not yet
	Due      time.Time // when it is tried again; zero: it has ended, or at once
	History  []store.SendAttempt
	Ref      string
	Message  store.Message // where it has ended
	Out      store.Out

	event store.SensorEvent // where it is evaluated
}

// Query chooses deliveries. The zero value is all of them.
type Query struct {
	Run   run.ID    // empty: of every run
	Since time.Time // ended then or later; zero: whenever
	Limit int       // of each channel and each sensor, those that have ended; 0: 1,000
}

// Deliveries lists what sensors have given to channels, or are about to, newest first.
func (c *Courier) Deliveries(ctx context.Context, q Query) ([]Delivery, error) {
	if q.Limit <= 0 {
		q.Limit = 1000
	}
	var all []Delivery
	for _, s := range c.defs.Sensors {
		rows, err := c.events(ctx, s.Definition().Name, q)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			if row.State == store.EventDone || q.Run != "" && row.Event.Run != q.Run {
				continue
			}
			all = append(all, ofEvent(row))
		}
	}
	for _, ch := range c.defs.Channels {
		list, err := c.ofChannel(ctx, ch.Definition().Name, q)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	slices.SortStableFunc(all, func(a, b Delivery) int {
		return cmp.Or(b.Happened.Compare(a.Happened), strings.Compare(a.Source, b.Source), strings.Compare(a.Channel, b.Channel))
	})
	return all, nil
}

func (c *Courier) events(ctx context.Context, sensor string, q Query) ([]store.SensorEvent, error) {
	if q.Run != "" {
		return c.store.SensorEventsOf(ctx, sensor, q.Run)
	}
	return c.store.SensorEvents(ctx, sensor, q.Limit)
}

func ofEvent(row store.SensorEvent) Delivery {
	d := Delivery{Source: row.Sensor, EventID: row.Event.ID, Run: row.Event.Run, State: Evaluating, Reason: row.Reason, Error: row.Error, Attempts: row.Attempts,
		Happened: row.Event.Time, Stored: row.Stored, Ended: row.Ended, Due: row.Due, event: row}
	switch row.State {
	case store.EventDead:
		d.State = Dead
	case store.EventWorking:
		d.Due = time.Time{} // somebody is at it: its due time is for the case that they die
	}
	return d
}

func (c *Courier) ofChannel(ctx context.Context, name string, q Query) ([]Delivery, error) {
	var all []Delivery
	state, _, err := c.store.ChannelState(ctx, name)
	if err != nil {
		return nil, err
	}
	for cursor := ""; ; {
		outs, more, err := c.store.Waiting(ctx, name, messagesAtOnce, cursor)
		if err != nil {
			return nil, err
		}
		for _, o := range outs {
			if q.Run != "" && o.Run != q.Run {
				continue
			}
			d := ofOut(o)
			d.State, d.Due, d.Reason, d.Error = Queued, o.Due, o.Reason, o.Error
			if o.Attempts > 0 {
				d.State = Retrying
			}
			if !state.Parked.IsZero() {
				d.State = Parked
			}
			if state.NotBefore.After(d.Due) {
				d.Due, d.Reason, d.Error = state.NotBefore, cmp.Or(d.Reason, state.Reason), cmp.Or(d.Error, state.Error)
			}
			all = append(all, d)
		}
		if cursor = more; cursor == "" {
			break
		}
	}
	messages, err := c.store.Messages(ctx, name, q.Since, q.Limit)
	if err != nil {
		return nil, err
	}
	for _, m := range messages {
		for _, o := range m.Outs {
			if q.Run != "" && o.Run != q.Run {
				continue
			}
			d := ofOut(o)
			d.State, d.Reason, d.Error, d.Ended, d.Ref, d.Message = State(m.State), m.Reason, m.Error, m.Time, m.Ref, m
			all = append(all, d)
		}
	}
	return all, nil
}

func ofOut(o store.Out) Delivery {
	return Delivery{ID: o.ID(), Source: o.Source, Channel: o.Channel, EventID: o.Event, Run: o.Run, Title: o.Title, Attempts: o.Attempts, Happened: o.Time,
		Stored: o.Stored, History: o.History, Out: o}
}

// Settle looks when this courier has done something, and now and then whatever others do: soon at first, then less often, since a look
// takes time that whoever sends could use.
const (
	glance     = 20 * time.Millisecond
	slowGlance = 200 * time.Millisecond
)

// Settle returns the deliveries of a run when all of them have ended, when those that have not are not tried again within the time, or
// when that time or the context has ended. Somebody else does the work: Keep, in this process or another.
func (c *Courier) Settle(ctx context.Context, id run.ID, launched time.Time, within time.Duration) ([]Delivery, error) {
	deadline := c.store.Now().Add(within)
	background := context.WithoutCancel(ctx)
	ctx, stop := context.WithTimeout(ctx, within)
	defer stop()
	for wait := glance; ; wait = min(2*wait, slowGlance) {
		next := c.next()
		list, err := c.Deliveries(background, Query{Run: id, Since: launched})
		if err != nil {
			return nil, err
		}
		waits := slices.ContainsFunc(list, func(d Delivery) bool { return !d.State.Ended() && !d.Due.After(deadline) })
		if !waits || ctx.Err() != nil {
			return list, nil
		}
		select {
		case <-next:
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}

// Content returns what a delivery says, on the rung that was sent or is sent next. It is empty for one that is evaluated, and for one that
// said nothing.
func (c *Courier) Content(ctx context.Context, d Delivery) (notify.Content, error) {
	if d.ID == "" {
		return notify.Content{}, nil
	}
	body, err := d.Message.Body, error(nil)
	if len(body) == 0 {
		body, err = c.store.MessageBody(ctx, d.Out)
	}
	if err != nil || len(body) == 0 {
		return notify.Content{}, err
	}
	p, err := c.packer.unpack(body)
	if err != nil {
		return notify.Content{}, fault.Wrap(fault.Corrupt, "message "+d.ID, err)
	}
	return p.Rungs[min(max(d.Out.Rung, d.Message.Rung), len(p.Rungs)-1)], nil
}

// Again has deliveries that were given up tried once more, as if they were new, and those that wait tried at once. The caller then
// calls Once.
func (c *Courier) Again(ctx context.Context, list []Delivery) error {
	for _, d := range list {
		var err error
		switch {
		case d.State == Dead && d.ID != "":
			err = c.store.Revive(ctx, d.Message)
		case d.ID == "":
			err = c.store.ReviveEvent(ctx, d.event)
		default:
			err = c.store.Hurry(ctx, d.Out)
		}
		if err != nil {
			return err
		}
		if d.Channel != "" {
			if err := c.Unhold(ctx, d.Channel); err != nil {
				return err
			}
		}
	}
	return nil
}

// Unhold lets a channel send at once that waits, or is parked. Where another process owns it, that one decides.
func (c *Courier) Unhold(ctx context.Context, name string) error {
	return c.store.UnholdChannel(ctx, name)
}
