package courier

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"waggle/shared/event"
	"waggle/shared/fault"
	"waggle/shared/job"
	"waggle/shared/notice"
	"waggle/shared/run"
	"waggle/shared/sensor"
	"waggle/shared/store"
)

// What a summary looks at.
const (
	longestRun  = 24 * time.Hour  // a run that was launched so long before the day is not counted
	mostTicks   = 1500            // of a schedule: one that runs every minute has as many on the longest day
	mostTold    = 500             // of a channel
	mostFailing = 50              // jobs that are asked since when they fail
	settling    = 5 * time.Second // after the time of day, for runs that have just ended to be told of
)

// tickDaily stores the call of a daily summary if its day has come, and returns when to look again. The row of the sensor holds the newest
// day that was told or passed over, so that a day is told once, also where the time of day or its zone is changed.
func (c *Courier) tickDaily(ctx context.Context, def *sensor.Definition, now time.Time) (time.Time, error) {
	moment := def.At.Last(now.Add(-settling))
	next, soon := def.At.Next(moment).Add(settling), now.Add(c.opts.Look)
	day := moment.Format(time.DateOnly)
	p, err := c.store.Poll(ctx, def.Name)
	if err != nil || day <= p.Cursor {
		return next, err
	}
	on, err := c.store.Switched(ctx, def.Name)
	if err != nil || !on.On {
		return soon, err
	}
	fresh := p.Cursor == ""
	if p.Cursor = day; fresh || on.Time.After(moment) {
		return c.unlessConflict(next, soon, c.store.PutPoll(ctx, p))
	}
	if ended, err := c.lastEnded(ctx, def.Name, p.Number); err != nil || !ended {
		return soon, err
	}
	n := p.Number + 1
	tick := event.Event{ID: fmt.Sprintf("%s#%d", def.Name, n), Type: sensor.Tick, Time: moment.UTC(), Seq: n}
	return c.unlessConflict(next, soon, c.store.PutTick(ctx, p, tick, next))
}

// unlessConflict is when to look again after a write: soon where another process was faster.
func (c *Courier) unlessConflict(next, soon time.Time, err error) (time.Time, error) {
	if errors.Is(err, fault.Conflict) {
		return soon, nil
	}
	return next, err
}

// day sums up what ended from a time on and before another.
func (c *Courier) day(ctx context.Context, def *sensor.Definition, from, to time.Time) (notice.Daily, error) {
	ctx, stop := context.WithTimeout(ctx, c.opts.Handler)
	defer stop()
	d := notice.Daily{Day: to, Place: c.opts.Place}
	d.Place.Location = def.At.Location
	counts := func(name string) bool {
		return len(def.Options.Jobs) == 0 || slices.ContainsFunc(def.Options.Jobs, func(j *job.Job) bool { return j.Name == name })
	}
	var err error
	if d.Jobs, err = c.jobsOf(ctx, from, to, counts); err != nil {
		return d, err
	}
	if d.Late, err = c.lateBetween(ctx, from, to, counts); err != nil {
		return d, err
	}
	d.Dead, err = c.deadBetween(ctx, from, to)
	return d, err
}

// jobsOf are the jobs with a run that ended in a time, by name.
func (c *Courier) jobsOf(ctx context.Context, from, to time.Time, counts func(job string) bool) ([]notice.DailyJob, error) {
	retried := map[run.ID]bool{} // newest first: the runs that follow one are seen before it
	ended := map[string][]store.Summary{}
	cursor := ""
	for {
		page, next, err := c.store.Runs(ctx, store.Filter{Since: from.Add(-longestRun)}, 200, cursor)
		if err != nil {
			return nil, err
		}
		for _, s := range page {
			retried[s.Request.Parent] = true
			if s.Status.Terminal() && !s.Ended.Before(from) && s.Ended.Before(to) && counts(s.Request.Job) && !(s.Status == run.Failure && retried[s.ID]) {
				ended[s.Request.Job] = append(ended[s.Request.Job], s)
			}
		}
		if cursor = next; cursor == "" {
			break
		}
	}
	var jobs []notice.DailyJob
	failing := 0
	for name, runs := range ended {
		j := tallied(name, runs)
		if j.LastState == run.Failure && name != "" && failing < mostFailing {
			failing++
			last := runs[0]
			h, err := c.history(ctx, run.Record{ID: last.ID, Request: last.Request, Status: last.Status, Ended: last.Ended}, &recent{})
			if err != nil {
				return nil, err
			}
			j.Since = h.FailingSince
		}
		jobs = append(jobs, j)
	}
	slices.SortFunc(jobs, func(a, b notice.DailyJob) int { return cmp.Compare(a.Job, b.Job) })
	return jobs, nil
}

// tallied is the day of a job whose runs these are, newest first.
func tallied(name string, runs []store.Summary) notice.DailyJob {
	last := runs[0]
	j := notice.DailyJob{Job: name, Runs: len(runs), Last: last.ID, LastState: last.Status}
	if last.Status == run.Failure {
		j.LastError = last.Error
	}
	var took []time.Duration
	for _, s := range runs {
		switch s.Status {
		case run.Failure:
			j.Failed++
		case run.Canceled:
			j.Canceled++
		case run.Success:
			j.Warnings += s.ChecksFailed
			took = append(took, s.Ended.Sub(s.Started))
		}
	}
	if len(took) > 0 {
		slices.Sort(took)
		j.Median = took[len(took)/2]
	}
	return j
}

// lateBetween counts the ticks of a time that were launched late.
func (c *Courier) lateBetween(ctx context.Context, from, to time.Time, counts func(job string) bool) (n int, err error) {
	for _, s := range c.defs.Schedules {
		if !counts(s.Job.Name) {
			continue
		}
		ticks, err := c.store.Ticks(ctx, s.Name, mostTicks)
		if err != nil {
			return n, err
		}
		for _, t := range ticks {
			if t.Late && !t.Time.Before(from) && t.Time.Before(to) {
				n++
			}
		}
	}
	return n, nil
}

// deadBetween counts the messages that were given up in a time.
func (c *Courier) deadBetween(ctx context.Context, from, to time.Time) (n int, err error) {
	for _, ch := range c.defs.Channels {
		messages, err := c.store.Messages(ctx, ch.Definition().Name, from, mostTold)
		if err != nil {
			return n, err
		}
		for _, m := range messages {
			if m.State == store.MessageDead && m.Time.Before(to) {
				n += len(m.Outs)
			}
		}
	}
	return n, nil
}

// RehearseDay calls a daily summary for the 24 hours up to now and stores nothing: see Rehearse.
func (c *Courier) RehearseDay(ctx context.Context, def *sensor.Definition) (Call, error) {
	now := c.store.Now()
	e := event.Event{ID: def.Name + "#test", Type: sensor.Tick, Time: now.UTC()}
	day, err := c.day(ctx, def, now.Add(-24*time.Hour), now.Add(time.Nanosecond)) // a run may have ended just now
	if err != nil {
		return Call{Event: e}, err
	}
	polling := sensor.NewPolling("")
	call, err := c.rehearseCall(ctx, def, sensor.Subject{Event: e, Polling: polling, Day: day})
	if _, skipped, _ := polling.Result(); skipped != "" {
		call.Log = append(call.Log, c.skippedLine(skipped))
	}
	return call, err
}
