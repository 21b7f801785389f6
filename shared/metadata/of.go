package metadata

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Of turns a Go value into a Value: integers int, floats float, booleans bool,
// strings and errors text, time.Time timestamp, time.Duration float milliseconds, nil and
// nil pointers null, other pointers what they point to, slices, maps and structs json. A Value is
// itself. What has no encoding is reported when the metadata is added.
func Of(v any) Value {
	switch v := v.(type) {
	case nil:
		return Null()
	case Value:
		return v
	case *Value:
		if v == nil {
			return Null()
		}
		return *v
	case int:
		return Int(int64(v))
	case int64:
		return Int(v)
	case float64:
		return Float(v)
	case string:
		return Text(v)
	case bool:
		return Bool(v)
	case time.Time:
		return Timestamp(v)
	case time.Duration:
		return Float(float64(v) / float64(time.Millisecond))
	case json.RawMessage:
		return JSON(v)
	case error:
		return Text(v.Error())
	}
	return ofKind(reflect.ValueOf(v))
}

func ofKind(v reflect.Value) Value {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return Null()
		}
		return Of(v.Elem().Interface())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return Int(v.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		if v.Uint() > math.MaxInt64 {
			return broken(TypeInt, fmt.Errorf("%d is over the largest int, %d", v.Uint(), int64(math.MaxInt64)))
		}
		return Int(int64(v.Uint()))
	case reflect.Float32:
		// The shortest decimal that reads back as this float32: 0.1, not 0.10000000149.
		f, _ := strconv.ParseFloat(strconv.FormatFloat(v.Float(), 'g', -1, 32), 64)
		return Float(f)
	case reflect.Float64:
		return Float(v.Float())
	case reflect.Bool:
		return Bool(v.Bool())
	case reflect.String:
		return Text(v.String())
	default:
		return JSON(v.Interface())
	}
}

// Int is a whole number.
func Int(n int64) Value { return Value{Type: TypeInt, Value: strconv.AppendInt(nil, n, 10)} }

// Float is a number. NaN and infinities have no JSON and are an error when they are added.
func Float(f float64) Value {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return broken(TypeFloat, fmt.Errorf("%v is not a number that JSON can hold; add nil where there is no value", f))
	}
	return encode(TypeFloat, f)
}

// Bool is true or false.
func Bool(b bool) Value { return Value{Type: TypeBool, Value: strconv.AppendBool(nil, b)} }

// Text is a plain text.
func Text(s string) Value { return encode(TypeText, s) }

// Markdown is a text that mails and pages render.
func Markdown(s string) Value { return encode(TypeMarkdown, s) }

// URL is a link.
func URL(s string) Value { return encode(TypeURL, s) }

// Path is a file or blob that the step wrote or read.
func Path(s string) Value { return encode(TypePath, s) }

// JSON is any value that encoding/json takes.
func JSON(v any) Value { return encode(TypeJSON, v) }

// Table is a small table: a slice of structs or of maps, one a row.
func Table(rows any) Value {
	v := encode(TypeTable, rows)
	if v.err == nil && (len(v.Value) == 0 || v.Value[0] != '[') && string(v.Value) != "null" {
		return broken(TypeTable, fmt.Errorf("a table is a slice of rows, not a %T", rows))
	}
	return v
}

// Column describes a column of a table.
type Column struct {
	Name        string   `json:"name"`
	Type        string   `json:"type"`
	Nullable    bool     `json:"nullable"`
	Description string   `json:"description,omitempty"`
	Constraints []string `json:"constraints,omitempty"`
}

// TableSchema is the columns of a table.
func TableSchema(columns []Column) Value {
	return encode(TypeTableSchema, struct {
		Columns []Column `json:"columns"`
	}{notNil(columns)})
}

// ColumnRef is a column of an asset.
type ColumnRef struct {
	Asset  string `json:"asset"`
	Column string `json:"column"`
}

// ColumnLineage says for each column which upstream columns it was made from.
func ColumnLineage(columns map[string][]ColumnRef) Value { return encode(TypeColumnLineage, columns) }

// Timestamp is a moment, stored in UTC.
func Timestamp(t time.Time) Value { return encode(TypeTimestamp, t.UTC().Format(time.RFC3339Nano)) }

// Run is a link to a run, by its id.
func Run(id string) Value { return encode(TypeRun, id) }

// Asset is a link to an asset, by its key.
func Asset(key string) Value { return encode(TypeAsset, key) }

// Job is a link to a job, by its name.
func Job(name string) Value { return encode(TypeJob, name) }

// Picture is what an image value holds.
type Picture struct {
	PNG []byte `json:"png"` // base64 in JSON
	Alt string `json:"alt"`
}

// Image is a PNG picture with the words for those who cannot see it.
func Image(png []byte, alt string) Value {
	if !strings.HasPrefix(string(png), "\x89PNG\r\n\x1a\n") {
		return broken(TypeImage, errors.New("an image must be PNG"))
	}
	return encode(TypeImage, Picture{PNG: png, Alt: alt})
}

// Null says that there is no value.
func Null() Value { return Value{Type: TypeNull, Value: json.RawMessage("null")} }

func encode(t Type, v any) Value {
	raw, err := json.Marshal(v)
	if err != nil {
		return broken(t, err)
	}
	return Value{Type: t, Value: raw}
}

func broken(t Type, err error) Value { return Value{Type: t, err: err} }

func notNil[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
