package notice

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// text is the page for a terminal or a mail without HTML.
func (p page) text() string {
	var b strings.Builder
	put := func(indent, text string) {
		for _, line := range strings.Split(wrapAt(text, maxColumns-len(indent)), "\n") {
			b.WriteString(strings.TrimRight(indent+line, " ") + "\n")
		}
	}
	put("", p.heading())
	for _, l := range p.lead {
		put("", l.String())
	}
	for _, part := range p.all() {
		b.WriteString("\n")
		if part.title != "" {
			put("", strings.ToUpper(part.title))
		}
		width := 0
		for _, f := range part.facts {
			width = max(width, min(24, ansi.StringWidth(f.label)))
		}
		for _, f := range part.facts {
			label := ansi.Truncate(f.label, 24, "…")
			lines := strings.Split(wrapAt(f.value.String(), maxColumns-4-width), "\n")
			for i, line := range lines {
				if i > 0 {
					label = ""
				}
				b.WriteString(strings.TrimRight("  "+label+strings.Repeat(" ", width-ansi.StringWidth(label))+"  "+line, " ") + "\n")
			}
		}
		for i, r := range part.rows {
			if i > 0 && (len(r.code) > 0 || len(part.rows[i-1].code) > 0) {
				b.WriteString("\n")
			}
			if title := r.title(); title != "" {
				put("  ", title)
			}
			for _, n := range r.notes {
				put("    ", n.String())
			}
			for _, c := range r.code {
				if r.typed {
					b.WriteString("    " + c + "\n")
					continue
				}
				put("    | ", c)
			}
			if r.cut != "" {
				put("    ", r.cut)
			}
		}
		if part.after != "" {
			put("  ", part.after)
		}
	}
	if p.where.link != "" {
		b.WriteString("\n" + p.where.label + ": " + p.where.link + "\n")
	}
	if len(p.foot) > 0 {
		b.WriteString("\n")
	}
	for _, f := range p.foot {
		put("", f.String())
	}
	return b.String()
}

// title is the first line of a row as text.
func (r row) title() string {
	text := r.head.String()
	if r.state != nil {
		text = r.state.Text() + " " + text
	}
	if r.right != "" {
		text += "  " + r.right
	}
	return text
}

// wrap breaks a text at spaces, and words that are longer than a line where they must. Ids, paths and flags stay whole, so
// that they can be copied.
func wrap(text string) string { return wrapAt(text, maxColumns) }

func wrapAt(text string, columns int) string {
	indent := text[:len(text)-len(strings.TrimLeft(text, " "))]
	if len(indent) > columns/2 {
		indent = ""
	}
	var b strings.Builder
	b.WriteString(indent)
	at := len(indent)
	for i, word := range strings.Split(strings.TrimLeft(text, " "), " ") {
		width := ansi.StringWidth(word)
		switch {
		case i > 0 && at+1+width <= columns:
			b.WriteByte(' ')
			at++
		case i > 0:
			b.WriteString("\n" + indent)
			at = len(indent)
		}
		for at+width > columns {
			start := ansi.Truncate(word, columns-at, "")
			if start == "" { // a character wider than what is left
				start = word
			}
			b.WriteString(start)
			if word = word[len(start):]; word == "" {
				at, width = columns, 0
				break
			}
			b.WriteString("\n" + indent)
			at, width = len(indent), ansi.StringWidth(word)
		}
		b.WriteString(word)
		at += width
	}
	return b.String()
}
