// Package notice is what people are told: a model of each report (a run failed, worked again, a channel is parked, the
// day in numbers) and its rendering as mail, plain text, Slack blocks, Markdown and JSON.
//
// Every report is first a page, the words in their order; each form is one walk over that page. A report has three
// sizes, and what a size leaves out it counts.
//
// It knows no store, no sensor and no channel: models are plain structs that others fill. It imports duration, metadata,
// report and run of ours.
package notice

import "encoding/json"

// Rung is a size of a report. The zero value is the largest.
type Rung int

// The rungs of the size ladder. Where a channel refuses one, the next is sent.
const (
	Full  Rung = iota // everything that helps, lists cut with their number
	Brief             // counts, and where to look
	Line              // one plain sentence
)

// Rungs lists the rungs from the largest.
func Rungs() []Rung { return []Rung{Full, Brief, Line} }

// Content is a report in one size, in every form that a channel may take.
type Content struct {
	// Subject of a mail. It is the same over an episode, but for "Re: " on what follows the first mail.
	Subject string `json:"subject"`
	// Line is the state, the subject and a number, at most 150 characters without line breaks: what a phone shows. Not
	// escaped for any channel.
	Line string `json:"line"`
	// Text is at most 72 columns wide, commands and links aside.
	Text string `json:"text"`
	// HTML is a whole document of less than 100 KB; Gmail clips what is larger than 102.
	HTML string `json:"html,omitempty"`
	// Markdown is GitHub's.
	Markdown string `json:"markdown"`
	// Blocks are an array for Slack: at most 50, sections of at most 3,000 characters, 12,000 bytes in all, &<> escaped. Empty for
	// one sentence, and for a digest made by hand that blocks cannot hold.
	Blocks json.RawMessage `json:"blocks,omitempty"`
	// JSON is for programs; it has a version and a kind. Less than 256 KB.
	JSON        json.RawMessage `json:"json"`
	Attachments []Attachment    `json:"attachments,omitempty"`
}

// Attachment is a file that goes with a mail.
type Attachment struct {
	Name        string `json:"name"`
	ContentType string `json:"content_type"`
	Data        []byte `json:"data"`
}

// Report is something people are told.
type Report interface {
	// Content is the report in a size. Every report has content in every size, whatever stands in it.
	Content(Rung) (Content, error)
}

// limits of channels, and of what a person reads.
const (
	maxLine    = 150 // characters of Line, and of a Slack header
	maxColumns = 72
)

// pager is a report as the renderers see it.
type pager interface {
	subject() string
	line() string
	page(Rung) page
	facts() any // for JSON: a struct with a Kind, its lists bounded
}

// contentOf renders a report.
func contentOf(p pager, r Rung, attachments ...Attachment) (Content, error) {
	line := cut(oneLine(p.line()), maxLine)
	data, err := encode(envelope{Version: 1, Line: line, Report: p.facts()})
	if err != nil {
		return Content{}, err
	}
	c := Content{Subject: cut(oneLine(p.subject()), maxLine), Line: line, JSON: data, Attachments: attachments}
	if r == Line {
		c.Text, c.Markdown = wrap(line)+"\n", markdownEscape(line)+"\n"
		if do := p.page(r).where.commands; len(do) > 0 { // the first says more
			c.Text += do[0].does + ": " + do[0].text + "\n"
			c.Markdown += "\n" + do[0].does + ": " + codeSpan(do[0].text) + "\n"
		}
		return c, nil
	}
	page := p.page(r)
	c.Text, c.Markdown = page.text(), page.markdown()
	if c.HTML, err = page.html(c.Subject, line); err != nil {
		return Content{}, err
	}
	blocks, whole, err := page.blocks()
	if err != nil {
		return Content{}, err
	}
	if whole || !page.whole {
		c.Blocks = blocks
	}
	return c, nil
}

// envelope is the outer object of Content.JSON.
type envelope struct {
	Version int    `json:"version"`
	Line    string `json:"line"`
	Report  any    `json:"report"`
}
