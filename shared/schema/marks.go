package schema

import (
	"iter"
	"math/bits"
)

// marks is a set of rows: a bit a row, in blocks that exist only where a row is in the set. Different
// blocks may be written by different goroutines.
type marks struct{ blocks [][]uint64 }

func newMarks(rows int) *marks {
	return &marks{make([][]uint64, (rows+blockRows-1)/blockRows)}
}

var noMarks [blockWords]uint64

// words returns the bits of a block, to be read.
func (m *marks) words(block int) []uint64 {
	if m.blocks[block] == nil {
		return noMarks[:]
	}
	return m.blocks[block]
}

func (m *marks) add(row int) {
	m.merge(row/blockRows, func(w []uint64) { w[row%blockRows>>6] |= 1 << (row & 63) })
}

func (m *marks) merge(block int, change func([]uint64)) {
	if m.blocks[block] == nil {
		m.blocks[block] = make([]uint64, blockWords)
	}
	change(m.blocks[block])
}

// or adds the rows of a block.
func (m *marks) or(block int, rows []uint64) {
	if !anySet(rows) {
		return
	}
	m.merge(block, func(w []uint64) {
		for i, word := range rows {
			w[i] |= word
		}
	})
}

func anySet(words []uint64) bool {
	for _, w := range words {
		if w != 0 {
			return true
		}
	}
	return false
}

// slice adds the n rows from one on to a set that counts from there.
func (m *marks) slice(from, n int, to *marks) {
	for row := from; row < from+n; {
		if m.blocks[row/blockRows] == nil {
			row = (row/blockRows + 1) * blockRows
			continue
		}
		if m.has(row) {
			to.add(row - from)
		}
		row++
	}
}

func (m *marks) has(row int) bool {
	w := m.blocks[row/blockRows]
	return w != nil && w[row%blockRows>>6]>>(row&63)&1 == 1
}

func (m *marks) count() int {
	n := 0
	for _, block := range m.blocks {
		for _, w := range block {
			n += bits.OnesCount64(w)
		}
	}
	return n
}

// all yields the rows in order.
func (m *marks) all() iter.Seq[int] {
	return func(yield func(int) bool) {
		for k, block := range m.blocks {
			for i, w := range block {
				for ; w != 0; w &= w - 1 {
					if !yield(k*blockRows + i*64 + bits.TrailingZeros64(w)) {
						return
					}
				}
			}
		}
	}
}
