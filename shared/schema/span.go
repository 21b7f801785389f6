package schema

import "math/bits"

// spanBlocks is how many blocks become one chunk of a table that is split: few enough that what was read to judge them
// is still in the processor's cache when they are copied.
const spanBlocks = 8

const spanRows = spanBlocks * blockRows

// span is rows of which some are taken, and become one chunk.
type span struct {
	from, n int
	take    []uint64 // a bit a row; none behind the last one
	taken   int
}

// spanOf takes the rows whose bits are set, or those whose bits are not.
func spanOf(from, n int, set []uint64, in bool) *span {
	s := &span{from: from, n: n, take: make([]uint64, (n+63)/64)}
	for i := range s.take {
		if s.take[i] = set[i]; !in {
			s.take[i] = ^set[i]
		}
	}
	if tail := n & 63; tail > 0 {
		s.take[len(s.take)-1] &= 1<<tail - 1
	}
	for _, w := range s.take {
		s.taken += bits.OnesCount64(w)
	}
	return s
}

// mostly reports whether hardly any row is left out.
func (s *span) mostly() bool { return s.taken >= s.n/8*7 }

// runs calls use with the rows of a span that follow each other and are taken, first counted in the span, at in what is taken.
func (s *span) runs(use func(at, first, n int)) {
	at := 0
	for i := 0; i < s.n; {
		word := s.take[i>>6] >> (i & 63)
		if word == 0 {
			i = (i | 63) + 1
			continue
		}
		i += bits.TrailingZeros64(word)
		first := i
		for i < s.n {
			ones := bits.TrailingZeros64(^(s.take[i>>6] >> (i & 63)))
			stop := min(ones, 64-i&63)
			i += stop
			if i&63 != 0 || stop == 0 {
				break
			}
		}
		i = min(i, s.n)
		use(at, first, i-first)
		at += i - first
	}
}
