package notice

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"

	"waggle/shared/report"
)

// span is a piece of text. Words are ours; what comes from a run (names, errors, values) is mono or strong, so that no
// form takes it for markup.
type span struct {
	text string
	look look
}

type look int

const (
	plain look = iota
	mono
	strong
)

// words is a line or a paragraph.
type words []span

// say joins texts and spans.
func say(parts ...any) words {
	var w words
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			w = append(w, span{text: p})
		case span:
			w = append(w, p)
		case words:
			w = append(w, p...)
		}
	}
	return w
}

// code is a name, a value or a command: at most 200 characters on one line.
func code(text string) span { return span{oneLineCut(text, 200), mono} }

// bold is a text that stands out.
func bold(text string) span { return span{oneLineCut(text, 200), strong} }

// String is the words without their looks.
func (w words) String() string {
	var b strings.Builder
	for _, s := range w {
		b.WriteString(s.text)
	}
	return b.String()
}

// readable replaces what no mail, terminal or page should be sent: broken UTF-8, terminal sequences, control characters,
// and those that turn the direction of the text after them.
func readable(text string) string {
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	if strings.ContainsRune(text, '\x1b') {
		text = ansi.Strip(text)
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r == '\u2028' || r == '\u2029':
			return '\n'
		case unicode.IsControl(r), r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069', r == '\ufeff', r == '\ufffe', r == '\uffff':
			return -1
		}
		return r
	}, strings.ReplaceAll(text, "\r\n", "\n"))
}

// oneLine is a text without line breaks and double spaces.
func oneLine(text string) string { return report.OneLine(readable(text)) }

// oneLineCut does not read more of a large text than it keeps.
func oneLineCut(text string, n int) string { return cut(oneLine(head(text, 4*n+4096)), n) }

// head is the first bytes of a text, whole characters only.
func head(text string, bytes int) string {
	if len(text) <= bytes {
		return text
	}
	for bytes > 0 && !utf8.RuneStart(text[bytes]) {
		bytes--
	}
	return text[:bytes]
}

// cut keeps at most n characters, an ellipsis included.
func cut(text string, n int) string {
	if len(text) <= n || utf8.RuneCountInString(text) <= n {
		return text
	}
	return strings.TrimRight(string([]rune(text)[:n-1]), " ") + "…"
}

// excerpt is the first lines of a text, at most so many lines and characters, and how many characters were left out.
func excerpt(text string, lines, chars int) (kept []string, left int) {
	text = strings.TrimRight(strings.Trim(strings.ReplaceAll(readable(text), "\t", "  "), "\n"), " \n")
	all := []rune(text)
	kept = strings.Split(string(all[:min(chars, len(all))]), "\n")
	kept = kept[:min(lines, len(kept))]
	left = len(all) - utf8.RuneCountInString(strings.Join(kept, "\n"))
	for i, line := range kept {
		kept[i] = strings.TrimRight(line, " ")
	}
	return kept, left
}

// more says how many were left out: "+87 more". Empty for none.
func more(n int, noun string) string {
	if n <= 0 {
		return ""
	}
	text := "+" + report.Number(int64(n)) + " more"
	switch {
	case noun == "":
		return text
	case n == 1:
		return text + " " + noun
	}
	return text + " " + noun + "s"
}

// sentence ends a text with a full stop, unless it ends with a mark.
func sentence(text string) string {
	text = strings.TrimSpace(text)
	if text == "" || strings.ContainsAny(text[len(text)-1:], ".!?:;") || strings.HasSuffix(text, "…") {
		return text
	}
	return text + "."
}

// encode writes JSON with <, > and & as they are.
func encode(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}
