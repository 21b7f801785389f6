package deflate

import "math"

// cost is how many bits symbols take, in sixteenths, with what stands behind them.
type cost struct {
	literals  [256]uint32
	lengths   [maxLength + 1]uint32
	distances [distances]uint32
}

const bit = 16

// guess is what symbols cost before any was counted.
var guess = func() (c cost) {
	for i := range c.literals {
		c.literals[i] = 8 * bit
	}
	for i := range c.lengths {
		c.lengths[i] = (6 + uint32(lengthExtra[i])) * bit
	}
	for i := range c.distances {
		c.distances[i] = (4 + distanceExtra(i)) * bit
	}
	return c
}()

// distanceExtra is how many bits stand behind the symbol of a distance.
func distanceExtra(symbol int) uint32 { return uint32(max(0, symbol/2-1)) }

// cost is what symbols cost by how often they were used: those that were not, as if it had been once.
func (h *histogram) cost() cost {
	c := cost{}
	literals := entropy(h.literals[:])
	copy(c.literals[:], literals)
	for length := minLength; length <= maxLength; length++ {
		c.lengths[length] = literals[lengthSymbols[length]] + uint32(lengthExtra[length])*bit
	}
	for i, n := range entropy(h.distances[:]) {
		c.distances[i] = n + distanceExtra(i)*bit
	}
	return c
}

func entropy(counts []int) []uint32 {
	sum := 0
	for _, n := range counts {
		sum += n
	}
	all := make([]uint32, len(counts))
	for i, n := range counts {
		all[i] = uint32(bit * max(1, math.Log2(float64(max(2, sum))/float64(max(1, n)))))
	}
	return all
}

// paths finds the cheapest tokens for parts of a piece.
type paths struct {
	data    []byte
	from    int
	finder  *finder
	costs   []uint32 // from a place to the end of the part
	choices []token
	tokens  []token
}

func (p *paths) prepare(data []byte, from int, f *finder) {
	p.data, p.from, p.finder = data, from, f
	if p.costs == nil {
		p.costs, p.choices = make([]uint32, window+pieceSize+1), make([]token, window+pieceSize)
	}
}

// cheapest are the tokens that cost least from a place to another, found from the end to the start. They are good until the next call.
func (p *paths) cheapest(start, end int, c *cost) []token {
	p.costs[end] = 0
	for at := end - 1; at >= start; at-- {
		best, choice := c.literals[p.data[at]]+p.costs[at+1], token{1, uint16(p.data[at])}
		length := minLength
		for _, m := range p.finder.at(at - p.from) {
			symbol, _ := distanceSymbol(int(m.distance))
			distance := c.distances[symbol]
			for most := min(int(m.length), end-at); length <= most; length++ {
				if n := distance + c.lengths[length] + p.costs[at+length]; n < best {
					best, choice = n, token{uint16(length), m.distance}
				}
			}
		}
		p.costs[at], p.choices[at] = best, choice
	}
	p.tokens = p.tokens[:0]
	for at := start; at < end; at += int(p.choices[at].length) {
		p.tokens = append(p.tokens, p.choices[at])
	}
	return p.tokens
}
