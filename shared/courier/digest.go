package courier

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
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

// batch is what a digest is made of.
type batch struct {
	outs     []store.Out
	threads  []store.Thread
	content  payload
	caughtUp bool
}

// gather makes one message of those that wait and are chosen, the oldest first, as many as one names; nil: fewer than two wait.
func (d *drainer) gather(ctx context.Context, chosen func(store.Out) bool) (*batch, error) {
	var waiting []store.Out
	for cursor := ""; len(waiting) < notice.DigestSize; {
		outs, more, err := d.store.Waiting(ctx, d.name, messagesAtOnce, cursor)
		if err != nil {
			return nil, err
		}
		for _, o := range outs {
			if chosen(o) {
				waiting = append(waiting, o)
			}
		}
		if cursor = more; cursor == "" {
			break
		}
	}
	waiting = waiting[:min(len(waiting), notice.DigestSize)]
	if len(waiting) < 2 {
		return nil, nil
	}
	b := &batch{outs: waiting}
	var err error
	if slices.ContainsFunc(waiting, func(o store.Out) bool { return o.About == nil }) {
		err = d.join(ctx, b)
	} else {
		err = d.nameAll(b)
	}
	if err != nil || len(b.outs) < 2 {
		return nil, err
	}
	b.threads, err = d.followAll(ctx, b.outs)
	return b, err
}

// nameAll makes the message of a batch of reports: it names each run.
func (d *drainer) nameAll(b *batch) (err error) {
	now := d.store.Now().UTC()
	items := make([]notice.Item, len(b.outs))
	for i, o := range b.outs {
		items[i] = notice.Item{Run: o.Run, Name: o.About.Name, Status: o.About.Status, Error: o.About.Error, Time: o.Time}
	}
	digest := notice.Digests(items, "", d.opts.Place)[0]
	named := map[run.ID]bool{}
	for _, item := range digest.Items {
		named[item.Run] = true
	}
	b.outs = slices.DeleteFunc(b.outs, func(o store.Out) bool { return !named[o.Run] })
	parked := d.lease.State().Parked
	b.caughtUp = !parked.IsZero()
	b.content, _, err = render(d.digestOf(digest, b.outs[0], parked, now))
	return err
}

// joinedAtOnce is how many messages of their own leave as one.
const joinedAtOnce = 50

// join makes one message of several that have their own words, one after another, for the recipients of the first.
func (d *drainer) join(ctx context.Context, b *batch) error {
	var joined notify.Message
	var outs []store.Out
	for _, o := range b.outs[:min(len(b.outs), joinedAtOnce)] {
		p, _, err := d.write(ctx, o, outcome{})
		if fault.Retryable(err) {
			return err
		}
		if err != nil || len(p.Rungs) == 0 || len(outs) > 0 && !slices.Equal(p.Rungs[0].To, joined.To) {
			continue // it goes by itself
		}
		c := p.Rungs[0].Filled()
		if len(outs) > 0 {
			joined.Text += "\n\n"
		}
		joined.Text += c.Line
		if text := strings.TrimSpace(c.Text); text != c.Line {
			joined.Text += "\n" + text
		}
		joined.To, joined.Attachments = c.To, append(joined.Attachments, c.Attachments...)
		outs = append(outs, o)
	}
	joined.Subject = fmt.Sprintf("%s from %s", report.Count(len(outs), "message"), b.outs[0].Source)
	if b.outs = outs; len(outs) < 2 {
		return nil
	}
	var err error
	b.content, _, err = render(joined)
	return err
}

// digestOf is the report: of what came too fast, or of what a broken channel has missed.
func (d *drainer) digestOf(digest notice.Digest, first store.Out, parked, now time.Time) notify.Sendable {
	if !parked.IsZero() {
		return notice.CaughtUp{Channel: d.name, Since: parked, Until: now, Items: digest.Items, Place: d.opts.Place}
	}
	digest.Number, digest.Of, digest.Total = 0, 0, len(digest.Items)
	digest.Late = fmt.Sprintf("They come together, as this channel takes %s.", d.rate())
	if first.Together {
		digest.Late = fmt.Sprintf("They come together, as sensor %s tells no more often.", first.Source)
	}
	return digest
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

// key names the message of a batch: the same for every try to send the same reports.
func (b *batch) key() string {
	ids := make([]string, len(b.outs))
	for i, o := range b.outs {
		ids[i] = o.ID()
	}
	slices.SortFunc(ids, cmp.Compare[string])
	sum := sha256.Sum256([]byte(strings.Join(ids, " ")))
	return hex.EncodeToString(sum[:6])
}

// deliverBatch tries to send a digest, on smaller rungs where it must, and returns when the channel takes more; zero: at once.
func (d *drainer) deliverBatch(ctx context.Context, b *batch) (time.Time, error) {
	d.did = true
	decision := DecisionDigest
	if b.caughtUp {
		decision = DecisionCaughtUp
	}
	for rung, content := range b.content.Rungs {
		if err := d.stillOwner(ctx); err != nil {
			return time.Time{}, err
		}
		answer, try := d.send(ctx, b.key(), content, notify.Thread{}, b.outs...)
		if answer.Kind == notify.Smaller {
			continue
		}
		if !answer.Kind.Delivered() {
			o := b.outs[0]
			o.Tried(try)
			return d.postpone(ctx, o, answer, d.store.Now())
		}
		d.works()
		for i := range b.outs {
			b.outs[i].Tried(try)
		}
		return time.Time{}, d.concludeAll(ctx, store.Message{ID: b.key(), State: store.MessageSent, Rung: rung, Decision: decision, Ref: answer.Ref, Where: answer.Where,
			Reason: string(answer.Reason), Error: answer.Error, Note: answer.Note, Refused: answer.Refused, Outs: b.outs, Body: kept(b.content)}, b.threads...)
	}
	return time.Time{}, errors.New("a channel refused one sentence")
}
