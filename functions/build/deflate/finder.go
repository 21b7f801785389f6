package deflate

import (
	"encoding/binary"
	"math/bits"
)

// finder finds what may be copied: at each place, for each length the nearest earlier bytes. It keeps the places that have the same first
// bytes in binary trees by what follows, the latest at the root: on the way down each place shares at least as many bytes as the one above.
type finder struct {
	roots    []int32 // by the hash of three bytes; place + 1
	smaller  []int32 // by place: the tree of what sorts before it
	greater  []int32
	matches  []match
	starts   []int32 // by place, less the first: where its matches begin in matches
	skipping int     // so many places more are in a copy that is taken anyway
}

// match is what may be copied at a place: up to length bytes from a distance.
type match struct{ length, distance uint16 } // distance less one

const (
	hashBits = 16
	depth    = 96  // how far down a tree is searched
	longCopy = 160 // a copy so long is taken without a look at what begins in it
)

// find fills matches for the places of data from a place on.
func (f *finder) find(data []byte, from int) {
	if f.roots == nil {
		f.roots = make([]int32, 1<<hashBits)
		f.smaller, f.greater = make([]int32, window+pieceSize), make([]int32, window+pieceSize)
	}
	clear(f.roots)
	f.matches, f.starts, f.skipping = f.matches[:0], f.starts[:0], 0
	for at := range data {
		if at >= from {
			f.starts = append(f.starts, int32(len(f.matches)))
		}
		before := len(f.matches)
		if len(data)-at >= minLength {
			f.insert(data, at, at >= from && f.skipping == 0)
		}
		if f.skipping > 0 {
			f.skipping--
		}
		if n := len(f.matches); n > before && int(f.matches[n-1].length) >= longCopy {
			f.skipping = int(f.matches[n-1].length) - 1
		}
	}
	f.starts = append(f.starts, int32(len(f.matches)))
}

// at are the matches of a place, those of longer ones behind those of shorter and nearer ones.
func (f *finder) at(place int) []match { return f.matches[f.starts[place]:f.starts[place+1]] }

// insert puts a place into the tree of its first bytes, above all that are there, and adds matches if they are wanted.
func (f *finder) insert(data []byte, at int, wanted bool) {
	hash := (uint32(data[at]) | uint32(data[at+1])<<8 | uint32(data[at+2])<<16) * 0x9e3779b1 >> (32 - hashBits)
	node := f.roots[hash]
	f.roots[hash] = int32(at) + 1
	below, above := &f.smaller[at], &f.greater[at] // where what sorts before and after goes
	shared, sharedBelow, sharedAbove := 0, 0, 0
	best := minLength - 1
	most := min(maxLength, len(data)-at)
	for range depth {
		place := int(node) - 1
		if place < 0 || at-place > window {
			break
		}
		n := shared + common(data[place+shared:], data[at+shared:at+most])
		if n > best {
			if best = n; wanted {
				f.matches = append(f.matches, match{uint16(n), uint16(at - place - 1)})
			}
		}
		if n == most { // it stands for this place, which is nearer
			*below, *above = f.smaller[place], f.greater[place]
			return
		}
		if data[place+n] < data[at+n] {
			*below, below, node, sharedBelow = node, &f.greater[place], f.greater[place], n
		} else {
			*above, above, node, sharedAbove = node, &f.smaller[place], f.smaller[place], n
		}
		shared = min(sharedBelow, sharedAbove)
	}
	*below, *above = 0, 0
}

// common is how many first bytes of b are those of a, which is longer.
func common(a, b []byte) int {
	n := 0
	for ; len(b)-n >= 8; n += 8 {
		if x := load(a[n:]) ^ load(b[n:]); x != 0 {
			return n + bits.TrailingZeros64(x)>>3
		}
	}
	for n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

func load(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }
