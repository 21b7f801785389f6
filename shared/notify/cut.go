package notify

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Cut keeps the start of a text, n characters in all at most: what is left out is counted, "… +87 more characters".
// The cut is between characters, never in one.
func Cut(text string, n int) string {
	have := utf8.RuneCountInString(text)
	if have <= n {
		return text
	}
	tail := func(kept int) string { return "… +" + grouped(have-kept) + " more characters" }
	kept := n - utf8.RuneCountInString(tail(0)) // of all it could say the longest
	if kept < n/2 {
		return firstRunes(text, max(0, n-1)) + "…" // no room for both
	}
	return firstRunes(text, kept) + tail(kept)
}

func firstRunes(text string, n int) string {
	for i := range text {
		if n--; n < 0 {
			return text[:i]
		}
	}
	return text
}

// left is what was left out: "+87 more attachments".
func left(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return "+" + grouped(n) + " more " + noun
}

// grouped is a number as people write it: 1,234.
func grouped(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// Clean makes any bytes valid UTF-8 without the control characters that XML, mail and terminals trip over; a line ends with \n.
func Clean(text string) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		if r == '\r' {
			return '\n'
		}
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f {
			return '\uFFFD'
		}
		return r
	}, text)
}
