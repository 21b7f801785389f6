package notice

import (
	"time"

	"waggle/shared/duration"
	"waggle/shared/notify"
	"waggle/shared/report"
	"waggle/shared/run"
)

// Resolved says that what failed works again.
type Resolved struct {
	// Run is the run that succeeded.
	Run Run
	// Since is when the first of the failures ended.
	Since time.Time
	// Failures is how many runs in a row had failed.
	Failures int
	// LastError is what the newest of them had failed with.
	LastError string
}

// Content renders the report; it never fails.
func (d Resolved) Content(r notify.Rung) (notify.Content, error) { return contentOf(d, r) }

func (d Resolved) subject() string { return "Re: [Waggle] " + d.Run.Name + " failed" }

var resolved = report.State{Sign: "✓", Word: "RESOLVED", Role: report.Good}

func (d Resolved) line() string {
	return fitLine(resolved.Text()+" "+d.Run.Place.of(d.Run.Name), "", "worked again "+d.after())
}

// after is "after 3 failures in 2 h 5 min".
func (d Resolved) after() string {
	text := "after " + report.Count(max(1, d.Failures), "failure")
	if length := d.Run.Ended.Sub(d.Since); !d.Since.IsZero() && length > 0 {
		text += " in " + duration.Text(length)
	}
	return text
}

func (d Resolved) page(r notify.Rung) page {
	p := page{state: resolved, name: d.Run.Place.of(d.Run.Name), where: d.Run.Place.where(d.Run.ID, "See the run")}
	p.lead = []words{say("Worked again "+d.after()+"; fixed by run ", code(d.Run.ID.Short()), ".")}
	if at := d.Run.Place.at(d.Since); at != "" {
		p.lead = append(p.lead, say("It had failed since "+at+"."))
	}
	p.lead = append(p.lead, say("Nothing is left to do."))
	if r != notify.Full {
		return p
	}
	if d.LastError != "" {
		was := row{}
		was.printed(d.LastError, 4, maxNote)
		p.add(part{title: "It had failed with", rows: []row{was}})
	}
	p.addTail(d.Run.aboutRun())
	return p
}

// Update says that what failed still does: a reminder, or because the reason is another one.
type Update struct {
	// Run is the newest run that failed.
	Run Run
	// Before is what it failed with when people were last told; empty, or the same as now: this is a reminder.
	Before string
}

// Content renders the report; it never fails.
func (u Update) Content(r notify.Rung) (notify.Content, error) { return contentOf(u, r) }

func (u Update) subject() string { return "Re: [Waggle] " + u.Run.Name + " failed" }

var stillFailing = report.State{Sign: "✗", Word: "STILL FAILED", Role: report.Bad}

func (u Update) line() string { return u.Run.failedLine(stillFailing) }

func (u Update) changedReason() bool { return u.Before != "" && u.Before != u.Run.Error }

func (u Update) page(r notify.Rung) page {
	p := page{state: stillFailing, name: u.Run.Place.of(u.Run.Name), where: u.Run.whatToDo()}
	if u.changedReason() {
		p.lead = []words{say("It fails for another reason than before.")}
	} else {
		p.lead = []words{say("It has not worked since you were told.")}
	}
	p.lead = append(p.lead, u.Run.whatFailed()...)
	p.lead = append(p.lead, u.Run.sinceWhen()...)
	p.lead = append(p.lead, u.Run.retries()...)
	if r != notify.Full {
		p.add(u.Run.briefWhy())
		return p
	}
	p.add(u.Run.failedSteps())
	if u.changedReason() {
		was := row{}
		was.printed(u.Before, 4, maxNote)
		p.add(part{title: "Before, it failed with", rows: []row{was}})
	}
	p.add(u.Run.changed(), u.Run.blocked())
	p.addTail(u.Run.aboutRun())
	return p
}

// FixedSince says that a failure was told late: the job works again by now.
func FixedSince(failed Run, by run.ID, at time.Time) notify.Sendable {
	return fixedSince{failed, by, at}
}

type fixedSince struct {
	failed Run
	by     run.ID
	at     time.Time
}

func (f fixedSince) Content(r notify.Rung) (notify.Content, error) { return contentOf(f, r) }

func (f fixedSince) subject() string { return "[Waggle] " + f.failed.Name + " failed" }

func (f fixedSince) line() string {
	return fitLine(resolved.Text()+" "+f.failed.Place.of(f.failed.Name), "", "failed "+f.failed.Place.at(f.failed.Ended)+", fixed since by run "+f.by.Short())
}

func (f fixedSince) page(r notify.Rung) page {
	p := failureReport{f.failed}.page(r)
	p.state = resolved
	fixed := say("Fixed since by run ", code(f.by.Short()))
	if at := f.failed.Place.at(f.at); at != "" {
		fixed = append(fixed, say(", "+at)...)
	}
	p.lead = append([]words{append(fixed, say(". Nothing is left to do.")...)}, p.lead...)
	p.where = f.failed.Place.where(f.by, "See the run that fixed it")
	return p
}
