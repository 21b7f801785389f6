package schema

import (
	"fmt"
	"runtime"

	"waggle/shared/fault"
)

// noPlace is where a rule is that looks at a whole batch.
const noPlace = -1

// block is the rows that a worker looks at: rule after rule, over values that are read once.
type block struct {
	columns []*boundColumn
	schema  *Schema
	base    int // see binding
	from, n int
	rule    *rule // that is evaluated
	at      int   // the row, counted in the block, that a user's function looks at

	vectors []*vector // by column; nil where not read yet
	spare   []*vector // the same, of the block before

	patterns map[*rule]*seenTexts
}

func (b *block) move(from, n int) {
	b.from, b.n = from, n
	clear(b.vectors)
}

// bits returns a column's vector without its values.
func (b *block) bits(at int) *vector {
	if v := b.vectors[at]; v != nil {
		return v
	}
	v, c := b.spare[at], b.columns[at]
	if v == nil {
		v = &vector{present: make([]uint64, blockWords)}
		v.valid = v.present
		if c.lost != nil {
			v.valid = make([]uint64, blockWords)
		}
		b.spare[at] = v
	}
	b.vectors[at], v.filled = v, false
	c.given.readPresent(b.from, b.n, v.present)
	if c.lost != nil {
		for i, word := range c.lost.words(b.from / blockRows) {
			v.valid[i] = v.present[i] &^ word
		}
	}
	return v
}

// vector returns the values of a column in the block.
func (b *block) vector(at int) *vector {
	v := b.bits(at)
	if !v.filled {
		if v.room == nil {
			v.room = b.schema.columns[at].kind.room(blockRows)
		}
		v.values, v.filled = b.columns[at].values.read(b.from, b.n, v.room), true
	}
	return v
}

// evaluator evaluates the rules of a binding.
type evaluator struct {
	*binding
	failed []*marks // by rule
}

func newEvaluator(b *binding) *evaluator {
	e := &evaluator{binding: b, failed: make([]*marks, len(b.rules))}
	for i := range e.failed {
		e.failed[i] = newMarks(b.rows)
	}
	return e
}

func (e *evaluator) blocks() int { return (e.rows + blockRows - 1) / blockRows }

// run looks at uniqueness and then at all rows, in parallel. It hands spans of rows that are judged, with a bit for each that is invalid, to use, which
// may be nil. The error is the one of the earliest row.
func (e *evaluator) run(use func(from, n int, invalid []uint64) error) error {
	for i, r := range e.rules {
		if r.unique != 0 {
			e.uniqueness(i, r)
		}
	}
	blocks := make([]*block, runtime.GOMAXPROCS(0)) // by worker
	return eachSpan(e.rows, func(worker, from, n int) error {
		if blocks[worker] == nil {
			blocks[worker] = e.newBlock()
		}
		invalid := make([]uint64, spanRows/64)
		for k := from / blockRows; k*blockRows < from+n; k++ {
			if err := e.block(blocks[worker], k); err != nil {
				return err
			}
			e.invalid(k, invalid[(k*blockRows-from)/64:])
		}
		if use == nil {
			return nil
		}
		return use(from, n, invalid)
	})
}

func (e *evaluator) newBlock() *block {
	n := len(e.columns)
	return &block{columns: e.columns, schema: e.schema, base: e.base, vectors: make([]*vector, n), spare: make([]*vector, n)}
}

// block evaluates every rule on block k but those of uniqueness.
func (e *evaluator) block(b *block, k int) error {
	b.move(k*blockRows, min(blockRows, e.rows-k*blockRows))
	var fail [blockWords]uint64
	for i, r := range e.rules {
		if e.evals[i] == nil {
			continue
		}
		clear(fail[:])
		b.rule, b.at = r, noPlace
		if err := e.call(e.evals[i], b, fail[:]); err != nil {
			return err
		}
		e.failed[i].or(k, fail[:])
	}
	return nil
}

// invalid sets the bits of the rows of block k that are invalid.
func (e *evaluator) invalid(k int, set []uint64) {
	set = set[:blockWords]
	if n := e.rows - k*blockRows; e.unfit {
		for i := range set[:(min(n, blockRows)+63)/64] {
			set[i] = ^uint64(0) >> max(0, (i+1)*64-n)
		}
		return
	}
	for i, m := range e.failed {
		if words := m.blocks[k]; words != nil && e.rules[i].severity == Error {
			for w, word := range words {
				set[w] |= word
			}
		}
	}
}

// allInvalid returns the rows that are invalid.
func (e *evaluator) allInvalid() *marks {
	m := newMarks(e.rows)
	for k := range e.blocks() {
		var set [blockWords]uint64
		e.invalid(k, set[:])
		m.or(k, set[:])
	}
	return m
}

// call makes a panic of a user's function an error that names the rule and the row.
func (e *evaluator) call(eval func(*block, []uint64), b *block, fail []uint64) (err error) {
	defer func() {
		if p := recover(); p != nil {
			where := fmt.Sprintf("row %d", e.base+b.from+b.at)
			if b.at == noPlace {
				where = fmt.Sprintf("rows %d to %d", e.base+b.from, e.base+b.from+b.n-1)
			}
			err = fault.New(fault.Invalid, "%s: schema %q: %s panicked at %s: %v", e.schema.origin, e.schema.name, b.rule.what(), where, p).
				WithHint("mend the rule's function; the rows were not judged")
		}
	}()
	eval(b, fail)
	return nil
}
