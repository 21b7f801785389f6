package table

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"unicode/utf8"

	"waggle/shared/fault"
)

// csvRecords reads the records of a CSV file: RFC 4180 quoting, UTF-8 with or without a byte order
// mark, LF or CRLF, blank lines skipped. encoding/csv was not used because it neither says on which
// line an open quote began nor keeps a CRLF inside quotes, and makes every field a string; a fuzz
// test holds the two against each other.
type csvRecords struct {
	in     *bufio.Reader
	line   int      // the physical line that was read last; the first is 1
	start  int      // the physical line where the record starts
	fields [][]byte // of the record; valid until the next one
	long   []byte   // a line longer than the reader's buffer
	clean  []byte   // the fields that had quotes, without them
	ends   []int    // where each field ends in clean
	ending []byte   // what ended the line that was read last
}

func newCSVRecords(r io.Reader) *csvRecords {
	return &csvRecords{in: bufio.NewReaderSize(r, 64<<10)}
}

// next reads a record. It returns io.EOF after the last one.
func (c *csvRecords) next() error {
	line, err := c.nextLine()
	for err == nil && len(line) == 0 {
		line, err = c.nextLine()
	}
	if err != nil {
		return err
	}
	c.start = c.line
	c.clean, c.ends, c.fields = c.clean[:0], c.ends[:0], c.fields[:0]
	if bytes.IndexByte(line, '"') < 0 {
		for {
			i := bytes.IndexByte(line, ',')
			if i < 0 {
				c.fields = append(c.fields, line)
				return nil
			}
			c.fields = append(c.fields, line[:i])
			line = line[i+1:]
		}
	}
	return c.quotedRecord(line)
}

// quotedRecord splits a record that has a quote. Every field goes to clean, since the line that a
// field started on is gone when a quoted line break makes the next one be read.
func (c *csvRecords) quotedRecord(line []byte) error {
	for {
		var more bool
		var err error
		if len(line) > 0 && line[0] == '"' {
			line, more, err = c.quotedField(line[1:])
		} else {
			line, more, err = c.plainField(line)
		}
		if err != nil {
			return err
		}
		c.ends = append(c.ends, len(c.clean))
		if !more {
			break
		}
	}
	from := 0
	for _, to := range c.ends {
		c.fields = append(c.fields, c.clean[from:to])
		from = to
	}
	return nil
}

func (c *csvRecords) plainField(line []byte) (rest []byte, more bool, err error) {
	field, rest, more := bytes.Cut(line, []byte{','})
	if bytes.IndexByte(field, '"') >= 0 {
		return nil, false, fault.New(fault.Invalid, "line %d: a quote inside the field %s, which does not start with one", c.line, quoted(field)).
			WithHint("quote the whole field and double the quotes in it")
	}
	c.clean = append(c.clean, field...)
	return rest, more, nil
}

// quotedField reads on behind the opening quote.
func (c *csvRecords) quotedField(line []byte) (rest []byte, more bool, err error) {
	opened := c.line
	for {
		i := bytes.IndexByte(line, '"')
		switch {
		case i < 0: // the line break belongs to the field
			c.clean = append(c.clean, line...)
			ending := c.ending
			next, err := c.nextLine()
			if errors.Is(err, io.EOF) {
				return nil, false, fault.New(fault.Invalid, "line %d: the quote opened here never closes", opened).
					WithHint("close it, or double it if it belongs to the text")
			}
			if err != nil {
				return nil, false, err
			}
			c.clean = append(c.clean, ending...)
			line = next
			continue
		case i+1 < len(line) && line[i+1] == '"':
			c.clean = append(c.clean, line[:i+1]...)
			line = line[i+2:]
			continue
		}
		c.clean = append(c.clean, line[:i]...)
		rest = line[i+1:]
		switch {
		case len(rest) == 0:
			return nil, false, nil
		case rest[0] == ',':
			return rest[1:], true, nil
		}
		return nil, false, fault.New(fault.Invalid, "line %d: %s follows the quote that closes a field", c.line, quoted(rest)).
			WithHint("put a comma there, or double the quotes that belong to the text")
	}
}

var (
	byteOrderMark = []byte("\xef\xbb\xbf")
	lf, crlf      = []byte("\n"), []byte("\r\n")
)

// nextLine reads a physical line, without its ending, which it keeps in c.ending. It returns io.EOF
// when there is no further line.
func (c *csvRecords) nextLine() ([]byte, error) {
	line, err := c.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		c.long = c.long[:0]
		for errors.Is(err, bufio.ErrBufferFull) {
			c.long = append(c.long, line...)
			line, err = c.in.ReadSlice('\n')
		}
		c.long = append(c.long, line...)
		line = c.long
	}
	if err != nil && (!errors.Is(err, io.EOF) || len(line) == 0) {
		return nil, err
	}
	c.line++
	if c.line == 1 {
		line = bytes.TrimPrefix(line, byteOrderMark)
	}
	if !utf8.Valid(line) {
		return nil, c.notUTF8(line)
	}
	c.ending = nil
	switch {
	case bytes.HasSuffix(line, crlf):
		c.ending = crlf
	case bytes.HasSuffix(line, lf):
		c.ending = lf
	case bytes.HasSuffix(line, crlf[:1]): // the last line, cut off inside its CRLF
		return line[:len(line)-1], nil
	}
	return line[:len(line)-len(c.ending)], nil
}

func (c *csvRecords) notUTF8(line []byte) error {
	at := 0
	for at < len(line) {
		r, size := utf8.DecodeRune(line[at:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		at += size
	}
	return fault.New(fault.Invalid, "line %d: byte %#x at column %d of the line is not UTF-8", c.line, line[at], at+1).
		WithHint("save the file as UTF-8: iconv -f WINDOWS-1252 -t UTF-8")
}
