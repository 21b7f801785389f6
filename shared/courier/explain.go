package courier

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"waggle/shared/event"
	"waggle/shared/fault"
	"waggle/shared/notify"
	"waggle/shared/owner"
	"waggle/shared/run"
	"waggle/shared/sensor"
	"waggle/shared/store"
)

// The reasons that are derived when somebody asks, besides those of the matcher and those that are stored.
const (
	// Of an event that matches.
	ReasonNotPublished = "not_published" // the run is not settled, or a tick still owes it: whoever looks next publishes it
	ReasonNotTold      = "not_told"      // it was published without a row for the sensor
	ReasonPending      = "pending"       // the sensor is not called yet
	ReasonWorking      = "working"       // somebody calls it now
	ReasonRetrying     = "retrying"      // it could not be evaluated and is tried again

	// Of a message that waits.
	ReasonRate    = "rate"    // the channel is sending as fast as it may
	ReasonWaiting = "waiting" // nobody has come to it
)

// What the run itself says to who was told.
const (
	NoteNoSensors   = "no_sensors" // definitions have none
	NoteNotEnded    = "not_ended"  // the run goes on
	NoteWillRetry   = "will_be_retried"
	NoteCanceled    = "canceled"
	NoteLogExpired  = "log_expired"   // events cannot be derived any more
	NoteMessageGone = "messages_gone" // rows of messages have expired
)

// Explanation is who was told of a run, and why others were not.
type Explanation struct {
	Run     run.Record
	Notes   []Note
	Sensors []Account // those of the definitions in their order, then others that have rows
	Steps   []Told    // messages that steps of the run gave, and those of whose event nothing is stored any more
}

// Note is what a run says of itself.
type Note struct{ Reason, Text string }

// Account is what a sensor made of a run.
type Account struct {
	Name      string
	Sensor    *sensor.Definition // nil: the definitions have none of this name
	Switch    store.Switch
	Decisions []Decision // one for each event, in the order of the log
}

// Decision is what became of an event with a sensor.
type Decision struct {
	Event  event.Event
	Reason string // the matcher's, where nothing is stored; one of Reasons
	Text   string // the reason in words
	Error  string // of the last call of its function

	Stored   bool // there is a row; the fields below are its
	State    store.EventState
	Attempts int
	Due      time.Time // when it is called again; zero: it has ended
	Ended    time.Time
	Given    int    // messages that its function gave
	Messages []Told // those of which something is stored
}

// Told is a message with its reason in words.
type Told struct {
	Delivery
	Text string
}

// mostMessages is how many messages of a channel since a run are looked through.
const mostMessages = 100_000

// Explain says of each sensor and each event of a run why the sensor was called or not, and what became of its messages. What is not
// stored it derives as the matcher would decide now. It stores nothing.
func (c *Courier) Explain(ctx context.Context, id run.ID) (Explanation, error) {
	fold, _, err := c.store.Fold(ctx, id)
	if err != nil {
		return Explanation{}, err
	}
	summary, err := c.store.Summary(ctx, id)
	if err != nil {
		return Explanation{}, err
	}
	x := Explanation{Run: fold.Record}
	var events []happened
	if !fold.Expired {
		if events, err = c.happened(ctx, id, fold.Record.Request); err != nil {
			return x, err
		}
	}
	late, err := c.lateTick(ctx, fold.Record, summary.Settled)
	if err != nil {
		return x, err
	}
	events = append(late, events...)
	messages, err := c.toldOf(ctx, fold.Record)
	if err != nil {
		return x, err
	}
	for _, s := range c.defs.Sensors {
		a, err := c.account(ctx, s.Definition().Name, id, events, summary.Settled, messages)
		if err != nil {
			return x, err
		}
		x.Sensors = append(x.Sensors, a)
	}
	others, err := c.otherSensors(ctx, id, messages)
	if err != nil {
		return x, err
	}
	for _, name := range others {
		a, err := c.account(ctx, name, id, nil, summary.Settled, messages)
		if err != nil {
			return x, err
		}
		x.Sensors = append(x.Sensors, a)
	}
	listed := map[string]bool{}
	for _, a := range x.Sensors {
		for _, d := range a.Decisions {
			for _, m := range d.Messages {
				listed[m.Channel+" "+m.ID] = true
			}
		}
	}
	for _, m := range messages {
		if !listed[m.Channel+" "+m.ID] {
			x.Steps = append(x.Steps, m)
		}
	}
	x.note(len(c.defs.Sensors) > 0, fold.Expired)
	return x, nil
}

// note adds what the run says of itself.
func (x *Explanation) note(sensors, expired bool) {
	add := func(is bool, reason string) {
		if is {
			x.Notes = append(x.Notes, Note{reason, inWords(runWords, reason)})
		}
	}
	gone := func(d Decision) bool { return len(d.Messages) < d.Given }
	add(!sensors, NoteNoSensors)
	add(expired, NoteLogExpired)
	add(!x.Run.Status.Terminal(), NoteNotEnded)
	add(x.Run.WillRetry, NoteWillRetry)
	add(x.Run.Status == run.Canceled, NoteCanceled)
	add(slices.ContainsFunc(x.Sensors, func(a Account) bool { return slices.ContainsFunc(a.Decisions, gone) }), NoteMessageGone)
}

// account is what the sensor with a name made of the events.
func (c *Courier) account(ctx context.Context, name string, id run.ID, events []happened, settled int64, messages []Told) (Account, error) {
	a := Account{Name: name, Sensor: c.defs.Sensor(name)}
	var err error
	if a.Switch, err = c.store.Switched(ctx, name); err != nil {
		return a, err
	}
	rows, err := c.store.SensorEventsOf(ctx, name, id)
	if err != nil {
		return a, err
	}
	for _, h := range events {
		if h.Type != event.TickMissed {
			continue // it is in the log of the run
		}
		row, err := c.store.SensorEvent(ctx, name, h.Event)
		switch {
		case err == nil:
			rows = append(rows, row)
		case !errors.Is(err, fault.NotFound):
			return a, err
		}
	}
	stored := map[int64]bool{}
	for _, row := range rows {
		stored[row.Event.Seq] = true
		d := stood(row, c.standing(row))
		for _, m := range messages {
			if m.Source == name && m.EventID == row.Event.ID {
				d.Messages = append(d.Messages, m)
			}
		}
		a.Decisions = append(a.Decisions, d)
	}
	for _, h := range events {
		if stored[h.Seq] {
			continue
		}
		reason := string(a.Sensor.Match(h.Event))
		switch {
		case reason == string(sensor.Matched) && h.chunk > settled:
			reason = ReasonNotPublished
		case reason == string(sensor.Matched):
			reason = ReasonNotTold
		}
		a.Decisions = append(a.Decisions, decided(a.Sensor, h.Event, reason))
	}
	slices.SortFunc(a.Decisions, func(a, b Decision) int { return cmp.Compare(a.Event.Seq, b.Event.Seq) })
	return a, nil
}

// standing is the reason of a stored event: the one with which it ended, or why it has not.
func (c *Courier) standing(row store.SensorEvent) string {
	switch {
	case row.State.Ended():
		return row.Reason
	case c.defs.Sensor(row.Sensor) == nil:
		return ReasonUnknownSensor
	case row.State == store.EventWorking && row.Due.After(c.store.Now()):
		return ReasonWorking
	case row.State == store.EventPending && row.Error != "":
		return ReasonRetrying
	default:
		return ReasonPending
	}
}

// otherSensors names those that have rows of a run or messages about it, and that the definitions do not have.
func (c *Courier) otherSensors(ctx context.Context, id run.ID, messages []Told) ([]string, error) {
	var names []string
	add := func(name string) {
		if c.defs.Sensor(name) == nil && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	rows, err := c.store.UnendedEvents(ctx, id)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		add(row.Sensor)
	}
	for _, m := range messages {
		if m.EventID != "" {
			add(m.Source)
		}
	}
	slices.Sort(names)
	return names, nil
}

// toldOf lists the messages about a run, oldest first, each with its reason: those of the channels in the definitions, and those that wait
// in others.
func (c *Courier) toldOf(ctx context.Context, record run.Record) ([]Told, error) {
	names, err := c.store.WaitingChannels(ctx)
	if err != nil {
		return nil, err
	}
	names = slices.DeleteFunc(names, func(name string) bool { return c.defs.Channel(name) != nil })
	for _, channel := range c.defs.Channels {
		names = append(names, channel.Definition().Name)
	}
	var all []Told
	for _, name := range names {
		list, err := c.ofChannel(ctx, name, Query{Run: record.ID, Since: record.Launched, Limit: mostMessages})
		if err != nil {
			return nil, err
		}
		if len(list) == 0 {
			continue
		}
		state, own, err := c.store.ChannelState(ctx, name)
		if err != nil {
			return nil, err
		}
		for _, d := range list {
			all = append(all, c.because(d, state, own))
		}
	}
	slices.SortStableFunc(all, func(a, b Told) int {
		return cmp.Or(a.Happened.Compare(b.Happened), cmp.Compare(a.Source, b.Source), cmp.Compare(a.Channel, b.Channel),
			cmp.Compare(len(a.Out.Call), len(b.Out.Call)), cmp.Compare(a.Out.Call, b.Out.Call)) // calls are numbers, or keys
	})
	return all, nil
}

// because is a delivery with its reason, also where none is stored with it.
func (c *Courier) because(d Delivery, state store.Channel, own owner.Ownership) Told {
	def, now := c.defs.Channel(d.Channel), c.store.Now()
	rate := ""
	if def != nil {
		rate = fmt.Sprintf("%g a second, %d at once after a pause", def.Limits.Rate, def.Limits.Burst)
	}
	if d.Reason == "" {
		switch {
		case d.State == Sent:
			d.Reason = string(notify.ReasonTaken)
		case def == nil:
			d.Reason = ReasonNoChannel
		case state.Reason == ReasonNoChannel:
			d.Reason, d.Error = state.Reason, state.Error
		case own.Held(now, c.store.Lease()) && !state.Budgeted.IsZero() && state.Budget+now.Sub(state.Budgeted).Seconds()*def.Limits.Rate < 1:
			d.Reason = ReasonRate // somebody drains it, and has used its rate up
		default:
			d.Reason = ReasonWaiting
		}
	}
	return Told{d, inWords(messageWords, d.Reason, "rate", rate)}
}
