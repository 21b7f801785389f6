package courier

import (
	"context"
	"slices"
	"time"

	"waggle/shared/event"
	"waggle/shared/fault"
	"waggle/shared/store"
)

const (
	owedAtOnce = 100 // rows whose events are looked at
	owedPart   = 25  // rows whose events are published together: what was taken counts
	// busPatience is how long one part may take: sensors and channels wait meanwhile.
	busPatience = 2 * time.Second
	// busRest is how long a bus that did not answer is left alone.
	busRest = 30 * time.Second
)

// hearer is to whom the rows of this deployment owe their events, and what publishes them; nil: they owe nothing.
func (c *Courier) hearer() (store.Hearer, func(context.Context, []event.Event) error) {
	switch {
	case c.opts.Bus != nil:
		return store.Bus, c.opts.Bus
	case c.defs.Sensors.HearTicks():
		return store.Here, c.Publish()
	}
	return "", nil
}

// publishOwed publishes the events that rows owe, and reports whether there were any. An error of the bus keeps nothing else from being
// done: it is tried again a while later, and until then the error is the same.
func (c *Courier) publishOwed(ctx context.Context) (published bool, err error) {
	to, publish := c.hearer()
	if publish == nil {
		return false, nil
	}
	if trouble := c.busRests(); trouble != nil {
		return false, trouble
	}
	rows, err := c.store.OwedEvents(ctx, to, owedAtOnce)
	if err != nil {
		return false, err
	}
	for part := range slices.Chunk(rows, owedPart) {
		var events []event.Event
		for _, row := range part {
			events = append(events, row.Events...)
		}
		bounded, stop := context.WithTimeout(ctx, busPatience)
		err := publish(bounded, events)
		stop()
		if err != nil {
			err = fault.Wrap(fault.CodeOf(err), "publish missed ticks and deliveries that failed", err)
			c.mu.Lock()
			c.busAfter, c.busTrouble = c.store.Now().Add(busRest), err
			c.mu.Unlock()
			return published, err
		}
		for _, row := range part {
			if err := c.store.Published(ctx, row); err != nil {
				return published, err
			}
			published = true
		}
	}
	return published, nil
}

// busRests returns why the bus is left alone for now; nil: it is not.
func (c *Courier) busRests() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.store.Now().Before(c.busAfter) {
		return c.busTrouble
	}
	return nil
}
