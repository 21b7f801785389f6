package table

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"waggle/shared/fault"
)

// mismatch is a column that does not fit its field.
type mismatch struct {
	column string
	has    []string // the columns that are there, where the column is missing
	was    string   // the word of the type that is there
	wants  string   // the word of the type that the field wants
	text   string   // a value that does not fit, in words
}

// fault words a mismatch for its reader: a stored value that no longer fits its struct, or a
// table that was given the wrong struct.
func (m *mismatch) fault(code fault.Code, was, wants string) error {
	if m.has != nil && code == fault.Incompatible {
		return fault.New(code, "stored without column %q", m.column).WithHint("materialize the asset again")
	}
	if m.has != nil {
		return missingColumn(m.column, m.has)
	}
	err := fault.New(code, "column %q %s %s, %s %s", m.column, was, m.was, wants, m.wants)
	if m.text != "" {
		err = fault.New(code, "column %q: %s", m.column, m.text)
	}
	if code == fault.Incompatible {
		return err.WithHint("materialize the asset again, or change the field back")
	}
	return err.WithHint("change the field's type")
}

// match reports the first column that is missing or has another type; nil where all fit.
func (p *plan) match(s *arrow.Schema) *mismatch {
	for i := range p.columns {
		c := &p.columns[i]
		at := s.FieldIndices(c.name)
		if len(at) == 0 {
			return &mismatch{column: c.name, has: fieldNames(s)}
		}
		if stored := s.Field(at[0]).Type; !c.reads(stored) {
			return &mismatch{column: c.name, was: TypeWord(stored), wants: TypeWord(c.arrow)}
		}
	}
	return nil
}

// scan appends the rows of a table that matches to rows, a settable slice of structs. Nil where it worked.
func (p *plan) scan(rows reflect.Value, t arrow.Table) *mismatch {
	total, start := int(t.NumRows()), rows.Len()
	rows.Grow(total)
	rows.SetLen(start + total)
	for i := range p.columns {
		c := &p.columns[i]
		row := start
		for _, chunk := range t.Column(t.Schema().FieldIndices(c.name)[0]).Data().Chunks() {
			room := c.room(chunk)
			for k := range chunk.Len() {
				if err := c.put(c.in(rows.Index(row)), room, chunk, k); err != nil {
					return &mismatch{column: c.name, text: fmt.Sprintf("row %d: %s", row, err)}
				}
				row++
			}
		}
	}
	return nil
}

// room is what the pointers to a chunk's values point to: one slice instead of a piece of memory a
// value. It lives as long as one of the pointers does.
type room struct {
	all  reflect.Value
	used int
}

func (c *cell) room(chunk arrow.Array) *room {
	if !c.pointer {
		return nil
	}
	n := chunk.Len() - chunk.NullN()
	return &room{all: reflect.MakeSlice(reflect.SliceOf(c.goType), n, n)}
}

// put is set, with room for the value.
func (c *cell) put(v reflect.Value, room *room, chunk arrow.Array, i int) error {
	if room == nil || chunk.IsNull(i) {
		return c.set(v, chunk, i)
	}
	value := room.all.Index(room.used)
	room.used++
	v.Set(value.Addr())
	return c.setValue(value, chunk, i)
}

// reads reports whether every value of the type, but for its range, fits the cell: files come from
// other tools with other widths, units and encodings of the same thing.
func (c *cell) reads(t arrow.DataType) bool {
	if d, ok := t.(*arrow.DictionaryType); ok {
		return c.reads(d.ValueType)
	}
	switch c.shape {
	case signed, unsigned:
		return arrow.IsInteger(t.ID())
	case float:
		return t.ID() == c.arrow.ID() || t.ID() == arrow.FLOAT32
	case boolean:
		return t.ID() == arrow.BOOL
	case text:
		return t.ID() == arrow.STRING || t.ID() == arrow.LARGE_STRING || t.ID() == arrow.STRING_VIEW
	case rawBytes:
		return t.ID() == arrow.BINARY || t.ID() == arrow.LARGE_BINARY || t.ID() == arrow.BINARY_VIEW
	case moment:
		return t.ID() == arrow.TIMESTAMP || t.ID() == arrow.DATE32
	case list:
		l, ok := t.(arrow.ListLikeType)
		return ok && (t.ID() == arrow.LIST || t.ID() == arrow.LARGE_LIST) && c.elem.reads(l.Elem())
	}
	s, ok := t.(*arrow.StructType)
	if !ok {
		return false
	}
	for i := range c.record.columns {
		f, ok := s.FieldByName(c.record.columns[i].name)
		if !ok || !c.record.columns[i].reads(f.Type) {
			return false
		}
	}
	return true
}

// set puts value i of an array that the cell reads into a field.
func (c *cell) set(v reflect.Value, a arrow.Array, i int) error {
	if a.IsNull(i) {
		if c.storesNull() {
			return nil // the field is zero: nil, or the zero time
		}
		return errors.New("null, and the field is no pointer")
	}
	if c.pointer {
		v.Set(reflect.New(c.goType))
		v = v.Elem()
	}
	return c.setValue(v, a, i)
}

// setValue puts value i, which is not null, into a field that is no pointer.
func (c *cell) setValue(v reflect.Value, a arrow.Array, i int) error {
	switch a := a.(type) {
	case *array.Dictionary:
		return c.setValue(v, a.Dictionary(), a.GetValueIndex(i))
	case *array.Float64:
		v.SetFloat(a.Value(i))
	case *array.Float32:
		v.SetFloat(float64(a.Value(i)))
	case *array.Boolean:
		v.SetBool(a.Value(i))
	case *array.Timestamp:
		v.Set(reflect.ValueOf(a.Value(i).ToTime(a.DataType().(*arrow.TimestampType).Unit)))
	case *array.Date32:
		v.Set(reflect.ValueOf(a.Value(i).ToTime()))
	case interface{ Value(int) string }: // the three kinds of text
		v.SetString(a.Value(i)) // shares the column's memory, which never changes
	case interface{ Value(int) []byte }:
		v.SetBytes(append([]byte{}, a.Value(i)...))
	case array.ListLike:
		return c.setList(v, a, i)
	case *array.Struct:
		return c.setRecord(v, a, i)
	default:
		return c.setInteger(v, a, i)
	}
	return nil
}

func (c *cell) setList(v reflect.Value, a array.ListLike, i int) error {
	from, to := a.ValueOffsets(i)
	v.Set(reflect.MakeSlice(c.goType, int(to-from), int(to-from)))
	for k := from; k < to; k++ {
		if err := c.elem.set(v.Index(int(k-from)), a.ListValues(), int(k)); err != nil {
			return fmt.Errorf("element %d: %w", k-from, err)
		}
	}
	return nil
}

func (c *cell) setRecord(v reflect.Value, a *array.Struct, i int) error {
	t := a.DataType().(*arrow.StructType)
	for k := range c.record.columns {
		inner := &c.record.columns[k]
		at, _ := t.FieldIdx(inner.name)
		if err := inner.set(inner.in(v), a.Field(at), i); err != nil {
			return fmt.Errorf("%s: %w", inner.name, err)
		}
	}
	return nil
}

func (c *cell) setInteger(v reflect.Value, a arrow.Array, i int) error {
	n, u, big := integer(a, i)
	if c.shape == signed {
		if big || v.OverflowInt(n) {
			return fmt.Errorf("%s does not fit a field of type %s", a.ValueStr(i), c.goType)
		}
		v.SetInt(n)
		return nil
	}
	if n < 0 && !big || v.OverflowUint(u) {
		return fmt.Errorf("%s does not fit a field of type %s", a.ValueStr(i), c.goType)
	}
	v.SetUint(u)
	return nil
}

// integer reads an integer of any width; big says that it is over the largest int64.
func integer(a arrow.Array, i int) (n int64, u uint64, big bool) {
	switch a := a.(type) {
	case *array.Int64:
		n = a.Value(i)
	case *array.Int32:
		n = int64(a.Value(i))
	case *array.Int16:
		n = int64(a.Value(i))
	case *array.Int8:
		n = int64(a.Value(i))
	case *array.Uint64:
		return int64(a.Value(i)), a.Value(i), a.Value(i) > 1<<63-1
	case *array.Uint32:
		n = int64(a.Value(i))
	case *array.Uint16:
		n = int64(a.Value(i))
	case *array.Uint8:
		n = int64(a.Value(i))
	}
	return n, uint64(n), false
}
