package courier

import (
	"context"
	"errors"
	"slices"

	"waggle/shared/store"
)

// Channels are drained side by side, each by one goroutine of a courier.

// gave notes that messages were given to channels: those are looked after without asking an index, which may lag.
func (c *Courier) gave(outs []store.Out) {
	for _, o := range outs {
		c.addFilled(o.Channel)
	}
}

// addFilled notes that something waits in a channel.
func (c *Courier) addFilled(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !slices.Contains(c.filled, name) {
		c.filled = append(c.filled, name)
	}
}

func (c *Courier) takeFilled() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	filled := c.filled
	c.filled = nil
	return filled
}

// startDrains starts to drain the channels in which something waits, but those that a goroutine of this courier drains already.
func (c *Courier) startDrains(ctx context.Context) {
	for _, name := range c.takeFilled() {
		if !c.claim(name) {
			continue
		}
		c.drains.Go(func() {
			did, err := c.drain(ctx, name)
			c.mu.Lock()
			delete(c.draining, name)
			c.sent = c.sent || did
			c.troubles = append(c.troubles, err)
			c.mu.Unlock()
			if did {
				c.Wake() // what came meanwhile is looked at
			}
		})
	}
}

// drained reports whether a channel had something to do since the last call, and what went wrong.
func (c *Courier) drained() (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	sent, err := c.sent, errors.Join(c.troubles...)
	c.sent, c.troubles = false, nil
	return sent, err
}

// claim reports whether the caller is to drain a channel: no other goroutine of this courier does.
func (c *Courier) claim(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.draining[name] {
		return false
	}
	c.draining[name] = true
	return true
}
