package schema

import (
	"sort"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// blockRows is how many rows a rule looks at in one go: few enough that their values stay in the
// processor's cache while one rule after another reads them. A multiple of 64.
const blockRows = 8192

const blockWords = blockRows / 64

// chunked is a column as it comes: arrays one behind the other.
type chunked struct {
	chunks []arrow.Array
	starts []int // the row that each begins with
	kind   arrow.DataType
}

func chunkedOf(c *arrow.Chunked) *chunked {
	out := &chunked{kind: c.DataType()}
	row := 0
	for _, a := range c.Chunks() {
		if a.Len() == 0 {
			continue
		}
		out.chunks, out.starts = append(out.chunks, a), append(out.starts, row)
		row += a.Len()
	}
	return out
}

// find returns the array that holds a row, and the row's place in it.
func (c *chunked) find(row int) (arrow.Array, int) {
	k := sort.SearchInts(c.starts, row+1) - 1
	return c.chunks[k], row - c.starts[k]
}

// parts calls use with the pieces of arrays that make up n rows.
func (c *chunked) parts(from, n int, use func(a arrow.Array, at, first, n int)) {
	if n == 0 {
		return
	}
	k := sort.SearchInts(c.starts, from+1) - 1
	for at := 0; at < n; k++ {
		first := from + at - c.starts[k]
		some := min(n-at, c.chunks[k].Len()-first)
		use(c.chunks[k], at, first, some)
		at += some
	}
}

// slice returns rows as one array.
func (c *chunked) slice(from, n int) arrow.Array {
	var pieces []arrow.Array
	c.parts(from, n, func(a arrow.Array, _, first, n int) {
		pieces = append(pieces, array.NewSlice(a, int64(first), int64(first+n)))
	})
	switch len(pieces) {
	case 0:
		return array.MakeArrayOfNull(memory.DefaultAllocator, c.kind, 0)
	case 1:
		return pieces[0]
	}
	whole, err := array.Concatenate(pieces, memory.DefaultAllocator)
	if err != nil {
		panic(err) // arrays of one column have one type
	}
	return whole
}

// vector is the values of one column in a block.
type vector struct {
	values  any      // []T; at nulls there is anything
	present []uint64 // a bit a row: not null. Behind the last row all are set
	valid   []uint64 // a bit a row: present, and converted where the schema coerces
}

func (v *vector) keepValid(fail []uint64) {
	for i, word := range v.valid {
		fail[i] &= word
	}
}

func isNull(a arrow.Array, i int) bool {
	if d, ok := a.(*array.Dictionary); ok && d.IsValid(i) {
		return d.Dictionary().IsNull(d.GetValueIndex(i))
	}
	return a.IsNull(i)
}

// readPresent sets the bits of rows that are not null.
func (c *chunked) readPresent(from, n int, bits []uint64) {
	for i := range bits {
		bits[i] = ^uint64(0)
	}
	c.parts(from, n, func(a arrow.Array, at, first, n int) {
		if _, dictionary := a.(*array.Dictionary); a.NullN() == 0 && !dictionary && a.DataType().ID() != arrow.NULL {
			return
		}
		for k := range n {
			if isNull(a, first+k) {
				bits[(at+k)>>6] &^= 1 << ((at + k) & 63)
			}
		}
	})
}

// fill reads n values of an array into dst[at:], a []T that its kind made.
func fill(dst any, at int, a arrow.Array, first, n int) {
	if d, ok := a.(*array.Dictionary); ok {
		for k := range n {
			if d.IsValid(first + k) {
				fill(dst, at+k, d.Dictionary(), d.GetValueIndex(first+k), 1)
			}
		}
		return
	}
	switch dst := dst.(type) {
	case []int64:
		copy(dst[at:], a.(*array.Int64).Int64Values()[first:first+n])
	case []int32:
		copy(dst[at:], a.(*array.Int32).Int32Values()[first:first+n])
	case []int16:
		copy(dst[at:], a.(*array.Int16).Int16Values()[first:first+n])
	case []int8:
		copy(dst[at:], a.(*array.Int8).Int8Values()[first:first+n])
	case []uint64:
		copy(dst[at:], a.(*array.Uint64).Uint64Values()[first:first+n])
	case []uint32:
		copy(dst[at:], a.(*array.Uint32).Uint32Values()[first:first+n])
	case []uint16:
		copy(dst[at:], a.(*array.Uint16).Uint16Values()[first:first+n])
	case []uint8:
		copy(dst[at:], a.(*array.Uint8).Uint8Values()[first:first+n])
	case []float64:
		copy(dst[at:], a.(*array.Float64).Float64Values()[first:first+n])
	case []float32:
		copy(dst[at:], a.(*array.Float32).Float32Values()[first:first+n])
	case []bool:
		a := a.(*array.Boolean)
		for k := range n {
			dst[at+k] = a.Value(first + k)
		}
	default:
		fillWide(dst, at, a, first, n)
	}
}

func fillWide(dst any, at int, a arrow.Array, first, n int) {
	for k := range n {
		if a.IsNull(first + k) {
			continue
		}
		switch dst := dst.(type) {
		case [][]byte:
			dst[at+k] = a.(interface{ Value(int) []byte }).Value(first + k)
		case []string:
			dst[at+k] = a.(interface{ Value(int) string }).Value(first + k)
		case []time.Time:
			dst[at+k] = timeOf(a, first+k)
		}
	}
}
