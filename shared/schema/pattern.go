package schema

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"unicode"
	"unicode/utf8"
)

// quickMatch compiles a pattern that is anchored at the start and goes through classes of characters one after
// another: ^[A-Z], ^\d{4}-\d{2}$, ^(?i:de)[0-9]+$. Such a pattern needs no search: each character belongs to
// one step. It returns nil for every other pattern; those are the business of package regexp, which takes ten times
// as long.
func quickMatch(pattern string) *stepMatcher {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil
	}
	m := &stepMatcher{}
	if !m.compile(re.Simplify()) || !m.sure() {
		return nil
	}
	return m
}

// step is a class of characters, so many times.
type step struct {
	ascii    [2]uint64 // a bit a character
	wide     []rune    // pairs of bounds, from 128 on
	min, max int       // -1: any number
}

func (s *step) has(r rune) bool {
	if r < utf8.RuneSelf {
		return s.ascii[r>>6]>>(r&63)&1 == 1
	}
	for i := 0; i < len(s.wide); i += 2 {
		if r < s.wide[i] {
			return false
		}
		if r <= s.wide[i+1] {
			return true
		}
	}
	return false
}

type stepMatcher struct {
	steps      []step
	start, end bool
}

// maxSteps bounds what (ab){1000} unrolls to.
const maxSteps = 64

// compile adds what a part of a pattern demands and reports whether it can be said in steps.
func (m *stepMatcher) compile(re *syntax.Regexp) bool {
	if m.end && re.Op != syntax.OpEmptyMatch || len(m.steps) > maxSteps || !m.start && re.Op != syntax.OpBeginText && re.Op != syntax.OpConcat && re.Op != syntax.OpCapture {
		return false
	}
	switch re.Op {
	case syntax.OpEmptyMatch:
		return true
	case syntax.OpBeginText:
		m.start = true
		return len(m.steps) == 0
	case syntax.OpEndText:
		m.end = true
		return true
	case syntax.OpCapture:
		return m.compile(re.Sub[0])
	case syntax.OpConcat:
		return !slices.ContainsFunc(re.Sub, func(sub *syntax.Regexp) bool { return !m.compile(sub) })
	case syntax.OpLiteral:
		for _, r := range re.Rune {
			m.steps = append(m.steps, newStep(folds(r, re.Flags), 1, 1))
		}
		return true
	case syntax.OpStar, syntax.OpPlus, syntax.OpQuest:
		least, most := 0, -1
		if re.Op == syntax.OpPlus {
			least = 1
		}
		if re.Op == syntax.OpQuest {
			most = 1
		}
		class, ok := classOf(re.Sub[0])
		if ok {
			m.steps = append(m.steps, newStep(class, least, most))
		}
		return ok
	}
	class, ok := classOf(re)
	if ok {
		m.steps = append(m.steps, newStep(class, 1, 1))
	}
	return ok
}

// folds returns the class of a character and, where case does not matter, its other cases.
func folds(r rune, flags syntax.Flags) []rune {
	class := []rune{r, r}
	if flags&syntax.FoldCase != 0 {
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			class = append(class, f, f)
		}
	}
	return class
}

func classOf(re *syntax.Regexp) ([]rune, bool) {
	switch re.Op {
	case syntax.OpLiteral:
		if len(re.Rune) == 1 {
			return folds(re.Rune[0], re.Flags), true
		}
	case syntax.OpCharClass:
		return re.Rune, true
	case syntax.OpAnyChar:
		return []rune{0, unicode.MaxRune}, true
	case syntax.OpAnyCharNotNL:
		return []rune{0, '\n' - 1, '\n' + 1, unicode.MaxRune}, true
	}
	return nil, false
}

func newStep(class []rune, least, most int) step {
	s := step{min: least, max: most}
	for i := 0; i < len(class); i += 2 {
		for r := class[i]; r <= min(class[i+1], utf8.RuneSelf-1); r++ {
			s.ascii[r>>6] |= 1 << (r & 63)
		}
		if class[i+1] >= utf8.RuneSelf {
			s.wide = append(s.wide, max(class[i], utf8.RuneSelf), class[i+1])
		}
	}
	return s.sorted()
}

// sorted puts the pairs in order; those of classes are, those of folds need not be.
func (s step) sorted() step {
	for i := 2; i < len(s.wide); i += 2 {
		for k := i; k > 0 && s.wide[k] < s.wide[k-2]; k -= 2 {
			s.wide[k], s.wide[k-2], s.wide[k+1], s.wide[k-1] = s.wide[k-2], s.wide[k], s.wide[k-1], s.wide[k+1]
		}
	}
	return s
}

// sure reports whether taking as many characters as a step allows is always right: what may follow a
// step of no fixed number has no character in common with it.
func (m *stepMatcher) sure() bool {
	if !m.start {
		return false
	}
	for i := range m.steps {
		if s := &m.steps[i]; s.min == s.max {
			continue
		}
		for k := i + 1; k < len(m.steps); k++ {
			if m.steps[i].meets(&m.steps[k]) {
				return false
			}
			if m.steps[k].min > 0 {
				break
			}
		}
	}
	return true
}

// meets reports whether two steps have a character in common.
func (s *step) meets(o *step) bool {
	if s.ascii[0]&o.ascii[0] != 0 || s.ascii[1]&o.ascii[1] != 0 {
		return true
	}
	for i := 0; i < len(s.wide); i += 2 {
		for k := 0; k < len(o.wide); k += 2 {
			if s.wide[i] <= o.wide[k+1] && o.wide[k] <= s.wide[i+1] {
				return true
			}
		}
	}
	return false
}

// mark marks the values that do not match.
func (m *stepMatcher) mark(values []string, fail []uint64) {
	if len(m.steps) == 1 && m.steps[0].min == 1 && m.steps[0].wide == nil && !m.end { // only the first byte matters
		var class [256]bool
		for r := range rune(utf8.RuneSelf) {
			class[r] = m.steps[0].has(r)
		}
		for i, v := range values {
			if len(v) == 0 || !class[v[0]] {
				fail[i>>6] |= 1 << (i & 63)
			}
		}
		return
	}
	for i, v := range values {
		if !m.match(v) {
			fail[i>>6] |= 1 << (i & 63)
		}
	}
}

func (m *stepMatcher) match(text string) bool {
	at := 0
	for i := range m.steps {
		s := &m.steps[i]
		n := 0
		for ; n != s.max && at < len(text); n++ {
			r, size := rune(text[at]), 1
			if r >= utf8.RuneSelf {
				r, size = utf8.DecodeRuneInString(text[at:])
			}
			if !s.has(r) {
				break
			}
			at += size
		}
		if n < s.min {
			return false
		}
	}
	return !m.end || at == len(text)
}

// seenTexts keeps what a pattern said of the last texts, for columns that repeat theirs. One goroutine uses it.
type seenTexts struct {
	texts   [seenSlots]string
	matched [seenSlots]bool
	known   [seenSlots]bool
}

const seenSlots = 1024

// longestSeen is the length up to which a text is kept: finding it again must take less time than matching it.
const longestSeen = 256

func (s *seenTexts) mark(re *regexp.Regexp, values []string, fail []uint64) {
	for i, v := range values {
		ok := false
		if len(v) > longestSeen {
			ok = re.MatchString(v)
		} else {
			k := endsOf(v).hash() % seenSlots
			if !s.known[k] || s.texts[k] != v {
				s.texts[k], s.matched[k], s.known[k] = v, re.MatchString(v), true
			}
			ok = s.matched[k]
		}
		if !ok {
			fail[i>>6] |= 1 << (i & 63)
		}
	}
}

// seen returns the worker's memory of a rule.
func (b *block) seen(r *rule) *seenTexts {
	if b.patterns[r] == nil {
		if b.patterns == nil {
			b.patterns = map[*rule]*seenTexts{}
		}
		b.patterns[r] = &seenTexts{}
	}
	return b.patterns[r]
}
