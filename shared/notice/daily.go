package notice

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"waggle/shared/duration"
	"waggle/shared/notify"
	"waggle/shared/report"
	"waggle/shared/run"
)

// Daily is a day in numbers: what ran, what fails, what to look at. The zero value is a day on which nothing happened.
type Daily struct {
	// Day is any moment of the day, in the zone of Place.
	Day   time.Time
	Jobs  []DailyJob
	Late  int // ticks that came late or not at all
	Dead  int // messages that were given up
	Place Place
}

// DailyJob is a job's day. A run that is retried is not counted: the last one of its chain is.
type DailyJob struct {
	Job      string // empty: assets that were selected by hand
	Runs     int    // that ended
	Failed   int
	Canceled int
	Warnings int // checks that failed and stopped nothing
	// Median is of the runs that succeeded; zero: none did.
	Median time.Duration
	// Last is the newest run of the day, with its error where it failed: the job still fails.
	Last      run.ID
	LastState run.Status
	LastError string
	Since     time.Time // when the failures in a row began; zero: it does not fail
}

// Nothing reports a day on which nothing ran and nothing went wrong.
func (d Daily) Nothing() bool { return d.tally().runs+d.Late+d.Dead == 0 }

// Content renders the report; it never fails.
func (d Daily) Content(r notify.Rung) (notify.Content, error) { return contentOf(d, r) }

func (d Daily) day() string { return d.Day.In(d.Place.zone()).Format("2006-01-02") }

func (d Daily) subject() string { return "[Waggle] daily summary " + d.day() }

type dailyTally struct{ runs, failed, canceled, warnings, jobs, failing int }

func (d Daily) tally() (t dailyTally) {
	for _, j := range d.Jobs {
		t.runs, t.failed, t.canceled, t.warnings = t.runs+j.Runs, t.failed+j.Failed, t.canceled+j.Canceled, t.warnings+j.Warnings
		if j.Job != "" {
			t.jobs++
		}
		if j.fails() {
			t.failing++
		}
	}
	return t
}

func (d Daily) state() report.State {
	switch t := d.tally(); {
	case t.failing > 0:
		return report.Failing()
	case t.failed+t.warnings+d.Late+d.Dead > 0:
		return report.Doubtful()
	default:
		return report.OfRun(run.Success)
	}
}

func (d Daily) line() string {
	t := d.tally()
	number := report.Count(t.runs, "run")
	if t.failing > 0 {
		number = fmt.Sprintf("%s of %s failing", report.Number(int64(t.failing)), report.Count(t.jobs, "job"))
	} else if t.failed > 0 {
		number += ", " + report.Number(int64(t.failed)) + " failed"
	}
	return fitLine(d.state().Text()+" "+d.Place.of("daily summary "+d.day()), "", number)
}

func (d Daily) page(r notify.Rung) page {
	t := d.tally()
	p := page{state: d.state(), name: d.Place.of("daily summary " + d.day())}
	p.where = where{commands: []command{{"List the runs", d.Place.command("runs", "--last", "24h")}}}
	if t.runs == 0 {
		p.lead = []words{say("Nothing ran.")}
	} else {
		of := ""
		if t.jobs > 0 {
			of = " of " + report.Count(t.jobs, "job")
		}
		if t.jobs > 0 && t.jobs < len(d.Jobs) {
			of += " and of assets selected by hand"
		}
		p.lead = []words{say(report.Count(t.runs, "run") + of + ": " + countsText(t.runs-t.failed-t.canceled, t.failed, t.canceled, t.warnings) + ".")}
	}
	var aside []string
	if d.Late > 0 {
		aside = append(aside, report.Count(d.Late, "scheduled run")+" late or missed")
	}
	if d.Dead > 0 {
		aside = append(aside, report.Count(d.Dead, "message")+" given up")
		p.where.commands = append(p.where.commands, command{"See what was given up", d.Place.command("deliveries", "--state", "dead")})
	}
	if len(aside) > 0 {
		p.lead = append(p.lead, say(capital(strings.Join(aside, ", "))+"."))
	}
	if r != notify.Full {
		return p
	}
	var failing, others, byHand []DailyJob
	for _, j := range d.Jobs {
		switch {
		case j.fails():
			failing = append(failing, j)
		case j.Job == "":
			byHand = append(byHand, j)
		default:
			others = append(others, j)
		}
	}
	slices.SortStableFunc(others, func(a, b DailyJob) int { return b.Failed + b.Warnings - a.Failed - a.Warnings })
	p.add(list("Failing now", failing, maxNamed, "job", func(j DailyJob) row {
		out := j.row()
		if at := d.Place.at(j.Since); at != "" {
			out.notes = append(out.notes, say("Since "+at+", run ", code(j.Last.Short()), "."))
		}
		if j.LastError != "" {
			out.notes = append(out.notes, say(code(oneLineCut(j.LastError, 160))))
		}
		return out
	}))
	p.add(list("Working", others, maxAssets, "job", DailyJob.row))
	p.add(list("By hand", byHand, maxAssets, "job", DailyJob.row))
	return p
}

// fails reports a job whose newest run failed. What people selected by hand is not one thing that works or fails.
func (j DailyJob) fails() bool { return j.Job != "" && j.LastState == run.Failure }

func (j DailyJob) row() row {
	state := report.OfRun(j.LastState)
	if j.LastState == run.Success && j.Failed+j.Warnings > 0 {
		state = report.Doubtful()
	}
	out := row{state: &state, head: say(code(j.Job)), right: report.Count(j.Runs, "run")}
	if j.Job == "" {
		out.head = say("selected assets")
	}
	note := countsText(j.Runs-j.Failed-j.Canceled, j.Failed, j.Canceled, j.Warnings)
	if j.Median > 0 {
		note += ", typically " + duration.Text(j.Median)
	}
	if j.Failed+j.Canceled+j.Warnings > 0 || j.Median > 0 {
		out.notes = []words{say(note)}
	}
	return out
}

func countsText(succeeded, failed, canceled, warnings int) string {
	var parts []string
	for _, c := range []struct {
		n    int
		text string
	}{{succeeded, " succeeded"}, {failed, " failed"}, {canceled, " canceled"}} {
		if c.n > 0 {
			parts = append(parts, report.Number(int64(c.n))+c.text)
		}
	}
	if warnings > 0 {
		parts = append(parts, report.Count(warnings, "warning"))
	}
	return strings.Join(parts, ", ")
}
