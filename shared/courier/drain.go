package courier

import (
	"context"
	"errors"
	"fmt"
	"time"

	"waggle/shared/fault"
	"waggle/shared/notify"
	"waggle/shared/store"
)

// The reasons with which a message ends or waits, besides those that senders give.
const (
	ReasonGivenUp       = "given_up"       // tried for as long as the courier tries
	ReasonTooLarge      = "too_large"      // the channel refused it on every rung
	ReasonNoChannel     = "no_channel"     // Definitions have it no longer
	ReasonNotConfigured = "not_configured" // the channel lacks a setting, or it does not resolve
	ReasonUnreadable    = "unreadable"     // the stored message does not read back
)

// How long a channel waits.
const (
	probeParked = time.Hour        // a broken one is tried again
	probeUnset  = 5 * time.Minute  // and one that lacks a setting, which nobody need be asked for
	waitLeast   = time.Second      // after a send that failed; then a thirtieth of the time for which they fail
	waitMost    = 15 * time.Minute // and at most
	waitUnknown = 10 * time.Minute // for a process whose definitions have it
	waitSecret  = time.Minute      // where its secret is kept did not answer

	// laterRecipients is the first wait of recipients that are refused for now: greylisting lets them through after a few minutes.
	laterRecipients = 5 * time.Minute
)

// drain sends what waits in a channel, as its owner, in the order of what the messages tell of. It reports whether there was anything to do.
func (c *Courier) drain(ctx context.Context, name string) (bool, error) {
	// What is begun is ended: a send that is broken off may have arrived. The end of the context keeps the next from beginning.
	background := context.WithoutCancel(ctx)
	lease, err := c.store.AcquireChannel(background, name, c.opts.Worker)
	if errors.Is(err, fault.Conflict) {
		return false, nil // another process drains it, or did and died: it is due when its lease ends
	}
	if err != nil {
		return false, err
	}
	stop := c.heartbeat(lease)
	d := &drainer{Courier: c, name: name, lease: lease, room: c.store.Now()}
	due, err := d.run(ctx, background)
	stop()
	if errors.Is(err, fault.Lost) || errors.Is(err, fault.Conflict) {
		return d.did, nil // another process took over; what it finds, it sends
	}
	if err != nil && due.IsZero() {
		due = c.store.Now().Add(c.store.Lease())
	}
	if released := lease.Release(background, due); !errors.Is(released, fault.Lost) {
		err = errors.Join(err, released)
	}
	return d.did, err
}

// heartbeat renews the lease of a channel until the returned function is called.
func (c *Courier) heartbeat(lease *store.ChannelLease) (stop func()) {
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(c.store.Lease() / 5)
		defer ticker.Stop()
		for {
			select {
			case <-quit:
				return
			case <-ticker.C:
				_ = lease.Renew(context.Background()) // a lease that is not renewed gets stale, and the drainer sees that
			}
		}
	}()
	return func() {
		close(quit)
		<-done
	}
}

// drainer is the owner of a channel at work.
type drainer struct {
	*Courier
	name   string
	lease  *store.ChannelLease
	def    *notify.Definition
	sender notify.Sender
	did    bool // it had something to do

	more bool      // more waits than the page that it is at
	took bool      // entries, since the pass began
	room time.Time // when it last made room in the index
}

// run sends until nothing can be sent or the outer context ends, and returns when the channel is due again; zero: nothing waits.
func (d *drainer) run(outer, ctx context.Context) (time.Time, error) {
	now := d.store.Now()
	d.def = d.defs.Channel(d.name)
	if d.def == nil {
		for more := true; more && outer.Err() == nil; { // it is due when this one says, and hides no other meanwhile
			var err error
			if more, err = d.see(ctx); err != nil {
				return time.Time{}, err
			}
		}
		d.lease.Update(func(ch *store.Channel) {
			ch.Reason, ch.Error = ReasonNoChannel, fmt.Sprintf("no channel %q in the definitions of %s", d.name, d.opts.Worker)
		})
		return now.Add(waitUnknown), nil
	}
	sender, err := d.senderOf()
	switch {
	case fault.Retryable(err): // where its secret is kept does not answer
		if err := d.hold(ctx, notify.Answer{Kind: notify.Retry, Reason: notify.ReasonNoAnswer, After: waitSecret, Error: err.Error()}, now); err != nil {
			return time.Time{}, err
		}
	case err != nil:
		if err := d.park(ctx, now, ReasonNotConfigured, err.Error()); err != nil {
			return time.Time{}, err
		}
	}
	d.sender = sender
	if err == nil && d.lease.State().Reason == ReasonNotConfigured { // it is now
		d.lease.Update(func(ch *store.Channel) {
			ch.NotBefore, ch.Parked, ch.Reason, ch.Error = time.Time{}, time.Time{}, "", ""
		})
	}
	if err := d.store.FinishMessage(ctx, d.name); err != nil {
		return time.Time{}, err
	}
	for outer.Err() == nil {
		d.took = false
		next, err := d.pass(outer, ctx)
		if err != nil {
			return time.Time{}, err
		}
		if d.took || !next.IsZero() && !next.After(d.store.Now()) {
			continue
		}
		if next.IsZero() && d.did {
			return next, nil // all has left, and what came meanwhile was seen by nobody
		}
		took, err := d.see(ctx)
		if err != nil {
			return time.Time{}, err
		}
		if !took {
			return next, nil
		}
	}
	return d.store.Now(), nil
}

func (d *drainer) senderOf() (notify.Sender, error) {
	if d.opts.Sender == nil {
		return nil, fault.New(fault.Invalid, "this process has no senders")
	}
	return d.opts.Sender(d.def)
}

const messagesAtOnce = 100

// pass goes over what waits once, and returns when the soonest of what is left is due; zero: nothing is left.
func (d *drainer) pass(outer, ctx context.Context) (time.Time, error) {
	var next time.Time
	soonest := func(at time.Time) {
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	cursor := ""
	for {
		outs, more, err := d.store.Waiting(ctx, d.name, messagesAtOnce, cursor)
		if err != nil {
			return next, err
		}
		d.more = more != ""
		d.look(outs)
		for _, o := range outs {
			now := d.store.Now()
			if until := d.lease.State().NotBefore; until.After(now) {
				if gone, err := d.giveUp(ctx, o, now); err != nil {
					return next, err
				} else if !gone {
					soonest(until) // what is behind it came later
					return next, nil
				}
				continue
			}
			if o.Due.After(now) {
				soonest(o.Due)
				continue
			}
			crowded := d.crowded(now)
			// Recipients whose server said "later" get it also where it says nothing new by now.
			out, err := d.outcomeOf(ctx, o, crowded || o.Together || len(o.To) > 0)
			if err != nil {
				return next, err
			}
			if out.folded != "" {
				d.did = true
				if err := d.conclude(ctx, o, out, store.Message{State: store.MessageFolded, Reason: out.folded}); err != nil {
					return next, err
				}
				continue
			}
			if err := d.spend(outer, ctx); err != nil {
				soonest(d.store.Now())
				return next, nil // the context has ended
			}
			if with := d.leavesWith(o, crowded); with != nil {
				batches, err := d.gather(ctx, with)
				if err != nil {
					return next, err
				}
				if len(batches) > 0 {
					again, err := d.deliverAll(outer, ctx, batches)
					if again.IsZero() {
						again = d.store.Now() // what was not in them is looked at anew
					}
					return again, err
				}
			}
			again, err := d.deliver(ctx, o, out)
			if err != nil {
				return next, err
			}
			if !again.IsZero() {
				soonest(again)
			}
		}
		if cursor = more; cursor == "" {
			return next, nil
		}
	}
}

// giveUp ends a message that has waited for too long, and reports whether it did.
func (d *drainer) giveUp(ctx context.Context, o store.Out, now time.Time) (bool, error) {
	if now.Sub(o.Stored) < d.opts.KeepTrying {
		return false, nil
	}
	d.did = true
	return true, d.conclude(ctx, o, outcome{}, store.Message{State: store.MessageDead, Reason: ReasonGivenUp, Error: d.lease.State().Error})
}

// budget is how many messages the channel takes at once now.
func (d *drainer) budget(ch *store.Channel, now time.Time) float64 {
	if ch.Budgeted.IsZero() || now.Before(ch.Budgeted) {
		return float64(d.def.Limits.Burst)
	}
	return min(float64(d.def.Limits.Burst), ch.Budget+now.Sub(ch.Budgeted).Seconds()*d.def.Limits.Rate)
}

// spend takes one from the channel's rate, and waits while there is none.
func (d *drainer) spend(outer, ctx context.Context) error {
	d.makeRoom(ctx)
	for outer.Err() == nil && !d.opts.NoRate {
		var wait time.Duration
		now := d.store.Now()
		d.lease.Update(func(ch *store.Channel) {
			budget := d.budget(ch, now)
			if budget < 1 {
				wait = time.Duration((1 - budget) / d.def.Limits.Rate * float64(time.Second))
			} else {
				budget--
			}
			ch.Budget, ch.Budgeted = budget, now.UTC()
		})
		if wait == 0 {
			return nil
		}
		timer := time.NewTimer(wait + time.Millisecond)
		select {
		case <-timer.C:
		case <-outer.Done():
			timer.Stop()
		}
	}
	return outer.Err()
}
