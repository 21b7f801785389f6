package courier

import (
	"context"
	"time"

	"waggle/shared/notice"
	"waggle/shared/notify"
	"waggle/shared/store"
)

// park notes that the channel is broken: what waits stays, and is tried once an hour, or every five minutes where the channel lacks a
// setting. Its fallback, where it has one, is told once.
func (d *drainer) park(ctx context.Context, now time.Time, reason, text string) error {
	next, began := now.Add(probeParked).UTC(), false
	if reason == ReasonNotConfigured {
		next = now.Add(probeUnset).UTC()
	}
	d.lease.Update(func(ch *store.Channel) {
		if began = ch.Parked.IsZero(); began {
			ch.Parked = now.UTC()
		}
		ch.NotBefore, ch.Reason, ch.Error = next, reason, text
	})
	if !began || d.def.Fallback == nil {
		return nil
	}
	outs, more, err := d.store.Waiting(ctx, d.name, messagesAtOnce, "")
	if err != nil {
		return err
	}
	note := notice.Parked{Channel: d.name, Kind: string(d.def.Kind), Reason: reason, Error: text, Since: now, Waiting: len(outs), AndMore: more != "",
		Next: next, Place: d.opts.Place}
	if len(outs) > 0 {
		note.GiveUp = outs[0].Stored.Add(d.opts.KeepTrying)
	}
	return d.tell(ctx, d.def.Fallback, note, "channel "+d.name, "parked "+now.UTC().Format(time.RFC3339Nano))
}

// tell gives a channel a message about another one, or about a sensor, once for each call. It is not about a run, so that nothing follows
// from it.
func (c *Courier) tell(ctx context.Context, to *notify.Definition, m notify.Sendable, source, call string) error {
	p, err := c.render(m)
	if err != nil {
		return err
	}
	body, err := c.packer.pack(p.of(to.Kind))
	if err != nil {
		return err
	}
	_, err = c.store.PutCall(ctx, store.Out{Channel: to.Name, Time: c.store.Now().UTC().Truncate(time.Microsecond), Source: source, Call: call,
		Title: p.Rungs[0].Line, Body: body})
	c.Wake()
	return err
}
