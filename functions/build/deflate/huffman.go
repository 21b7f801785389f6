package deflate

import (
	"cmp"
	"math/bits"
	"slices"
)

// codeLengths returns how many bits the code of each symbol has, at most so many: the shortest code for how often symbols are used. Those
// that are not used have none; of one that is alone the code has one bit.
//
// It packs as coins are packed for the exact sum: level by level, pairs of the cheapest of the level before join the symbols themselves.
func codeLengths(counts []int, most int) []uint8 {
	type coin struct {
		count  int
		symbol int // below 0: a pair
		a, b   int // of a pair: the places of its halves in the level before
	}
	lengths := make([]uint8, len(counts))
	var symbols []coin
	for i, n := range counts {
		if n > 0 {
			symbols = append(symbols, coin{count: n, symbol: i})
		}
	}
	if len(symbols) < 2 {
		for _, s := range symbols {
			lengths[s.symbol] = 1
		}
		return lengths
	}
	slices.SortStableFunc(symbols, func(a, b coin) int { return cmp.Compare(a.count, b.count) })
	levels := [][]coin{symbols}
	for len(levels) < most {
		before := levels[len(levels)-1]
		level := make([]coin, 0, len(symbols)+len(before)/2)
		next := 0
		for i := 0; i+1 < len(before); i += 2 {
			sum := before[i].count + before[i+1].count
			for ; next < len(symbols) && symbols[next].count <= sum; next++ {
				level = append(level, symbols[next])
			}
			level = append(level, coin{sum, -1, i, i + 1})
		}
		levels = append(levels, append(level, symbols[next:]...))
	}
	// The coins that are taken of a level are its first ones, and so are their halves.
	taken := 2*len(symbols) - 2
	for i := len(levels) - 1; i >= 0; i-- {
		pairs := 0
		for _, c := range levels[i][:taken] {
			if c.symbol < 0 {
				pairs++
			} else {
				lengths[c.symbol]++
			}
		}
		taken = 2 * pairs
	}
	return lengths
}

// codesOf returns the codes that follow from their lengths (RFC 1951, 3.2.2), the first bit lowest.
func codesOf(lengths []uint8) []uint16 {
	var counts, next [16]int
	for _, n := range lengths {
		counts[n]++
	}
	counts[0] = 0
	for i := 1; i < len(next); i++ {
		next[i] = (next[i-1] + counts[i-1]) << 1
	}
	codes := make([]uint16, len(lengths))
	for i, n := range lengths {
		if n > 0 {
			codes[i] = bits.Reverse16(uint16(next[n])) >> (16 - n)
			next[n]++
		}
	}
	return codes
}
