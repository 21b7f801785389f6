package notice

import (
	"fmt"
	"unicode/utf8"

	"waggle/shared/duration"
	"waggle/shared/notify"
	"waggle/shared/report"
	"waggle/shared/run"
)

// failureReport says that a run failed: what, since when, why, what changed, what is blocked, what to do.
type failureReport struct{ run Run }

func (f failureReport) Content(r notify.Rung) (notify.Content, error) { return contentOf(f, r) }

func (f failureReport) subject() string { return "[Waggle] " + f.run.Name + " failed" }

func (f failureReport) line() string { return f.run.failedLine(report.OfRun(run.Failure)) }

// failedLine is the state, the name, the first error and how much is failed or blocked.
func (r Run) failedLine(state report.State) string {
	var number string
	switch n, blocked := len(r.FailedSteps), r.blockedAssets(); {
	case n > 1:
		number = report.Count(n, "step") + " failed"
	case blocked > 0:
		number = report.Count(blocked, "asset") + " blocked"
	case r.Failures > 1:
		number = report.Count(r.Failures, "failure") + " in a row"
	}
	return fitLine(state.Text()+" "+r.Place.of(r.Name), r.Why(), number)
}

// Why is the first error with the step it is of, on one line; without an error, what the run failed of.
func (r Run) Why() string {
	why := r.Error
	if len(r.FailedSteps) > 0 {
		first := r.FailedSteps[0]
		if why = first.Error; why == "" {
			why = kindText(first.Kind)
		}
		why = stepName(first.Step).String() + ": " + why
	}
	if why == "" {
		why = reasonText(r.Reason)
	}
	return oneLineCut(why, 400)
}

// fitLine joins what happened, why and a number; of the three, why gives way.
func fitLine(what, why, number string) string {
	what = cut(oneLine(what), 80)
	if why != "" {
		room := maxLine - utf8.RuneCountInString(what+number) - 4
		what += ": " + sentence(cut(why, room))
	}
	if number == "" {
		return what
	}
	if why == "" {
		return what + ": " + number
	}
	return what + " " + number
}

func (f failureReport) page(r notify.Rung) page {
	p := page{state: report.OfRun(run.Failure), name: f.run.Place.of(f.run.Name)}
	p.lead = append(f.run.whatFailed(), f.run.sinceWhen()...)
	p.lead = append(p.lead, f.run.retries()...)
	p.where = f.run.whatToDo()
	if r != notify.Full {
		p.add(f.run.briefWhy())
		return p
	}
	p.add(f.run.failedSteps(), f.run.changed(), f.run.blocked())
	p.add(f.run.warningsPart(maxNamed))
	p.addTail(f.run.aboutRun())
	return p
}

// whatFailed is what happened and to what.
func (r Run) whatFailed() []words {
	n := len(r.FailedSteps)
	var what words
	switch {
	case n == 0:
		what = say(sentence(capital(reasonText(r.Reason))))
	case r.FailedSteps[0].Kind == run.Blocked && n == 1:
		what = say("The blocking check ", stepName(r.FailedSteps[0].Step), " failed.")
	case n == 1:
		what = say(stepName(r.FailedSteps[0].Step), " "+kindText(r.FailedSteps[0].Kind)+".")
	default:
		what = say(bold(report.Count(n, "step")), " failed, ", stepName(r.FailedSteps[0].Step), " first.")
	}
	if n := r.blockedAssets(); n > 0 {
		what = append(what, say(" "+report.Count(n, "asset")+" blocked.")...)
	}
	return []words{what}
}

// sinceWhen is how long it has been so.
func (r Run) sinceWhen() []words {
	var w words
	switch {
	case r.Failures > 1:
		w = say(fmt.Sprintf("Failing since %s: %s in a row", r.Place.at(r.FailingSince), report.Count(r.Failures, "failure")))
		if d := r.failingFor(); d > 0 {
			w = append(w, say(" in "+duration.Text(d))...)
		}
		w = append(w, say(".")...)
	case !r.Ended.IsZero():
		w = say("Failed at " + r.Place.at(r.Ended) + ".")
	default:
		return nil
	}
	if r.LastSuccess != nil && !r.LastSuccess.Time.IsZero() {
		w = append(w, say(" Worked until "+r.Place.stamp(r.LastSuccess.Time)+".")...)
	} else if r.Job != "" {
		w = append(w, say(" No earlier success is known.")...)
	}
	return []words{w}
}

// retries is what happens by itself.
func (r Run) retries() []words {
	switch {
	case r.WillRetry:
		return []words{say("It is tried again without you: another run follows.")}
	case r.Retries > 0:
		return []words{say("This was the last try, after " + report.Count(r.Retries, "retry run") + ".")}
	}
	return nil
}

func (r Run) whatToDo() where {
	w := r.Place.where(r.ID, "See why")
	w.title = "What to do"
	if !r.WillRetry && r.ID != "" {
		w.commands = append(w.commands, command{"Run again what is missing", r.Place.command("runs", "retry", r.ID.Short())})
	}
	return w
}

// briefWhy is the first error alone.
func (r Run) briefWhy() part {
	why := row{}
	if len(r.FailedSteps) > 0 {
		why.printed(r.FailedSteps[0].Error, 3, maxNote)
	} else {
		why.printed(r.Error, 3, maxNote)
	}
	if len(why.code) == 0 {
		return part{}
	}
	return part{title: "Why", rows: []row{why}, after: more(len(r.FailedSteps)-1, "failed step")}
}

// failedSteps are the first with all that is known, the next by name and error, the others by number.
func (r Run) failedSteps() part {
	p := part{title: "Why"}
	if len(r.FailedSteps) == 0 && r.Error != "" {
		why := row{}
		why.printed(r.Error, maxLines, maxError)
		p.rows = append(p.rows, why)
	}
	for i, f := range r.FailedSteps[:min(maxDetailed+maxNamed, len(r.FailedSteps))] {
		why := row{head: stepName(f.Step)}
		if i >= maxDetailed {
			why.notes = append(why.notes, say(code(cut(oneLineCut(f.Error, maxNote), 160))))
			p.rows = append(p.rows, why)
			continue
		}
		why.head = append(why.head, say(" "+kindText(f.Kind))...)
		if f.Attempt > 1 {
			why.head = append(why.head, say(" in "+report.Count(f.Attempt, "attempt"))...)
		}
		if f.Took > 0 {
			why.right = "after " + duration.Text(f.Took)
		}
		why.printed(f.Error, maxLines, maxError)
		if f.Stack != "" {
			kept, _ := excerpt(f.Stack, 8, 900)
			why.code = append(why.code, kept...)
		}
		p.rows = append(p.rows, why)
		if len(f.Log) > 0 {
			last := row{notes: []words{say("Its last log lines")}}
			for _, line := range f.Log[max(0, len(f.Log)-5):] {
				last.code = append(last.code, oneLineCut(line, 160))
			}
			p.rows = append(p.rows, last)
		}
	}
	p.after = more(len(r.FailedSteps)-maxDetailed-maxNamed, "failed step")
	return p
}

// changed is what differs from the last success.
func (r Run) changed() part {
	if r.LastSuccess == nil {
		return part{}
	}
	if len(r.Changed) == 0 {
		return part{title: "Changed since the last success", after: "Nothing that is recorded: code, config, row counts and schemas are the same."}
	}
	return list("Changed since the last success", r.Changed, maxChanges, "change", func(c Change) row { return row{head: c.words()} })
}

// blocked is what does not run because of it.
func (r Run) blocked() part {
	var assets []SkippedStep
	checks := 0
	for _, s := range r.Skipped {
		if isCheck(s.Step) {
			checks++
			continue
		}
		assets = append(assets, s)
	}
	state := report.OfStep(run.StepSkipped)
	p := list("Blocked", assets, maxNamed, "asset", func(s SkippedStep) row {
		head := say(code(string(s.Step)))
		if s.By != "" {
			head = append(head, say(" by ", stepName(s.By))...)
		}
		return row{state: &state, head: head}
	})
	if checks > 0 && p.after == "" {
		p.after = "and " + report.Count(checks, "check") + " of theirs"
	} else if checks > 0 {
		p.after += " and " + report.Count(checks, "check")
	}
	return p
}

// blockedAssets is how many assets were not made because of what failed.
func (r Run) blockedAssets() int {
	n := 0
	for _, s := range r.Skipped {
		if !isCheck(s.Step) {
			n++
		}
	}
	return n
}
