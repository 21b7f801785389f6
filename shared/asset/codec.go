package asset

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"waggle/shared/fault"
	"waggle/shared/table"
)

// Codec turns an asset's value into bytes and back.
type Codec interface {
	// Name is stored with the value; a value is decoded by the codec of its name.
	Name() string
	Encode(value any) ([]byte, error)
	// Decode returns a value of type t. A value that was stored for another shape of t is
	// fault.Incompatible.
	Decode(data []byte, t reflect.Type) (any, error)
}

// The codecs that Waggle brings.
var (
	JSON    Codec = jsonCodec{}    // encoding/json
	Parquet Codec = parquetCodec{} // slices of structs and *table.Table
)

func codecFor(t reflect.Type, chosen Codec) Codec {
	switch {
	case chosen != nil:
		return chosen
	case t == reflect.TypeFor[*table.Table]():
		return Parquet
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct && !reflect.PointerTo(t.Elem()).Implements(reflect.TypeFor[json.Marshaler]()):
		return Parquet
	default:
		return JSON
	}
}

type jsonCodec struct{}

func (jsonCodec) Name() string { return "json" }

func (jsonCodec) Encode(value any) ([]byte, error) {
	switch v := value.(type) { // the common small values, without reflection
	case string, int, int64, bool, float64:
		return json.Marshal(v)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func (jsonCodec) Decode(data []byte, t reflect.Type) (any, error) {
	v := reflect.New(t)
	if err := json.Unmarshal(data, v.Interface()); err != nil {
		return nil, fault.New(fault.Incompatible, "stored as JSON that is no %s: %w", t, err)
	}
	return v.Elem().Interface(), nil
}

type parquetCodec struct{}

func (parquetCodec) Name() string                     { return "parquet" }
func (parquetCodec) Encode(value any) ([]byte, error) { return table.Encode(value) }

func (parquetCodec) Decode(data []byte, t reflect.Type) (any, error) { return table.Decode(data, t) }

var (
	jsonMarshaler = reflect.TypeFor[json.Marshaler]()
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()
)

// checkJSON reports the first part of a type that encoding/json would drop or refuse.
func checkJSON(t reflect.Type, path string, inside []reflect.Type) error {
	if t.Implements(jsonMarshaler) || reflect.PointerTo(t).Implements(jsonMarshaler) || t.Implements(textMarshaler) || slices.Contains(inside, t) {
		return nil
	}
	inside = append(inside, t)
	switch t.Kind() {
	case reflect.Chan, reflect.Func, reflect.Complex64, reflect.Complex128, reflect.UnsafePointer:
		return fmt.Errorf("%s is a %s, which cannot be stored", path, t)
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return checkJSON(t.Elem(), path+" element", inside)
	case reflect.Map:
		k := t.Key()
		if k.Kind() != reflect.String && !(k.Kind() >= reflect.Int && k.Kind() <= reflect.Uintptr) && !k.Implements(textMarshaler) {
			return fmt.Errorf("%s has keys of %s, which JSON does not have", path, k)
		}
		return checkJSON(t.Elem(), path+" element", inside)
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			if f.Tag.Get("json") == "-" {
				continue
			}
			if !f.IsExported() && !f.Anonymous {
				return fmt.Errorf("%s has the unexported field %s.%s, which would not be stored; export it or tag it `json:\"-\"`", path, t, f.Name)
			}
			if err := checkJSON(f.Type, path+"."+f.Name, inside); err != nil {
				return err
			}
		}
	}
	return nil
}

// CodecNamed returns the codec that wrote a value: the asset's own if it has the name, else one of
// Waggle's; nil for an unknown name.
func CodecNamed(name string, own Codec) Codec {
	for _, codec := range []Codec{own, JSON, Parquet} {
		if codec != nil && codec.Name() == name {
			return codec
		}
	}
	return nil
}
