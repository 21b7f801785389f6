//go:build duckdb && cgo

package sqlasset

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// parameter is a $name in a query.
type parameter struct {
	name string
	at   int // its first byte in the text
}

// scan finds the parameters of a query and what is wrong with it as a text. It knows how SQL writes texts, names and
// comments, and nothing else of its grammar.
func scan(text string) (parameters []parameter, mistakes []error) {
	s := scanner{text: text}
	wrong := func(at int, format string, args ...any) {
		mistakes = append(mistakes, fmt.Errorf("%s: %s", placeIn(text, at), fmt.Sprintf(format, args...)))
	}
	empty, ended := true, false
	for s.pos < len(text) {
		at := s.pos
		kind, closed := s.next()
		if !closed {
			wrong(at, "%s does not end", kind)
			return parameters, mistakes
		}
		switch kind {
		case space, comment:
			continue
		case semicolon:
			ended = !empty
			continue
		}
		if ended {
			wrong(at, "a second statement begins; an asset is one SELECT")
			return parameters, mistakes
		}
		empty = false
		switch kind {
		case named:
			parameters = append(parameters, parameter{text[at+1 : s.pos], at})
		case position:
			wrong(at, "%s is a parameter by position; write the setting's name, as $min_price", text[at:s.pos])
		case dollar:
			wrong(at, "a $ stands alone; write the setting's name right behind it, as $min_price")
		}
	}
	if empty {
		mistakes = append(mistakes, fmt.Errorf("is empty"))
	}
	return parameters, mistakes
}

// kind is what a piece of a query is, in the words of an error.
type kind string

const (
	space     kind = "white space"
	comment   kind = "a comment"
	quoted    kind = "a text"
	name      kind = "a name"
	semicolon kind = "a semicolon"
	named     kind = "a parameter"
	position  kind = "a parameter by position"
	dollar    kind = "a dollar"
	other     kind = "a sign"
)

type scanner struct {
	text string
	pos  int
}

// next moves past one piece of the text. A piece that reaches the end without its closing sign is not closed.
func (s *scanner) next() (k kind, closed bool) {
	rest := s.text[s.pos:]
	switch c := rest[0]; {
	case strings.IndexByte(" \t\r\n\f\v", c) >= 0:
		s.pos++
		return space, true
	case strings.HasPrefix(rest, "--"):
		if i := strings.IndexByte(rest, '\n'); i >= 0 {
			s.pos += i
		} else {
			s.pos = len(s.text)
		}
		return comment, true
	case strings.HasPrefix(rest, "/*"):
		return comment, s.blockComment()
	case (c == 'e' || c == 'E') && len(rest) > 1 && rest[1] == '\'':
		s.pos++
		return quoted, s.quote('\'', true)
	case c == '\'':
		return quoted, s.quote('\'', false)
	case c == '"':
		return name, s.quote('"', false)
	case c == '$':
		return s.dollar(rest)
	case c == '?':
		s.pos++
		return position, true
	case c == ';':
		s.pos++
		return semicolon, true
	case c >= '0' && c <= '9': // what follows a number without a space is a piece of its own
		s.pos++
		return name, true
	case isWord(c):
		s.pos += wordLength(rest, true)
		return name, true
	}
	s.pos++
	return other, true
}

// quote moves past a text or name in quotes, in which a doubled quote stands for one.
func (s *scanner) quote(mark byte, backslash bool) (closed bool) {
	for s.pos++; s.pos < len(s.text); s.pos++ {
		switch c := s.text[s.pos]; {
		case backslash && c == '\\':
			s.pos++
		case c == mark && s.pos+1 < len(s.text) && s.text[s.pos+1] == mark:
			s.pos++
		case c == mark:
			s.pos++
			return true
		}
	}
	s.pos = len(s.text)
	return false
}

// blockComment moves past /* */, which may hold others.
func (s *scanner) blockComment() (closed bool) {
	for depth := 0; s.pos < len(s.text); {
		switch rest := s.text[s.pos:]; {
		case strings.HasPrefix(rest, "/*"):
			depth++
			s.pos += 2
		case strings.HasPrefix(rest, "*/"):
			depth--
			s.pos += 2
			if depth == 0 {
				return true
			}
		default:
			s.pos++
		}
	}
	return false
}

// dollar moves past $name, $1, or a text between $$ or $mark$.
func (s *scanner) dollar(rest string) (k kind, closed bool) {
	n := wordLength(rest[1:], false)
	digits := n > 0 && rest[1] >= '0' && rest[1] <= '9'
	if end := 1 + n; !digits && end < len(rest) && rest[end] == '$' {
		mark := rest[:end+1]
		if i := strings.Index(rest[len(mark):], mark); i >= 0 {
			s.pos += i + 2*len(mark)
			return quoted, true
		}
		s.pos = len(s.text)
		return quoted, false
	}
	s.pos += 1 + n
	switch {
	case digits:
		return position, true
	case n > 0:
		return named, true
	}
	return dollar, true
}

func isWord(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c >= utf8.RuneSelf
}

// wordLength is how many bytes of letters, digits and underscores a text begins with, and dollars where they belong to a name.
func wordLength(s string, dollars bool) int {
	n := 0
	for n < len(s) && (isWord(s[n]) || dollars && s[n] == '$') {
		n++
	}
	return n
}

// placeIn names a byte of a query as people count: line and column from 1, columns in characters.
func placeIn(text string, at int) string {
	at = max(0, min(at, len(text)))
	before := text[:at]
	line := 1 + strings.Count(before, "\n")
	column := 1 + utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
	return fmt.Sprintf("line %d, column %d", line, column)
}
