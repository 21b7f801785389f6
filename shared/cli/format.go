package cli

import (
	"bytes"
	"encoding/json"
	"slices"

	"waggle/shared/fault"
)

// format is how data is printed.
type format string

const (
	formatTable format = "table"
	formatJSON  format = "json"
	formatLines format = "jsonl"
)

var formats = []format{formatTable, formatJSON, formatLines}

// String, Set and Type make a format a flag.
func (f *format) String() string { return string(*f) }

func (f *format) Set(text string) error {
	if !slices.Contains(formats, format(text)) {
		return fault.New(fault.Invalid, "unknown format %q", text).WithHint("one of table, json, jsonl")
	}
	*f = format(text)
	return nil
}

func (f *format) Type() string { return "format" }

// printJSON writes one value: indented for json, on one line for jsonl.
func (s *session) printJSON(v any) error {
	text, err := encodeJSON(v)
	if err != nil {
		return err
	}
	if s.format == formatJSON {
		var indented bytes.Buffer
		if err := json.Indent(&indented, text, "", "  "); err != nil {
			return fault.Wrap(fault.Internal, "indent JSON", err)
		}
		text = indented.Bytes()
	}
	return s.write(string(text))
}

// encodeJSON leaves & < > as they are, for people read it.
func encodeJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fault.Wrap(fault.Internal, "encode JSON", err)
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// printList writes a list: as a JSON array, as one object a line, or as the table that draw makes of it; as a sentence where
// it is empty.
func printList[T any](s *session, items []T, empty string, draw func() *grid) error {
	switch s.format {
	case formatJSON:
		if items == nil {
			items = []T{}
		}
		return s.printJSON(items)
	case formatLines:
		for _, item := range items {
			if err := s.printJSON(item); err != nil {
				return err
			}
		}
		return nil
	}
	if len(items) == 0 {
		return s.write(empty)
	}
	return s.write(draw().lines(s)...)
}
