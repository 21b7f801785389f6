package table

import (
	"math"
	"time"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// cells is one field of rows that lie one behind the other: where the field of the first row is, and how far it is from
// row to row. Reading it directly takes a tenth of the time that package reflect takes.
type cells struct {
	first   unsafe.Pointer
	stride  uintptr
	n       int
	pointer bool // the field is a pointer; nil is null
}

// at returns where value i is; nil for null.
func (c *cells) at(i int) unsafe.Pointer {
	p := unsafe.Add(c.first, uintptr(i)*c.stride)
	if c.pointer {
		return *(*unsafe.Pointer)(p)
	}
	return p
}

// direct builds a column of scalars; nil where the column is none of them, or its Go type has another size than
// its Arrow type.
func (c *column) direct(from cells) (arrow.Array, error) {
	from.pointer = c.pointer
	if f, ok := c.arrow.(arrow.FixedWidthDataType); ok && c.shape != moment && c.shape != boolean && uintptr(f.BitWidth()) != c.goType.Size()*8 {
		return nil, nil
	}
	switch c.shape {
	case signed, unsigned, float:
		switch c.goType.Size() {
		case 8:
			return fixed[uint64](&from, c.arrow), nil
		case 4:
			return fixed[uint32](&from, c.arrow), nil
		case 2:
			return fixed[uint16](&from, c.arrow), nil
		case 1:
			return fixed[uint8](&from, c.arrow), nil
		}
	case text:
		return from.text(), nil
	case moment:
		b := array.NewTimestampBuilder(memory.DefaultAllocator, c.arrow.(*arrow.TimestampType))
		b.Reserve(from.n)
		for i := range from.n {
			p := from.at(i)
			if p == nil {
				b.AppendNull()
			} else if err := appendTime(b, *(*time.Time)(p)); err != nil {
				return nil, rowError{i, err}
			}
		}
		return b.NewArray(), nil
	}
	return nil, nil
}

// rowError is an error at a row of a batch.
type rowError struct {
	row int
	error
}

func fixed[T uint64 | uint32 | uint16 | uint8](c *cells, t arrow.DataType) arrow.Array {
	values := make([]T, c.n)
	var present []byte
	nulls := 0
	if c.pointer {
		present = make([]byte, (c.n+7)/8)
	}
	for i := range values {
		p := c.at(i)
		if p == nil {
			nulls++
			continue
		}
		if values[i] = *(*T)(p); present != nil {
			present[i>>3] |= 1 << (i & 7)
		}
	}
	return made(t, c.n, nulls, present, memory.NewBufferBytes(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(values))), c.n*int(unsafe.Sizeof(T(0))))))
}

// text returns nil where the texts are longer than an array holds.
func (c *cells) text() arrow.Array {
	offsets := make([]int32, c.n+1)
	var present []byte
	if c.pointer {
		present = make([]byte, (c.n+7)/8)
	}
	nulls, size := 0, 0
	for i := range c.n {
		if p := c.at(i); p == nil {
			nulls++
		} else if size += len(*(*string)(p)); present != nil {
			present[i>>3] |= 1 << (i & 7)
		}
		if size > math.MaxInt32 {
			return nil
		}
		offsets[i+1] = int32(size)
	}
	bytes := make([]byte, 0, size)
	for i := range c.n {
		if p := c.at(i); p != nil {
			bytes = append(bytes, *(*string)(p)...)
		}
	}
	return made(arrow.BinaryTypes.String, c.n, nulls, present, memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(offsets)), memory.NewBufferBytes(bytes))
}

func made(t arrow.DataType, n, nulls int, present []byte, buffers ...*memory.Buffer) arrow.Array {
	all := []*memory.Buffer{nil}
	if nulls > 0 {
		all[0] = memory.NewBufferBytes(present)
	}
	return array.MakeFromData(array.NewData(t, n, append(all, buffers...), nil, nulls, 0))
}
