package courier

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"waggle/shared/duration"
	"waggle/shared/fault"
	"waggle/shared/notice"
	"waggle/shared/notify"
	"waggle/shared/report"
	"waggle/shared/run"
	"waggle/shared/store"
)

// crowd is how long after its rate was used up a channel names every failure, also those that say nothing new.
const crowd = 10 * time.Second

// digestible reports whether a message may leave together with others: it is a report, and all of its recipients wait for it.
func digestible(o store.Out, now time.Time) bool {
	return o.About != nil && len(o.To) == 0 && !o.Due.After(now)
}

// leavesWith says which others leave with a message, in one; nil: it leaves alone.
func (d *drainer) leavesWith(o store.Out, crowded bool) func(store.Out) bool {
	now := d.store.Now()
	switch {
	case o.Together && len(o.To) == 0:
		return func(other store.Out) bool {
			return other.Together && other.Source == o.Source && len(other.To) == 0 && !other.Due.After(now)
		}
	case crowded && digestible(o, now):
		return func(other store.Out) bool { return digestible(other, now) }
	}
	return nil
}

// look has a channel in which more reports wait than may leave at once name them together from the first on.
func (d *drainer) look(outs []store.Out) {
	now := d.store.Now()
	n := 0
	for _, o := range outs {
		if digestible(o, now) {
			n++
		}
	}
	if n > d.def.Limits.Burst {
		d.lease.Update(func(ch *store.Channel) { ch.Crowded = now.Add(crowd).UTC() })
	}
}

// crowded reports whether there are more reports than the channel takes, or were a moment ago, or some have waited for a broken channel.
func (d *drainer) crowded(now time.Time) bool {
	if d.opts.NoRate {
		return false
	}
	yes := false
	d.lease.Update(func(ch *store.Channel) {
		if d.budget(ch, now) < 1 {
			ch.Crowded = now.Add(crowd).UTC()
		}
		yes = now.Before(ch.Crowded) || !ch.Parked.IsZero()
	})
	return yes
}

// batch is what leaves as one message.
type batch struct {
	outs     []store.Out
	message  notify.Sendable
	decision string
}

// mostGathered is how many waiting messages are read for digests; the next pass reads on.
const mostGathered = 20_000

// gather makes messages of those that wait and are chosen; none: fewer than two wait.
func (d *drainer) gather(ctx context.Context, chosen func(store.Out) bool) ([]batch, error) {
	var waiting []store.Out
	words := false
	for cursor := ""; len(waiting) < mostGathered; {
		outs, more, err := d.store.Waiting(ctx, d.name, messagesAtOnce, cursor)
		if err != nil {
			return nil, err
		}
		for _, o := range outs {
			if !chosen(o) {
				continue
			}
			if words = words || o.About == nil; o.About != nil {
				o.Body = nil // thousands are held, and a digest needs none
			}
			waiting = append(waiting, o)
		}
		if cursor = more; cursor == "" {
			break
		}
	}
	switch {
	case len(waiting) < 2:
		return nil, nil
	case words:
		return d.join(ctx, waiting)
	}
	return d.digests(waiting), nil
}

// digests makes the messages of reports: each names its runs, and together they name all.
func (d *drainer) digests(outs []store.Out) []batch {
	items := make([]notice.Item, len(outs))
	of := map[run.ID][]store.Out{}
	for i, o := range outs {
		items[i] = notice.Item{Run: o.Run, Name: o.About.Name, Status: o.About.Status, Error: o.About.Error, Time: o.Time}
		of[o.Run] = append(of[o.Run], o)
	}
	late := fmt.Sprintf("They come together, as this channel takes %s.", d.rate())
	if outs[0].Together {
		late = fmt.Sprintf("They come together, as sensor %s tells no more often.", outs[0].Source)
	}
	parked := d.lease.State().Parked
	var list []batch
	for i, digest := range notice.Digests(items, late, d.opts.Place) {
		b := batch{message: digest, decision: DecisionDigest}
		if i == 0 && !parked.IsZero() {
			b.message = notice.CaughtUp{Channel: d.name, Since: parked, Until: d.store.Now(), Items: digest.Items, Place: d.opts.Place}
			b.decision = DecisionCaughtUp
		}
		for _, item := range digest.Items {
			b.outs = append(b.outs, of[item.Run]...)
			delete(of, item.Run) // a run that two sensors tell of is in one message
		}
		if len(b.outs) > 0 {
			list = append(list, b)
		}
	}
	return list
}

// joinedAtOnce is how many messages of their own leave as one.
const joinedAtOnce = 50

// join makes one message of several that have their own words, one after another, for the recipients of the first. The others are for the
// next pass.
func (d *drainer) join(ctx context.Context, waiting []store.Out) ([]batch, error) {
	var joined notify.Message
	b := batch{decision: DecisionDigest}
	for _, o := range waiting[:min(len(waiting), joinedAtOnce)] {
		p, _, err := d.write(ctx, o, outcome{})
		if fault.Retryable(err) {
			return nil, err
		}
		if err != nil || len(p.Rungs) == 0 || len(b.outs) > 0 && !slices.Equal(p.Rungs[0].To, joined.To) {
			continue // it goes by itself
		}
		c := p.Rungs[0].Filled()
		if len(b.outs) > 0 {
			joined.Text += "\n\n"
		}
		joined.Text += c.Line
		if text := strings.TrimSpace(c.Text); text != c.Line {
			joined.Text += "\n" + text
		}
		joined.To, joined.Attachments = c.To, append(joined.Attachments, c.Attachments...)
		b.outs = append(b.outs, o)
	}
	if len(b.outs) < 2 {
		return nil, nil
	}
	joined.Subject = fmt.Sprintf("%s from %s", report.Count(len(b.outs), "message"), b.outs[0].Source)
	b.message = joined
	return []batch{b}, nil
}

// rate is "1 message a second", "1 message in 5 s".
func (d *drainer) rate() string {
	if perSecond := d.def.Limits.Rate; perSecond >= 1 {
		return report.Count(int(perSecond), "message") + " a second"
	}
	return "1 message in " + duration.Text(time.Duration(float64(time.Second)/d.def.Limits.Rate))
}

// followAll folds reports into their threads in the order of what they tell of.
func (d *drainer) followAll(ctx context.Context, outs []store.Out) ([]store.Thread, error) {
	type key struct{ source, subject string }
	threads := map[key]store.Thread{}
	var order []key
	for _, o := range outs {
		if o.About == nil {
			continue
		}
		k := key{o.Source, o.About.Subject}
		t, ok := threads[k]
		if !ok {
			var err error
			if t, err = d.store.Thread(ctx, d.name, o.Source, o.About.Subject); err != nil {
				return nil, err
			}
			order = append(order, k)
		}
		out, err := d.follow(ctx, t, o, true)
		if err != nil {
			return nil, err
		}
		threads[k] = out.thread
	}
	list := make([]store.Thread, len(order))
	for i, k := range order {
		list[i] = threads[k]
	}
	return list, nil
}

// key names the message of a batch: the same for every try to send the same ones.
func (b batch) key() string {
	ids := make([]string, len(b.outs))
	for i, o := range b.outs {
		ids[i] = o.ID()
	}
	slices.Sort(ids)
	sum := sha256.Sum256([]byte(strings.Join(ids, " ")))
	return hex.EncodeToString(sum[:6])
}

// deliverAll sends batches one after another, and returns when the channel takes more; zero: at once. One from the channel's rate is spent
// already.
func (d *drainer) deliverAll(outer, ctx context.Context, batches []batch) (time.Time, error) {
	for i, b := range batches {
		if i > 0 {
			if err := d.spend(outer, ctx); err != nil {
				return time.Time{}, nil // the context has ended
			}
		}
		if again, err := d.deliverBatch(ctx, b); err != nil || !again.IsZero() {
			return again, err
		}
	}
	return time.Time{}, nil
}

// deliverBatch tries to send several as one, on smaller rungs where it must, and returns when the channel takes more; zero: at once.
func (d *drainer) deliverBatch(ctx context.Context, b batch) (time.Time, error) {
	d.did = true
	threads, err := d.followAll(ctx, b.outs)
	if err != nil {
		return time.Time{}, err
	}
	p, err := d.render(b.message)
	if err != nil {
		return time.Time{}, err
	}
	for rung, content := range p.Rungs {
		if err := d.stillOwner(ctx); err != nil {
			return time.Time{}, err
		}
		answer, try := d.send(ctx, b.key(), content, notify.Thread{}, b.outs...)
		if answer.Kind == notify.Smaller {
			continue
		}
		if !answer.Kind.Delivered() {
			return d.postponeBatch(ctx, b, answer, try)
		}
		d.works()
		for i := range b.outs {
			b.outs[i].Tried(try)
		}
		return time.Time{}, d.concludeAll(ctx, store.Message{ID: b.key(), State: store.MessageSent, Rung: rung, Decision: b.decision, Ref: answer.Ref, Where: answer.Where,
			Reason: string(answer.Reason), Error: answer.Error, Note: answer.Note, Refused: answer.Refused, Outs: b.outs, Body: d.kept(p)}, threads...)
	}
	return time.Time{}, fault.New(fault.Internal, "channel %q refused one sentence", d.name)
}

// postponeBatch holds the channel back. The try is noted on the first of them alone: they share what follows from it.
func (d *drainer) postponeBatch(ctx context.Context, b batch, answer notify.Answer, try store.SendAttempt) (time.Time, error) {
	if err := d.hold(ctx, answer, d.store.Now()); err != nil {
		return time.Time{}, err
	}
	first, waits, err := d.store.StillWaits(ctx, b.outs[0]) // with its body
	if err == nil && waits {
		first.Tried(try)
		_, err = d.store.Postpone(ctx, first)
	}
	return d.lease.State().NotBefore, err
}
