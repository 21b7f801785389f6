package schema

import (
	"context"
	"encoding/binary"
	"math"
	"math/bits"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/compute"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"waggle/shared/fault"
)

// spanBlocks is how many blocks become one chunk of a table that is split: rows are copied a span and a column at a time,
// in parallel.
const spanBlocks = 32

// picker takes the rows of a table that are in a set, or those that are not. Spans of which all rows are taken are
// not copied.
type picker struct {
	set *marks
	in  bool
}

// span is rows that become one chunk.
type span struct {
	from, n int
	take    []uint64 // a bit a row
	taken   int
}

func (p picker) spans(rows int) []span {
	var list []span
	for from := 0; from < rows; from += spanBlocks * blockRows {
		s := span{from: from, n: min(spanBlocks*blockRows, rows-from)}
		s.take = make([]uint64, 0, (s.n+63)/64)
		for k := from / blockRows; k*blockRows < from+s.n; k++ {
			for _, w := range p.set.words(k)[:(min(blockRows, from+s.n-k*blockRows)+63)/64] {
				if !p.in {
					w = ^w
				}
				s.take = append(s.take, w)
			}
		}
		if tail := s.n & 63; tail > 0 {
			s.take[len(s.take)-1] &= 1<<tail - 1
		}
		for _, w := range s.take {
			s.taken += bits.OnesCount64(w)
		}
		if s.taken > 0 {
			list = append(list, s)
		}
	}
	return list
}

// pick returns the rows that are, or are not, in a set.
func pick(t arrow.Table, set *marks, in bool) (arrow.Table, error) {
	spans := picker{set, in}.spans(int(t.NumRows()))
	columns := make([]*chunked, t.NumCols())
	for i := range columns {
		columns[i] = chunkedOf(t.Column(i).Data())
	}
	made := make([][]arrow.Array, len(columns)*len(spans))
	errs := make([]error, len(made))
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(made)) {
		workers.Go(func() {
			for k := int(next.Add(1)) - 1; k < len(made); k = int(next.Add(1)) - 1 {
				made[k], errs[k] = columns[k%len(columns)].gather(&spans[k/len(columns)])
			}
		})
	}
	workers.Wait()
	picked := make([]arrow.Column, len(columns))
	rows := int64(0)
	for i := range picked {
		var chunks []arrow.Array
		for k := i; k < len(made); k += len(columns) {
			if errs[k] != nil {
				return nil, fault.Wrap(fault.Invalid, "split a table", errs[k])
			}
			chunks = append(chunks, made[k]...)
		}
		picked[i] = *arrow.NewColumn(t.Schema().Field(i), arrow.NewChunked(t.Schema().Field(i).Type, chunks))
	}
	for _, s := range spans {
		rows += int64(s.taken)
	}
	return array.NewTable(t.Schema(), picked, rows), nil
}

// runs calls use with the rows of a span that follow each other and are taken, first counted in the span, at in what is taken.
func (s *span) runs(use func(at, first, n int)) {
	at := 0
	for i := 0; i < s.n; {
		word := s.take[i>>6] >> (i & 63)
		if word == 0 {
			i = (i | 63) + 1
			continue
		}
		i += bits.TrailingZeros64(word)
		first := i
		for i < s.n {
			ones := bits.TrailingZeros64(^(s.take[i>>6] >> (i & 63)))
			stop := min(ones, 64-i&63)
			i += stop
			if i&63 != 0 || stop == 0 {
				break
			}
		}
		i = min(i, s.n)
		use(at, first, i-first)
		at += i - first
	}
}

// gather returns the taken rows of a span: as the arrays they lie in if that is all of them.
func (c *chunked) gather(s *span) (list []arrow.Array, err error) {
	var simple arrow.Array
	c.parts(s.from, s.n, func(a arrow.Array, _, first, n int) {
		if s.taken == s.n {
			list = append(list, array.NewSlice(a, int64(first), int64(first+n)))
		}
		simple = a
	})
	if s.taken == s.n {
		return list, nil
	}
	if w := width(simple.DataType()); w > 0 {
		return []arrow.Array{c.gatherFixed(s, w)}, nil
	}
	switch simple.DataType().ID() {
	case arrow.BOOL:
		return []arrow.Array{c.gatherBits(s)}, nil
	case arrow.STRING_VIEW, arrow.BINARY_VIEW:
		return c.gatherSlices(s)
	case arrow.STRING, arrow.BINARY:
		if a := c.gatherText(s); a != nil {
			return []arrow.Array{a}, nil
		}
	}
	return c.filter(s)
}

// width is how many bytes a value takes in an array whose values lie one behind the other; else 0.
func width(t arrow.DataType) int {
	switch t.ID() {
	case arrow.DICTIONARY, arrow.BOOL, arrow.EXTENSION, arrow.FIXED_SIZE_BINARY:
		return 0
	}
	if f, ok := t.(arrow.FixedWidthDataType); ok && f.BitWidth()%8 == 0 {
		return f.BitWidth() / 8
	}
	return 0
}

func (c *chunked) gatherFixed(s *span, width int) arrow.Array {
	var values unclear
	values.grow(s.taken * width)
	c.eachRun(s, func(a arrow.Array, _, first, n int) {
		d := a.Data()
		from := (d.Offset() + first) * width
		values.append(d.Buffers()[1].Bytes()[from : from+n*width])
	})
	nulls, present := c.gatherPresent(s)
	return array.MakeFromData(array.NewData(c.kind, s.taken, []*memory.Buffer{present, values.buffer()}, nil, nulls, 0))
}

// gatherText returns nil where the bytes of the text would be over what an array holds.
func (c *chunked) gatherText(s *span) arrow.Array {
	size := 0
	c.eachRun(s, func(a arrow.Array, _, first, n int) {
		offsets := offsetsOf(a)
		size += int(offsets[first+n] - offsets[first])
	})
	if size > math.MaxInt32 {
		return nil
	}
	var text, starts unclear
	text.grow(size)
	starts.grow((s.taken + 1) * 4)
	var some [256]int32
	end := int32(0)
	c.eachRun(s, func(a arrow.Array, _, first, n int) {
		from := offsetsOf(a)[first : first+n+1]
		if from[n] > from[0] { // an array of empty texts may have no bytes at all
			text.append(a.Data().Buffers()[2].Bytes()[from[0]:from[n]])
		}
		shift := end - from[0]
		end += from[n] - from[0]
		for from = from[:n]; len(from) > 0; {
			k := min(len(from), len(some))
			for i, o := range from[:k] {
				some[i] = o + shift
			}
			starts.append(arrow.Int32Traits.CastToBytes(some[:k]))
			from = from[k:]
		}
	})
	starts.append(arrow.Int32Traits.CastToBytes([]int32{end}))
	nulls, present := c.gatherPresent(s)
	return array.MakeFromData(array.NewData(c.kind, s.taken, []*memory.Buffer{present, starts.buffer(), text.buffer()}, nil, nulls, 0))
}

// unclear is bytes that are appended to memory which was not cleared before, as make does: that takes a tenth of the
// time of a split.
type unclear struct{ b strings.Builder }

func (u *unclear) grow(n int) { u.b.Grow(n) }

func (u *unclear) append(b []byte) { u.b.Write(b) }

// buffer is for reading, as the buffers of every table are.
func (u *unclear) buffer() *memory.Buffer {
	s := u.b.String()
	return memory.NewBufferBytes(unsafe.Slice(unsafe.StringData(s), len(s)))
}

// offsetsOf returns where the texts of an array begin, and behind them where the last one ends.
func offsetsOf(a arrow.Array) []int32 {
	if t, ok := a.(*array.String); ok {
		return t.ValueOffsets()
	}
	return a.(*array.Binary).ValueOffsets()
}

// gatherPresent returns the bitmap of what is taken; nil where there are no nulls.
func (c *chunked) gatherPresent(s *span) (nulls int, bitmap *memory.Buffer) {
	all := make([]uint64, len(s.take))
	c.readPresent(s.from, s.n, all)
	null := false
	for i, w := range s.take {
		null = null || w&^all[i] != 0
	}
	if !null {
		return 0, nil
	}
	out, set := s.together(all)
	return s.taken - set, out
}

// gatherBits returns the taken rows of a column of booleans. (The filter of package compute, as of arrow-go 18.8.0, mixes up
// booleans with nulls.)
func (c *chunked) gatherBits(s *span) arrow.Array {
	all := make([]uint64, len(s.take))
	c.parts(s.from, s.n, func(a arrow.Array, at, first, n int) {
		bits := a.Data().Buffers()[1].Bytes()
		for i := range all[at>>6 : (at+n+63)>>6] {
			from := max(at, (at>>6+i)*64)
			some := min((at>>6+i+1)*64, at+n) - from
			word := loadBits(bits, a.Data().Offset()+first+from-at, some)
			if some < 64 {
				word &= 1<<some - 1
			}
			all[from>>6] |= word << (from & 63)
		}
	})
	values, _ := s.together(all)
	nulls, present := c.gatherPresent(s)
	return array.MakeFromData(array.NewData(c.kind, s.taken, []*memory.Buffer{present, values}, nil, nulls, 0))
}

// together moves the bits of the taken rows together, and counts those that are set.
func (s *span) together(all []uint64) (bitmap *memory.Buffer, set int) {
	out := make([]byte, (s.taken+63)/64*8)
	at := 0
	var word uint64
	for i, take := range s.take {
		bit, n := extract(all[i], take), bits.OnesCount64(take)
		set += bits.OnesCount64(bit)
		word |= bit << (at & 63)
		if at&63+n >= 64 {
			binary.LittleEndian.PutUint64(out[at>>6*8:], word)
			word = bit >> (64 - at&63) // 0 for a shift of 64
		}
		at += n
	}
	if at&63 > 0 {
		binary.LittleEndian.PutUint64(out[at>>6*8:], word)
	}
	return memory.NewBufferBytes(out), set
}

// extract moves the bits of x that a mask has together.
func extract(x, mask uint64) uint64 {
	if mask == math.MaxUint64 {
		return x
	}
	var out uint64
	for at := 0; mask != 0; {
		low := bits.TrailingZeros64(mask)
		run := bits.TrailingZeros64(^(mask >> low))
		out |= (x >> low & (1<<run - 1)) << at
		at += run
		if low+run >= 64 {
			break
		}
		mask &= math.MaxUint64 << (low + run)
	}
	return out
}

// eachRun calls use with the pieces of arrays that make up the taken rows.
func (c *chunked) eachRun(s *span, use func(a arrow.Array, at, first, n int)) {
	k := 0
	s.runs(func(at, first, n int) {
		for first += s.from; n > 0; {
			for c.starts[k]+c.chunks[k].Len() <= first {
				k++
			}
			in := first - c.starts[k]
			some := min(n, c.chunks[k].Len()-in)
			use(c.chunks[k], at, in, some)
			at, first, n = at+some, first+some, n-some
		}
	})
}

// gatherSlices copies views, which the filter of package compute does not know.
func (c *chunked) gatherSlices(s *span) ([]arrow.Array, error) {
	var runs []arrow.Array
	c.eachRun(s, func(a arrow.Array, _, first, n int) {
		runs = append(runs, array.NewSlice(a, int64(first), int64(first+n)))
	})
	whole, err := array.Concatenate(runs, memory.DefaultAllocator)
	return []arrow.Array{whole}, err
}

// filter takes rows of any other type.
func (c *chunked) filter(s *span) (list []arrow.Array, err error) {
	c.parts(s.from, s.n, func(a arrow.Array, at, first, n int) {
		mask := array.NewBooleanBuilder(memory.DefaultAllocator)
		mask.Reserve(n)
		for i := at; i < at+n; i++ {
			mask.UnsafeAppend(s.take[i>>6]>>(i&63)&1 == 1)
		}
		if err != nil {
			return
		}
		var picked arrow.Array
		piece := array.NewSlice(a, int64(first), int64(first+n))
		if picked, err = compute.FilterArray(context.Background(), piece, mask.NewArray(), *compute.DefaultFilterOptions()); err == nil && picked.Len() > 0 {
			list = append(list, picked)
		}
	})
	return list, err
}
