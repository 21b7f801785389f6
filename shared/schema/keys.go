package schema

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// keys is what rows are compared by where uniqueness is asked: the values of one column or several.
type keys struct {
	columns []*chunked
	exact   bool // equal hashes are equal values
	seed    maphash.Seed
	odd     uint64 // made of the seed: nobody can choose values that all fall into one partition
}

func keysOf(columns []*chunked) *keys {
	k := &keys{columns: columns, seed: maphash.MakeSeed()}
	k.odd = maphash.Comparable(k.seed, 1) | 1
	k.exact = len(columns) == 1 && isNumeric(columns[0].kind)
	return k
}

// isNumeric reports whether a value is 64 bits at most.
func isNumeric(t arrow.DataType) bool {
	switch t.ID() {
	case arrow.INT64, arrow.INT32, arrow.INT16, arrow.INT8, arrow.UINT64, arrow.UINT32, arrow.UINT16, arrow.UINT8, arrow.FLOAT64, arrow.FLOAT32, arrow.BOOL,
		arrow.DATE32, arrow.DATE64, arrow.TIMESTAMP:
		return true
	}
	return false
}

// spread makes a number a hash; different numbers have different ones.
func (k *keys) spread(x uint64) uint64 {
	x = (x ^ k.odd<<1) * k.odd
	return x ^ x>>32
}

// keyReader reads the hashes of rows, a block at a time.
type keyReader struct {
	*keys
	hashes  []uint64 // of the rows in which no value is null
	rows    []uint16 // those rows, counted in the block
	all     [blockRows]uint64
	numbers [blockRows]uint64
	kept    [blockRows]uint64
	places  [blockRows]uint16
	present [blockWords]uint64
	nulls   [blockWords]uint64
	scratch []byte
}

func (k *keys) reader() *keyReader { return &keyReader{keys: k} }

func (r *keyReader) read(from, n int) {
	for i, c := range r.columns {
		if i == 0 {
			c.readPresent(from, n, r.present[:])
		} else {
			c.readPresent(from, n, r.nulls[:])
			for w := range r.present {
				r.present[w] &= r.nulls[w]
			}
		}
		numeric := isNumeric(c.kind)
		c.parts(from, n, func(a arrow.Array, at, first, n int) {
			if numeric {
				numbersOf(r.numbers[at:at+n], a, first)
				return
			}
			r.hashesOf(r.numbers[at:at+n], a, first)
		})
		if i == 0 {
			for j, x := range r.numbers[:n] {
				r.all[j] = r.spread(x)
			}
		} else {
			for j, x := range r.numbers[:n] {
				r.all[j] = r.spread(r.all[j]*3 + x)
			}
		}
	}
	whole := true
	for _, w := range r.present {
		whole = whole && w == math.MaxUint64
	}
	if whole {
		for j := range n {
			r.places[j] = uint16(j)
		}
		r.hashes, r.rows = r.all[:n], r.places[:n]
		return
	}
	kept := 0
	for j, h := range r.all[:n] {
		r.kept[kept], r.places[kept] = h, uint16(j)
		kept += int(r.present[j>>6] >> (j & 63) & 1)
	}
	r.hashes, r.rows = r.kept[:kept], r.places[:kept]
}

// numbersOf reads values as numbers: equal ones are equal numbers, different ones different.
func numbersOf(dst []uint64, a arrow.Array, first int) {
	n := len(dst)
	switch a := a.(type) {
	case *array.Int64:
		widen(dst, a.Int64Values()[first:first+n])
	case *array.Int32:
		widen(dst, a.Int32Values()[first:first+n])
	case *array.Int16:
		widen(dst, a.Int16Values()[first:first+n])
	case *array.Int8:
		widen(dst, a.Int8Values()[first:first+n])
	case *array.Uint64:
		widen(dst, a.Uint64Values()[first:first+n])
	case *array.Uint32:
		widen(dst, a.Uint32Values()[first:first+n])
	case *array.Uint16:
		widen(dst, a.Uint16Values()[first:first+n])
	case *array.Uint8:
		widen(dst, a.Uint8Values()[first:first+n])
	case *array.Date32:
		widen(dst, a.Date32Values()[first:first+n])
	case *array.Date64:
		widen(dst, a.Date64Values()[first:first+n])
	case *array.Timestamp:
		widen(dst, a.TimestampValues()[first:first+n])
	case *array.Float64:
		for i, v := range a.Float64Values()[first : first+n] {
			dst[i] = floatKey(v)
		}
	case *array.Float32:
		for i, v := range a.Float32Values()[first : first+n] {
			dst[i] = floatKey(float64(v))
		}
	case *array.Boolean:
		for i := range dst {
			if dst[i] = 0; a.Value(first + i) {
				dst[i] = 1
			}
		}
	}
}

func widen[T int64 | int32 | int16 | int8 | uint64 | uint32 | uint16 | uint8 | arrow.Date32 | arrow.Date64 | arrow.Timestamp](dst []uint64, values []T) {
	for i, v := range values {
		dst[i] = uint64(v)
	}
}

// hashesOf hashes values of any type. At nulls there is anything.
func (r *keyReader) hashesOf(dst []uint64, a arrow.Array, first int) {
	switch a := a.(type) {
	case *array.String:
		for i := range dst {
			dst[i] = maphash.String(r.seed, a.Value(first+i))
		}
	case *array.LargeString:
		for i := range dst {
			dst[i] = maphash.String(r.seed, a.Value(first+i))
		}
	default:
		for i := range dst {
			if dst[i] = 0; isNull(a, first+i) {
				continue
			}
			r.scratch = appendValue(r.scratch[:0], a, first+i)
			dst[i] = maphash.Bytes(r.seed, r.scratch)
		}
	}
}

// equal compares two rows without nulls.
func (k *keys) equal(x, y int) bool {
	for _, c := range k.columns {
		a, i := c.find(x)
		b, j := c.find(y)
		if !equalValues(a, i, b, j) {
			return false
		}
	}
	return true
}

func equalValues(a arrow.Array, i int, b arrow.Array, j int) bool {
	switch a := a.(type) {
	case *array.String:
		return a.Value(i) == b.(*array.String).Value(j)
	case *array.LargeString:
		return a.Value(i) == b.(*array.LargeString).Value(j)
	case *array.Int64:
		return a.Value(i) == b.(*array.Int64).Value(j)
	case *array.Float64:
		return floatKey(a.Value(i)) == floatKey(b.(*array.Float64).Value(j))
	}
	return bytes.Equal(appendValue(nil, a, i), appendValue(nil, b, j))
}
func appendValue(dst []byte, a arrow.Array, i int) []byte {
	switch a := a.(type) {
	case *array.Dictionary:
		return appendValue(dst, a.Dictionary(), a.GetValueIndex(i))
	case *array.Date32:
		return binary.LittleEndian.AppendUint64(dst, uint64(a.Value(i)))
	case *array.Date64:
		return binary.LittleEndian.AppendUint64(dst, uint64(a.Value(i)))
	case *array.Timestamp:
		return binary.LittleEndian.AppendUint64(dst, uint64(a.Value(i)))
	}
	switch v := goValue(a, i).(type) {
	case int64:
		return binary.LittleEndian.AppendUint64(dst, uint64(v))
	case uint64:
		return binary.LittleEndian.AppendUint64(dst, v)
	case float64:
		return binary.LittleEndian.AppendUint64(dst, floatKey(v))
	case bool:
		if v {
			return append(dst, 1)
		}
		return append(dst, 0)
	case string:
		return append(binary.AppendUvarint(dst, uint64(len(v))), v...)
	case []byte:
		return append(binary.AppendUvarint(dst, uint64(len(v))), v...)
	}
	return dst
}

// floatKey is equal for every NaN, and for 0 and -0.
func floatKey(f float64) uint64 {
	switch {
	case f != f:
		return math.Float64bits(math.NaN())
	case f == 0:
		return 0
	}
	return math.Float64bits(f)
}
