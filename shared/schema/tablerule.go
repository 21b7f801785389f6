package schema

import (
	"fmt"
	"math/bits"
	"reflect"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
)

// TableRule is a rule over several columns or over the table. Its methods say more about it and return
// it.
type TableRule struct {
	rule     rule
	mistakes []error
}

func (t *TableRule) addTo(s *Schema) {
	r := t.rule // a copy: the rule may be used again
	for _, err := range t.mistakes {
		s.mistake("%s: %w", r.what(), err)
	}
	s.rules = append(s.rules, &r)
}

// Warn makes the rule a warning: what breaks it is counted and the rows stay valid.
func (t *TableRule) Warn() *TableRule {
	t.rule.severity = Warn
	return t
}

// Because says why the rule is there, in a sentence.
func (t *TableRule) Because(text string) *TableRule {
	t.rule.because = text
	return t
}

func tableRule(check string, names []string, eval func(*block, []uint64)) *TableRule {
	t := &TableRule{rule: rule{check: check, names: slices.Clone(names), ofTable: true, severity: Error, eval: eval}}
	if check == "" {
		t.mistake("give it a name")
	}
	return t
}

func (t *TableRule) mistake(format string, args ...any) {
	t.mistakes = append(t.mistakes, fmt.Errorf(format, args...))
}

// MinRows demands at least so many rows: "row_count_at_least(1)". It is a failure of no row.
func MinRows(n int) *TableRule {
	t := tableRule(fmt.Sprintf("row_count_at_least(%d)", n), nil, nil)
	t.rule.count = func(rows int) bool { return rows >= n }
	if n < 1 {
		t.mistake("it must be 1 or more")
	}
	return t
}

// MaxRows demands at most so many rows: "row_count_at_most(1000)". It is a failure of no row.
func MaxRows(n int) *TableRule {
	t := tableRule(fmt.Sprintf("row_count_at_most(%d)", n), nil, nil)
	t.rule.count = func(rows int) bool { return rows <= n }
	if n < 0 {
		t.mistake("it must be 0 or more")
	}
	return t
}

// UniqueTogether demands that no two rows have equal values in all of the columns: "unique_together".
func UniqueTogether(copies Copies, columns ...string) *TableRule {
	t := tableRule("unique_together", columns, nil)
	t.rule.unique = copies
	if copies < All || copies > AllButLast {
		t.mistake("its copies are %s; they must be All, AllButFirst or AllButLast", copies)
	}
	if len(columns) < 2 {
		t.mistake("it needs two columns or more; of one column use Unique")
	}
	t.rule.bind = func(s *Schema) error {
		for i, name := range columns {
			if slices.Index(columns, name) != i {
				return fmt.Errorf("column %q is there twice", name)
			}
		}
		return nil
	}
	return t
}

// Across2 demands what a function says of two columns' values, where neither is null. The check is named
// after the rule. A and B are the types of the columns' values: a column made by Int64 wants int64. The function must be
// safe for several goroutines; if it panics, Validate returns an error that names it.
func Across2[A, B any](name string, pass func(A, B) bool, a, b string) *TableRule {
	return across(name, pass == nil, []string{a, b}, []reflect.Type{reflect.TypeFor[A](), reflect.TypeFor[B]()}, func(v []*vector) func(int) bool {
		va, vb := v[0].values.([]A), v[1].values.([]B)
		return func(i int) bool { return pass(va[i], vb[i]) }
	})
}

// Across3 is Across2 for three columns.
func Across3[A, B, C any](name string, pass func(A, B, C) bool, a, b, c string) *TableRule {
	types := []reflect.Type{reflect.TypeFor[A](), reflect.TypeFor[B](), reflect.TypeFor[C]()}
	return across(name, pass == nil, []string{a, b, c}, types, func(v []*vector) func(int) bool {
		va, vb, vc := v[0].values.([]A), v[1].values.([]B), v[2].values.([]C)
		return func(i int) bool { return pass(va[i], vb[i], vc[i]) }
	})
}

// Across4 is Across2 for four columns.
func Across4[A, B, C, D any](name string, pass func(A, B, C, D) bool, a, b, c, d string) *TableRule {
	types := []reflect.Type{reflect.TypeFor[A](), reflect.TypeFor[B](), reflect.TypeFor[C](), reflect.TypeFor[D]()}
	return across(name, pass == nil, []string{a, b, c, d}, types, func(v []*vector) func(int) bool {
		va, vb, vc, vd := v[0].values.([]A), v[1].values.([]B), v[2].values.([]C), v[3].values.([]D)
		return func(i int) bool { return pass(va[i], vb[i], vc[i], vd[i]) }
	})
}

func across(name string, nilFn bool, columns []string, types []reflect.Type, over func([]*vector) func(int) bool) *TableRule {
	t := tableRule(name, columns, func(b *block, fail []uint64) {
		vectors := make([]*vector, len(b.rule.at))
		for k, at := range b.rule.at {
			vectors[k] = b.vector(at)
		}
		pass := over(vectors)
		for w := 0; w*64 < b.n; w++ {
			for all := validInAll(vectors, w, b.n); all != 0; all &= all - 1 {
				i := w*64 + bits.TrailingZeros64(all)
				b.at = i
				if !pass(i) {
					fail[w] |= all & -all
				}
			}
		}
	})
	if nilFn {
		t.mistake("its function is nil")
	}
	t.rule.bind = func(s *Schema) error {
		for i, name := range columns {
			at := slices.IndexFunc(s.columns, func(c *column) bool { return c.name == name })
			if has := reflect.TypeOf(s.columns[at].kind.room(0)).Elem(); has != types[i] || s.columns[at].kind.word == "any" {
				return fmt.Errorf("its function takes a %s for column %q, which is %s", types[i], name, s.columns[at].kind.word)
			}
		}
		return nil
	}
	return t
}

// validInAll returns a bit for each of 64 rows that every column has a value in.
func validInAll(vectors []*vector, w, n int) uint64 {
	all := ^uint64(0)
	for _, v := range vectors {
		all &= v.valid[w]
	}
	if left := n - w*64; left < 64 {
		all &= 1<<left - 1
	}
	return all
}

// Batch is rows that a vectorised rule looks at: up to a few thousand that follow each other.
type Batch struct {
	// Columns are the rule's columns in its order, of the same length, converted where the schema coerces.
	Columns []arrow.Array
	// Rows is how many rows there are.
	Rows int
	// First is the row of the table that row 0 of the batch is.
	First int

	fail []uint64
}

// Fail marks a row, counted from 0 in the batch, as breaking the rule.
func (b *Batch) Fail(row int) {
	if row < 0 || row >= b.Rows {
		panic(fmt.Sprintf("Fail(%d) of a batch of %d rows", row, b.Rows))
	}
	b.fail[row>>6] |= 1 << (row & 63)
}

// Vectorised demands what a function marks, a batch of rows at a time. The check is named after the rule.
// It sees nulls and decides about them. It must look at each row by itself, because how rows are cut into batches is not
// promised, and be safe for several goroutines; if it panics, Validate returns an error that names it.
func Vectorised(name string, mark func(*Batch), columns ...string) *TableRule {
	t := tableRule(name, columns, func(b *block, fail []uint64) {
		batch := &Batch{Rows: b.n, First: b.base + b.from, fail: fail}
		for _, at := range b.rule.at {
			batch.Columns = append(batch.Columns, b.columns[at].values.slice(b.from, b.n))
		}
		b.at = noPlace
		mark(batch)
	})
	if mark == nil {
		t.mistake("its function is nil")
	}
	if len(columns) == 0 {
		t.mistake("it has no columns")
	}
	return t
}
