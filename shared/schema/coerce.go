package schema

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"waggle/shared/table"
)

// conversions says which types of column a kind is converted from, by the words of types.
var conversions = map[string][]string{
	"bool":      {"integer", "text"},
	"text":      {"integer", "float", "bool", "date", "timestamp"},
	"date":      {"text", "timestamp"},
	"timestamp": {"text", "date"},
	"bytes":     {"text"},
	"integer":   {"integer", "float", "text"},
	"float":     {"integer", "float", "text"},
}

func family(word string) string {
	switch {
	case strings.HasPrefix(word, "float"):
		return "float"
	case strings.HasPrefix(word, "int"), strings.HasPrefix(word, "uint"):
		return "integer"
	}
	return word
}

// converts reports whether a column can be converted at all.
func converts(from arrow.DataType, to *kind) bool {
	word := table.TypeWord(from)
	return word != "float16" && slices.Contains(conversions[family(to.word)], family(word))
}

// convert returns a column in the type of a kind, null where there is no such value, and the rows where
// that is because the value did not convert.
func convert(c *chunked, rows int, to *kind) (*chunked, *marks) {
	out, lost := &chunked{kind: to.arrow}, newMarks(rows)
	for k, a := range c.chunks {
		b := array.NewBuilder(memory.DefaultAllocator, to.arrow)
		b.Reserve(a.Len())
		date := family(table.TypeWord(a.DataType())) == "date"
		for i := range a.Len() {
			v := goValue(a, i)
			if v == nil {
				b.AppendNull()
			} else if !appendConverted(b, v, to, date) {
				b.AppendNull()
				lost.add(c.starts[k] + i)
			}
		}
		out.chunks, out.starts = append(out.chunks, b.NewArray()), append(out.starts, c.starts[k])
	}
	return out, lost
}

// appendConverted appends a value in a kind's type, or reports that there is none without loss.
func appendConverted(b array.Builder, v any, to *kind, date bool) bool {
	switch family(to.word) {
	case "integer":
		return appendInteger(b, v)
	case "float":
		return appendFloat(b, v)
	}
	switch b := b.(type) {
	case *array.BooleanBuilder:
		t, ok := toBool(v)
		if ok {
			b.Append(t)
		}
		return ok
	case *array.StringBuilder:
		b.Append(toText(v, date))
		return true
	case *array.BinaryBuilder:
		b.Append([]byte(v.(string)))
		return true
	case *array.Date32Builder:
		t, ok := toTime(v)
		days := t.Unix() / 86400
		if ok = ok && t.Unix()%86400 == 0 && t.Nanosecond() == 0 && days == int64(int32(days)); ok {
			b.Append(arrow.Date32(days))
		}
		return ok
	case *array.TimestampBuilder:
		t, ok := toTime(v)
		if ok = ok && !t.Before(time.Unix(0, math.MinInt64)) && !t.After(time.Unix(0, math.MaxInt64)); ok {
			b.Append(arrow.Timestamp(t.UnixNano()))
		}
		return ok
	}
	return false
}

func toBool(v any) (t, ok bool) {
	switch v := v.(type) {
	case int64:
		return v == 1, v == 0 || v == 1
	case uint64:
		return v == 1, v == 0 || v == 1
	case string:
		word := strings.ToLower(strings.TrimSpace(v))
		return word == "true", word == "true" || word == "false"
	}
	return false, false
}

func toText(v any, date bool) string {
	switch v := v.(type) {
	case int64:
		return strconv.FormatInt(v, 10)
	case uint64:
		return strconv.FormatUint(v, 10)
	case float64:
		return formatFloat(v, 64)
	case bool:
		return strconv.FormatBool(v)
	case time.Time:
		if date {
			return v.UTC().Format(time.DateOnly)
		}
		return v.UTC().Format(time.RFC3339Nano)
	}
	return ""
}

// times are the ways to write a point in time; without a zone it is UTC.
var times = []string{time.DateOnly, time.RFC3339Nano, "2006-01-02 15:04:05.999999999", "2006-01-02T15:04:05.999999999"}

func toTime(v any) (time.Time, bool) {
	switch v := v.(type) {
	case time.Time:
		return v.UTC(), true
	case string:
		for _, layout := range times {
			if t, err := time.Parse(layout, strings.TrimSpace(v)); err == nil {
				return t.UTC(), true
			}
		}
	}
	return time.Time{}, false
}

// appendInteger takes integers in range, whole floats and text of an optional minus and digits.
func appendInteger(b array.Builder, v any) bool {
	var n int64
	var u uint64 // where n would be over the largest int64
	switch v := v.(type) {
	case int64:
		n = v
	case uint64:
		n, u = int64(v), v
	case float64:
		switch {
		case v != math.Trunc(v) || v < -1<<63 || v >= 1<<64:
			return false
		case v >= 1<<63:
			u = uint64(v)
			n = int64(u)
		default:
			n = int64(v)
		}
	case string:
		text := strings.TrimSpace(v)
		if strings.HasPrefix(text, "+") {
			return false
		}
		var err error
		if n, err = strconv.ParseInt(text, 10, 64); err != nil {
			if u, err = strconv.ParseUint(text, 10, 64); err != nil {
				return false
			}
			n = int64(u)
		}
	}
	return appendSigned(b, n, u) || appendUnsigned(b, n, u)
}

func appendSigned(b array.Builder, n int64, u uint64) bool {
	if u > math.MaxInt64 {
		return false
	}
	switch b := b.(type) {
	case *array.Int64Builder:
		b.Append(n)
		return true
	case *array.Int32Builder:
		return fits(b.Append, int32(n), n)
	case *array.Int16Builder:
		return fits(b.Append, int16(n), n)
	case *array.Int8Builder:
		return fits(b.Append, int8(n), n)
	}
	return false
}

func appendUnsigned(b array.Builder, n int64, u uint64) bool {
	if u <= math.MaxInt64 {
		if n < 0 {
			return false
		}
		u = uint64(n)
	}
	switch b := b.(type) {
	case *array.Uint64Builder:
		b.Append(u)
		return true
	case *array.Uint32Builder:
		return u <= math.MaxUint32 && fits(b.Append, uint32(u), int64(u))
	case *array.Uint16Builder:
		return u <= math.MaxUint16 && fits(b.Append, uint16(u), int64(u))
	case *array.Uint8Builder:
		return u <= math.MaxUint8 && fits(b.Append, uint8(u), int64(u))
	}
	return false
}

// fits appends a value that is still n in the narrower type.
func fits[T int8 | int16 | int32 | uint8 | uint16 | uint32](add func(T), v T, n int64) bool {
	if int64(v) != n {
		return false
	}
	add(v)
	return true
}

// appendFloat takes integers that a float64 holds, floats (rounded to a narrower float) and decimal text.
func appendFloat(b array.Builder, v any) bool {
	var f float64
	switch v := v.(type) {
	case int64:
		f = float64(v)
		if f >= 1<<63 || int64(f) != v {
			return false
		}
	case uint64:
		f = float64(v)
		if f >= 1<<64 || uint64(f) != v {
			return false
		}
	case float64:
		f = v
	case string:
		text := strings.TrimSpace(v)
		var err error
		if f, err = strconv.ParseFloat(text, 64); err != nil || strings.ContainsAny(text, "xX_") {
			return false
		}
	}
	switch b := b.(type) {
	case *array.Float64Builder:
		b.Append(f)
	case *array.Float32Builder:
		if narrow := float32(f); math.IsInf(float64(narrow), 0) != math.IsInf(f, 0) {
			return false
		} else if _, whole := v.(float64); !whole && math.Trunc(f) == f && float64(narrow) != f && !math.IsNaN(f) {
			return false // an integer that it does not hold
		} else {
			b.Append(narrow)
		}
	}
	return true
}
