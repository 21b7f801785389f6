package schema

import (
	"encoding/binary"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// copies is where equal values are.
type copies struct{ first, last int }

// uniqueness marks the rows that break a rule of uniqueness.
func (e *evaluator) uniqueness(i int, r *rule) {
	columns := make([]*chunked, len(r.at))
	for k, at := range r.at {
		columns[k] = e.columns[at].values
	}
	seen := map[string]copies{}
	var key []byte
	for row := range e.rows {
		var ok bool
		if key, ok = appendKey(key[:0], columns, row); !ok {
			continue
		}
		if c, again := seen[string(key)]; again {
			seen[string(key)] = copies{c.first, row}
		} else {
			seen[string(key)] = copies{row, row}
		}
	}
	for row := range e.rows {
		var ok bool
		if key, ok = appendKey(key[:0], columns, row); !ok {
			continue
		}
		c := seen[string(key)]
		if c.first != c.last && (r.unique == All || r.unique == AllButFirst && row != c.first || r.unique == AllButLast && row != c.last) {
			e.failed[i].add(row)
		}
	}
}

// appendKey writes the values of a row so that equal rows are equal bytes; not ok where one is null.
func appendKey(dst []byte, columns []*chunked, row int) ([]byte, bool) {
	for _, c := range columns {
		a, i := c.find(row)
		if isNull(a, i) {
			return dst, false
		}
		dst = appendValue(dst, a, i)
	}
	return dst, true
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
