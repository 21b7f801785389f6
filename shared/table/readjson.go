package table

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"unicode/utf8"

	"waggle/shared/fault"
)

// ReadJSON reads rows from a file that holds an array of objects, or an object a line. The keys are
// the columns; other keys are ignored. A key that is not there is null. Numbers, bools, texts, times
// (RFC 3339), []byte (base64), lists and objects are what encoding/json makes of them.
//
// The file is read whole before the first row. The first thing that is wrong ends the reading: the
// error names the file, the line on which the object starts, the column and the value.
func ReadJSON[R any](ctx context.Context, from Folder, file string) ([]R, error) {
	p, err := planOf(reflect.TypeFor[R]())
	if err != nil {
		return nil, err
	}
	rows := []R{}
	err = from.read(ctx, file, func(r io.Reader) error {
		data, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		data = bytes.TrimPrefix(data, byteOrderMark)
		if !utf8.Valid(data) {
			return fault.New(fault.Invalid, "the file is not UTF-8").WithHint("save it as UTF-8")
		}
		return eachObject(data, func(line int, object []byte) error {
			rows = append(rows, *new(R))
			if len(rows)%checkEvery == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			if err := p.fillJSON(reflect.ValueOf(&rows[len(rows)-1]).Elem(), object); err != nil {
				return wrongValue(fmt.Sprintf("line %d", line), err, objectKeys(object))
			}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// eachObject calls do with the objects of an array, or with those that follow one another.
func eachObject(data []byte, do func(line int, object []byte) error) error {
	d := json.NewDecoder(bytes.NewReader(data))
	lines := lineCounter{data: data, line: 1}
	inArray := bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("["))
	if inArray {
		_, _ = d.Token()
	}
	for d.More() {
		var object json.RawMessage
		if err := d.Decode(&object); err != nil {
			return jsonSyntax(lines, d.InputOffset(), err)
		}
		line := lines.at(int(d.InputOffset()) - len(object))
		if object[0] != '{' {
			return fault.New(fault.Invalid, "line %d: %s is not an object", line, quoted([]byte(object))).WithHint("write an array of objects, or an object a line")
		}
		if err := do(line, object); err != nil {
			return err
		}
	}
	if inArray {
		if _, err := d.Token(); err != nil {
			return jsonSyntax(lines, d.InputOffset(), err)
		}
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fault.New(fault.Invalid, "line %d: there is more after the end of the array", lines.at(int(d.InputOffset()))).WithHint("write one array of objects, or an object a line")
	}
	return nil
}

// jsonSyntax places a syntax error on its line; from is the end of what was read before. The value is
// scanned again alone because a Decoder's own offsets leave out what is between values.
func jsonSyntax(lines lineCounter, from int64, err error) error {
	rest := bytes.TrimLeft(lines.data[from:], " \t\r\n,")
	at := len(lines.data) - len(rest)
	var syntax *json.SyntaxError
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		at, err = len(lines.data), errors.New("the file ends inside a value")
	} else if errors.As(json.Unmarshal(rest, new(json.RawMessage)), &syntax) {
		at += int(syntax.Offset) - 1
	}
	return fault.New(fault.Invalid, "line %d: %w", lines.at(at), err).WithHint("it must be an array of objects, or an object a line")
}

// lineCounter counts lines up to offsets that grow.
type lineCounter struct {
	data []byte
	done int
	line int
}

func (l *lineCounter) at(offset int) int {
	if offset = min(offset, len(l.data)); offset > l.done {
		l.line += bytes.Count(l.data[l.done:offset], []byte{'\n'})
		l.done = offset
	}
	return l.line
}

// fillJSON fills a row, or a struct in a row, from an object.
func (p *plan) fillJSON(row reflect.Value, object []byte) error {
	var values map[string]json.RawMessage
	if err := json.Unmarshal(object, &values); err != nil {
		return bad("write a JSON object", "%s is not an object", quoted(object))
	}
	for i := range p.columns {
		c := &p.columns[i]
		raw, ok := values[c.name]
		switch {
		case ok && string(raw) != "null":
			if err := c.parseJSON(c.in(row), raw); err != nil {
				return inElement(fmt.Sprintf("column %q", c.name), err)
			}
		case !c.mayBeNull() && ok:
			return bad("fill it in, or make the field a pointer", "column %q is null, and the field %s is no pointer", c.name, c.field)
		case !c.mayBeNull():
			return bad("fill it in, or make the field a pointer", "no column %q, and the field %s is no pointer", c.name, c.field)
		}
	}
	return nil
}

// objectKeys lists the keys of an object, for people.
func objectKeys(object []byte) []string {
	var values map[string]json.RawMessage
	_ = json.Unmarshal(object, &values)
	return slices.Sorted(maps.Keys(values))
}

// parseJSON puts a JSON value that is not null into a field, whose pointer it makes.
func (c *cell) parseJSON(v reflect.Value, raw []byte) error {
	if c.pointer {
		v.Set(reflect.New(c.goType))
		v = v.Elem()
	}
	return c.parseJSONInto(v, raw)
}

func (c *cell) parseJSONInto(v reflect.Value, raw []byte) error {
	switch c.shape {
	case record:
		return c.record.fillJSON(v, raw)
	case list:
		return c.parseList(v, raw)
	case moment:
		var s string
		if json.Unmarshal(raw, &s) != nil {
			return bad("write \"2006-01-02\" or \"2006-01-02T15:04:05Z\"", "%s is not a time", quoted(raw))
		}
		t, err := parseTime(s)
		if err == nil {
			v.Set(reflect.ValueOf(t))
		}
		return err
	case text:
		var s string // not into the field: its type may have a method of its own for JSON
		if json.Unmarshal(raw, &s) != nil {
			return bad("put it in quotes", "%s is not a text", quoted(raw))
		}
		v.SetString(s)
		return nil
	case rawBytes:
		var s string
		if json.Unmarshal(raw, &s) != nil {
			return bad("bytes are written in base64, in quotes", "%s is not base64", quoted(raw))
		}
		return c.parseInto(v, []byte(s))
	}
	if raw[0] == '"' {
		return bad("write it without", "%s is in quotes, and the column is %s", cut(string(raw), 60), TypeWord(c.arrow))
	}
	if c.shape == boolean && len(raw) == 1 {
		return bad("write true or false", "%q is not a bool", raw)
	}
	return c.parseInto(v, raw)
}

func (c *cell) parseList(v reflect.Value, raw []byte) error {
	var elements []json.RawMessage
	if json.Unmarshal(raw, &elements) != nil {
		return bad("write a JSON array", "%s is not a list", quoted(raw))
	}
	v.Set(reflect.MakeSlice(c.goType, len(elements), len(elements)))
	for i, e := range elements {
		if string(e) == "null" {
			if !c.elem.mayBeNull() {
				return bad("make it a list of pointers", "element %d is null", i)
			}
			continue
		}
		if err := c.elem.parseJSON(v.Index(i), e); err != nil {
			return inElement(fmt.Sprintf("element %d", i), err)
		}
	}
	return nil
}
