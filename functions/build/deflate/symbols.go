package deflate

import "math/bits"

// The alphabets of RFC 1951, 3.2.5: one of literals, the end of a block and lengths, and one of distances.
const (
	endOfBlock = 256
	literals   = 286
	distances  = 30
	minLength  = 3
	maxLength  = 258
)

// token is a literal, where length is 1, or a copy.
type token struct {
	length   uint16
	distance uint16 // less one; of a literal its byte
}

// lengthSymbols has the symbol of each length, and lengthExtra how many bits stand behind it.
var lengthSymbols, lengthExtra = func() (symbols [maxLength + 1]uint16, extra [maxLength + 1]uint8) {
	for length := minLength; length < maxLength; length++ {
		symbols[length], extra[length] = symbolOf(length-minLength, 4, 257)
	}
	symbols[maxLength] = literals - 1
	return symbols, extra
}()

// distanceSymbol is the symbol of a distance less one, and how many bits stand behind it.
func distanceSymbol(less1 int) (symbol uint16, extra uint8) { return symbolOf(less1, 2, 0) }

// symbolOf has `per` symbols for each doubling of a number, as both alphabets do: the first 2*per numbers have one each.
func symbolOf(n, per, first int) (symbol uint16, extra uint8) {
	if n < 2*per {
		return uint16(first + n), 0
	}
	shift := bits.Len(uint(n)) - bits.Len(uint(per))
	return uint16(first + shift*per + n>>shift), uint8(shift)
}

// histogram is how often the symbols of a block are used.
type histogram struct {
	literals  [literals]int
	distances [distances]int
}

func (h *histogram) add(t token) {
	if t.length == 1 {
		h.literals[t.distance]++
		return
	}
	h.literals[lengthSymbols[t.length]]++
	symbol, _ := distanceSymbol(int(t.distance))
	h.distances[symbol]++
}

func count(tokens []token) histogram {
	var h histogram
	for _, t := range tokens {
		h.add(t)
	}
	h.literals[endOfBlock] = 1
	return h
}
