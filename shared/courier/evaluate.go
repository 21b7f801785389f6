package courier

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"waggle/shared/event"
	"waggle/shared/fault"
	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/sensor"
	"waggle/shared/store"
)

// The reasons with which an event ends, besides those of the matcher.
const (
	ReasonNotified      = "notified"       // its messages are in their channels
	ReasonQuiet         = "quiet"          // the sensor had nothing to say
	ReasonSwitchedOff   = "switched_off"   // the sensor was off when the event was evaluated
	ReasonHandlerFailed = "handler_failed" // its function failed every time
	ReasonMistake       = "mistake"        // its function called Notify wrongly; trying again would not help
	ReasonUnknownSensor = "unknown_sensor" // Definitions have it no longer
	ReasonLogExpired    = "log_expired"    // nothing is known of the run any more
	ReasonLaunched      = "launched"       // a polled sensor asked for runs
	ReasonSkipped       = "skipped"        // a polled sensor said why there was nothing to do
)

// lookForSensor is how long an event waits for a process whose definitions have its sensor.
const lookForSensor = 24 * time.Hour

// ending ends an event, with messages; waiting has it evaluated again after a time. Both report whether the event was the caller's.
type (
	ending  func(state store.EventState, reason, text string, outs ...store.Out) (bool, error)
	waiting func(text string, after time.Duration) (bool, error)
)

// evaluate begins an event and calls its sensor, and reports whether the event was the caller's to evaluate.
func (c *Courier) evaluate(ctx context.Context, row store.SensorEvent, known *recent) (bool, error) {
	row, err := c.store.BeginEvent(context.WithoutCancel(ctx), row, c.promise())
	if errors.Is(err, fault.Conflict) || errors.Is(err, fault.NotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return c.evaluateBegun(ctx, row, known)
}

// evaluateBegun calls the sensor of an event that the caller has begun, and reports whether it was still the caller's in the end.
func (c *Courier) evaluateBegun(ctx context.Context, row store.SensorEvent, known *recent) (bool, error) {
	// What is begun is ended, also when the caller's context has ended: the function has its own time.
	ctx = context.WithoutCancel(ctx)
	var end ending = func(state store.EventState, reason, text string, outs ...store.Out) (bool, error) {
		row.Reason, row.Error = reason, text
		_, err := c.store.EndEvent(ctx, row, state, outs)
		if errors.Is(err, fault.Conflict) {
			return false, nil // it took so long that another evaluated it too; theirs counts
		}
		if err == nil {
			c.gave(outs)
			c.count(func(t *Tally) { t.Evaluated++ })
		}
		return true, err
	}
	var later waiting = func(text string, after time.Duration) (bool, error) {
		row.Error = text
		_, err := c.store.RetryEvent(ctx, row, c.store.Now().Add(after))
		if errors.Is(err, fault.Conflict) {
			return false, nil
		}
		return true, err
	}
	def := c.defs.Sensor(row.Sensor)
	if def == nil {
		text := fmt.Sprintf("no sensor %q in the definitions of %s", row.Sensor, c.opts.Worker)
		if c.store.Now().Sub(row.Stored) > lookForSensor {
			return end(store.EventDead, ReasonUnknownSensor, text)
		}
		return later(text, 10*time.Minute)
	}
	if on, err := c.store.Switched(ctx, row.Sensor); err != nil {
		return false, err
	} else if !on.On {
		return end(store.EventDone, ReasonSwitchedOff, "")
	}
	if row.Event.Type == sensor.Tick {
		return c.evaluateTick(ctx, def, &row, end, later)
	}
	if def.Match(row.Event) == sensor.Resolves {
		outs, err := c.endings(ctx, row)
		if err != nil {
			return false, err
		}
		if len(outs) == 0 {
			return end(store.EventDone, ReasonNothingOpen, "")
		}
		return end(store.EventDone, ReasonNotified, "", outs...)
	}
	subject, found, err := c.subject(ctx, row.Event, known)
	if err != nil {
		return false, err // due again, as the row promises
	}
	if !found {
		return end(store.EventDone, ReasonLogExpired, "")
	}
	e := &evaluation{courier: c, event: row.Event, source: row.Sensor}
	err = c.call(ctx, def, e, subject)
	row.Log = e.logged()
	outs, mistake := e.result()
	switch {
	case mistake != nil || err != nil:
		return c.failed(ctx, def, row, mistake, err, end, later)
	case len(outs) == 0:
		return end(store.EventDone, ReasonQuiet, "")
	}
	if interval := def.Options.MinInterval; interval > 0 {
		due, err := c.store.Pace(ctx, row.Sensor, interval)
		if err != nil {
			return false, err
		}
		for i := range outs {
			outs[i].Due, outs[i].Together = due, !due.IsZero()
		}
	}
	return end(store.EventDone, ReasonNotified, "", outs...)
}

// failed is what follows from a call of a function that went wrong.
func (c *Courier) failed(ctx context.Context, def *sensor.Definition, row store.SensorEvent, mistake, err error, end ending, later waiting) (bool, error) {
	reason, why := ReasonHandlerFailed, err
	switch {
	case mistake != nil:
		reason, why = ReasonMistake, mistake
	case row.Attempts < c.opts.Evaluations:
		return later(err.Error(), backoff(row.Attempts, time.Second, 30*time.Minute, 6))
	}
	// The note first: who dies before the end leaves the event to be tried once more, and the note is given once.
	if err := c.tellOfDead(ctx, def, row, why.Error()); err != nil {
		return false, err
	}
	return end(store.EventDead, reason, why.Error())
}

// subjectOf names what the failures of a job are told under.
func subjectOf(job string) string { return "job " + job }

// endings tell the channels that were given a failure of the job that it works again.
func (c *Courier) endings(ctx context.Context, row store.SensorEvent) ([]store.Out, error) {
	e := row.Event
	channels, err := c.store.Awaiting(ctx, row.Sensor, subjectOf(e.Job))
	if err != nil {
		return nil, err
	}
	var outs []store.Out
	for _, channel := range channels[:min(len(channels), store.MaxOuts)] {
		outs = append(outs, store.Out{Channel: channel, Time: e.Time, Run: e.Run, Seq: e.Seq, Source: row.Sensor, Event: e.ID, Call: "end", Title: e.Job + " works again",
			About: &store.About{Subject: subjectOf(e.Job), Name: e.Job, Status: e.Status, EndOnly: true}})
	}
	return outs, nil
}

// call calls the sensor's function. A panic is an error with its stack.
func (c *Courier) call(ctx context.Context, def *sensor.Definition, e *evaluation, s sensor.Subject) (err error) {
	ctx, stop := context.WithTimeout(ctx, c.opts.Handler)
	defer stop()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return def.Call(sensor.NewContext(ctx, e), s)
}

// subject gathers what a sensor is told of an event, as it was when it happened; false: nothing is known any more.
func (c *Courier) subject(ctx context.Context, e event.Event, known *recent) (sensor.Subject, bool, error) {
	if e.Type == event.TickMissed { // of no run, or of one that may not have begun
		return c.subjectIn(ctx, run.Record{}, e, known)
	}
	if kept := known.run; kept != nil && kept.Record.ID == e.Run {
		switch {
		case kept.Record.Status.Terminal():
			return c.subjectNow(ctx, kept, e, known)
		case e.Type != event.RunStatus:
			if s, found, err := c.subjectIn(ctx, kept.Record, e, known); found || err != nil {
				return s, found, err
			}
		}
	}
	fold, _, err := c.store.Fold(ctx, e.Run)
	if errors.Is(err, fault.NotFound) {
		return sensor.Subject{}, false, nil
	}
	if err != nil {
		return sensor.Subject{}, false, err
	}
	known.run = fold
	return c.subjectNow(ctx, fold, e, known)
}

// subjectNow is subject in a run as it is now.
func (c *Courier) subjectNow(ctx context.Context, fold *runlog.Fold, e event.Event, known *recent) (sensor.Subject, bool, error) {
	record := fold.Record
	if e.Type == event.RunStatus && record.Status != e.Status && !fold.Expired { // the run has gone on since
		var err error
		if record, err = c.recordAt(ctx, record, e.Seq); err != nil {
			return sensor.Subject{}, false, err
		}
	}
	return c.subjectIn(ctx, record, e, known)
}

// subjectIn is subject in the record of the run.
func (c *Courier) subjectIn(ctx context.Context, record run.Record, e event.Event, known *recent) (s sensor.Subject, found bool, err error) {
	s.Event = e
	switch e.Type {
	case event.TickMissed:
		s.Missed = c.missed(e)
		return s, true, nil
	case event.Materialized:
		for _, m := range record.Materializations {
			if m.Seq == e.Seq {
				s.Materialization = m
				return s, true, nil
			}
		}
		return s, false, nil
	case event.Evaluated:
		for _, r := range record.Checks {
			if r.Seq == e.Seq {
				s.Result = r
				return s, true, nil
			}
		}
		return s, false, nil
	}
	s.Run, err = c.told(ctx, record, known)
	return s, err == nil, err
}

// backoff is how long to wait after n tries that failed: base, then factor times as long each, up to most.
func backoff(n int, base, most time.Duration, factor int) time.Duration {
	wait := base
	for range n - 1 {
		if wait *= time.Duration(factor); wait >= most {
			return most
		}
	}
	return wait
}
