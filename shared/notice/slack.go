package notice

import (
	"encoding/json"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Slack's limits: https://docs.slack.dev/reference/block-kit/blocks. The last is written down nowhere: chat.postMessage answers
// msg_blocks_too_long from about 13,200 bytes of blocks on (slackapi/bolt-js#2509, #2867).
const (
	slackBlocks  = 48 // of 50: senders add what is attached, and a footer
	slackHeader  = 150
	slackSection = 3_000
	slackBytes   = 12_000
	slackParts   = 8_000 // of those, for the parts before what to do
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

// blocks is the page for Slack, and whether all of it fits. Why gives way to what to do.
func (p page) blocks() (data json.RawMessage, whole bool, err error) {
	no := false
	all := []block{{Type: "header", Text: &slackText{Type: "plain_text", Text: cut(p.heading(), slackHeader), Emoji: &no}}}
	var foot []block
	if p.where.link != "" && len(p.where.link) <= slackSection {
		foot = append(foot, block{Type: "actions", Elements: []slackItem{{Type: "button", Style: "primary", URL: p.where.link,
			Text: slackText{Type: "plain_text", Text: p.where.label}}}})
	}
	for _, f := range p.foot {
		foot = append(foot, block{Type: "context", Elements: []slackItem{{Type: "mrkdwn", Text: slackCut(f.mrkdwn())}}})
	}
	used := slackSize(all) + slackSize(foot)
	section := func(text string, room int) bool {
		b := block{Type: "section", Text: &slackText{Type: "mrkdwn", Text: text}}
		size := slackSize([]block{b})
		if text == "" || used+size > room || len(all)+len(foot) == slackBlocks {
			return text == ""
		}
		all, used = append(all, b), used+size
		return true
	}
	var lead []string
	for _, l := range p.lead {
		lead = append(lead, l.mrkdwn())
	}
	whole = section(slackCut(strings.Join(lead, "\n")), slackParts)
	put := func(parts []part, room int) {
		for _, part := range parts {
			texts, fits := part.mrkdwn(max(0, room-used))
			whole = whole && fits
			for _, text := range texts {
				whole = section(text, slackBytes-500) && whole
			}
		}
	}
	room := slackParts
	if p.whole {
		room = slackBytes - 1_000
	}
	put(p.parts, room)
	put(p.toDo(), slackBytes-500)
	put(p.tail, slackBytes-500)
	data, err = encode(append(all, foot...))
	return data, whole, err
}

// slackSize is how many bytes blocks take.
func slackSize(blocks []block) int {
	data, err := encode(blocks)
	if err != nil { // of strings and booleans: cannot be
		return slackBytes
	}
	return len(data)
}

// mrkdwn is the part as texts of at most 3,000 characters, about room bytes in all, and whether it is all of it. Rows that do
// not fit are counted.
func (p part) mrkdwn(room int) (texts []string, whole bool) {
	var b strings.Builder
	chars, used := 0, 0
	put := func(text string) {
		text = slackCut(text)
		n := utf8.RuneCountInString(text) + 1
		if chars+n > slackSection {
			texts, chars = append(texts, strings.TrimRight(b.String(), "\n")), 0
			b.Reset()
			used += 80 // a block's braces
		}
		b.WriteString(text + "\n")
		chars, used = chars+n, used+len(text)+2+strings.Count(text, "\n")
	}
	if p.title != "" {
		put("*" + slackEscape(p.title) + "*")
	}
	left := 0
	for _, f := range p.facts {
		line := slackEscape(f.label) + ": " + f.value.mrkdwn()
		if left > 0 || used+len(line) > room {
			left++
			continue
		}
		put(line)
	}
	for _, r := range p.rows {
		lines := r.mrkdwn()
		size := 0
		for _, l := range lines {
			size += len(l) + 2 + strings.Count(l, "\n")
		}
		if left > 0 || used+size > room {
			left++
			continue
		}
		for _, l := range lines {
			put(l)
		}
	}
	switch {
	case left > 0 && p.after != "":
		put(more(left, "") + " here, and " + p.after)
	case left > 0:
		put(more(left, ""))
	case p.after != "":
		put(slackEscape(p.after))
	}
	if b.Len() > 0 {
		texts = append(texts, strings.TrimRight(b.String(), "\n"))
	}
	return texts, left == 0
}

func (r row) mrkdwn() []string {
	var lines []string
	head := r.head.mrkdwn()
	if r.state != nil {
		head = r.state.Text() + " " + head
	}
	if r.right != "" {
		head += "  " + slackEscape(r.right)
	}
	if head != "" {
		lines = append(lines, head)
	}
	for _, n := range r.notes {
		lines = append(lines, n.mrkdwn())
	}
	switch {
	case len(r.code) == 1 && r.typed && len(lines) == 1:
		lines[0] += ": " + slackCode(r.code[0])
	case len(r.code) > 0:
		lines = append(lines, "```\n"+slackFit(strings.Join(r.code, "\n"), slackSection-200)+"\n```")
	}
	if r.cut != "" {
		lines = append(lines, r.cut)
	}
	return lines
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
