package notice

import (
	"time"

	"waggle/shared/duration"
	"waggle/shared/notify"
	"waggle/shared/report"
	"waggle/shared/run"
)

// Parked says, by another channel, that a channel is broken: its messages wait until it is mended.
type Parked struct {
	Channel string
	Kind    string    // "slack", "mail"
	Reason  string    // one word: "gone", "unauthorized"
	Error   string    // what the service said
	Since   time.Time // when it was parked
	Waiting int       // messages
	AndMore bool      // more than Waiting wait
	Next    time.Time // when it is tried again
	GiveUp  time.Time // when the oldest message is given up
	Place   Place
}

// Content renders the report; it never fails.
func (c Parked) Content(r notify.Rung) (notify.Content, error) { return contentOf(c, r) }

func (c Parked) subject() string { return "[Waggle] channel " + c.Channel + " is broken" }

var parked = report.State{Sign: "✗", Word: "PARKED", Role: report.Bad}

func (c Parked) line() string {
	why := c.Error
	if why == "" {
		why = c.Reason
	}
	return fitLine(parked.Text()+" channel "+c.Place.of(c.Channel), oneLineCut(why, 400), c.waiting()+" waiting")
}

func (c Parked) waiting() string {
	if c.AndMore {
		return "more than " + report.Count(c.Waiting, "message")
	}
	return report.Count(c.Waiting, "message")
}

func (c Parked) page(r notify.Rung) page {
	p := page{state: parked, name: "channel " + c.Place.of(c.Channel)}
	verb := " waits"
	if c.Waiting != 1 || c.AndMore {
		verb = " wait"
	}
	what := say("It takes no messages. ", bold(c.waiting()), verb+"; nothing is lost.")
	if c.Reason != "" {
		what = say("It takes no messages (", code(c.Reason), "). ", bold(c.waiting()), verb+"; nothing is lost.")
	}
	p.lead = []words{what}
	if at := c.Place.at(c.Since); at != "" {
		p.lead = append(p.lead, say("Since "+at+"."))
	}
	if at := c.Place.at(c.Next); at != "" {
		next := "It is tried again at " + at
		if !c.GiveUp.IsZero() {
			next += ". Messages that still wait at " + c.Place.stamp(c.GiveUp) + " are given up"
		}
		p.lead = append(p.lead, say(next+"."))
	}
	p.where = where{title: "What to do", commands: []command{{"Mend it, then try it", c.Place.command("channels", "test", c.Channel)},
		{"See what waits", c.Place.command("deliveries")}}}
	if r == notify.Full && c.Error != "" {
		why := row{}
		why.printed(c.Error, maxLines, maxError)
		p.add(part{title: "What the service said", rows: []row{why}})
	}
	return p
}

// CaughtUp says, by the channel itself, that it works again, and what it had missed.
type CaughtUp struct {
	Channel string
	Since   time.Time // when it was parked
	Until   time.Time // when it worked again
	Items   []Item    // the messages that had waited; at most DigestSize are named
	GivenUp int       // messages that were given up meanwhile
	Place   Place
}

// Content renders the report; it never fails.
func (c CaughtUp) Content(r notify.Rung) (notify.Content, error) { return contentOf(c, r) }

func (c CaughtUp) subject() string { return "[Waggle] channel " + c.Channel + " works again" }

func (c CaughtUp) line() string {
	return fitLine(resolved.Text()+" channel "+c.Place.of(c.Channel), "", report.Count(len(c.Items), "message")+" had waited")
}

func (c CaughtUp) page(r notify.Rung) page {
	d := Digest{Items: c.Items, Place: c.Place}
	p := d.page(r)
	p.state, p.name = resolved, "channel "+c.Place.of(c.Channel)
	what := report.Count(len(c.Items), "message") + " had waited"
	if length := c.Until.Sub(c.Since); !c.Since.IsZero() && length > 0 {
		what += " for up to " + duration.Text(length)
	}
	p.lead = []words{say("It works again. " + what + ".")}
	if c.GivenUp > 0 {
		p.lead = append(p.lead, say(bold(report.Count(c.GivenUp, "message")), " had to be given up."))
		p.where.commands = append(p.where.commands, command{"Send what was given up", c.Place.command("deliveries", "retry", "--dead")})
	}
	if len(c.Items) == 0 {
		p.where = where{commands: []command{{"See its messages", c.Place.command("deliveries")}}}
	} else if d.failed() == 0 {
		p.where.commands[0] = command{"List them", c.Place.command("runs", "--status", runWord(c.Items[0].Status))}
	}
	return p
}

// runWord is a status as `runs --status` takes it.
func runWord(s run.Status) string {
	switch s {
	case run.Success:
		return "success"
	case run.Canceled:
		return "canceled"
	case run.Failure:
		return "failed"
	default:
		return "running"
	}
}
