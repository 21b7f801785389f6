package deflate

// codes are the lengths of the codes of a block.
type codes struct {
	literals  [literals]uint8
	distances [distances]uint8
}

func (h *histogram) codes() codes {
	var c codes
	copy(c.literals[:], codeLengths(h.literals[:], 15))
	copy(c.distances[:], codeLengths(h.distances[:], 15))
	return c
}

// head is what stands before a block (RFC 1951, 3.2.7): the lengths of its codes, in symbols that have codes too.
type head struct {
	literals, distances int // how many of each are written
	symbols             []lengthSymbol
	lengths             [19]uint8 // of the codes of those symbols
	written             int       // how many of these are written, in order
}

type lengthSymbol struct{ symbol, extra uint8 }

// order is that in which the lengths of the lengths' codes are written.
var order = [19]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

func (c *codes) head() head {
	h := head{literals: literals, distances: distances, written: len(order)}
	for h.literals > 257 && c.literals[h.literals-1] == 0 {
		h.literals--
	}
	for h.distances > 1 && c.distances[h.distances-1] == 0 {
		h.distances--
	}
	all := append(append(make([]uint8, 0, literals+distances), c.literals[:h.literals]...), c.distances[:h.distances]...)
	for len(all) > 0 {
		n := 1
		for n < len(all) && all[n] == all[0] {
			n++
		}
		h.run(all[0], n)
		all = all[n:]
	}
	counts := make([]int, 19)
	for _, s := range h.symbols {
		counts[s.symbol]++
	}
	copy(h.lengths[:], codeLengths(counts, 7))
	for h.written > 4 && h.lengths[order[h.written-1]] == 0 {
		h.written--
	}
	return h
}

// run adds a length that stands n times.
func (h *head) run(length uint8, n int) {
	if length > 0 {
		h.symbols, n = append(h.symbols, lengthSymbol{symbol: length}), n-1
	}
	for n > 0 {
		some := 1
		switch {
		case length == 0 && n >= 11:
			some = min(n, 138)
			h.symbols = append(h.symbols, lengthSymbol{18, uint8(some - 11)})
		case length == 0 && n >= 3:
			some = n
			h.symbols = append(h.symbols, lengthSymbol{17, uint8(some - 3)})
		case length > 0 && n >= 3:
			some = min(n, 6)
			h.symbols = append(h.symbols, lengthSymbol{16, uint8(some - 3)})
		default:
			h.symbols = append(h.symbols, lengthSymbol{symbol: length})
		}
		n -= some
	}
}

// extraBits is how many bits stand behind a symbol.
func (s lengthSymbol) extraBits() uint8 {
	switch s.symbol {
	case 16:
		return 2
	case 17:
		return 3
	case 18:
		return 7
	}
	return 0
}

// size is how many bits the head takes, with those that say of which kind the block is.
func (h head) size() int {
	n := 3 + 5 + 5 + 4 + 3*h.written
	for _, s := range h.symbols {
		n += int(h.lengths[s.symbol] + s.extraBits())
	}
	return n
}

func (h head) write(out *stream) {
	out.add(uint64(h.literals-257), 5)
	out.add(uint64(h.distances-1), 5)
	out.add(uint64(h.written-4), 4)
	for _, symbol := range order[:h.written] {
		out.add(uint64(h.lengths[symbol]), 3)
	}
	of := codesOf(h.lengths[:])
	for _, s := range h.symbols {
		out.add(uint64(of[s.symbol]), h.lengths[s.symbol])
		out.add(uint64(s.extra), s.extraBits())
	}
}
