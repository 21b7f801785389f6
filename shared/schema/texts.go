package schema

import (
	"encoding/binary"
	"math/bits"
	"unsafe"
)

// textSet is a set of texts that is asked for each value of a column. It hashes the length, the first and the last eight
// bytes: for words that is all of them, and it is a fourth of what a map takes. Where that tells the set's texts badly
// apart, there is none, and a map is taken.
type textSet struct {
	slots []string
	used  []bool
	mask  uint64
}

// longestProbe is how many slots a search may look at.
const longestProbe = 8

func newTextSet(values []string) *textSet {
	s := &textSet{slots: make([]string, 1<<bits.Len(uint(4*len(values)+4)))}
	s.used, s.mask = make([]bool, len(s.slots)), uint64(len(s.slots)-1)
	for _, v := range values {
		if !s.add(v) {
			return nil
		}
	}
	return s
}

// mark marks the values that are not in the set.
func (s *textSet) mark(values []string, fail []uint64) {
	for i, v := range values {
		at := textHash(v)
		for ; s.used[at&s.mask] && s.slots[at&s.mask] != v; at++ {
		}
		if !s.used[at&s.mask] {
			fail[i>>6] |= 1 << (i & 63)
		}
	}
}

func (s *textSet) add(v string) bool {
	at := textHash(v)
	for range longestProbe {
		switch i := at & s.mask; {
		case !s.used[i]:
			s.slots[i], s.used[i] = v, true
			return true
		case s.slots[i] == v:
			return true
		}
		at++
	}
	return false
}

func textHash(s string) uint64 {
	n := len(s)
	var first, last uint64
	switch b := unsafe.Slice(unsafe.StringData(s), n); {
	case n >= 8:
		first, last = binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[n-8:])
	case n >= 4:
		first, last = uint64(binary.LittleEndian.Uint32(b)), uint64(binary.LittleEndian.Uint32(b[n-4:]))
	case n > 0:
		first, last = uint64(b[0]), uint64(b[n/2])<<8|uint64(b[n-1])
	}
	high, low := bits.Mul64(first^0x9e3779b97f4a7c15, last^uint64(n)*0xbf58476d1ce4e5b9^0x94d049bb133111eb)
	return high ^ low
}
