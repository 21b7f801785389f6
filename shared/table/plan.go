package table

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"waggle/shared/fault"
)

// shape is what a column holds, whatever its width and however it is written in Go.
type shape int

const (
	signed shape = iota
	unsigned
	float
	boolean
	text
	rawBytes
	moment
	list
	record
)

// cell is how one Go type is held in a column.
type cell struct {
	shape   shape
	goType  reflect.Type // without the pointer
	pointer bool         // nil is null
	arrow   arrow.DataType
	elem    *cell // of a list
	record  *plan // of a record
}

// mayBeNull reports whether a reader may leave the field empty: pointers and slices, where nil is null.
func (c *cell) mayBeNull() bool { return c.pointer || c.shape == list || c.shape == rawBytes }

// storesNull reports whether a column of these can hold nulls. The zero time is stored as
// null because year 1 is outside what 64 bits of nanoseconds hold.
func (c *cell) storesNull() bool { return c.mayBeNull() || c.shape == moment }

// column is one column of a row struct.
type column struct {
	*cell
	name  string
	field string // "Media.WidthPX" for people
	index []int  // the way to the field through embedded structs

	offset uintptr // of the field in the row
}

// in returns the column's field of a row.
func (c *column) in(row reflect.Value) reflect.Value {
	if len(c.index) == 1 {
		return row.Field(c.index[0])
	}
	return row.FieldByIndex(c.index)
}

// plan is a row struct, worked out once a type.
type plan struct {
	goType  reflect.Type
	columns []column
	schema  *arrow.Schema
}

func (p *plan) names() []string {
	names := make([]string, len(p.columns))
	for i, c := range p.columns {
		names[i] = c.name
	}
	return names
}

func (p *plan) has(name string) bool {
	for i := range p.columns {
		if p.columns[i].name == name {
			return true
		}
	}
	return false
}

// plans holds what planOf worked out: a *plan or an error by reflect.Type. Types do not change,
// so this is a cache and no state.
var plans sync.Map

// planOf returns the plan of a row struct, or an error that names every field that cannot be a column.
func planOf(t reflect.Type) (*plan, error) {
	known, ok := plans.Load(t)
	if !ok {
		p, err := newPlan(t)
		if err != nil {
			known, _ = plans.LoadOrStore(t, err)
		} else {
			known, _ = plans.LoadOrStore(t, p)
		}
	}
	if err, bad := known.(error); bad {
		return nil, err
	}
	return known.(*plan), nil
}

// CheckRow reports whether t is a struct whose fields can all be columns. The error names every
// field that cannot: unexported ones, types that no column holds, two fields with one column name.
func CheckRow(t reflect.Type) error {
	_, err := planOf(t)
	return err
}

func newPlan(t reflect.Type) (*plan, error) {
	if t == nil {
		return nil, fault.New(fault.Invalid, "nil is not a row").WithHint("a row is a struct")
	}
	if t.Kind() != reflect.Struct || t == timeType {
		return nil, fault.New(fault.Invalid, "%s is not a row", t).WithHint("a row is a struct, one field a column")
	}
	w := &planner{path: []reflect.Type{t}}
	p := w.row(t, t.String())
	if len(w.bad) > 0 {
		return nil, fault.Wrap(fault.Invalid, "", errors.Join(w.bad...))
	}
	return p, nil
}

var (
	timeType = reflect.TypeFor[time.Time]()
)

// planner walks a row struct and gathers everything that is wrong with it.
type planner struct {
	path []reflect.Type // the structs being walked, to see one that contains itself
	bad  []error
}

func (w *planner) fail(format string, args ...any) {
	w.bad = append(w.bad, fmt.Errorf(format, args...))
}

func (w *planner) row(t reflect.Type, where string) *plan {
	p := &plan{goType: t}
	w.fields(p, t, nil, 0, "", where)
	if len(p.columns) == 0 && len(w.bad) == 0 {
		w.fail("%s has no columns: give it an exported field", where)
	}
	seen := map[string]string{}
	fields := make([]arrow.Field, len(p.columns))
	for i, c := range p.columns {
		if other, twice := seen[c.name]; twice {
			w.fail("%s: fields %s and %s are both column %q: rename one with the tag `column:\"...\"`", where, other, c.field, c.name)
		}
		seen[c.name] = c.field
		fields[i] = arrow.Field{Name: c.name, Type: c.arrow, Nullable: c.storesNull()}
	}
	p.schema = arrow.NewSchema(fields, nil)
	return p
}

func (w *planner) fields(p *plan, t reflect.Type, index []int, offset uintptr, prefix, where string) {
	for f := range t.Fields() {
		name, tagged := f.Tag.Lookup("column")
		path := append(append([]int(nil), index...), f.Index...)
		embedded := f.Anonymous && !tagged && f.Type.Kind() == reflect.Struct && f.Type != timeType
		switch {
		case name == "-" || f.Name == "_":
			continue
		case embedded:
			w.enter(f.Type, where, func() { w.fields(p, f.Type, path, offset+f.Offset, prefix+f.Name+".", where) })
			continue
		case f.Anonymous && f.Type.Kind() == reflect.Pointer && f.Type.Elem().Kind() == reflect.Struct:
			w.fail("%s: %s is embedded by pointer: embed it by value", where, f.Name)
			continue
		case !f.IsExported():
			w.fail("%s: field %s is unexported: export it, or leave it out with the tag `column:\"-\"`", where, prefix+f.Name)
			continue
		case tagged && (name == "" || strings.TrimSpace(name) != name):
			w.fail("%s: field %s has the column name %q: give it a name without spaces around it", where, f.Name, name)
			continue
		case !tagged:
			name = ColumnName(f.Name)
		}
		if c := w.cell(f.Type, where+"."+prefix+f.Name); c != nil {
			p.columns = append(p.columns, column{cell: c, name: name, field: prefix + f.Name, index: path, offset: offset + f.Offset})
		}
	}
}

// enter walks a struct inside a struct, unless it is inside itself.
func (w *planner) enter(t reflect.Type, where string, walk func()) {
	for _, outer := range w.path {
		if outer == t {
			w.fail("%s contains itself: a column cannot", where)
			return
		}
	}
	w.path = append(w.path, t)
	walk()
	w.path = w.path[:len(w.path)-1]
}

// cell returns nil where it found something wrong.
func (w *planner) cell(t reflect.Type, where string) *cell {
	if t.Kind() == reflect.Pointer {
		switch t.Elem().Kind() {
		case reflect.Pointer, reflect.Slice:
			w.fail("%s: no column holds a %s: point to a scalar or a struct; a nil slice is null already", where, t)
			return nil
		}
		c := w.cell(t.Elem(), where)
		if c != nil {
			c.pointer = true
		}
		return c
	}
	if t == timeType {
		return &cell{shape: moment, goType: t, arrow: arrow.FixedWidthTypes.Timestamp_ns}
	}
	if s, ok := scalars[t.Kind()]; ok {
		return &cell{shape: s.shape, goType: t, arrow: s.arrow}
	}
	switch t.Kind() {
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return &cell{shape: rawBytes, goType: t, arrow: arrow.BinaryTypes.Binary}
		}
		elem := w.cell(t.Elem(), where)
		if elem == nil {
			return nil
		}
		inner := arrow.Field{Name: "element", Type: elem.arrow, Nullable: elem.storesNull()}
		return &cell{shape: list, goType: t, elem: elem, arrow: arrow.ListOfField(inner)}
	case reflect.Struct:
		var c *cell
		w.enter(t, where, func() {
			p := w.row(t, where)
			c = &cell{shape: record, goType: t, record: p, arrow: arrow.StructOf(p.schema.Fields()...)}
		})
		return c
	}
	w.fail("%s: no column holds a %s: use integers, floats, bool, string, []byte, time.Time, structs or slices of them, or leave it out with the tag `column:\"-\"`", where, t)
	return nil
}

// scalars says how a Go kind is held. int and uint are 64 bits on every machine that stores a table.
var scalars = map[reflect.Kind]struct {
	shape shape
	arrow arrow.DataType
}{
	reflect.Int:     {signed, arrow.PrimitiveTypes.Int64},
	reflect.Int8:    {signed, arrow.PrimitiveTypes.Int8},
	reflect.Int16:   {signed, arrow.PrimitiveTypes.Int16},
	reflect.Int32:   {signed, arrow.PrimitiveTypes.Int32},
	reflect.Int64:   {signed, arrow.PrimitiveTypes.Int64},
	reflect.Uint:    {unsigned, arrow.PrimitiveTypes.Uint64},
	reflect.Uint8:   {unsigned, arrow.PrimitiveTypes.Uint8},
	reflect.Uint16:  {unsigned, arrow.PrimitiveTypes.Uint16},
	reflect.Uint32:  {unsigned, arrow.PrimitiveTypes.Uint32},
	reflect.Uint64:  {unsigned, arrow.PrimitiveTypes.Uint64},
	reflect.Float32: {float, arrow.PrimitiveTypes.Float32},
	reflect.Float64: {float, arrow.PrimitiveTypes.Float64},
	reflect.Bool:    {boolean, arrow.FixedWidthTypes.Boolean},
	reflect.String:  {text, arrow.BinaryTypes.String},
}
