package schema

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
)

// kind is a type of column: its word, and which Arrow types are written forms of it.
type kind struct {
	word    string
	ids     []arrow.Type // none: every type
	arrow   arrow.DataType
	hasKeys bool            // its values can be compared for uniqueness
	room    func(n int) any // a []T
}

// holds reports whether a column of an Arrow type is one of the kind. A dictionary is a way to write its
// values.
func (k *kind) holds(t arrow.DataType) bool {
	if d, ok := t.(*arrow.DictionaryType); ok {
		t = d.ValueType
	}
	return len(k.ids) == 0 || slices.Contains(k.ids, t.ID())
}

func kindFor[T any](word string, to arrow.DataType, ids ...arrow.Type) *kind {
	return &kind{word: word, ids: ids, arrow: to, hasKeys: len(ids) > 0,
		room: func(n int) any { return make([]T, n) }}
}

// ops is what the rules of a type need to know of its values. Without less there are no bounds.
type ops[T any] struct {
	less, lessEqual func(a, b T) bool
	format          func(T) string
	usable          func(T) error // of a bound
	key             func(T) any
	oneOf           func([]T) func(T) bool
	bound           func(v T, low, open bool) func(*block, []uint64) // marks what is not over, or not under, a bound
}

// number is the ops of numbers; their < and <= are false for NaN.
func number[T cmp.Ordered](format func(T) string) ops[T] {
	return ops[T]{
		less:      func(a, b T) bool { return a < b },
		lessEqual: func(a, b T) bool { return a <= b },
		format:    format,
		usable: func(v T) error {
			if v != v {
				return errors.New("NaN is no bound and equals no value; use Finite to keep it out")
			}
			return nil
		},
		key:   func(v T) any { return v },
		oneOf: amongComparable[T],
		bound: numberBound[T],
	}
}

// numberBound has a loop for each comparison: calling a function for each value takes three times as long.
func numberBound[T cmp.Ordered](v T, low, open bool) func(*block, []uint64) {
	return func(b *block, fail []uint64) {
		column := b.vector(b.rule.at[0])
		values := column.values.([]T)[:b.n]
		switch {
		case low && open:
			for i, x := range values {
				if !(x > v) {
					fail[i>>6] |= 1 << (i & 63)
				}
			}
		case low:
			for i, x := range values {
				if !(x >= v) {
					fail[i>>6] |= 1 << (i & 63)
				}
			}
		case open:
			for i, x := range values {
				if !(x < v) {
					fail[i>>6] |= 1 << (i & 63)
				}
			}
		default:
			for i, x := range values {
				if !(x <= v) {
					fail[i>>6] |= 1 << (i & 63)
				}
			}
		}
		column.keepValid(fail)
	}
}

func amongComparable[T comparable](values []T) func(T) bool {
	set := make(map[T]struct{}, len(values))
	for _, v := range values {
		set[v] = struct{}{}
	}
	return func(v T) bool { _, ok := set[v]; return ok }
}

func integer[T int8 | int16 | int32 | int64](word string, to arrow.DataType) func(string) *Column[T] {
	k := kindFor[T](word, to, to.ID())
	return func(name string) *Column[T] {
		return newColumn(name, k, number(func(v T) string { return strconv.FormatInt(int64(v), 10) }))
	}
}

func natural[T uint8 | uint16 | uint32 | uint64](word string, to arrow.DataType) func(string) *Column[T] {
	k := kindFor[T](word, to, to.ID())
	return func(name string) *Column[T] {
		return newColumn(name, k, number(func(v T) string { return strconv.FormatUint(uint64(v), 10) }))
	}
}

func float[T float32 | float64](word string, to arrow.DataType, bits int) func(string) *Column[T] {
	k := kindFor[T](word, to, to.ID())
	return func(name string) *Column[T] {
		return newColumn(name, k, number(func(v T) string { return formatFloat(float64(v), bits) }))
	}
}

func formatFloat(f float64, bits int) string {
	if math.Abs(f) < 1e21 {
		return strconv.FormatFloat(f, 'f', -1, bits)
	}
	return strconv.FormatFloat(f, 'g', -1, bits)
}

// Int64 declares a column of 64-bit integers, "int64": the int64 and int of structs.
func Int64(name string) *Column[int64] {
	return integer[int64]("int64", arrow.PrimitiveTypes.Int64)(name)
}

// Int32 declares a column of 32-bit integers, "int32".
func Int32(name string) *Column[int32] {
	return integer[int32]("int32", arrow.PrimitiveTypes.Int32)(name)
}

// Int16 declares a column of 16-bit integers, "int16".
func Int16(name string) *Column[int16] {
	return integer[int16]("int16", arrow.PrimitiveTypes.Int16)(name)
}

// Int8 declares a column of 8-bit integers, "int8".
func Int8(name string) *Column[int8] { return integer[int8]("int8", arrow.PrimitiveTypes.Int8)(name) }

// Uint64 declares a column of 64-bit integers without sign, "uint64": the uint64 and uint of structs.
func Uint64(name string) *Column[uint64] {
	return natural[uint64]("uint64", arrow.PrimitiveTypes.Uint64)(name)
}

// Uint32 declares a column of 32-bit integers without sign, "uint32".
func Uint32(name string) *Column[uint32] {
	return natural[uint32]("uint32", arrow.PrimitiveTypes.Uint32)(name)
}

// Uint16 declares a column of 16-bit integers without sign, "uint16".
func Uint16(name string) *Column[uint16] {
	return natural[uint16]("uint16", arrow.PrimitiveTypes.Uint16)(name)
}

// Uint8 declares a column of 8-bit integers without sign, "uint8".
func Uint8(name string) *Column[uint8] {
	return natural[uint8]("uint8", arrow.PrimitiveTypes.Uint8)(name)
}

// Float64 declares a column of 64-bit floats, "float64".
func Float64(name string) *Column[float64] {
	return float[float64]("float64", arrow.PrimitiveTypes.Float64, 64)(name)
}

// Float32 declares a column of 32-bit floats, "float32".
func Float32(name string) *Column[float32] {
	return float[float32]("float32", arrow.PrimitiveTypes.Float32, 32)(name)
}

// Text declares a column of text, "text", whether written with short or long offsets, as views or by a
// dictionary.
func Text(name string) *Column[string] {
	return newColumn(name, kindFor[string]("text", arrow.BinaryTypes.String, arrow.STRING, arrow.LARGE_STRING, arrow.STRING_VIEW),
		number(func(s string) string { return s }))
}

// Bool declares a column of booleans, "bool".
func Bool(name string) *Column[bool] {
	return newColumn(name, kindFor[bool]("bool", arrow.FixedWidthTypes.Boolean, arrow.BOOL), ops[bool]{
		format: strconv.FormatBool, usable: func(bool) error { return nil }, key: func(b bool) any { return b }, oneOf: amongComparable[bool]})
}

// Bytes declares a column of bytes, "bytes".
func Bytes(name string) *Column[[]byte] {
	return newColumn(name, kindFor[[]byte]("bytes", arrow.BinaryTypes.Binary, arrow.BINARY, arrow.LARGE_BINARY, arrow.BINARY_VIEW), ops[[]byte]{})
}

// Any declares a column of whatever type, lists and structs included: it must be there, and it may be
// null or not. Its only other rules are those of Vectorised.
func Any(name string) *Column[any] {
	return newColumn(name, &kind{word: "any", room: func(int) any { return []any(nil) }}, ops[any]{})
}

// Date declares a column of dates, "date". Its bounds are whole days; make them with Day. Structs have
// no dates: a time.Time is a Timestamp.
func Date(name string) *Column[time.Time] {
	o := moments(time.DateOnly)
	o.usable = func(t time.Time) error {
		if t.Unix()%86400 != 0 || t.Nanosecond() != 0 {
			return fmt.Errorf("%s is no whole day in UTC; use Day", t.Format(time.RFC3339Nano))
		}
		return nil
	}
	return newColumn(name, kindFor[time.Time]("date", arrow.FixedWidthTypes.Date32, arrow.DATE32, arrow.DATE64), o)
}

// Timestamp declares a column of points in time of whatever unit, "timestamp". Its bounds are compared as
// points in time and shown in UTC.
func Timestamp(name string) *Column[time.Time] {
	return newColumn(name, kindFor[time.Time]("timestamp", arrow.FixedWidthTypes.Timestamp_ns, arrow.TIMESTAMP), moments(time.RFC3339Nano))
}

func moments(layout string) ops[time.Time] {
	key := func(t time.Time) any { return [2]int64{t.Unix(), int64(t.Nanosecond())} }
	return ops[time.Time]{
		less:      time.Time.Before,
		lessEqual: func(a, b time.Time) bool { return !b.Before(a) },
		format:    func(t time.Time) string { return t.UTC().Format(layout) },
		usable:    func(time.Time) error { return nil },
		key:       key,
		bound:     momentBound,
		oneOf: func(values []time.Time) func(time.Time) bool {
			keys := make([]any, len(values))
			for i, v := range values {
				keys[i] = key(v)
			}
			among := amongComparable(keys)
			return func(t time.Time) bool { return among(key(t)) }
		},
	}
}
