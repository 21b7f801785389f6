package table

import (
	"fmt"
	"math"
	"reflect"
	"time"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"waggle/shared/fault"
)

// build turns rows[from:to] into columns, one column after another so that each loop stays in
// one kind of builder.
func (p *plan) build(rows reflect.Value, from, to int) (arrow.RecordBatch, error) {
	columns := make([]arrow.Array, len(p.columns))
	for i := range p.columns {
		c := &p.columns[i]
		made, err := c.direct(cells{first: unsafe.Add(rows.UnsafePointer(), uintptr(from)*p.goType.Size()+c.offset), stride: p.goType.Size(), n: to - from})
		if err != nil {
			at := err.(rowError)
			return nil, fault.New(fault.Invalid, "row %d, column %q: %w", from+at.row, c.name, at.error)
		}
		if made != nil {
			columns[i] = made
			continue
		}
		b := array.NewBuilder(memory.DefaultAllocator, c.arrow)
		b.Reserve(to - from)
		for row := from; row < to; row++ {
			if err := c.append(b, c.in(rows.Index(row))); err != nil {
				return nil, fault.New(fault.Invalid, "row %d, column %q: %w", row, c.name, err)
			}
		}
		columns[i] = b.NewArray()
	}
	return array.NewRecordBatch(p.schema, columns, int64(to-from)), nil
}

// append adds one value to the builder of its column.
func (c *cell) append(b array.Builder, v reflect.Value) error {
	if c.pointer {
		if v.IsNil() {
			b.AppendNull()
			return nil
		}
		v = v.Elem()
	}
	switch b := b.(type) {
	case *array.Int64Builder:
		b.Append(v.Int())
	case *array.Float64Builder:
		b.Append(v.Float())
	case *array.StringBuilder:
		b.Append(v.String())
	case *array.BooleanBuilder:
		b.Append(v.Bool())
	case *array.Int32Builder:
		b.Append(int32(v.Int()))
	case *array.Int16Builder:
		b.Append(int16(v.Int()))
	case *array.Int8Builder:
		b.Append(int8(v.Int()))
	case *array.Uint64Builder:
		b.Append(v.Uint())
	case *array.Uint32Builder:
		b.Append(uint32(v.Uint()))
	case *array.Uint16Builder:
		b.Append(uint16(v.Uint()))
	case *array.Uint8Builder:
		b.Append(uint8(v.Uint()))
	case *array.Float32Builder:
		b.Append(float32(v.Float()))
	case *array.BinaryBuilder:
		if v.IsNil() {
			b.AppendNull()
		} else {
			b.Append(v.Bytes())
		}
	case *array.TimestampBuilder:
		return appendTime(b, v.Interface().(time.Time))
	case *array.ListBuilder:
		return c.appendList(b, v)
	case *array.StructBuilder:
		b.Append(true)
		for i := range c.record.columns {
			inner := &c.record.columns[i]
			if err := inner.append(b.FieldBuilder(i), inner.in(v)); err != nil {
				return fmt.Errorf("%s: %w", inner.name, err)
			}
		}
	}
	return nil
}

func (c *cell) appendList(b *array.ListBuilder, v reflect.Value) error {
	if v.IsNil() {
		b.AppendNull()
		return nil
	}
	b.Append(true)
	for i := range v.Len() {
		if err := c.elem.append(b.ValueBuilder(), v.Index(i)); err != nil {
			return fmt.Errorf("element %d: %w", i, err)
		}
	}
	return nil
}

var (
	firstTime = time.Unix(0, math.MinInt64).UTC()
	lastTime  = time.Unix(0, math.MaxInt64).UTC()
)

// appendTime stores nanoseconds since 1970 in UTC, and the zero time as null.
func appendTime(b *array.TimestampBuilder, t time.Time) error {
	switch {
	case t.IsZero():
		b.AppendNull()
	case t.Before(firstTime) || t.After(lastTime):
		return fmt.Errorf("%s is outside %s to %s, which a timestamp in nanoseconds holds; use a string",
			t.UTC().Format(time.RFC3339), firstTime.Format(time.DateOnly), lastTime.Format(time.DateOnly))
	default:
		b.Append(arrow.Timestamp(t.UnixNano()))
	}
	return nil
}
