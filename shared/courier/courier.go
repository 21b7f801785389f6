// Package courier brings what sensors have to say to its readers: it takes the events of runs, calls the sensors that match, and sends
// what they give to channels until it has arrived.
//
// An event is evaluated, and a message sent, at least once. What can repeat a message is a process that dies, or a server that breaks off,
// between a send and the row that says so.
//
// It knows no service: senders come with the Options. It imports asset, duration, engine, event, fault, job, notice, notify, owner,
// report, run, runlog, sensor, store and waggle of ours.
package courier

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"waggle/shared/event"
	"waggle/shared/fault"
	"waggle/shared/notice"
	"waggle/shared/notify"
	"waggle/shared/run"
	"waggle/shared/sensor"
	"waggle/shared/store"
	"waggle/shared/waggle"
)

// Courier works for one deployment. It is safe for several goroutines, and any number of them may share a store.
type Courier struct {
	store  *store.Store
	defs   waggle.Definitions
	opts   Options
	wake   chan struct{}
	packer packer

	drains sync.WaitGroup // goroutines that drain a channel

	mu    sync.Mutex
	polls map[string]time.Time // when a polled sensor is looked at again
	// busAfter is when the bus is tried again, and busTrouble why it was left alone.
	busAfter   time.Time
	busTrouble error
	held       []store.SensorEvent // that Take began and whose turn has not come, oldest first
	filled     []string            // channels in which something waits and that are not looked after yet
	draining   map[string]bool     // channels that one of them drains
	sent       bool                // one of them had something to do
	tally      Tally
	counted    chan struct{} // closed when the tally changes, and made anew
	troubles   []error
}

// Options are the optional parts of a courier. The zero value and nil mean all defaults.
type Options struct {
	// Sender returns what sends to a channel. Nil, or an error: the channel is parked, and says why.
	Sender func(*notify.Definition) (notify.Sender, error)
	// Look is how often the store is asked what other processes have left. Defaults to 1 s.
	Look time.Duration
	// Handler is how long a sensor's function may take. Defaults to 50 s.
	Handler time.Duration
	// Evaluations is how often an event is evaluated before it is given up. Defaults to 6: the last about an hour after the first.
	Evaluations int
	// KeepTrying is how long a message is tried before it is given up. Defaults to 7 days.
	KeepTrying time.Duration
	// Place is what reports say of the deployment. The zero value is a laptop's: no links, times in UTC.
	Place notice.Place
	// Polls has the courier call the polled sensors.
	Polls bool
	// Calls chooses the sensors that the courier calls, by name; it stores events for all of them. Nil: every sensor.
	Calls func(sensor string) bool
	// Launched is called for each run that a polled sensor has launched, at least once. Nil: whoever looks after what is due finds it.
	Launched func(context.Context, run.ID) error
	// Bus publishes what rows owe: ticks that were missed, deliveries that were given up. Where it is set, the rows that this courier
	// writes owe their events to it. Whoever launches ticks has a store that owes as well: see store.Owing. Nil: there is no bus, as on a
	// laptop, and rows owe nothing but what sensors of missed ticks are called for.
	Bus func(context.Context, []event.Event) error
	// Concluded is told of each message that this courier sent, folded or gave up, once that is stored. Nil: nobody is.
	Concluded func(store.Message)
	// NoRate is for tests: messages leave as fast as they are taken, whatever the rate of their channel.
	NoRate bool
	// Worker names this process to people. Defaults to "unknown".
	Worker string
}

// New returns a courier.
func New(s *store.Store, defs waggle.Definitions, opts *Options) *Courier {
	c := &Courier{store: s, defs: defs, wake: make(chan struct{}, 1), packer: newPacker(), draining: map[string]bool{}, polls: map[string]time.Time{}, counted: make(chan struct{})}
	if opts != nil {
		c.opts = *opts
	}
	if c.opts.Bus != nil {
		c.store = s.Owing(store.Bus, nil)
	}
	fill(&c.opts.Look, time.Second)
	fill(&c.opts.Handler, 50*time.Second)
	fill(&c.opts.Evaluations, 6)
	fill(&c.opts.KeepTrying, 7*24*time.Hour)
	fill(&c.opts.Worker, "unknown")
	return c
}

func fill[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Publish stores events for the sensors that match them, and wakes those who evaluate. It is the bus of a laptop: give it to
// engine.Options. Without sensors it is nil.
func (c *Courier) Publish() func(context.Context, []event.Event) error {
	if len(c.defs.Sensors) == 0 {
		return nil
	}
	return func(ctx context.Context, events []event.Event) error {
		return c.publish(ctx, events, c.store.PutEvents)
	}
}

// publish stores events for the sensors that match them by put, and wakes those who evaluate.
func (c *Courier) publish(ctx context.Context, events []event.Event, put func(ctx context.Context, sensor string, events []event.Event) error) error {
	stored := false
	for _, s := range c.defs.Sensors {
		def := s.Definition()
		var matching []event.Event
		for _, e := range events {
			hears, err := c.hears(ctx, def, e)
			if err != nil {
				return err
			}
			if hears {
				matching = append(matching, e)
			}
		}
		if len(matching) == 0 {
			continue
		}
		if err := put(ctx, def.Name, matching); err != nil {
			return err
		}
		stored = true
	}
	if stored {
		c.Wake()
	}
	return nil
}

// hears reports whether an event is to be stored for a sensor: one that it is called for, or that ends what it told of. A failure that is
// told only after this looked asks itself whether the job works again: see follow.
func (c *Courier) hears(ctx context.Context, def *sensor.Definition, e event.Event) (bool, error) {
	switch def.Match(e) {
	case sensor.Matched:
		return true, nil
	case sensor.Resolves:
		channels, err := c.store.Awaiting(ctx, def.Name, subjectOf(e.Job))
		return len(channels) > 0, err
	}
	return false, nil
}

// Tally is what a courier has done.
type Tally struct{ Evaluated, Sent, Dead, Launched int }

// Tally returns what the courier has done so far: events that it evaluated to their end, messages that it sent or gave up,
// runs that it launched for polled sensors.
func (c *Courier) Tally() Tally {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.tally
}

func (c *Courier) count(add func(*Tally)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	add(&c.tally)
	close(c.counted)
	c.counted = make(chan struct{})
}

// next is closed when this courier has next evaluated an event, or sent a message or given it up.
func (c *Courier) next() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.counted
}

// Wake has Keep look at once.
func (c *Courier) Wake() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

const (
	eventsAtOnce   = 100
	channelsAtOnce = 100
)

// Once does what is due: it publishes what rows owe, evaluates events and drains channels, side by side, until nothing is due any more.
// What failed is due again later. A bus that does not answer is an error at the end. It ends early when the context ends.
func (c *Courier) Once(ctx context.Context) error {
	defer c.drains.Wait()
	var unpublished error
	for ctx.Err() == nil {
		published := false
		if c.holds() == 0 { // people do not wait for a bus
			var err error
			published, err = c.publishOwed(ctx)
			unpublished = cmp.Or(unpublished, err)
		}
		progress, err := c.step(ctx)
		if err != nil {
			return err
		}
		c.drains.Wait()
		sent, err := c.drained()
		if err != nil {
			return err
		}
		if !progress && !sent && !published {
			return unpublished
		}
	}
	return fault.Wrap(fault.Canceled, "deliver", context.Cause(ctx))
}

// Linger does what is due, and what comes to be due within a time of that, until nothing is left of it or the context ends; both are no
// error. It is Keep for a process that is paid by the second.
func (c *Courier) Linger(ctx context.Context, within time.Duration) error {
	for idle := lingerLeast; ctx.Err() == nil; idle = min(2*idle, lingerMost) {
		before := c.Tally()
		if err := c.Once(ctx); err != nil && ctx.Err() == nil {
			return err
		}
		if c.Tally() != before {
			idle = lingerLeast
		}
		next, err := c.store.NextAlert(context.WithoutCancel(ctx), c.opts.Calls)
		wait := next.Sub(c.store.Now())
		if err != nil || next.IsZero() || wait > within {
			return err
		}
		select {
		case <-time.After(max(wait, idle)):
		case <-ctx.Done():
		}
	}
	return nil
}

// What is due and in the hands of another, who may be dead, is asked for at growing distances while nothing comes of it.
const (
	lingerLeast = 100 * time.Millisecond
	lingerMost  = 5 * time.Second
)

// Keep does what is due until the context ends, at once when something was published in this process. tell is told of trouble, once
// while it lasts; the work goes on.
func (c *Courier) Keep(ctx context.Context, tell func(error)) {
	defer c.drains.Wait()
	var last string
	for ctx.Err() == nil {
		published, owedErr := c.publishOwed(ctx)
		progress, err := c.step(ctx)
		sent, drainErr := c.drained()
		err = errors.Join(err, drainErr)
		switch trouble := errors.Join(owedErr, err); {
		case trouble == nil || ctx.Err() != nil:
			last = ""
		case trouble.Error() != last:
			last = trouble.Error()
			tell(trouble)
		}
		if err == nil && (progress || sent || published) {
			continue
		}
		timer := time.NewTimer(c.pause(ctx))
		select {
		case <-c.wake:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// pause is how long nothing is to be done that this process knows of. What is due and was left is in the hands of another.
func (c *Courier) pause(ctx context.Context) time.Duration {
	next, err := c.store.NextAlert(ctx, c.opts.Calls)
	if wait := next.Sub(c.store.Now()); err == nil && wait > 0 {
		return min(c.opts.Look, wait)
	}
	return c.opts.Look
}

// step evaluates the events that are held, or where there are none those that are due, and starts to drain the channels in which something
// waits. It reports whether it evaluated any.
func (c *Courier) step(ctx context.Context) (bool, error) {
	if evaluated, err := c.evaluateHeld(ctx); evaluated > 0 || err != nil {
		c.startDrains(ctx) // what else is due is asked for by the next step
		return evaluated > 0, err
	}
	if err := c.tickPolls(ctx); err != nil {
		return false, err
	}
	evaluated, err := c.evaluateDue(ctx)
	if err == nil {
		var due []string
		due, err = c.store.DueChannels(ctx, channelsAtOnce)
		for _, name := range due {
			c.addFilled(name)
		}
	}
	c.startDrains(ctx)
	return evaluated > 0, err
}

// evaluateDue evaluates the events that are due, and returns how many it began.
func (c *Courier) evaluateDue(ctx context.Context) (int, error) {
	due, err := c.store.DueEvents(ctx, eventsAtOnce, c.opts.Calls)
	if err != nil {
		return 0, err
	}
	began := 0
	var known recent
	for _, row := range due {
		if ctx.Err() != nil {
			return began, nil
		}
		did, err := c.evaluate(ctx, row, &known)
		if err != nil {
			return began, err
		}
		if did {
			began++
		}
	}
	return began, nil
}
