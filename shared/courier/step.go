package courier

import (
	"context"
	"strconv"
	"strings"
	"time"

	"waggle/shared/engine"
	"waggle/shared/fault"
	"waggle/shared/notify"
	"waggle/shared/store"
)

// Notify stores the messages of a step for their channels: give it to engine.Options. Without channels it is nil.
func (c *Courier) Notify() func(context.Context, engine.Call) (engine.Delivering, error) {
	if len(c.defs.Channels) == 0 {
		return nil
	}
	return func(ctx context.Context, call engine.Call) (engine.Delivering, error) {
		p, err := c.render(call.Message)
		if err != nil {
			return nil, err
		}
		name := strconv.Itoa(call.Number)
		if m, ok := call.Message.(notify.Message); ok && m.Key != "" {
			name = "key:" + m.Key
		}
		var outs []store.Out
		for _, channel := range call.Channels {
			if err := c.listed(channel); err != nil {
				return nil, err
			}
		}
		for _, channel := range call.Channels {
			body, err := c.packer.pack(p.of(channel.Definition().Kind))
			if err != nil {
				return nil, err
			}
			o, err := c.store.PutCall(ctx, store.Out{Channel: channel.Definition().Name, Time: c.store.Now().UTC().Truncate(time.Microsecond), Run: call.Run,
				Source: string(call.Step), Call: name, Title: p.Rungs[0].Line, Body: body})
			if err != nil {
				return nil, err
			}
			outs = append(outs, o)
		}
		c.Wake()
		return func(ctx context.Context) (string, error) { return c.await(ctx, outs) }, nil
	}
}

// listed returns the mistake that a channel is not in the definitions.
func (c *Courier) listed(channel *notify.Channel) error {
	if def := channel.Definition(); c.defs.Channel(def.Name) != def {
		return fault.New(fault.Invalid, "channel %q (%s) is not in Definitions.Channels", def.Name, def.Origin).WithHint("add it")
	}
	return nil
}

// await waits until messages have ended, and says how the one stands that is furthest from it. Somebody else sends: Keep, in this
// process or another.
func (c *Courier) await(ctx context.Context, outs []store.Out) (string, error) {
	background := context.WithoutCancel(ctx)
	for {
		state := Sent
		for _, o := range outs {
			now, waits, err := c.store.StillWaits(background, o)
			if err != nil {
				return "", err
			}
			if waits && now.Attempts > 0 {
				state = Retrying
			} else if waits && state == Sent {
				state = Queued
			}
		}
		if state == Sent {
			return strings.ToLower(string(Sent)), c.dead(background, outs)
		}
		select {
		case <-time.After(glance):
		case <-ctx.Done():
			return strings.ToLower(string(state)), nil
		}
	}
}

// dead returns why a message was given up, of those that no longer wait.
func (c *Courier) dead(ctx context.Context, outs []store.Out) error {
	for _, o := range outs {
		messages, err := c.store.Messages(ctx, o.Channel, o.Time, 10_000)
		if err != nil {
			return err
		}
		for _, m := range messages {
			for _, other := range m.Outs {
				if other.ID() == o.ID() && m.State == store.MessageDead {
					return fault.New(fault.Unavailable, "channel %q has given up message %s: %s %s", o.Channel, m.ID, m.Reason, m.Error).
						WithHint("`waggle deliveries retry %s` sends it again", m.ID)
				}
			}
		}
	}
	return nil
}
