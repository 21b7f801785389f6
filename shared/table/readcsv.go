package table

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"

	"waggle/shared/fault"
)

// checkEvery is after how many rows a reader looks whether its context has ended.
const checkEvery = 1024

// ReadCSV reads the rows of a CSV file. The first line names the columns, in any order; columns that
// R has not are ignored, and so are blank lines. Quoting is RFC 4180's, the text UTF-8 with or without
// a byte order mark, lines end in LF or CRLF.
//
// An empty field, quoted or not, is null. An integer is an optional minus and digits; blanks around a
// number, bool or time are ignored, those of a text are kept. Bool is true, false, 1 or 0; a time
// 2006-01-02 or 2006-01-02T15:04:05Z, UTC where it says no zone; []byte is base64; lists and structs
// are JSON.
//
// The first thing that is wrong ends the reading: the error names the file, the line on which the
// record starts (the header is line 1), the column and the value. No rows are an empty slice.
func ReadCSV[R any](ctx context.Context, from Folder, file string) ([]R, error) {
	p, err := planOf(reflect.TypeFor[R]())
	if err != nil {
		return nil, err
	}
	rows := []R{}
	err = from.read(ctx, file, func(r io.Reader) error {
		records := newCSVRecords(r)
		fields, err := p.header(records)
		if err != nil {
			return err
		}
		for {
			err := records.next()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			rows = append(rows, *new(R))
			row := reflect.ValueOf(&rows[len(rows)-1]).Elem()
			if err := p.fillCSV(row, records, fields); err != nil {
				return err
			}
			if len(rows)%checkEvery == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// csvHeader says where in a record each column of the plan is.
type csvHeader struct {
	names []string
	at    []int
}

func (p *plan) header(records *csvRecords) (*csvHeader, error) {
	err := records.next()
	if errors.Is(err, io.EOF) {
		return nil, fault.New(fault.Invalid, "the file is empty").WithHint("its first line must name the columns: %s", enumerate(p.names()))
	}
	if err != nil {
		return nil, err
	}
	h := &csvHeader{at: make([]int, len(p.columns))}
	at := map[string]int{}
	for i, field := range records.fields {
		name := string(field)
		if first, twice := at[name]; twice && name != "" {
			return nil, fault.New(fault.Invalid, "line %d: column %q is there twice, as field %d and field %d", records.start, name, first+1, i+1).
				WithHint("rename or remove one; the columns are %s", enumerate(append(h.names, name)))
		}
		at[name] = i
		h.names = append(h.names, name)
	}
	for i, c := range p.columns {
		var ok bool
		if h.at[i], ok = at[c.name]; !ok {
			missing := missingColumn(c.name, h.names)
			missing.Err = fmt.Errorf("line %d: %w", records.start, missing.Err)
			return nil, missing
		}
	}
	return h, nil
}

func (p *plan) fillCSV(row reflect.Value, records *csvRecords, h *csvHeader) error {
	if len(records.fields) != len(h.names) {
		return fault.New(fault.Invalid, "line %d has %d fields, the header %d: %s", records.start, len(records.fields), len(h.names), enumerate(h.names)).
			WithHint("quote fields that hold commas or line breaks")
	}
	for i := range p.columns {
		c := &p.columns[i]
		s := records.fields[h.at[i]]
		if len(s) == 0 {
			if c.mayBeNull() {
				continue
			}
			return fault.New(fault.Invalid, "line %d, column %q is empty, and the field %s is no pointer; the columns are %s",
				records.start, c.name, c.field, enumerate(h.names)).WithHint("fill it in, or make the field a pointer")
		}
		if err := c.parse(c.in(row), s); err != nil {
			return wrongValue(fmt.Sprintf("line %d, column %q", records.start, c.name), err, h.names)
		}
	}
	return nil
}
