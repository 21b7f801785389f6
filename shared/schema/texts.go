package schema

import (
	"encoding/binary"
	"math/bits"
	"unsafe"
)

// textSet is a set of texts that is asked for each value of a column. It hashes the length, the first and the last eight
// bytes: for words that is all of them, and it is a fourth of what a map takes. Where that tells the set's texts badly
// apart, there is none, and a map is taken.
type textSet struct{ slots []textSlot }

// textSlot is a text of a set. Up to allEnds bytes its ends and length are all of it.
type textSlot struct {
	ends textEnds
	text string
}

// textEnds are the first and the last bytes of a text, and its length; -1: there is no text.
type textEnds struct {
	first, last uint64
	n           int
}

const allEnds = 16

// longestProbe is how many slots a search may look at.
const longestProbe = 8

func newTextSet(values []string) *textSet {
	s := &textSet{slots: make([]textSlot, 1<<bits.Len(uint(4*len(values)+4)))}
	for i := range s.slots {
		s.slots[i].ends.n = -1
	}
	for _, v := range values {
		if !s.add(v) {
			return nil
		}
	}
	return s
}

// mark marks the values that are not in the set.
func (s *textSet) mark(values []string, fail []uint64) {
	slots := s.slots
	for i, v := range values {
		ends := endsOf(v)
		for at := ends.hash(); ; at++ {
			slot := &slots[at&uint64(len(slots)-1)]
			if slot.ends == ends && (len(v) <= allEnds || slot.text == v) {
				break
			}
			if slot.ends.n < 0 {
				fail[i>>6] |= 1 << (i & 63)
				break
			}
		}
	}
}

func (s *textSet) add(v string) bool {
	ends := endsOf(v)
	at := ends.hash()
	for range longestProbe {
		switch slot := &s.slots[at&uint64(len(s.slots)-1)]; {
		case slot.ends.n < 0:
			*slot = textSlot{ends, v}
			return true
		case slot.ends == ends && slot.text == v:
			return true
		}
		at++
	}
	return false
}

func endsOf(s string) textEnds {
	e := textEnds{n: len(s)}
	switch b := unsafe.Slice(unsafe.StringData(s), len(s)); {
	case len(b) >= 8:
		e.first, e.last = binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[len(b)-8:])
	case len(b) >= 4:
		e.first, e.last = uint64(binary.LittleEndian.Uint32(b)), uint64(binary.LittleEndian.Uint32(b[len(b)-4:]))
	case len(b) > 0:
		e.first, e.last = uint64(b[0]), uint64(b[len(b)/2])<<8|uint64(b[len(b)-1])
	}
	return e
}

func (e textEnds) hash() uint64 {
	high, low := bits.Mul64(e.first^0x9e3779b97f4a7c15, e.last^uint64(e.n)*0xbf58476d1ce4e5b9^0x94d049bb133111eb)
	return high ^ low
}
