// Package metadata is what assets and checks report about their data: labelled values of a
// closed set of types, shown by every command, mail and page.
//
// It imports nothing of ours.
package metadata

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Type is the kind of a value. The words are Dagster's.
type Type string

// The types of values; the constructor of each has its name.
const (
	TypeInt           Type = "int"
	TypeFloat         Type = "float"
	TypeBool          Type = "bool"
	TypeText          Type = "text"
	TypeMarkdown      Type = "markdown"
	TypeURL           Type = "url"
	TypePath          Type = "path"
	TypeJSON          Type = "json"
	TypeTable         Type = "table"
	TypeTableSchema   Type = "table_schema"
	TypeColumnLineage Type = "column_lineage"
	TypeTimestamp     Type = "timestamp"
	TypeRun           Type = "run"
	TypeAsset         Type = "asset"
	TypeJob           Type = "job"
	TypeImage         Type = "image"
	TypeNull          Type = "null"
)

// Types lists every type, in the order of the documentation.
func Types() []Type {
	return []Type{TypeInt, TypeFloat, TypeBool, TypeText, TypeMarkdown, TypeURL, TypePath, TypeJSON, TypeTable,
		TypeTableSchema, TypeColumnLineage, TypeTimestamp, TypeRun, TypeAsset, TypeJob, TypeImage, TypeNull}
}

// Map is metadata as users write it: labels and Go values or Values. What a Go value
// becomes is said at Of.
type Map map[string]any

// Values is metadata as it is stored: labels and encoded values. It marshals with its
// labels sorted.
type Values map[string]Value

// Value is one encoded value. The zero Value is null.
type Value struct {
	// Type is the kind; empty means null.
	Type Type `json:"type"`
	// Value is the JSON of the value; nil where Blob holds it.
	Value json.RawMessage `json:"value,omitempty"`
	// Blob is where a value too large for a row is stored; empty for others.
	Blob string `json:"blob,omitempty"`
	// Size is the number of bytes of JSON in Blob.
	Size int64 `json:"size,omitempty"`

	err error // why a constructor could not encode; Encode reports it with the label
}

// Encode turns a map into values. Every value that has no encoding (NaN, a channel, a function)
// is named in the error by its label; the others are returned all the same.
func (m Map) Encode() (Values, error) {
	values := make(Values, len(m))
	var bad []error
	for label, v := range m {
		value := Of(v)
		if value.err != nil {
			bad = append(bad, fmt.Errorf("metadata %q: %w", label, value.err))
			continue
		}
		values[label] = value
	}
	if len(bad) > 1 {
		slices.SortFunc(bad, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	}
	return values, errors.Join(bad...)
}

// Labels returns the labels in order.
func (v Values) Labels() []string { return slices.Sorted(maps.Keys(v)) }

// Any decodes the value: int64, float64, bool, string, nil, or what encoding/json makes
// of an array or object. A value in a blob is its Blob path.
func (v Value) Any() any {
	if v.Blob != "" {
		return v.Blob
	}
	switch v.Type {
	case TypeInt:
		var n int64
		if json.Unmarshal(v.Value, &n) == nil {
			return n
		}
	case TypeNull, "":
		return nil
	}
	var x any
	if err := json.Unmarshal(v.Value, &x); err != nil {
		return string(v.Value)
	}
	return x
}

// Decode unmarshals the value into target, as encoding/json does.
func (v Value) Decode(target any) error { return json.Unmarshal(v.Value, target) }

// Number returns the value as a float64 and whether it is an int or a float.
func (v Value) Number() (float64, bool) {
	if v.Type != TypeInt && v.Type != TypeFloat {
		return 0, false
	}
	var f float64
	if err := json.Unmarshal(v.Value, &f); err != nil {
		return 0, false
	}
	return f, true
}
