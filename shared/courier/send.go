package courier

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"waggle/shared/fault"
	"waggle/shared/notify"
	"waggle/shared/store"
)

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
				o.Title, o.Body, o.Beside, o.Blob = p.Rungs[0].Line, d.kept(p), false, ""
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
	p = p.of(d.def.Kind)
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
		case o.OfStep():
			source = "step " + o.Source
		case o.OfAlerting():
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
			if told := d.opts.Concluded; told != nil {
				told(m)
			}
		}
		if !fault.Retryable(err) || d.lease.Stale() {
			return err
		}
		time.Sleep(wait)
	}
}
