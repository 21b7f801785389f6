package notice

import (
	"encoding/json"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Slack's limits: https://docs.slack.dev/reference/block-kit/blocks
const (
	slackBlocks  = 50
	slackHeader  = 150
	slackSection = 3_000
	slackTotal   = 12_000 // of all sections of a report: what a person scrolls through, far below what Slack refuses
)

// block is a block of Slack's Block Kit; the fields that a kind has.
type block struct {
	Type     string      `json:"type"`
	Text     *slackText  `json:"text,omitempty"`
	Elements []slackItem `json:"elements,omitempty"`
}

type slackText struct {
	Type  string `json:"type"`
	Text  string `json:"text"`
	Emoji *bool  `json:"emoji,omitempty"`
}

// slackItem is an element: a text of a context, or a button.
type slackItem struct {
	Type  string `json:"type"`
	Text  any    `json:"text"` // a string in a context, a slackText in a button
	URL   string `json:"url,omitempty"`
	Style string `json:"style,omitempty"`
}

// blocks is the page for Slack.
func (p page) blocks() (json.RawMessage, error) {
	var all []block
	total := 0
	section := func(text string) {
		if text = strings.TrimRight(text, "\n"); text == "" {
			return
		}
		total += utf8.RuneCountInString(text)
		all = append(all, block{Type: "section", Text: &slackText{Type: "mrkdwn", Text: text}})
	}
	context := func(text string) {
		all = append(all, block{Type: "context", Elements: []slackItem{{Type: "mrkdwn", Text: text}}})
	}
	no := false
	all = append(all, block{Type: "header", Text: &slackText{Type: "plain_text", Text: cut(p.heading(), slackHeader), Emoji: &no}})
	var lead []string
	for _, l := range p.lead {
		lead = append(lead, l.mrkdwn())
	}
	section(slackCut(strings.Join(lead, "\n")))
	left := 0
	for _, part := range p.all() {
		if len(all) > slackBlocks-12 || total > slackTotal-slackSection {
			left++
			continue
		}
		for _, text := range part.mrkdwn() {
			section(text)
		}
	}
	if left > 0 {
		context(more(left, "part"))
	}
	var foot []string
	for _, f := range p.foot {
		foot = append(foot, f.mrkdwn())
	}
	if p.where.link != "" && len(p.where.link) <= slackSection {
		all = append(all, block{Type: "actions", Elements: []slackItem{{Type: "button", Style: "primary", URL: p.where.link,
			Text: slackText{Type: "plain_text", Text: p.where.label}}}})
	}
	if len(foot) > 0 {
		context(slackCut(strings.Join(foot, "\n")))
	}
	return encode(all)
}

// mrkdwn is the part as texts of at most 3,000 characters.
func (p part) mrkdwn() []string {
	var texts []string
	var b strings.Builder
	flush := func() {
		if b.Len() > 0 {
			texts = append(texts, b.String())
			b.Reset()
		}
	}
	put := func(text string) {
		text = slackCut(text)
		if utf8.RuneCountInString(b.String())+utf8.RuneCountInString(text)+1 > slackSection {
			flush()
		}
		b.WriteString(text + "\n")
	}
	if p.title != "" {
		put("*" + slackEscape(p.title) + "*")
	}
	for _, f := range p.facts {
		put(slackEscape(f.label) + ": " + f.value.mrkdwn())
	}
	for _, r := range p.rows {
		text := r.head.mrkdwn()
		if r.state != nil {
			text = r.state.Text() + " " + text
		}
		if r.right != "" {
			text += "  " + slackEscape(r.right)
		}
		put(text)
		for _, n := range r.notes {
			put(n.mrkdwn())
		}
		if len(r.code) > 0 {
			put("```\n" + slackFit(strings.Join(r.code, "\n"), slackSection-200) + "\n```")
		}
		if r.cut != "" {
			put(r.cut)
		}
	}
	if p.after != "" {
		put(p.after)
	}
	flush()
	return texts
}

func (w words) mrkdwn() string {
	var b strings.Builder
	for _, s := range w {
		switch s.look {
		case mono:
			b.WriteString(slackCode(s.text))
		case strong:
			b.WriteString("*" + slackEscape(s.text) + "*")
		default:
			b.WriteString(slackEscape(s.text))
		}
	}
	return b.String()
}

// slackFit is as much of a text, for between back-ticks, as has up to n characters when it is escaped.
func slackFit(text string, n int) string {
	for i, r := range text {
		if n -= len(slackTicks(string(r))); n < 0 { // bytes are never fewer than characters
			return slackTicks(text[:i]) + "…"
		}
	}
	return slackTicks(text)
}

// slackCut keeps a text under the limit of a section. Escaped text grows, so what is that long is cut before an entity, not in it.
func slackCut(text string) string {
	if utf8.RuneCountInString(text) <= slackSection-1 {
		return text
	}
	text = string([]rune(text)[:slackSection-2])
	if i := strings.LastIndexByte(text, '&'); i >= 0 && !strings.Contains(text[i:], ";") {
		text = text[:i]
	}
	return text + "…"
}

func slackCode(text string) string {
	if text == "" {
		return ""
	}
	return "`" + slackTicks(text) + "`"
}

var slackEntities = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// slackTicks escapes text between back-ticks, which cannot hold any.
func slackTicks(text string) string { return slackEntities.Replace(strings.ReplaceAll(text, "`", "'")) }

var (
	slackMarks = strings.NewReplacer("*", "∗", "~", "∼", "`", "'")
	slackEmoji = regexp.MustCompile(`:([a-z0-9_+'-]+):`)
)

// slackEscape escapes text in which Slack would see markup: marks become their look-alikes, since mrkdwn has no escape.
func slackEscape(text string) string {
	return slackEntities.Replace(slackEmoji.ReplaceAllString(slackMarks.Replace(text), ":\u2060$1:"))
}
