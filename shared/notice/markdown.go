package notice

import (
	"strings"
)

// markdown is the page in GitHub's Markdown.
func (p page) markdown() string {
	var b strings.Builder
	b.WriteString("## " + markdownEscape(p.heading()) + "\n\n")
	for _, l := range p.lead {
		b.WriteString(l.markdown() + "\n\n")
	}
	for _, part := range p.all() {
		if part.title != "" {
			b.WriteString("### " + markdownEscape(part.title) + "\n\n")
		}
		for _, f := range part.facts {
			b.WriteString("- " + markdownEscape(f.label) + ": " + f.value.markdown() + "\n")
		}
		for _, r := range part.rows {
			b.WriteString("- ")
			if r.state != nil {
				b.WriteString(r.state.Text() + " ")
			}
			b.WriteString(r.head.markdown())
			if r.right != "" {
				b.WriteString(" " + markdownEscape(r.right))
			}
			b.WriteString("\n")
			for _, n := range r.notes {
				b.WriteString("  - " + n.markdown() + "\n")
			}
			if len(r.code) > 0 {
				body := strings.Join(r.code, "\n")
				fence := strings.Repeat("`", max(3, longestRun(body, '`')+1))
				b.WriteString("\n  " + fence + "text\n")
				for _, c := range r.code {
					b.WriteString(strings.TrimRight("  "+c, " ") + "\n")
				}
				b.WriteString("  " + fence + "\n")
			}
			if r.cut != "" {
				b.WriteString("\n  " + r.cut + "\n")
			}
		}
		if part.after != "" {
			b.WriteString("- " + part.after + "\n")
		}
		b.WriteString("\n")
	}
	if p.where.link != "" {
		b.WriteString("[" + p.where.label + "](<" + p.where.link + ">)\n\n")
	}
	for _, f := range p.foot {
		b.WriteString(f.markdown() + "\n\n")
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

func (w words) markdown() string {
	var b strings.Builder
	for _, s := range w {
		switch s.look {
		case mono:
			b.WriteString(codeSpan(s.text))
		case strong:
			b.WriteString("**" + markdownEscape(s.text) + "**")
		default:
			b.WriteString(markdownEscape(s.text))
		}
	}
	return b.String()
}

// markdownEscapes are the characters that mean something to Markdown or HTML, and @ and # that would call people and issues.
var markdownEscapes = strings.NewReplacer(`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "<", "&lt;", ">", "&gt;",
	"&", "&amp;", "#", `\#`, "|", `\|`, "~", `\~`, "@", "@\u200b")

func markdownEscape(text string) string { return markdownEscapes.Replace(text) }

// codeSpan fences a text with more back-ticks than stand in it.
func codeSpan(text string) string {
	if text == "" {
		return ""
	}
	fence := strings.Repeat("`", longestRun(text, '`')+1)
	if strings.HasPrefix(text, "`") || strings.HasSuffix(text, "`") {
		text = " " + text + " "
	}
	return fence + text + fence
}

func longestRun(text string, of rune) int {
	longest, now := 0, 0
	for _, r := range text {
		if r != of {
			now = 0
			continue
		}
		now++
		longest = max(longest, now)
	}
	return longest
}
