package table

import (
	"encoding/base64"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"waggle/shared/fault"
)

// badValue is a value that its column does not take, and what to write instead.
type badValue struct{ text, hint string }

func (b *badValue) Error() string {
	if b.hint == "" {
		return b.text
	}
	return b.text + " (" + b.hint + ")"
}

func bad(hint, format string, args ...any) error {
	return &badValue{fmt.Sprintf(format, args...), hint}
}

// inElement says in which element of a list, or column of a struct, the value is.
func inElement(where string, err error) error {
	if b, ok := err.(*badValue); ok {
		return &badValue{where + ": " + b.text, b.hint}
	}
	return fmt.Errorf("%s: %w", where, err)
}

// wrongValue is the fault of a value in a file; where says its line or row, and its column.
func wrongValue(where string, err error, has []string) *fault.Error {
	b, ok := err.(*badValue)
	if !ok {
		b = &badValue{text: err.Error()}
	}
	f := fault.New(fault.Invalid, "%s: %s; the columns are %s", where, b.text, enumerate(has))
	f.Hint = b.hint
	return f
}

// parse puts a text that is not empty into a field, whose pointer it makes.
func (c *cell) parse(v reflect.Value, s []byte) error {
	if c.pointer {
		p := reflect.New(c.goType)
		if err := c.parseInto(p.Elem(), s); err != nil {
			return err
		}
		v.Set(p)
		return nil
	}
	return c.parseInto(v, s)
}

func (c *cell) parseInto(v reflect.Value, s []byte) error {
	switch c.shape {
	case text:
		v.SetString(string(s))
	case signed:
		n, err := parseInteger(s, c.goType)
		if err != nil {
			return err
		}
		v.SetInt(n)
	case unsigned:
		n, err := strconv.ParseUint(string(trim(s)), 10, c.goType.Bits())
		if err != nil {
			return notA(s, "a whole number of 0 or more", c.goType, err)
		}
		v.SetUint(n)
	case float:
		f, err := parseFloat(s, c.goType)
		if err != nil {
			return err
		}
		v.SetFloat(f)
	case boolean:
		b, err := parseBool(s)
		if err != nil {
			return err
		}
		v.SetBool(b)
	case moment:
		t, err := parseTime(string(trim(s)))
		if err != nil {
			return err
		}
		v.Set(reflect.ValueOf(t))
	case rawBytes:
		b, err := base64.StdEncoding.DecodeString(string(trim(s)))
		if err != nil {
			return bad("bytes are written in base64", "%s is not base64", quoted(s))
		}
		v.SetBytes(b)
	default:
		return c.parseJSONInto(v, s)
	}
	return nil
}

// trim drops the blanks around a value.
func trim(s []byte) []byte {
	for len(s) > 0 && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for len(s) > 0 && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}

// parseInteger takes an optional minus and digits, and nothing else: 1972.0, 1,000 and 1e3 are
// more likely a wrong column or a wrong export than the integer they look like.
func parseInteger(s []byte, t reflect.Type) (int64, error) {
	digits := trim(s)
	if len(digits) > 0 && digits[0] == '+' {
		return 0, notA(s, "an integer", t, strconv.ErrSyntax)
	}
	n, err := strconv.ParseInt(string(digits), 10, t.Bits())
	if err != nil {
		return 0, notA(s, "an integer", t, err)
	}
	return n, nil
}

// parseFloat takes a decimal number, with an exponent or not; not NaN, Inf or hexadecimal.
func parseFloat(s []byte, t reflect.Type) (float64, error) {
	digits := trim(s)
	for _, b := range digits {
		if (b < '0' || b > '9') && b != '.' && b != '-' && b != '+' && b != 'e' && b != 'E' {
			return 0, notA(s, "a number", t, strconv.ErrSyntax)
		}
	}
	f, err := strconv.ParseFloat(string(digits), t.Bits())
	if err != nil {
		return 0, notA(s, "a number", t, err)
	}
	return f, nil
}

var howToWrite = map[string]string{
	"an integer":                  "write an optional minus and digits only: no separators, decimals or exponent",
	"a whole number of 0 or more": "write digits only",
	"a number":                    "write digits with a point for the decimals: no separators",
}

func notA(s []byte, what string, t reflect.Type, err error) error {
	if errors.Is(err, strconv.ErrRange) {
		return bad("use a wider field or a string", "%s is outside the range of %s", quoted(s), t.Kind())
	}
	return bad(howToWrite[what], "%s is not %s", quoted(s), what)
}

func parseBool(s []byte) (bool, error) {
	switch strings.ToLower(string(trim(s))) {
	case "true", "1":
		return true, nil
	case "false", "0":
		return false, nil
	}
	return false, bad("write true or false", "%s is not a bool", quoted(s))
}

// layouts are the times that are understood; without a zone they are UTC.
var layouts = []string{time.RFC3339Nano, time.DateOnly, time.DateTime, "2006-01-02T15:04:05", "2006-01-02 15:04:05Z07:00"}

func parseTime(s string) (time.Time, error) {
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, bad("write 2006-01-02 or 2006-01-02T15:04:05Z", "%s is not a time", quoted(s))
}
