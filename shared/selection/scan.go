package selection

import (
	"strconv"
	"strings"
)

type kind int

const (
	end  kind = iota
	word      // a name, a number, or what stood in quotes
	sign      // one of ( ) + : ,
)

type token struct {
	kind   kind
	text   string
	quoted bool
	at     int // byte offset
}

// String is the token as an error shows it.
func (t token) String() string {
	if t.kind == end {
		return "the end"
	}
	return strconv.Quote(t.text)
}

const signs = "()+:,"

// scan cuts an expression into tokens; the last is the end.
func scan(text string) ([]token, error) {
	var tokens []token
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
		case strings.IndexByte(signs, c) >= 0:
			tokens = append(tokens, token{kind: sign, text: string(c), at: i})
			i++
		case c == '"' || c == '\'':
			length := strings.IndexByte(text[i+1:], c)
			if length < 0 {
				return nil, wrong(text, i, "the quote is not closed")
			}
			tokens = append(tokens, token{kind: word, text: text[i+1 : i+1+length], quoted: true, at: i})
			i += length + 2
		default:
			length := strings.IndexAny(text[i:], signs+" \t\r\n\"'")
			if length < 0 {
				length = len(text) - i
			}
			tokens = append(tokens, token{kind: word, text: text[i : i+length], at: i})
			i += length
		}
	}
	return append(tokens, token{kind: end, at: len(text)}), nil
}
