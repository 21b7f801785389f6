package notice

import "strings"

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
		indent := ""
		for _, r := range part.rows {
			if r.title() != "" {
				indent = "  "
			}
			b.WriteString(r.markdown(indent))
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

// markdown is the row as an item of a list; without a title it goes on with the item before.
func (r row) markdown(indent string) string {
	var b strings.Builder
	if r.title() != "" {
		b.WriteString("- ")
		if r.state != nil {
			b.WriteString(r.state.Text() + " ")
		}
		b.WriteString(r.head.markdown())
		if r.right != "" {
			b.WriteString(" " + markdownEscape(r.right))
		}
		if r.typed && len(r.code) == 1 {
			return b.String() + ": " + codeSpan(r.code[0]) + "\n"
		}
		b.WriteString("\n")
	}
	for _, n := range r.notes {
		b.WriteString("\n" + indent + n.markdown() + "\n")
	}
	if len(r.code) > 0 {
		fence := strings.Repeat("`", max(3, longestRun(strings.Join(r.code, "\n"), '`')+1))
		b.WriteString("\n" + indent + fence + "text\n")
		for _, c := range r.code {
			b.WriteString(strings.TrimRight(indent+c, " ") + "\n")
		}
		b.WriteString(indent + fence + "\n")
	}
	if r.cut != "" {
		b.WriteString("\n" + indent + r.cut + "\n")
	}
	if len(r.notes)+len(r.code) > 0 {
		b.WriteString("\n")
	}
	return b.String()
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
