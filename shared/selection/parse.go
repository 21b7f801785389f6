package selection

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"waggle/shared/fault"
)

// parser reads an expression by recursive descent:
//
//	or    = and { ("or" | ",") and }
//	and   = not { "and" not }
//	not   = "not" not | reach
//	reach = [ number ] [ "+" ] atom [ "+" [ number ] ]
//	atom  = "(" or ")" | word [ ":" word ]
type parser struct {
	text   string
	tokens []token
}

func parse(text string) (node, error) {
	tokens, err := scan(text)
	if err != nil {
		return nil, err
	}
	if len(tokens) == 1 {
		return nil, fault.New(fault.Invalid, "the selection is empty").WithHint("name assets, or * for all")
	}
	p := &parser{text: text, tokens: tokens}
	n, err := p.or()
	if err != nil {
		return nil, err
	}
	if next := p.peek(); next.kind != end {
		return nil, wrong(text, next.at, "%s does not belong here", next).WithHint("join with and, or, or a comma")
	}
	return n, nil
}

func (p *parser) peek() token { return p.tokens[0] }

func (p *parser) next() token {
	t := p.tokens[0]
	if t.kind != end {
		p.tokens = p.tokens[1:]
	}
	return t
}

// took takes the next token if it is a sign or a bare word of the language.
func (p *parser) took(texts ...string) bool {
	for _, text := range texts {
		if t := p.peek(); !t.quoted && t.kind != end && strings.EqualFold(t.text, text) {
			p.next()
			return true
		}
	}
	return false
}

func (p *parser) or() (node, error) {
	left, err := p.and()
	for err == nil && p.took("or", ",") {
		var right node
		right, err = p.and()
		left = either{left, right}
	}
	return left, err
}

func (p *parser) and() (node, error) {
	left, err := p.not()
	for err == nil && p.took("and") {
		var right node
		right, err = p.not()
		left = both{left, right}
	}
	return left, err
}

func (p *parser) not() (node, error) {
	if !p.took("not") {
		return p.reach()
	}
	of, err := p.not()
	return without{of}, err
}

func (p *parser) reach() (node, error) {
	up, down := 0, 0
	if t := p.peek(); t.kind == word && !t.quoted && len(p.tokens) > 1 && p.tokens[1].text == "+" && p.tokens[1].kind == sign {
		if n, err := strconv.Atoi(t.text); err == nil {
			p.next()
			p.next()
			up = n
		}
	} else if p.took("+") {
		up = -1
	}
	at := p.peek().at
	of, err := p.atom()
	if err != nil {
		return nil, err
	}
	if p.took("+") {
		down = -1
		if t := p.peek(); t.kind == word && !t.quoted {
			if n, err := strconv.Atoi(t.text); err == nil {
				p.next()
				down = n
			}
		}
	}
	if up == 0 && down == 0 {
		return of, nil
	}
	return around{of, up, down, at}, nil
}

func (p *parser) atom() (node, error) {
	t := p.next()
	switch {
	case t.kind == sign && t.text == "(":
		inner, err := p.or()
		if err == nil && !p.took(")") {
			err = wrong(p.text, t.at, "the parenthesis is not closed")
		}
		return inner, err
	case t.kind != word:
		return nil, wrong(p.text, t.at, "%s where a name is expected", t)
	case !t.quoted && (strings.EqualFold(t.text, "and") || strings.EqualFold(t.text, "or")):
		return nil, wrong(p.text, t.at, "%s where a name is expected", t).WithHint(`for an asset of that name write key:"%s"`, t.text)
	}
	if !p.took(":") {
		return named{key: t.text, at: t.at}, nil
	}
	value := p.next()
	if value.kind != word {
		return nil, wrong(p.text, value.at, "%s where a name is expected after %s:", value, t.text)
	}
	if t.text == "key" {
		return named{key: value.text, at: value.at}, nil
	}
	return attribute{name: t.text, value: value.text, at: t.at}, nil
}

// wrong is an error at a place of the expression.
func wrong(text string, at int, format string, args ...any) *fault.Error {
	e := fault.New(fault.Invalid, format, args...)
	e.Op = place(text, at)
	return e
}

// place names a byte offset of an expression to people, in characters from 1.
func place(text string, at int) string {
	return "selection " + strconv.Quote(text) + " at " + strconv.Itoa(utf8.RuneCountInString(text[:at])+1)
}
