package courier

import (
	"context"
	"errors"
	"time"

	"waggle/shared/event"
	"waggle/shared/fault"
	"waggle/shared/store"
)

const (
	// spare is what a promise to evaluate an event has besides the time that a function may take: for what is read and written around it, and
	// for the turns of those before it.
	spare = 10 * time.Second
	// heldAtOnce is how many events a courier holds: at 0.2 s each, the last has its turn within spare.
	heldAtOnce = 50
)

// promise is when an event is due again that somebody begins now, should they die.
func (c *Courier) promise() time.Duration { return c.opts.Handler + spare }

// Take stores events for the sensors that match them, as Publish does, for a caller that goes on with Once or Linger at once: this courier
// begins them in the write that stores them, and evaluates them before it asks what else is due. Should the caller die, or not go on, they are due
// again a call of a function later. The events of sensors that others call, and what is more than it can evaluate soon, are stored for anybody.
// After an error some are stored. Without sensors it does nothing.
func (c *Courier) Take(ctx context.Context, events ...event.Event) error {
	return c.publish(ctx, events, func(ctx context.Context, sensor string, events []event.Event) error {
		if c.opts.Calls != nil && !c.opts.Calls(sensor) {
			return c.store.PutEvents(ctx, sensor, events)
		}
		for i, e := range events {
			if c.holds() >= heldAtOnce {
				return c.store.PutEvents(ctx, sensor, events[i:])
			}
			row, err := c.store.PutBegun(ctx, sensor, e, c.promise())
			if errors.Is(err, fault.Conflict) {
				continue // it came before: its row brings it back
			}
			if err != nil {
				return err
			}
			c.hold(row)
		}
		return nil
	})
}

// hold keeps an event that this courier began until its turn comes.
func (c *Courier) hold(row store.SensorEvent) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held = append(c.held, row)
}

func (c *Courier) holds() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.held)
}

// takeHeld returns the event that was held longest; false: none is.
func (c *Courier) takeHeld() (row store.SensorEvent, found bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.held) == 0 {
		return row, false
	}
	row, c.held = c.held[0], c.held[1:]
	return row, true
}

// evaluateHeld evaluates the events that are held, and returns how many were still the caller's. Where the turn of one comes so late
// that its function could outlast the promise, it is begun anew: others may have taken it.
func (c *Courier) evaluateHeld(ctx context.Context) (int, error) {
	began := 0
	var known recent
	for ctx.Err() == nil {
		row, found := c.takeHeld()
		if !found {
			break
		}
		evaluate := c.evaluateBegun
		if row.Due.Sub(c.store.Now()) < c.opts.Handler {
			row.Attempts-- // its function was not called
			evaluate = c.evaluate
		}
		did, err := evaluate(ctx, row, &known)
		if err != nil {
			return began, err
		}
		if did {
			began++
		}
	}
	return began, nil
}
