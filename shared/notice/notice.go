// Package notice is what people are told: a model of each report (a run failed, worked again, a channel is parked, the
// day in numbers) and its rendering as mail, plain text, Slack blocks, Markdown and JSON.
//
// Every report is first a page, the words in their order; each form is one walk over that page. A report has three
// sizes, and what a size leaves out it counts.
//
// What a report puts into a notify.Content always fits: Line has at most 150 characters; Text is at most 72 columns wide,
// commands and links aside; HTML is a whole document of less than 100 KB, since Gmail clips what is larger than 102; Blocks
// are at most 48 and 12,000 bytes, and empty for one sentence and for a digest made by hand that they cannot hold; JSON has
// less than 256 KB.
//
// It knows no store, no sensor and no service: models are plain structs that others fill. It imports duration, metadata,
// notify, report, run and runlog of ours.
package notice

import "waggle/shared/notify"

// limits of channels, and of what a person reads.
const (
	maxLine    = notify.MaxLine // also of a Slack header
	maxColumns = 72
)

// pager is a report as the renderers see it.
type pager interface {
	subject() string
	line() string
	page(notify.Rung) page
	facts() any // for JSON: a struct with a Kind, its lists bounded
}

// contentOf renders a report.
func contentOf(p pager, r notify.Rung, attachments ...notify.Attachment) (notify.Content, error) {
	line := cut(oneLine(p.line()), maxLine)
	data, err := encode(envelope{Version: 1, Line: line, Report: p.facts()})
	if err != nil {
		return notify.Content{}, err
	}
	c := notify.Content{Subject: cut(oneLine(p.subject()), maxLine), Line: line, JSON: data, Attachments: attachments}
	if r == notify.Line {
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
		return notify.Content{}, err
	}
	blocks, whole, err := page.blocks()
	if err != nil {
		return notify.Content{}, err
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
