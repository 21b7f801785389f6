package schema

import (
	"encoding/binary"
	"sort"
	"time"
	"unsafe"

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
	values  any      // []T; at nulls there is anything. It is the column's own memory where that can be, so never written
	filled  bool     // values are those of the block
	room    any      // a []T for values that have to be put together
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
func (c *chunked) readPresent(from, n int, set []uint64) {
	for i := range set {
		set[i] = ^uint64(0)
	}
	c.parts(from, n, func(a arrow.Array, at, first, n int) {
		if d, ok := a.(*array.Dictionary); ok && d.Dictionary().NullN() == 0 {
			clearNulls(set, at, d.NullBitmapBytes(), d.Offset()+first, n)
			return
		}
		if simpleNulls(a) {
			if a.NullN() > 0 {
				clearNulls(set, at, a.NullBitmapBytes(), a.Data().Offset()+first, n)
			}
			return
		}
		for k := range n {
			if isNull(a, first+k) {
				set[(at+k)>>6] &^= 1 << ((at + k) & 63)
			}
		}
	})
}

// simpleNulls reports whether the nulls of an array are those of its bitmap.
func simpleNulls(a arrow.Array) bool {
	switch a.DataType().ID() {
	case arrow.NULL, arrow.DICTIONARY, arrow.SPARSE_UNION, arrow.DENSE_UNION, arrow.RUN_END_ENCODED, arrow.EXTENSION:
		return false
	}
	return true
}

// clearNulls clears, from bit at on, the bits that are not set in a bitmap from bit first on; no bitmap clears none.
func clearNulls(set []uint64, at int, bitmap []byte, first, n int) {
	if len(bitmap) == 0 {
		return
	}
	for done := 0; done < n; {
		some := min(64-(at+done)&63, n-done)
		null := ^loadBits(bitmap, first+done, some)
		if some < 64 {
			null &= 1<<some - 1
		}
		set[(at+done)>>6] &^= null << ((at + done) & 63)
		done += some
	}
}

// loadBits reads n bits, 64 at most, of a bitmap from a bit on. Bits behind them may be anything.
func loadBits(bitmap []byte, from, n int) uint64 {
	at, shift := from>>3, from&7
	if at+8 <= len(bitmap) {
		word := binary.LittleEndian.Uint64(bitmap[at:]) >> shift
		if shift > 0 && n > 64-shift {
			word |= uint64(bitmap[at+8]) << (64 - shift)
		}
		return word
	}
	var word uint64
	for k := range n {
		if i := from + k; bitmap[i>>3]>>(i&7)&1 == 1 {
			word |= 1 << k
		}
	}
	return word
}

// own returns n values of an array as the []T that they are in memory; nil where they are not.
func own(a arrow.Array, first, n int) any {
	switch a := a.(type) {
	case *array.Int64:
		return a.Int64Values()[first : first+n]
	case *array.Int32:
		return a.Int32Values()[first : first+n]
	case *array.Int16:
		return a.Int16Values()[first : first+n]
	case *array.Int8:
		return a.Int8Values()[first : first+n]
	case *array.Uint64:
		return a.Uint64Values()[first : first+n]
	case *array.Uint32:
		return a.Uint32Values()[first : first+n]
	case *array.Uint16:
		return a.Uint16Values()[first : first+n]
	case *array.Uint8:
		return a.Uint8Values()[first : first+n]
	case *array.Float64:
		return a.Float64Values()[first : first+n]
	case *array.Float32:
		return a.Float32Values()[first : first+n]
	}
	return nil
}

// read returns n values as a []T, in room unless the column has them like that in one piece.
func (c *chunked) read(from, n int, room any) (values any) {
	c.parts(from, n, func(a arrow.Array, at, first, some int) {
		if some == n {
			values = own(a, first, n)
		}
		if values == nil {
			fill(room, at, a, first, some)
		}
	})
	if values == nil {
		return room
	}
	return values
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
	case []string:
		fillText(dst[at:at+n], a, first)
	default:
		fillWide(dst, at, a, first, n)
	}
}

// fillText reads text. At nulls it may be anything.
func fillText(dst []string, a arrow.Array, first int) {
	switch a := a.(type) {
	case *array.String:
		cutTexts(dst, a.Data().Buffers()[2], a.ValueOffsets()[first:])
	case *array.LargeString:
		for k := range dst {
			dst[k] = a.Value(first + k)
		}
	case *array.StringView:
		for k := range dst {
			if dst[k] = ""; a.IsValid(first + k) {
				dst[k] = a.Value(first + k)
			}
		}
	}
}

// cutTexts cuts texts that lie one behind the other where they begin.
func cutTexts(dst []string, text *memory.Buffer, starts []int32) {
	if len(dst) == 0 || text == nil || text.Len() == 0 {
		clear(dst)
		return
	}
	whole := unsafe.String(unsafe.SliceData(text.Bytes()), text.Len())
	starts = starts[: len(dst)+1 : len(dst)+1]
	from := starts[0]
	for k, to := range starts[1:] {
		dst[k] = whole[from:to]
		from = to
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
		case []time.Time:
			dst[at+k] = timeOf(a, first+k)
		}
	}
}
