// Package slackmessage makes the payload of a Slack message, checks it against Slack's limits before it is sent, and knows
// what Slack's errors mean: the part that is the same for webhooks and bots.
//
// It imports notify of ours.
package slackmessage

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"waggle/shared/notify"
)

// Slack's limits, in characters where nothing else is said: https://docs.slack.dev/reference/block-kit/blocks
const (
	MaxBlocks  = 50
	MaxSection = 3_000
	MaxHeader  = 150

	maxFields     = 10
	maxField      = 2_000
	maxElements   = 10 // of a context
	maxActions    = 25
	maxButton     = 75
	maxURL        = 3_000
	maxAlt        = 2_000
	maxMarkdown   = 12_000 // of all markdown blocks of a message
	maxBlockID    = 255
	maxText       = 4_000  // of the top-level text; Slack truncates at 40,000 and recommends this
	maxSections   = 4      // that a plain text becomes: what a person scrolls through, and maxPayload
	maxPayload    = 13_000 // bytes; written down nowhere: msg_blocks_too_long from about 13,200 on (slackapi/bolt-js#2509, #2867)
	maxNamesShown = 10
)

// Payload is a message as Slack takes it.
type Payload struct {
	// Text is in notifications and wherever blocks cannot be shown; never empty.
	Text   string          `json:"text"`
	Blocks json.RawMessage `json:"blocks,omitempty"`
}

// Of makes the payload. An error says what does not fit Slack: a smaller message is needed.
func Of(c notify.Content) (Payload, error) {
	c = c.Filled()
	p := Payload{Text: Escape(notify.Cut(c.Line, maxText/5))} // an escaped & has five characters
	blocks, err := blocksOf(c)
	if err != nil {
		return p, err
	}
	if len(blocks) == 0 {
		return p, nil
	}
	if p.Blocks, err = json.Marshal(blocks); err != nil {
		return p, err
	}
	if err := Check(p.Blocks); err != nil {
		return p, err
	}
	if n := len(p.Blocks); n > maxPayload {
		return p, fmt.Errorf("blocks of %d bytes; at most %d are sent to Slack", n, maxPayload)
	}
	return p, nil
}

// blocksOf are the content's own blocks, or sections of its text; none where the line says it all.
func blocksOf(c notify.Content) ([]json.RawMessage, error) {
	var blocks []json.RawMessage
	if len(c.Blocks) > 0 {
		if err := json.Unmarshal(c.Blocks, &blocks); err != nil {
			return nil, fmt.Errorf("the blocks are no JSON array: %w", err)
		}
	}
	if len(blocks) == 0 && (strings.TrimSpace(c.Text) != c.Line || len(c.Attachments) > 0) {
		texts := sections(c.Text)
		if len(texts) > maxSections {
			return nil, fmt.Errorf("the text has %d characters; at most about %d are sent to Slack", utf8.RuneCountInString(c.Text), maxSections*MaxSection)
		}
		for _, text := range texts {
			blocks = append(blocks, encoded(slack.NewSectionBlock(slack.NewTextBlockObject(slack.MarkdownType, text, false, true), nil, nil)))
		}
	}
	if len(blocks) == 0 {
		return nil, nil
	}
	if len(c.Attachments) > 0 {
		blocks = append(blocks, contextBlock(attached(c.Attachments)))
	}
	if c.Footer != "" {
		blocks = append(blocks, contextBlock(c.Footer))
	}
	return blocks, nil
}

func attached(files []notify.Attachment) string {
	var names []string
	for i, a := range files {
		if i == maxNamesShown {
			names = append(names, fmt.Sprintf("+%d more", len(files)-i))
			break
		}
		names = append(names, notify.Cut(a.Name, 60))
	}
	return "Attached for mails: " + strings.Join(names, ", ")
}

func contextBlock(text string) json.RawMessage {
	return encoded(slack.NewContextBlock("", slack.NewTextBlockObject(slack.MarkdownType, Escape(notify.Cut(text, MaxSection/5)), false, true)))
}

func encoded(block slack.Block) json.RawMessage {
	data, _ := json.Marshal(block) // strings and numbers only
	return data
}

// sections cuts a plain text into escaped pieces of at most 3,000 characters, at line breaks where there are any.
func sections(text string) []string {
	var pieces []string
	var b strings.Builder
	n := 0
	flush := func() {
		if strings.TrimSpace(b.String()) != "" {
			pieces = append(pieces, strings.Trim(b.String(), "\n"))
		}
		b.Reset()
		n = 0
	}
	for line := range strings.Lines(text) {
		escaped := Escape(line)
		length := utf8.RuneCountInString(escaped)
		if n+length > MaxSection {
			flush()
		}
		if length <= MaxSection {
			b.WriteString(escaped)
			n += length
			continue
		}
		for _, r := range line { // a line longer than a section: between characters, never in an entity
			piece := Escape(string(r))
			if l := utf8.RuneCountInString(piece); n+l > MaxSection {
				flush()
			}
			b.WriteString(piece)
			n += utf8.RuneCountInString(piece)
		}
		if len(pieces) > maxSections {
			break // too large already; no need to cut a gigabyte
		}
	}
	flush()
	return pieces
}

var escapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "`", "'")

// Escape makes a plain text safe in mrkdwn: &<> become entities, so that nobody is mentioned and nothing becomes a link, and
// back-ticks apostrophes, since mrkdwn has no way to write one.
func Escape(text string) string { return escapes.Replace(text) }
