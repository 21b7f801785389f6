package courier

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
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
	waitLeast   = time.Second      // after a send that failed; then a thirtieth of the time for which they fail
	waitMost    = 15 * time.Minute // and at most
	waitUnknown = 10 * time.Minute // for a process whose definitions have it

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
	d := &drainer{Courier: c, name: name, lease: lease}
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
}

// run sends until nothing can be sent or the outer context ends, and returns when the channel is due again; zero: nothing waits.
func (d *drainer) run(outer, ctx context.Context) (time.Time, error) {
	now := d.store.Now()
	d.def = d.defs.Channel(d.name)
	if d.def == nil {
		if err := d.noteInbox(ctx); err != nil {
			return time.Time{}, err
		}
		d.lease.Update(func(ch *store.Channel) {
			ch.Reason, ch.Error = ReasonNoChannel, fmt.Sprintf("no channel %q in the definitions of %s", d.name, d.opts.Worker)
		})
		return now.Add(waitUnknown), nil
	}
	sender, err := d.senderOf()
	if err != nil {
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
		inbox, err := d.store.Inbox(ctx, d.name)
		if err != nil {
			return time.Time{}, err
		}
		next, err := d.pass(outer, ctx)
		if err != nil {
			return time.Time{}, err
		}
		err = d.store.EmptyInbox(ctx, d.name, inbox)
		if errors.Is(err, fault.Conflict) {
			continue // a message came meanwhile
		}
		if err != nil || next.IsZero() || next.After(d.store.Now()) {
			return next, err
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

// noteInbox says that what waits was seen.
func (d *drainer) noteInbox(ctx context.Context) error {
	inbox, err := d.store.Inbox(ctx, d.name)
	if err != nil {
		return err
	}
	if err = d.store.EmptyInbox(ctx, d.name, inbox); errors.Is(err, fault.Conflict) {
		return nil
	}
	return err
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
			if err := d.spend(outer); err != nil {
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
func (d *drainer) spend(ctx context.Context) error {
	for ctx.Err() == nil && !d.opts.NoRate {
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
		case <-ctx.Done():
			timer.Stop()
		}
	}
	return ctx.Err()
}

// deliver tries to send a message once, or on smaller rungs, and stores what came of it before anything else is sent. It returns when the
// message is due again; zero: it is done with.
func (d *drainer) deliver(ctx context.Context, o store.Out, out outcome) (time.Time, error) {
	d.did = true
	p, own, err := d.write(ctx, o, out)
	if err != nil && fault.Retryable(err) {
		return time.Time{}, err
	}
	if err != nil || len(p.Rungs) == 0 {
		return time.Time{}, d.conclude(ctx, o, outcome{}, store.Message{State: store.MessageDead, Reason: ReasonUnreadable, Error: fmt.Sprint(err)})
	}
	for {
		if err := d.stillOwner(ctx); err != nil {
			return time.Time{}, err
		}
		content := p.Rungs[min(o.Rung, len(p.Rungs)-1)]
		if len(o.To) > 0 {
			content.To = o.To
		}
		answer, try := d.send(ctx, o.ID(), content, out.place(), o)
		now := d.store.Now()
		o.Tried(try)
		switch answer.Kind {
		case notify.Sent, notify.Recipient:
			d.works()
			if !own {
				o.Title, o.Body, o.Blob = p.Rungs[0].Line, d.kept(p), ""
			}
			return d.arrived(ctx, o, out, answer, now)
		case notify.Smaller:
			if o.Rung++; o.Rung >= len(p.Rungs) {
				return time.Time{}, d.conclude(ctx, o, outcome{}, store.Message{State: store.MessageDead, Reason: ReasonTooLarge, Error: answer.Error})
			}
			continue
		}
		if len(o.To) > 0 && len(answer.Later) > 0 { // they still wait; the channel itself works
			return d.arrived(ctx, o, out, answer, now)
		}
		return d.postpone(ctx, o, answer, now)
	}
}

// maxKept is how many bytes of a message that was written anew stay with its record; of a larger one, the smaller rungs stay.
const maxKept = 64 << 10

// kept is a message as its record keeps it; nil where that has no room for it.
func (d *drainer) kept(p payload) []byte {
	body, err := d.packer.pack(p)
	if err == nil && len(body) > maxKept {
		p.Rungs = append([]notify.Content{p.Rungs[1]}, p.Rungs[1:]...)
		body, err = d.packer.pack(p)
	}
	if err != nil || len(body) > maxKept {
		return nil
	}
	return body
}

// stillOwner reports that another process may own the channel by now: this one slept. Where nobody took over, it may go on.
func (d *drainer) stillOwner(ctx context.Context) error {
	if !d.lease.Stale() {
		return nil
	}
	return d.lease.Renew(ctx)
}

// send tries once to send what outs say.
func (d *drainer) send(ctx context.Context, key string, content notify.Content, t notify.Thread, outs ...store.Out) (notify.Answer, store.SendAttempt) {
	if content.Footer == "" && d.def.Kind == notify.KindMail {
		content.Footer = d.footer(outs)
	}
	began := d.store.Now()
	answer := d.sender.Send(ctx, key, content, t)
	return answer, store.SendAttempt{Time: began.UTC(), DurationMS: float64(d.store.Now().Sub(began).Microseconds()) / 1000, Answer: string(answer.Kind),
		Reason: string(answer.Reason), Error: answer.Error, Ambiguous: answer.Ambiguous}
}

// footer says why people get a mail: who gave it to the channel.
func (d *drainer) footer(outs []store.Out) string {
	var sources []string
	for _, o := range outs {
		source := "sensor " + o.Source
		switch {
		case o.Event == "" && o.Run != "":
			source = "step " + o.Source
		case o.Run == "":
			source = o.Source + ", whose fallback this is," // "channel pager"
		}
		if !slices.Contains(sources, source) {
			sources = append(sources, source)
		}
	}
	return fmt.Sprintf("You get this because %s told channel %s.", strings.Join(sources, " and "), d.name)
}

// works says that the channel took a message. What had waited while it was broken is named together.
func (d *drainer) works() {
	d.lease.Update(func(ch *store.Channel) {
		ch.Failures, ch.Parked, ch.NotBefore, ch.Reason, ch.Error = 0, time.Time{}, time.Time{}, "", ""
	})
}

// arrived stores that somebody got the message. Recipients whose server said "later" wait for it by themselves: the others must not get it
// again, and the channel goes on meanwhile. It returns when that is due; zero: the message is done with.
func (d *drainer) arrived(ctx context.Context, o store.Out, out outcome, answer notify.Answer, now time.Time) (time.Time, error) {
	o.Refused = append(o.Refused, answer.Refused...)
	if len(answer.Later) > 0 && now.Sub(o.Stored) < d.opts.KeepTrying {
		o.To, o.Due = answer.Later, now.Add(backoff(o.Attempts, laterRecipients, time.Hour, 2)).UTC()
		_, err := d.store.Postpone(ctx, o)
		return o.Due, err
	}
	return time.Time{}, d.conclude(ctx, o, out, store.Message{State: store.MessageSent, Ref: answer.Ref, Where: answer.Where, Refused: slices.Concat(o.Refused, answer.Later),
		Reason: string(answer.Reason), Error: answer.Error, Note: answer.Note})
}

// postpone stores that a message could not be sent, and holds the channel back: what is behind it would most likely fare the same, and
// would overtake it. It returns when it is tried again.
func (d *drainer) postpone(ctx context.Context, o store.Out, answer notify.Answer, now time.Time) (time.Time, error) {
	if now.Sub(o.Stored) >= d.opts.KeepTrying {
		return time.Time{}, d.conclude(ctx, o, outcome{}, store.Message{State: store.MessageDead, Reason: ReasonGivenUp, Error: answer.Error})
	}
	if err := d.hold(ctx, answer, now); err != nil {
		return time.Time{}, err
	}
	// One message that fails again and again must not stop all others for a week. Where others fail as well, it is not the message.
	if answer.Kind == notify.Retry && answer.After <= 0 && o.Attempts >= patience && d.lease.State().Failures <= 2*patience {
		o.Due = now.Add(backoff(o.Attempts-patience+1, time.Minute, time.Hour, 2)).UTC()
		d.lease.Update(func(ch *store.Channel) { ch.NotBefore = now.Add(waitLeast).UTC() })
	}
	_, err := d.store.Postpone(ctx, o)
	again := d.lease.State().NotBefore
	if o.Due.After(again) {
		again = o.Due
	}
	return again, err
}

// hold keeps the channel from sending for a time, or parks it.
func (d *drainer) hold(ctx context.Context, answer notify.Answer, now time.Time) error {
	if answer.Kind == notify.Park {
		return d.park(ctx, now, string(answer.Reason), answer.Error)
	}
	d.lease.Update(func(ch *store.Channel) {
		if ch.Failures++; ch.Failures == 1 {
			ch.Failing = now.UTC()
		}
		wait := answer.After
		if wait <= 0 {
			wait = min(waitMost, max(waitLeast, now.Sub(ch.Failing)/30))
		}
		ch.NotBefore, ch.Reason, ch.Error = now.Add(wait).UTC(), string(answer.Reason), answer.Error
	})
	return nil
}

// patience is how often a message is tried before others overtake it.
const patience = 6

// conclude stores how a message ended, and what the channel was told by it. One that some recipients got was sent, whatever became of the
// others.
func (d *drainer) conclude(ctx context.Context, o store.Out, out outcome, m store.Message) error {
	if len(o.To) > 0 && m.State == store.MessageDead {
		m.State, m.Refused = store.MessageSent, slices.Concat(o.Refused, o.To)
	}
	m.ID, m.Rung, m.Outs = o.ID(), o.Rung, []store.Out{o}
	m.Decision = out.decision
	return d.concludeAll(ctx, m, out.told(m.Ref)...)
}

func (d *drainer) concludeAll(ctx context.Context, m store.Message, threads ...store.Thread) error {
	m.Channel, m.Time = d.name, d.store.Now().UTC()
	for wait := 5 * time.Millisecond; ; wait = min(2*wait, 500*time.Millisecond) {
		err := d.store.Conclude(ctx, m, threads...)
		if err == nil {
			d.count(func(t *Tally) {
				switch m.State {
				case store.MessageSent:
					t.Sent++
				case store.MessageDead:
					t.Dead++
				}
			})
		}
		if !fault.Retryable(err) || d.lease.Stale() {
			return err
		}
		time.Sleep(wait)
	}
}
