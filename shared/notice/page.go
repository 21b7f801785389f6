package notice

import (
	"fmt"
	"slices"

	"waggle/shared/report"
)

// page is a report in words, in the order a tired person needs: what happened, to what, since when, why, what is blocked
// by it, what to do. The renderers know pages alone.
type page struct {
	state report.State
	name  string // what it is about
	lead  []words
	parts []part
	where where
	tail  []part  // what is seldom read
	foot  []words // small, at the end
	// whole says that a form which cannot hold all of the page is worth nothing: a digest must name every run.
	whole bool
}

// where is what to do next. All may be empty.
type where struct {
	title       string // of the commands; empty: "To see more"
	commands    []command
	link, label string // the main button
}

// command is something to type, and what it does.
type command struct{ does, text string }

// part is a titled piece of a page.
type part struct {
	title string
	rows  []row
	facts []fact
	after string // what was cut: "+87 more"
}

// row is one thing in a list: its state, what it is, a number, and what there is to say of it.
type row struct {
	state *report.State
	head  words
	right string // rows, durations
	notes []words
	code  []string // as it was printed: errors, stacks, log lines
	typed bool     // the code is commands or ids, to be copied: never broken
	cut   string   // what was cut of code: "+1,048,000 characters"
}

// fact is a label and its value.
type fact struct {
	label string
	value words
}

// Sizes of the full report. A mail of them stays under 100 KB, blocks under 50.
const (
	maxDetailed = 5  // failed steps with their error, stack and log
	maxNamed    = 10 // others of the same list
	maxAssets   = 30
	maxChecks   = 15
	maxChanges  = 8
	maxFacts    = 10
	maxError    = 1_200 // characters of an error
	maxLines    = 14
	maxNote     = 300
)

// list renders up to max things and counts the others.
func list[T any](title string, things []T, max int, noun string, render func(T) row) part {
	p := part{title: title}
	for _, t := range things[:min(max, len(things))] {
		p.rows = append(p.rows, render(t))
	}
	p.after = more(len(things)-max, noun)
	return p
}

// add appends a part that has something in it.
func (p *page) add(parts ...part) {
	for _, part := range parts {
		if len(part.rows) > 0 || len(part.facts) > 0 || part.after != "" {
			p.parts = append(p.parts, part)
		}
	}
}

// printed is a text as it was printed, cut to lines and characters.
func (r *row) printed(text string, lines, chars int) {
	if text == "" {
		return
	}
	kept, left := excerpt(text, lines, chars)
	r.code = append(r.code, kept...)
	if left > 0 {
		r.cut = fmt.Sprintf("+%s characters", report.Number(int64(left)))
	}
}

// addTail appends a part behind what to do.
func (p *page) addTail(part part) {
	if len(part.rows) > 0 || len(part.facts) > 0 {
		p.tail = append(p.tail, part)
	}
}

// toDo is what to do, as a part.
func (p page) toDo() []part {
	if len(p.where.commands) == 0 {
		return nil
	}
	do := part{title: p.where.title}
	if do.title == "" {
		do.title = "To see more"
	}
	for _, c := range p.where.commands {
		do.rows = append(do.rows, row{head: say(c.does), code: []string{c.text}, typed: true})
	}
	return []part{do}
}

// all are the parts in their order, what to do among them.
func (p page) all() []part { return slices.Concat(p.parts, p.toDo(), p.tail) }

// heading is the sign, the word and the name.
func (p page) heading() string { return p.state.Text() + " " + p.name }
