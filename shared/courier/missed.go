package courier

import (
	"context"
	"time"

	"waggle/shared/event"
	"waggle/shared/notice"
	"waggle/shared/run"
	"waggle/shared/store"
)

// scheduleTag is the tag that says which schedule launched a run.
const scheduleTag = "waggle/schedule"

// missed is what people are told of a tick that was missed.
func (c *Courier) missed(e event.Event) notice.Missed {
	m := notice.Missed{Schedule: e.Schedule, Job: e.Job, Tick: e.Tick, Seen: e.Time, Run: e.Run, Others: e.MissedBefore, Place: c.opts.Place}
	for _, schedule := range c.defs.Schedules {
		if schedule.Name != e.Schedule || m.Place.Location != nil {
			continue
		}
		if zone, err := time.LoadLocation(schedule.Options.TimeZone); err == nil { // people know its times by that
			m.Place.Location = zone
		}
	}
	switch e.TickStatus {
	case event.TickPassedOver:
		m.Others += e.Ticks - 1
		m.Reason = "It was found so late that its run is not launched any more: until then nobody looked at schedules."
	case event.TickFailed: // the event has no words; the definitions have the mistake, where nobody has mended it since
		if _, _, err := c.defs.Request(run.Request{Job: e.Job}); err != nil {
			m.Reason = err.Error()
		}
	}
	return m
}

// tickOf is the tick that launched a run, as if it had been missed, and whether there is one.
func (c *Courier) tickOf(ctx context.Context, record run.Record) (e event.Event, tick store.Tick, found bool, err error) {
	schedule := record.Request.Tags[scheduleTag]
	if schedule == "" {
		return e, tick, false, nil
	}
	tick, found, err = c.store.TickOf(ctx, schedule, record.ID, record.Launched)
	if found {
		e = event.OfTick(schedule, record.Request.Job, tick.Time, event.TickLate)
		e.Run, e.Time, e.MissedBefore, e.MissedAfter = record.ID, tick.Launched, tick.MissedBefore, tick.MissedAfter
	}
	return e, tick, found, err
}

// lateTick is the event of a run that its schedule launched late, after the chunks that are settled where nobody has published it.
func (c *Courier) lateTick(ctx context.Context, record run.Record, settled int64) ([]happened, error) {
	e, tick, found, err := c.tickOf(ctx, record)
	if err != nil || !found || !tick.Late {
		return nil, err
	}
	h := happened{e, settled}
	if tick.Owes != nil {
		h.chunk++
	}
	return []happened{h}, nil
}
