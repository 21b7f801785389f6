package schema

import (
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Column declares a column whose values are T. Its methods add rules and return the column itself; what
// they add is named as failures name it. A column must be there and hold no nulls unless said otherwise.
// Make one with Int64, Text and their like.
type Column[T any] struct {
	def       column
	ops       ops[T]
	low, high *bound[T]
}

// column is a column as declared, its type erased.
type column struct {
	name        string
	description string
	optional    bool
	null        bool
	kind        *kind
	rules       []*rule
	mistakes    []error
}

type bound[T any] struct {
	value T
	open  bool // the bound itself is outside
	check string
}

func newColumn[T any](name string, k *kind, o ops[T]) *Column[T] {
	c := &Column[T]{def: column{name: name, kind: k}, ops: o}
	if name == "" || strings.TrimSpace(name) != name {
		c.mistake("give it a name without spaces around it")
	}
	c.def.rules = []*rule{{check: notNull, names: []string{name}, severity: Error, eval: evalNotNull}}
	return c
}

func (c *Column[T]) addTo(s *Schema) {
	d := c.def // a copy: the column may be changed or used again afterwards
	d.rules = nil
	for _, r := range c.def.rules {
		if r.check == notNull && d.null {
			continue
		}
		copied := *r
		d.rules = append(d.rules, &copied)
	}
	if slices.ContainsFunc(s.columns, func(o *column) bool { return o.name == d.name }) {
		s.mistake("column %q is there twice", d.name)
		return
	}
	for _, err := range d.mistakes {
		s.mistake("column %q: %w", d.name, err)
	}
	if c.low != nil && c.high != nil && c.empty() {
		s.mistake("column %q: no value is both %s and %s", d.name, c.low.check, c.high.check)
	}
	s.columns = append(s.columns, &d)
	s.rules = append(s.rules, d.rules...)
}

func (c *Column[T]) empty() bool {
	if c.low.open || c.high.open {
		return !c.ops.less(c.low.value, c.high.value)
	}
	return c.ops.less(c.high.value, c.low.value)
}

func (c *Column[T]) mistake(format string, args ...any) {
	c.def.mistakes = append(slices.Clip(c.def.mistakes), fmt.Errorf(format, args...))
}

func (c *Column[T]) add(check string, eval func(*block, []uint64)) *Column[T] {
	c.def.rules = append(c.def.rules, &rule{check: check, names: []string{c.def.name}, severity: Error, eval: eval})
	return c
}

// each adds a rule that looks at one value at a time. pass is called on nulls too, with any value, and must not panic.
func (c *Column[T]) each(check string, pass func(T) bool) *Column[T] {
	return c.scan(check, func(_ *block, values []T, fail []uint64) {
		for i, x := range values {
			if !pass(x) {
				fail[i>>6] |= 1 << (i & 63)
			}
		}
	})
}

// scan adds a rule whose function marks the values that break it. It is given nulls too, with any value, and must not
// panic.
func (c *Column[T]) scan(check string, mark func(b *block, values []T, fail []uint64)) *Column[T] {
	return c.add(check, func(b *block, fail []uint64) {
		v := b.vector(b.rule.at[0])
		mark(b, v.values.([]T)[:b.n], fail)
		v.keepValid(fail)
	})
}

// Null allows nulls.
func (c *Column[T]) Null() *Column[T] {
	c.def.null = true
	return c
}

// Optional allows that the column is missing.
func (c *Column[T]) Optional() *Column[T] {
	c.def.optional = true
	return c
}

// Description says what the column holds, in Markdown.
func (c *Column[T]) Description(text string) *Column[T] {
	c.def.description = text
	return c
}

// Warn makes the rule before it a warning: rows that break it are counted and stay valid. Directly behind
// the constructor it means not_null.
func (c *Column[T]) Warn() *Column[T] {
	c.def.rules[len(c.def.rules)-1].severity = Warn
	return c
}

// Because says why the rule before it is there, in a sentence. Directly behind the constructor it means
// not_null.
func (c *Column[T]) Because(text string) *Column[T] {
	c.def.rules[len(c.def.rules)-1].because = text
	return c
}

// Copies says which rows with an equal value break a rule of uniqueness.
type Copies int

// Which copies fail. The zero value is none of them.
const (
	All         Copies = iota + 1 // every copy
	AllButFirst                   // the second and later rows
	AllButLast                    // all rows before the last
)

func (c Copies) String() string {
	if c < All || c > AllButLast {
		return fmt.Sprintf("Copies(%d)", int(c))
	}
	return [...]string{"all", "all_but_first", "all_but_last"}[c-All]
}

// Unique demands that no two rows have the same value: "unique". Which of the copies fail is All by default.
func (c *Column[T]) Unique(copies ...Copies) *Column[T] {
	which := All
	if len(copies) > 0 {
		which = copies[0]
	}
	if len(copies) > 1 || which < All || which > AllButLast {
		c.mistake("Unique takes one of All, AllButFirst and AllButLast, or nothing")
		which = All
	}
	if !c.def.kind.hasKeys {
		c.mistake("Unique does not apply to a column of type %s", c.def.kind.word)
	}
	c.add("unique", nil)
	c.def.rules[len(c.def.rules)-1].unique = which
	return c
}

// GreaterThan demands values over a bound: "greater_than(0)". Text is compared byte by byte.
func (c *Column[T]) GreaterThan(v T) *Column[T] {
	return c.bounded("greater_than", v, true, true)
}

// AtLeast demands values over a bound or equal to it: "at_least(0)".
func (c *Column[T]) AtLeast(v T) *Column[T] {
	return c.bounded("at_least", v, true, false)
}

// LessThan demands values under a bound: "less_than(0)".
func (c *Column[T]) LessThan(v T) *Column[T] {
	return c.bounded("less_than", v, false, true)
}

// AtMost demands values under a bound or equal to it: "at_most(0)".
func (c *Column[T]) AtMost(v T) *Column[T] {
	return c.bounded("at_most", v, false, false)
}

func (c *Column[T]) bounded(name string, v T, low, open bool) *Column[T] {
	if c.ops.less == nil {
		c.mistake("%s does not apply to a column of type %s", name, c.def.kind.word)
		return c
	}
	if err := c.ops.usable(v); err != nil {
		c.mistake("%s: %w", name, err)
		return c
	}
	b := &bound[T]{v, open, name + "(" + c.ops.format(v) + ")"}
	switch {
	case low && (c.low == nil || c.ops.less(c.low.value, v) || c.ops.lessEqual(c.low.value, v) && open):
		c.low = b
	case !low && (c.high == nil || c.ops.less(v, c.high.value) || c.ops.lessEqual(v, c.high.value) && open):
		c.high = b
	}
	return c.add(b.check, c.ops.bound(v, low, open))
}

// namedValues is how many values the name of a one_of shows.
const namedValues = 10

// OneOf demands one of some values: "one_of([budget, mid, premium])". The name shows ten values at most, then
// how many there are more: "one_of([a, b, ..., 20 more])".
func (c *Column[T]) OneOf(values ...T) *Column[T] {
	if c.ops.less == nil && c.def.kind.word != "bool" {
		c.mistake("one_of does not apply to a column of type %s", c.def.kind.word)
		return c
	}
	if len(values) == 0 {
		c.mistake("one_of has no values, so that no value could be one of them")
	}
	known := make(map[any]bool, len(values))
	var shown []string
	for i, v := range values {
		if err := c.ops.usable(v); err != nil {
			c.mistake("one_of: %w", err)
		}
		known[c.ops.key(v)] = true
		if i < namedValues {
			shown = append(shown, c.ops.format(v))
		}
	}
	if more := len(values) - namedValues; more > 0 {
		shown = append(shown, fmt.Sprintf("..., %d more", more))
	}
	check := "one_of([" + strings.Join(shown, ", ") + "])"
	if t, ok := any(c).(*Column[string]); ok {
		if s := newTextSet(any(values).([]string)); s != nil {
			t.scan(check, func(_ *block, values []string, fail []uint64) { s.mark(values, fail) })
			return c
		}
	}
	return c.each(check, c.ops.oneOf(values))
}

// NotEmpty demands text or bytes of at least one character: "not_empty".
func (c *Column[T]) NotEmpty() *Column[T] {
	return c.measured("not_empty", 1, math.MaxInt)
}

// Length demands from min to max characters of text, or bytes of bytes: "length(1, 200)".
func (c *Column[T]) Length(low, high int) *Column[T] {
	if low < 0 || high < low {
		c.mistake("length(%d, %d): no text is that long; the bounds are 0 or more, the smaller first", low, high)
	}
	return c.measured(fmt.Sprintf("length(%d, %d)", low, high), low, high)
}

func (c *Column[T]) measured(check string, low, high int) *Column[T] {
	switch c := any(c).(type) {
	case *Column[string]:
		c.each(check, func(s string) bool {
			// A character has one to four bytes, so most lengths are settled without counting.
			if n := len(s); n <= high && (n+3)/4 >= low {
				return true
			} else if n < low {
				return false
			}
			n := utf8.RuneCountInString(s)
			return low <= n && n <= high
		})
	case *Column[[]byte]:
		c.each(check, func(s []byte) bool { return low <= len(s) && len(s) <= high })
	default:
		c.(interface{ mistake(string, ...any) }).mistake("%s does not apply to a column of type %s", check, kindOf(c))
	}
	return c
}

func kindOf(c any) string { return c.(interface{ word() string }).word() }

func (c *Column[T]) word() string { return c.def.kind.word }

// Matches demands text in which an RE2 pattern is found: "matches(^[A-Z])". Anchor it with ^ and $ to
// mean the whole text.
func (c *Column[T]) Matches(pattern string) *Column[T] {
	re, err := regexp.Compile(pattern)
	check := "matches(" + pattern + ")"
	if err != nil {
		c.mistake("%s: %w", check, err)
		return c
	}
	t, ok := any(c).(*Column[string])
	if !ok {
		return c.text(check, nil)
	}
	if m := quickMatch(pattern); m != nil {
		t.scan(check, func(_ *block, values []string, fail []uint64) { m.mark(values, fail) })
	} else {
		t.scan(check, func(b *block, values []string, fail []uint64) { b.seen(b.rule).mark(re, values, fail) })
	}
	return c
}

// UTF8 demands text that is valid UTF-8: "utf8".
func (c *Column[T]) UTF8() *Column[T] { return c.text("utf8", utf8.ValidString) }

func (c *Column[T]) text(check string, pass func(string) bool) *Column[T] {
	if t, ok := any(c).(*Column[string]); ok {
		t.each(check, pass)
	} else {
		c.mistake("%s does not apply to a column of type %s", check, c.def.kind.word)
	}
	return c
}

// Finite demands floats that are neither NaN nor infinite: "finite".
func (c *Column[T]) Finite() *Column[T] {
	switch c := any(c).(type) {
	case *Column[float64]:
		c.each("finite", func(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) })
	case *Column[float32]:
		c.each("finite", func(f float32) bool { return !math.IsNaN(float64(f)) && !math.IsInf(float64(f), 0) })
	default:
		c.(interface{ mistake(string, ...any) }).mistake("finite does not apply to a column of type %s", kindOf(c))
	}
	return c
}

// Check demands what a function says of each value that is not null. The check is named after the rule.
// The function must be safe for several goroutines; if it panics, Validate returns an error that names it.
func (c *Column[T]) Check(name string, pass func(T) bool) *Column[T] {
	if name == "" || pass == nil {
		c.mistake("Check takes a name and a function")
		return c
	}
	if c.def.kind.word == "any" {
		c.mistake("check %q: a column of any type has no values to look at; use Vectorised", name)
		return c
	}
	return c.add(name, func(b *block, fail []uint64) {
		v := b.vector(b.rule.at[0])
		values := v.values.([]T)
		for i := range b.n {
			if v.valid[i>>6]>>(i&63)&1 == 0 {
				continue
			}
			b.at = i
			if !pass(values[i]) {
				fail[i>>6] |= 1 << (i & 63)
			}
		}
	})
}

// evalNotNull marks nulls.
func evalNotNull(b *block, fail []uint64) {
	v := b.bits(b.rule.at[0])
	for i, word := range v.present {
		fail[i] |= ^word
	}
}

func isNil(p Part) bool {
	v := reflect.ValueOf(p)
	return !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil()
}

// Day is a date for bounds of Date columns.
func Day(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}
