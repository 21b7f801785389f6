package notice

import (
	"time"

	"waggle/shared/notify"
	"waggle/shared/report"
)

// SensorDead says that a sensor's function failed for an event until it was given up: what it would have told is not told.
type SensorDead struct {
	Sensor   string
	Event    string // its id
	About    string // what the event was about: "gallery failed"; may be empty
	Attempts int
	Since    time.Time // of the first attempt
	Error    string    // of the last
	Stack    string    // of a panic
	Place    Place
}

// Content renders the report; it never fails.
func (s SensorDead) Content(r notify.Rung) (notify.Content, error) { return contentOf(s, r) }

func (s SensorDead) subject() string { return "[Waggle] sensor " + s.Sensor + " failed" }

func (s SensorDead) line() string {
	return fitLine(report.Failing().Text()+" sensor "+s.Place.of(s.Sensor), oneLineCut(s.Error, 400), report.Count(s.Attempts, "attempt"))
}

func (s SensorDead) page(r notify.Rung) page {
	p := page{state: report.Failing(), name: "sensor " + s.Place.of(s.Sensor)}
	what := say("It was given up after "+report.Count(s.Attempts, "attempt")+" for event ", code(s.Event))
	if s.About != "" {
		what = append(what, say(" (", oneLineCut(s.About, 100), ")")...)
	}
	p.lead = []words{append(what, say(".")...)}
	if at := s.Place.at(s.Since); at != "" {
		p.lead = append(p.lead, say("First tried "+at+"."))
	}
	p.lead = append(p.lead, say("What it would have told of this event was not sent. It is called for the next events as before."))
	p.where = where{title: "What to do", commands: []command{
		{"See its evaluations", s.Place.command("sensors", "show", s.Sensor)},
		{"Try again what was given up", s.Place.command("deliveries", "retry", "--dead")}}}
	if r != notify.Full {
		return p
	}
	why := row{}
	why.printed(s.Error, maxLines, maxError)
	if s.Stack != "" {
		kept, _ := excerpt(s.Stack, 10, 1_200)
		why.code = append(why.code, kept...)
	}
	if len(why.code) > 0 {
		p.add(part{title: "Why", rows: []row{why}})
	}
	return p
}
