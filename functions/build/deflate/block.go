package deflate

// block is a part of a piece that has codes of its own.
type block struct {
	from, to  int // bytes, from the start of the piece
	tokens    []token
	histogram histogram
}

// unit is how many tokens are in one block at least.
const unit = 2048

// split cuts tokens into blocks: unit after unit joins the block before it where both are smaller together.
func split(tokens []token) []block {
	var blocks []block
	var sizes []int
	for at := 0; len(tokens) > 0 || len(blocks) == 0; {
		some := tokens[:min(unit, len(tokens))]
		tokens = tokens[len(some):]
		b := block{from: at, histogram: count(some)}
		for _, t := range some {
			at += int(t.length)
		}
		b.to = at
		size := b.histogram.size()
		if n := len(blocks); n > 0 {
			both := blocks[n-1].histogram.with(&b.histogram)
			if together := both.size(); together <= sizes[n-1]+size {
				blocks[n-1].to, blocks[n-1].histogram, sizes[n-1] = b.to, both, together
				continue
			}
		}
		blocks, sizes = append(blocks, b), append(sizes, size)
	}
	return blocks
}

// with is what two blocks have together.
func (h *histogram) with(other *histogram) histogram {
	sum := *h
	for i, n := range other.literals {
		sum.literals[i] += n
	}
	for i, n := range other.distances {
		sum.distances[i] += n
	}
	sum.literals[endOfBlock] = 1
	return sum
}

// size is how many bits a block takes.
func (h *histogram) size() int {
	codes := h.codes()
	n := codes.head().size()
	for i, times := range h.literals {
		n += times * int(codes.literals[i])
		if i > endOfBlock {
			n += times * literalExtra(i)
		}
	}
	for i, times := range h.distances {
		n += times * (int(codes.distances[i]) + int(distanceExtra(i)))
	}
	return n
}

// literalExtra is how many bits stand behind the symbol of a length.
func literalExtra(symbol int) int {
	if symbol == literals-1 {
		return 0
	}
	return max(0, (symbol-257)/4-1)
}

// writeBlock writes tokens, with the lengths of their codes before them.
func writeBlock(out *stream, tokens []token, h *histogram, last bool) {
	lengths := h.codes()
	kind := uint64(2) << 1 // with codes of its own
	if last {
		kind |= 1
	}
	out.add(kind, 3)
	lengths.head().write(out)
	ofLiterals, ofDistances := codesOf(lengths.literals[:]), codesOf(lengths.distances[:])
	for _, t := range tokens {
		if t.length == 1 {
			out.add(uint64(ofLiterals[t.distance]), lengths.literals[t.distance])
			continue
		}
		symbol, extra := lengthSymbols[t.length], lengthExtra[t.length]
		out.add(uint64(ofLiterals[symbol]), lengths.literals[symbol])
		out.add(uint64(t.length-minLength)&(1<<extra-1), extra)
		symbol, extra = distanceSymbol(int(t.distance))
		out.add(uint64(ofDistances[symbol]), lengths.distances[symbol])
		out.add(uint64(t.distance)&(1<<extra-1), extra)
	}
	out.add(uint64(ofLiterals[endOfBlock]), lengths.literals[endOfBlock])
}
