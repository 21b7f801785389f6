package courier

import (
	"context"
	"fmt"

	"waggle/shared/event"
	"waggle/shared/fault"
	"waggle/shared/notify"
	"waggle/shared/run"
	"waggle/shared/sensor"
	"waggle/shared/store"
)

// Rehearsal is a sensor tried on a past run.
type Rehearsal struct {
	Calls  []Call     // one for each event that the sensor is called for
	Others []Decision // the other events of the run, each with the matcher's reason
}

// Call is a call of a sensor's function of which nothing is stored.
type Call struct {
	Event    event.Event
	Reason   string // ReasonNotified, ReasonQuiet, ReasonMistake, ReasonHandlerFailed or ReasonLogExpired
	Error    string
	Messages []Rehearsed // that would go to channels; none where the function failed
	Log      []store.EventLine
}

// Failed reports whether the function returned an error, panicked or called Notify wrongly.
func (c Call) Failed() bool { return c.Reason == ReasonHandlerFailed || c.Reason == ReasonMistake }

// Rehearsed is a message that a channel would get.
type Rehearsed struct {
	Channel *notify.Definition
	Call    string           // its number among those of the event for the channel, or its key
	Rungs   []notify.Content // from the largest, as notify.Rungs has them
}

// Rehearse calls a sensor's function for each event of a run that the sensor matches, whether the sensor is on or off, and stores
// nothing: no event, no message. The function is told what was known when the event happened. What it does besides Notify it really does.
// fault.NotFound says that the run, or its log, is not there. A sensor of missed ticks is told of the tick that launched the run as if it had
// been late.
func (c *Courier) Rehearse(ctx context.Context, def *sensor.Definition, id run.ID) (Rehearsal, error) {
	var r Rehearsal
	fold, _, err := c.store.Fold(ctx, id)
	if err != nil {
		return r, err
	}
	if def.Kind == sensor.TickMissed {
		e, _, found, err := c.tickOf(ctx, fold.Record)
		if err == nil && !found {
			err = fault.New(fault.Invalid, "sensor %s looks at ticks of schedules, and no schedule launched run %s", def.Name, id.Short()).WithHint("try it with a run that one did")
		}
		if err != nil {
			return r, err
		}
		call, err := c.rehearse(ctx, def, fold.Record, e)
		r.Calls = append(r.Calls, call)
		return r, err
	}
	if fold.Expired {
		return r, fault.New(fault.NotFound, "the log of run %s is gone, by its age", id.Short()).WithHint("try a newer run")
	}
	events, err := c.happened(ctx, id, fold.Record.Request)
	if err != nil {
		return r, err
	}
	for _, h := range events {
		if reason := def.Match(h.Event); reason != sensor.Matched {
			r.Others = append(r.Others, decided(def, h.Event, string(reason)))
			continue
		}
		if err := ctx.Err(); err != nil {
			return r, fault.Wrap(fault.Canceled, "try sensor "+def.Name, context.Cause(ctx))
		}
		record := fold.Record
		if h.Type == event.RunStatus {
			if record, err = c.recordAt(ctx, fold.Record, h.Seq); err != nil {
				return r, err
			}
		}
		call, err := c.rehearse(ctx, def, record, h.Event)
		if err != nil {
			return r, err
		}
		r.Calls = append(r.Calls, call)
	}
	return r, nil
}

func (c *Courier) rehearse(ctx context.Context, def *sensor.Definition, record run.Record, e event.Event) (Call, error) {
	out := Call{Event: e}
	subject, found, err := c.subjectIn(ctx, record, e, &recent{})
	if err != nil {
		return out, err
	}
	if !found {
		out.Reason = ReasonLogExpired
		return out, nil
	}
	return c.rehearseCall(ctx, def, subject)
}

// rehearseCall calls a sensor's function of which nothing is stored.
func (c *Courier) rehearseCall(ctx context.Context, def *sensor.Definition, subject sensor.Subject) (Call, error) {
	out := Call{Event: subject.Event}
	ev := &evaluation{courier: c, event: subject.Event, source: def.Name}
	err := c.call(ctx, def, ev, subject)
	out.Log = ev.logged()
	outs, mistake := ev.result()
	switch {
	case mistake != nil:
		out.Reason, out.Error = ReasonMistake, mistake.Error()
		return out, nil
	case err != nil && ctx.Err() != nil:
		return out, fault.Wrap(fault.Canceled, "try sensor "+def.Name, context.Cause(ctx))
	case err != nil:
		out.Reason, out.Error = ReasonHandlerFailed, err.Error()
		return out, nil
	case len(outs) == 0:
		out.Reason = ReasonQuiet
		return out, nil
	}
	out.Reason = ReasonNotified
	for _, o := range outs {
		p, err := c.packer.unpack(o.Body)
		if err != nil {
			return out, err
		}
		out.Messages = append(out.Messages, Rehearsed{Channel: c.defs.Channel(o.Channel), Call: o.Call, Rungs: p.Rungs})
	}
	return out, nil
}

// SendRehearsed sends a message that was rehearsed, now, past what waits in its channel and past its rate, and marks it as a test. Where
// the channel refuses a size it tries the next. It stores nothing. The key names the message to the service; rung is the size that was
// tried last.
func (c *Courier) SendRehearsed(ctx context.Context, key string, m Rehearsed, source string, e event.Event) (answer notify.Answer, rung int, err error) {
	if c.opts.Sender == nil {
		return answer, 0, fault.New(fault.Invalid, "this process has no senders")
	}
	sender, err := c.opts.Sender(m.Channel)
	if err != nil {
		return answer, 0, err
	}
	for rung = range m.Rungs {
		of := source
		if e.Run != "" {
			of += " with run " + e.Run.Short()
		}
		content := marked(m.Rungs[rung], fmt.Sprintf("This is a test of %s, sent by %s at %s. Nothing has happened just now.", of, c.opts.Worker, clock(c.store.Now())))
		if answer = sender.Send(ctx, key, content, notify.Thread{}); answer.Kind != notify.Smaller {
			break
		}
	}
	return answer, rung, nil
}

// marked is a message that says that it is a test, before all else and at its end.
func marked(c notify.Content, footer string) notify.Content {
	c = c.Filled()
	const sign = "[TEST] "
	c.Subject, c.Line = sign+c.Subject, notify.Cut(sign+c.Line, notify.MaxLine)
	if c.Footer != "" {
		footer = c.Footer + " " + footer
	}
	c.Footer = footer
	return c
}
