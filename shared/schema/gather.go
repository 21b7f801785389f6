package schema

import (
	"context"
	"encoding/binary"
	"math"
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/compute"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// gather returns the taken rows of a span: as the arrays they lie in if that is all of them.
func (c *chunked) gather(s *span, r columnRoom) (list []arrow.Array, err error) {
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
		return []arrow.Array{c.gatherFixed(s, w, r)}, nil
	}
	switch simple.DataType().ID() {
	case arrow.BOOL:
		return []arrow.Array{c.gatherBits(s)}, nil
	case arrow.STRING_VIEW, arrow.BINARY_VIEW:
		return c.gatherSlices(s)
	case arrow.STRING, arrow.BINARY:
		if a := c.gatherText(s, r); a != nil {
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

func (c *chunked) gatherFixed(s *span, width int, r columnRoom) arrow.Array {
	values := r.values.reserve(s.taken * width)
	c.eachRun(s, func(a arrow.Array, _, first, n int) {
		d := a.Data()
		from := (d.Offset() + first) * width
		values = append(values, d.Buffers()[1].Bytes()[from:from+n*width]...)
	})
	nulls, present := c.gatherPresent(s)
	return array.MakeFromData(array.NewData(c.kind, s.taken, []*memory.Buffer{present, memory.NewBufferBytes(values)}, nil, nulls, 0))
}

// gatherText returns nil where the bytes of the text would be over what an array holds.
func (c *chunked) gatherText(s *span, r columnRoom) arrow.Array {
	size := c.textBytes(s)
	if size > math.MaxInt32 {
		return nil
	}
	text, room := r.values.reserve(size), r.starts.reserve((s.taken+1)*4)
	room = room[:cap(room)]
	starts := arrow.Int32Traits.CastFromBytes(room)
	end := int32(0)
	c.eachRun(s, func(a arrow.Array, at, first, n int) {
		from := offsetsOf(a)[first : first+n+1]
		if from[n] > from[0] { // an array of empty texts may have no bytes at all
			text = append(text, a.Data().Buffers()[2].Bytes()[from[0]:from[n]]...)
		}
		shift := end - from[0]
		end += from[n] - from[0]
		to := starts[at : at+n]
		for i, o := range from[:len(to)] {
			to[i] = o + shift
		}
	})
	starts[s.taken] = end
	nulls, present := c.gatherPresent(s)
	return array.MakeFromData(array.NewData(c.kind, s.taken, []*memory.Buffer{present, memory.NewBufferBytes(room), memory.NewBufferBytes(text)}, nil, nulls, 0))
}

// textBytes is how many bytes the taken texts of a span have. Where most are taken it is those of all texts, which takes no
// look at each.
func (c *chunked) textBytes(s *span) int {
	size := 0
	add := func(a arrow.Array, _, first, n int) {
		offsets := offsetsOf(a)
		size += int(offsets[first+n] - offsets[first])
	}
	if s.mostly() {
		if c.parts(s.from, s.n, add); size <= math.MaxInt32 {
			return size
		}
		size = 0
	}
	c.eachRun(s, add)
	return size
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
