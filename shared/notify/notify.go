// Package notify is what people are told, and where: messages, and the channels that take them.
//
// It knows no service, no sensor and no store: the packages below it, each named after a service, send. It imports fault
// and secret of ours.
package notify

import (
	"encoding/json"
	"strings"
)

// Sendable is what Notify takes: a Message or a report.
type Sendable interface {
	// Content returns the message in a size. An error is a mistake of the caller, and the same on every rung.
	Content(Rung) (Content, error)
}

// Rung is a size of a message. A message always fits its channel: where one size does not, the next is sent.
type Rung int

// The rungs of the size ladder.
const (
	Full  Rung = iota // everything that helps
	Brief             // counts, and where to look
	Line              // one plain sentence, which every channel takes
)

// Rungs lists the rungs from the largest.
func Rungs() []Rung { return []Rung{Full, Brief, Line} }

// Content is a message in one size, in the forms that channels take. A channel uses those it knows; what is empty it
// makes from Text, and Text from Line.
type Content struct {
	// Subject of a mail, without line breaks, the same over an episode. Empty: Line.
	Subject string `json:"subject,omitempty"`
	// Line is the state, the subject and one number, without line breaks: what a phone shows, and Slack's top-level text.
	// Plain: each channel escapes it.
	Line string `json:"line"`
	Text string `json:"text,omitempty"`
	// HTML is a whole document, or a part of one, with its CSS inline.
	HTML     string `json:"html,omitempty"`
	Markdown string `json:"markdown,omitempty"`
	// Blocks are an array of Slack's Block Kit.
	Blocks json.RawMessage `json:"blocks,omitempty"`
	// JSON is what programs get.
	JSON json.RawMessage `json:"json,omitempty"`
	// To are the recipients of a mail, in place of the channel's own.
	To []string `json:"to,omitempty"`
	// Attachments go with mails; other channels name them.
	Attachments []Attachment `json:"attachments,omitempty"`
	// Footer says in one sentence why a person got this. It ends every form but Line. May be empty.
	Footer string `json:"footer,omitempty"`
}

// Attachment is a file that goes with a mail.
type Attachment struct {
	Name string `json:"name"` // a file name without folders
	// ContentType defaults to what the name's ending says, else application/octet-stream.
	ContentType string `json:"content_type,omitempty"`
	Data        []byte `json:"data"`
}

// Filled is the content as channels send it: valid UTF-8, no line break where there may be none, and no Line, Text or
// Subject empty.
func (c Content) Filled() Content {
	c.Text, c.HTML, c.Markdown, c.Footer = Clean(c.Text), Clean(c.HTML), Clean(c.Markdown), oneLine(c.Footer)
	c.Line, c.Subject = oneLine(c.Line), oneLine(c.Subject)
	if c.Line == "" {
		c.Line = c.Subject
	}
	if c.Line == "" {
		first, _, _ := strings.Cut(strings.TrimSpace(c.Text), "\n")
		c.Line = Cut(oneLine(first), MaxLine)
	}
	if c.Line == "" {
		c.Line = "A message without text"
	}
	if c.Subject == "" {
		c.Subject = c.Line
	}
	if strings.TrimSpace(c.Text) == "" {
		c.Text = c.Line
	}
	return c
}

// oneLine is the text with single spaces where it had blanks and line breaks.
func oneLine(text string) string { return strings.Join(strings.Fields(Clean(text)), " ") }
