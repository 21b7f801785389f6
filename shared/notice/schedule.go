package notice

import (
	"time"

	"waggle/shared/duration"
	"waggle/shared/notify"
	"waggle/shared/report"
	"waggle/shared/run"
)

// Missed says that a schedule's tick did not launch its run in time.
type Missed struct {
	Schedule string
	Job      string
	Tick     time.Time // when the run was to be launched
	Seen     time.Time // when it was noticed
	// Run is the run that was launched late; empty: none was, or not yet.
	Run run.ID
	// Others is how many ticks before this one were missed too.
	Others int
	// Reason is why, where it is known.
	Reason string
	Place  Place
}

// Content renders the report; it never fails.
func (m Missed) Content(r notify.Rung) (notify.Content, error) { return contentOf(m, r) }

func (m Missed) subject() string { return "[Waggle] " + m.Schedule + " missed its time" }

func (m Missed) state() report.State {
	if m.Run != "" {
		return report.State{Sign: "▲", Word: "LATE", Role: report.Warn}
	}
	return report.State{Sign: "✗", Word: "MISSED", Role: report.Bad}
}

func (m Missed) line() string {
	number := "due " + m.Place.at(m.Tick)
	if late := m.Seen.Sub(m.Tick); late > 0 && !m.Tick.IsZero() {
		if m.Run != "" {
			number += ", " + duration.Text(late) + " late"
		} else {
			number += ", noticed " + duration.Text(late) + " later"
		}
	}
	return fitLine(m.state().Text()+" "+m.Place.of(m.Schedule), "", number)
}

func (m Missed) page(r notify.Rung) page {
	p := page{state: m.state(), name: m.Place.of(m.Schedule)}
	p.lead = []words{say("The run of ", code(m.Job), " was due "+m.Place.at(m.Tick)+" and was not launched then.")}
	if m.Others > 0 {
		p.lead = append(p.lead, say(report.Count(m.Others, "tick")+" before it did not come either."))
	}
	if m.Run != "" {
		late := say("Launched ")
		if d := m.Seen.Sub(m.Tick); d > 0 && !m.Tick.IsZero() {
			late = say("Launched " + duration.Text(d) + " late ")
		}
		p.lead = append(p.lead, append(late, say("as run ", code(m.Run.Short()), ".")...))
		p.where = m.Place.where(m.Run, "See the late run")
	} else {
		p.lead = append(p.lead, say("No run was launched for it."))
		p.where = where{title: "What to do", commands: []command{{"See its ticks", m.Place.command("schedules", "show", m.Schedule)},
			{"Run it now", m.Place.command("run", m.Job)}}}
	}
	if m.Reason != "" && r == notify.Full {
		why := row{}
		why.printed(m.Reason, maxLines, maxError)
		p.add(part{title: "Why", rows: []row{why}})
	}
	return p
}
