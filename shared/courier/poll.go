package courier

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"waggle/shared/event"
	"waggle/shared/fault"
	"waggle/shared/run"
	"waggle/shared/sensor"
	"waggle/shared/store"
)

// A polled sensor is called for events that the clock makes, one after another: the next is stored when its time has come and the one before
// has ended. So it is evaluated, tried again, given up and shown like any other.

// sensorTag is the tag that says which sensor launched a run.
const sensorTag = "waggle/sensor"

// tickPolls stores the next call of each polled sensor and each daily summary whose time has come.
func (c *Courier) tickPolls(ctx context.Context) error {
	if !c.opts.Polls {
		return nil
	}
	for _, s := range c.defs.Sensors {
		def := s.Definition()
		if c.opts.Calls != nil && !c.opts.Calls(def.Name) {
			continue
		}
		now := c.store.Now()
		tick := map[sensor.Kind]func(context.Context, *sensor.Definition, time.Time) (time.Time, error){sensor.Polled: c.tick, sensor.DailySummary: c.tickDaily}[def.Kind]
		if tick == nil || now.Before(c.polledNext(def.Name)) {
			continue
		}
		next, err := tick(ctx, def, now)
		if err != nil {
			return fmt.Errorf("call sensor %s: %w", def.Name, err)
		}
		c.mu.Lock()
		c.polls[def.Name] = next
		c.mu.Unlock()
	}
	return nil
}

func (c *Courier) polledNext(name string) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.polls[name]
}

// tick stores the next call of a sensor if it is time, and returns when to look again.
func (c *Courier) tick(ctx context.Context, def *sensor.Definition, now time.Time) (time.Time, error) {
	p, err := c.store.Poll(ctx, def.Name)
	if err != nil || now.Before(p.Next) {
		return p.Next, err
	}
	soon := now.Add(c.opts.Look)
	if on, err := c.store.Switched(ctx, def.Name); err != nil || !on.On {
		return soon, err
	}
	if ended, err := c.lastEnded(ctx, def.Name, p.Number); err != nil || !ended {
		return soon, err
	}
	n := p.Number + 1
	tick := event.Event{ID: fmt.Sprintf("%s#%d", def.Name, n), Type: sensor.Tick, Time: now.UTC(), Seq: n}
	next := now.Add(def.Every)
	if err := c.store.PutTick(ctx, p, tick, next); !errors.Is(err, fault.Conflict) {
		return next, err
	}
	return soon, nil // another process was faster
}

// lastEnded reports whether the newest call of a sensor, by its number, has ended; 0: there was none.
func (c *Courier) lastEnded(ctx context.Context, name string, number int64) (bool, error) {
	if number == 0 {
		return true, nil
	}
	last, err := c.store.SensorEvent(ctx, name, event.Event{Seq: number})
	if errors.Is(err, fault.NotFound) { // its row may have expired
		return true, nil
	}
	return err == nil && last.State.Ended(), err
}

// evaluateTick calls a polled sensor or a daily summary. What it asks for is stored before anything of it is done, so that a death in between neither loses nor
// repeats a run.
func (c *Courier) evaluateTick(ctx context.Context, def *sensor.Definition, row *store.SensorEvent, end ending, later waiting) (bool, error) {
	if len(row.Launches) > 0 { // it was decided by somebody who died before the end
		return c.launch(ctx, row, end)
	}
	p, err := c.store.Poll(ctx, row.Sensor)
	if err != nil {
		return false, err
	}
	polling := sensor.NewPolling(p.Cursor)
	subject := sensor.Subject{Event: row.Event, Polling: polling}
	if def.Kind == sensor.DailySummary {
		if subject.Day, err = c.day(ctx, def, def.At.Last(row.Event.Time.Add(-time.Nanosecond)), row.Event.Time); err != nil {
			return later("sum up the day: "+err.Error(), backoff(row.Attempts, time.Second, 30*time.Minute, 6))
		}
	}
	e := &evaluation{courier: c, event: row.Event, source: row.Sensor}
	err = c.call(ctx, def, e, subject)
	row.Log = e.logged()
	outs, mistake := e.result()
	cursor, skipped, asked := polling.Result()
	if err == nil && mistake == nil {
		row.Launches, mistake = c.launches(row, asked)
	}
	if mistake != nil || err != nil {
		row.Launches = nil
		return c.failed(ctx, def, *row, mistake, err, end, later)
	}
	switch row.Error = ""; {
	case len(row.Launches) > 0:
		row.Reason = ReasonLaunched
	case len(outs) > 0:
		row.Reason = ReasonNotified
	case skipped != "":
		row.Reason = ReasonSkipped
		row.Log = append(row.Log, c.skippedLine(skipped))
	default:
		row.Reason = ReasonQuiet
	}
	decided, err := c.store.DecideTick(ctx, *row, cursor, outs, time.Minute)
	if errors.Is(err, fault.Conflict) {
		return false, nil
	}
	if err != nil {
		return true, err
	}
	if *row = decided; len(row.Launches) > 0 {
		return c.launch(ctx, row, end)
	}
	c.count(func(t *Tally) { t.Evaluated++ })
	return true, nil
}

// skippedLine says in the record of a call why there was nothing to do.
func (c *Courier) skippedLine(why string) store.EventLine {
	return store.EventLine{Time: c.store.Now().UTC(), Level: "INFO", Message: "skipped: " + why}
}

// launches completes what a sensor asks for; an error is a mistake in it.
func (c *Courier) launches(row *store.SensorEvent, asked []sensor.Launch) ([]store.Launch, error) {
	var all []store.Launch
	for i, a := range asked {
		tags := map[string]string{sensorTag: row.Sensor}
		maps.Copy(tags, a.Tags)
		req, _, err := c.defs.Request(run.Request{Job: a.Job, Config: a.Config, Tags: tags})
		if err != nil {
			return nil, fmt.Errorf("launch job %q: %w", a.Job, err)
		}
		key := a.RunKey
		if key == "" {
			key = fmt.Sprintf("%s#%d#%d", row.Sensor, row.Event.Seq, i)
		}
		all = append(all, store.Launch{Request: req, Key: key})
	}
	return all, nil
}

// launch launches what was decided, each run once, and ends the call.
func (c *Courier) launch(ctx context.Context, row *store.SensorEvent, end ending) (bool, error) {
	for i := range row.Launches {
		l := &row.Launches[i]
		id, fresh, err := c.store.LaunchOnce(ctx, l.Request, l.Key)
		if fault.Retryable(err) {
			return true, err // due again, as the row says
		}
		if err != nil {
			l.Error = err.Error()
			continue
		}
		if l.Run = id; fresh {
			c.count(func(t *Tally) { t.Launched++ })
		}
		if c.opts.Launched != nil {
			if err := c.opts.Launched(ctx, id); err != nil {
				return true, err
			}
		}
	}
	return end(store.EventDone, ReasonLaunched, "")
}
