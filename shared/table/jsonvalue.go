package table

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// appendJSON writes value i of a column: compact, keys in column order, floats shortest and without
// an exponent below 1e21, no HTML escaping.
func appendJSON(dst []byte, a arrow.Array, i int) ([]byte, error) {
	if a.IsNull(i) {
		return append(dst, "null"...), nil
	}
	switch a := a.(type) {
	case *array.Int64:
		return strconv.AppendInt(dst, a.Value(i), 10), nil
	case *array.Float64:
		return appendFloat(dst, a.Value(i), 64)
	case *array.Float32:
		return appendFloat(dst, float64(a.Value(i)), 32)
	case *array.Boolean:
		return strconv.AppendBool(dst, a.Value(i)), nil
	case *array.Timestamp:
		t := a.Value(i).ToTime(a.DataType().(*arrow.TimestampType).Unit)
		return append(t.AppendFormat(append(dst, '"'), time.RFC3339Nano), '"'), nil
	case *array.Dictionary:
		return appendJSON(dst, a.Dictionary(), a.GetValueIndex(i))
	case array.ListLike:
		return appendList(dst, a, i)
	case *array.Struct:
		t := a.DataType().(*arrow.StructType)
		return appendObject(dst, t.Fields(), func(k int) arrow.Array { return a.Field(k) }, i)
	case interface{ Value(int) string }:
		return appendText(dst, a.Value(i))
	}
	if arrow.IsInteger(a.DataType().ID()) {
		if n, u, big := integer(a, i); big {
			return strconv.AppendUint(dst, u, 10), nil
		} else {
			return strconv.AppendInt(dst, n, 10), nil
		}
	}
	// What only files from other tools have: dates, decimals, bytes, maps.
	raw, err := json.Marshal(a.GetOneForMarshal(i))
	return append(dst, raw...), err
}

func appendObject(dst []byte, fields []arrow.Field, column func(int) arrow.Array, i int) ([]byte, error) {
	dst = append(dst, '{')
	for k, f := range fields {
		if k > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = appendText(dst, f.Name); err != nil {
			return dst, err
		}
		if dst, err = appendJSON(append(dst, ':'), column(k), i); err != nil {
			return dst, &cellError{f.Name, err}
		}
	}
	return append(dst, '}'), nil
}

// cellError says in which column, or in which field of a struct in a column, a value has no JSON.
type cellError struct {
	column string
	err    error
}

func (e *cellError) Error() string { return fmt.Sprintf("column %q: %s", e.column, e.err) }
func (e *cellError) Unwrap() error { return e.err }

func appendList(dst []byte, a array.ListLike, i int) ([]byte, error) {
	dst = append(dst, '[')
	from, to := a.ValueOffsets(i)
	values := a.ListValues()
	for k := from; k < to; k++ {
		if k > from {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = appendJSON(dst, values, int(k)); err != nil {
			return dst, err
		}
	}
	return append(dst, ']'), nil
}

func appendFloat(dst []byte, f float64, bits int) ([]byte, error) {
	switch {
	case math.IsNaN(f) || math.IsInf(f, 0):
		return dst, fmt.Errorf("%v has no JSON (use a pointer, and nil where there is no number)", f)
	case math.Abs(f) < 1e21:
		return strconv.AppendFloat(dst, f, 'f', -1, bits), nil
	}
	return strconv.AppendFloat(dst, f, 'e', -1, bits), nil
}

const hex = "0123456789abcdef"

// appendText quotes a text and escapes only what JSON demands.
func appendText(dst []byte, s string) ([]byte, error) {
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(s); {
		b := s[i]
		if b >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				return dst, fmt.Errorf("%s is not UTF-8", quoted(s))
			}
			i += size
			continue
		}
		if b >= ' ' && b != '"' && b != '\\' {
			i++
			continue
		}
		dst = append(dst, s[from:i]...)
		switch b {
		case '"', '\\':
			dst = append(dst, '\\', b)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[b>>4], hex[b&15])
		}
		i++
		from = i
	}
	return append(append(dst, s[from:]...), '"'), nil
}
