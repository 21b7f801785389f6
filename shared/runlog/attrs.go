package runlog

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"time"
)

// AppendAttrs adds attributes to b as the fields of a JSON object, without its braces: groups as objects, durations
// as text (1.5s), times as RFC 3339, errors as their text, and what JSON cannot hold as fmt shows it. As in slog, empty
// attributes and groups are left out. A method that panics, as of a nil pointer that is logged, is shown in place of its value.
func AppendAttrs(b []byte, attrs []slog.Attr) []byte {
	for _, a := range attrs {
		value := a.Value.Resolve()
		if a.Equal(slog.Attr{}) {
			continue
		}
		if value.Kind() == slog.KindGroup && (a.Key == "" || len(value.Group()) == 0) {
			b = AppendAttrs(b, value.Group())
			continue
		}
		if len(b) > 0 && b[len(b)-1] != '{' {
			b = append(b, ',')
		}
		b = appendString(b, a.Key)
		b = append(b, ':')
		b = appendValue(b, value)
	}
	return b
}

func appendValue(b []byte, v slog.Value) []byte {
	switch v.Kind() {
	case slog.KindString:
		return appendString(b, v.String())
	case slog.KindInt64:
		return strconv.AppendInt(b, v.Int64(), 10)
	case slog.KindUint64:
		return strconv.AppendUint(b, v.Uint64(), 10)
	case slog.KindBool:
		return strconv.AppendBool(b, v.Bool())
	case slog.KindFloat64:
		if f := v.Float64(); !math.IsNaN(f) && !math.IsInf(f, 0) {
			return strconv.AppendFloat(b, f, 'g', -1, 64)
		}
		return appendString(b, v.String())
	case slog.KindDuration:
		return appendString(b, v.Duration().String())
	case slog.KindTime:
		return appendString(b, v.Time().UTC().Format(time.RFC3339Nano))
	case slog.KindGroup:
		b = append(b, '{')
		b = AppendAttrs(b, v.Group())
		return append(b, '}')
	}
	if err, ok := v.Any().(error); ok {
		return appendString(b, fmt.Sprint(err)) // fmt survives a nil pointer in an error
	}
	raw, err := marshal(v.Any())
	if err != nil {
		return appendString(b, fmt.Sprintf("%+v", v.Any()))
	}
	return append(b, raw...)
}

func marshal(v any) (raw []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return json.Marshal(v)
}
