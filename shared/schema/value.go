package schema

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// timeOf reads a date or timestamp.
func timeOf(a arrow.Array, i int) time.Time {
	switch a := a.(type) {
	case *array.Date32:
		return a.Value(i).ToTime()
	case *array.Date64:
		return a.Value(i).ToTime()
	case *array.Timestamp:
		return a.Value(i).ToTime(a.DataType().(*arrow.TimestampType).Unit)
	}
	return time.Time{}
}

// goValue is value i of an array in Go: nil, int64, uint64, float64, bool, string, []byte, time.Time, or the JSON
// of what is none of these.
func goValue(a arrow.Array, i int) any {
	if isNull(a, i) {
		return nil
	}
	switch a := a.(type) {
	case *array.Dictionary:
		return goValue(a.Dictionary(), a.GetValueIndex(i))
	case *array.Int64:
		return a.Value(i)
	case *array.Int32:
		return int64(a.Value(i))
	case *array.Int16:
		return int64(a.Value(i))
	case *array.Int8:
		return int64(a.Value(i))
	case *array.Uint64:
		return a.Value(i)
	case *array.Uint32:
		return uint64(a.Value(i))
	case *array.Uint16:
		return uint64(a.Value(i))
	case *array.Uint8:
		return uint64(a.Value(i))
	case *array.Float64:
		return a.Value(i)
	case *array.Float32:
		return float64(a.Value(i))
	case *array.Boolean:
		return a.Value(i)
	case *array.Date32, *array.Date64, *array.Timestamp:
		return timeOf(a, i)
	case interface{ Value(int) string }:
		return a.Value(i)
	case interface{ Value(int) []byte }:
		return a.Value(i)
	}
	text, err := json.Marshal(a.GetOneForMarshal(i))
	if err != nil {
		return a.ValueStr(i)
	}
	return string(text)
}

// caseRunes is how many characters of a text a failure case keeps.
const caseRunes = 256

// failureCase is value i of an array as failures show it.
func failureCase(a arrow.Array, i int) any {
	switch v := goValue(a, i).(type) {
	case string:
		return cutText(v)
	case []byte:
		return cutText(string(v))
	case float64:
		if a.DataType().ID() == arrow.FLOAT32 { // the shortest decimal: 0.1, not 0.10000000149
			v, _ = strconv.ParseFloat(strconv.FormatFloat(v, 'g', -1, 32), 64)
		}
		return v
	case time.Time:
		if d := a.DataType().ID(); d == arrow.DATE32 || d == arrow.DATE64 {
			return v.UTC().Format(time.DateOnly)
		}
		return v.UTC().Format(time.RFC3339Nano)
	default:
		return v
	}
}

// cutText copies a text, so that a kept failure does not keep its column in memory, and shortens it.
func cutText(s string) string {
	if len(s) <= caseRunes {
		return strings.Clone(s)
	}
	n := 0
	for i := range s {
		if n++; n > caseRunes {
			return s[:i] + "…"
		}
	}
	return strings.Clone(s)
}
