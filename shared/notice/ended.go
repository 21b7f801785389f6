package notice

import (
	"waggle/shared/notify"
	"waggle/shared/report"
	"waggle/shared/run"
)

// canceledReport says that somebody stopped a run, and how far it had come.
type canceledReport struct{ run Run }

func (c canceledReport) Content(r notify.Rung) (notify.Content, error) { return contentOf(c, r) }

func (c canceledReport) subject() string { return "[Waggle] " + c.run.Name + " canceled" }

func (c canceledReport) line() string {
	return fitLine(report.OfRun(run.Canceled).Text()+" "+c.run.Place.of(c.run.Name), "", report.Count(c.run.Canceled, "step")+" not run")
}

func (c canceledReport) page(r notify.Rung) page {
	p := page{state: report.OfRun(run.Canceled), name: c.run.Place.of(c.run.Name), where: c.run.Place.where(c.run.ID, "See how far it came")}
	p.where.commands = append(p.where.commands, command{"Run what is missing", c.run.Place.command("runs", "retry", c.run.ID.Short())})
	p.where.title = "What to do"
	what := "It was stopped on request"
	if at := c.run.Place.at(c.run.Ended); at != "" {
		what += " at " + at
	}
	p.lead = []words{say(what + "."), say(report.Count(len(c.run.Materializations), "asset") + " made, " + report.Count(c.run.Canceled, "step") + " not run.")}
	if r != notify.Full {
		return p
	}
	p.add(c.run.failedSteps())
	p.add(list("Made before", c.run.Materializations, maxAssets, "asset", assetRow))
	p.addTail(c.run.aboutRun())
	return p
}

// startedReport says that a run is under way, or waits to be.
type startedReport struct{ run Run }

func (s startedReport) Content(r notify.Rung) (notify.Content, error) { return contentOf(s, r) }

func (s startedReport) subject() string {
	if s.run.Started.IsZero() {
		return "[Waggle] " + s.run.Name + " waits to start"
	}
	return "[Waggle] " + s.run.Name + " started"
}

func (s startedReport) line() string {
	verb := "started "
	if s.run.Started.IsZero() {
		verb = "launched "
	}
	return fitLine(report.OfRun(s.run.Status).Text()+" "+s.run.Place.of(s.run.Name), "", verb+s.run.Place.at(s.run.begun()))
}

func (s startedReport) page(r notify.Rung) page {
	p := page{state: report.OfRun(s.run.Status), name: s.run.Place.of(s.run.Name), where: s.run.Place.where(s.run.ID, "See how it goes")}
	switch at := s.run.Place.at(s.run.begun()); {
	case at == "":
		p.lead = []words{say("It has not started yet.")}
	case s.run.Started.IsZero():
		p.lead = []words{say("Launched at " + at + ", not started yet.")}
	default:
		p.lead = []words{say("Started at " + at + ".")}
	}
	p.lead = append(p.lead, s.run.retryOf()...)
	if r == notify.Full {
		p.addTail(s.run.aboutRun())
	}
	return p
}

func (r Run) retryOf() []words {
	if r.RetryOf == "" {
		return nil
	}
	return []words{say("It runs again what run ", code(r.RetryOf.Short()), " did not achieve.")}
}
