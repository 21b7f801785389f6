package courier

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"waggle/shared/run"
	"waggle/shared/store"
)

// Episode is what people were told of a subject from its first failure to its first success after that: a view over its threads.
type Episode struct {
	ID      string
	Source  string // the sensor
	Subject string // "job gallery"
	Name    string // of the job

	Since    time.Time // when the first of the failures in a row ended
	Opened   time.Time // when the one ended that people were told of first
	Opener   run.ID
	Failures int
	Failed   run.ID // the newest run that failed
	Error    string // what it failed with
	Told     time.Time
	Fixed    run.ID    // the run that resolved it; empty: it is open
	Resolved time.Time // when that run ended; zero: it is open
	Channels []string
}

// Open reports whether the subject still fails, by what people were told.
func (e Episode) Open() bool { return e.Resolved.IsZero() }

// Episodes lists the open episode of each subject, and with all also the last one of those that work, the newest first.
func (c *Courier) Episodes(ctx context.Context, all bool) ([]Episode, error) {
	byID := map[string]*Episode{}
	for _, ch := range c.defs.Channels {
		threads, err := c.store.Threads(ctx, ch.Definition().Name)
		if err != nil {
			return nil, err
		}
		for _, t := range threads {
			if t.Opened.IsZero() || !t.Open() && !all {
				continue
			}
			e := byID[t.Episode()]
			if e == nil {
				e = &Episode{ID: t.Episode()}
				byID[e.ID] = e
			}
			e.add(t)
		}
	}
	list := make([]Episode, 0, len(byID))
	for _, e := range byID {
		slices.Sort(e.Channels)
		list = append(list, *e)
	}
	slices.SortFunc(list, func(a, b Episode) int { return cmp.Or(b.Opened.Compare(a.Opened), strings.Compare(a.ID, b.ID)) })
	return list, nil
}

// add takes over what a channel was told. Of two, the one that knows more failures, or the end, is ahead.
func (e *Episode) add(t store.Thread) {
	e.Channels = append(e.Channels, t.Channel)
	if t.Failures >= e.Failures {
		e.Source, e.Subject, e.Name, e.Since, e.Opened, e.Opener = t.Source, t.Subject, t.Name, t.Since, t.Opened, t.Opener
		e.Failures, e.Failed, e.Error = t.Failures, t.Failed, t.Error
	}
	if t.Told.After(e.Told) {
		e.Told = t.Told
	}
	if !t.Open() {
		e.Fixed, e.Resolved = t.Fixed, t.Resolved
	}
}

// EpisodeDeliveries lists what became of each report of an episode, in the order of what they tell of.
func (c *Courier) EpisodeDeliveries(ctx context.Context, e Episode) ([]Delivery, error) {
	all, err := c.Deliveries(ctx, Query{Limit: 10_000})
	if err != nil {
		return nil, err
	}
	var list []Delivery
	for _, d := range all {
		about := d.Out.About
		if about == nil || d.Source != e.Source || about.Subject != e.Subject || d.Happened.Before(e.Opened) || !e.Open() && d.Happened.After(e.Resolved) {
			continue
		}
		list = append(list, d)
	}
	slices.Reverse(list)
	return list, nil
}
