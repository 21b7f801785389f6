package table

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"

	"waggle/shared/pages"
)

// chunkDecoder decodes column chunks one after another; its buffers stay.
type chunkDecoder struct {
	pages   file.PageReader
	indices []uint32
	packed  []byte
	decoded
}

// decoded is what was read of a chunk so far.
type decoded struct {
	width   int // of a value; 0: text
	rows    int
	done    int
	present []byte // a bit a row; nil where there are no nulls by declaration
	nulls   int
	values  []byte
	starts  []int32 // of texts, which are in values
	dict    []byte
	places  []int32 // of texts in dict: where each begins, and where the last one ends
}

var errLongText = errors.New("a row group has more than 2 GiB of text in a column")

// decode returns the values of a chunk of so many rows. Reset has told the reader of pages which.
func (d *chunkDecoder) decode(t arrow.DataType, width, rows int, nullable bool) (arrow.Array, error) {
	d.decoded = decoded{width: width, rows: rows}
	if nullable {
		d.present = make([]byte, (rows+7)/8)
	}
	if width > 0 {
		d.values = pages.Make(rows * width)
	} else {
		d.starts = arrow.Int32Traits.CastFromBytes(pages.Make((rows + 1) * 4))
		d.starts[0] = 0
	}
	for d.pages.Next() {
		var err error
		switch p := d.pages.Page().(type) {
		case *file.DictionaryPage:
			err = d.dictionary(p.Data(), int(p.NumValues()))
		case *file.DataPageV1:
			err = d.pageV1(p)
		case *file.DataPageV2:
			err = d.pageV2(p)
		}
		if err != nil {
			return nil, err
		}
	}
	if err := d.pages.Err(); err != nil {
		return nil, err
	}
	if d.done != rows {
		return nil, fmt.Errorf("%d of %d rows", d.done, rows)
	}
	buffers := []*memory.Buffer{nil, memory.NewBufferBytes(d.values)}
	if width == 0 {
		buffers = []*memory.Buffer{nil, memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(d.starts)), memory.NewBufferBytes(d.values)}
	}
	if d.nulls > 0 {
		buffers[0] = memory.NewBufferBytes(d.present)
	}
	return array.MakeFromData(array.NewData(t, rows, buffers, nil, d.nulls, 0)), nil
}

// sizedEnd is where bytes end before which their number stands, in four bytes; below 0: there are fewer.
func sizedEnd(data []byte) int {
	if len(data) < 4 {
		return -1
	}
	if size := binary.LittleEndian.Uint32(data); uint64(size) <= uint64(len(data)-4) {
		return 4 + int(size)
	}
	return -1
}

func (d *chunkDecoder) pageV1(p *file.DataPageV1) error {
	data, n := p.Data(), int(p.NumValues())
	var levels []byte
	if d.present != nil {
		if p.DefinitionLevelEncoding() != parquet.Encodings.RLE {
			return fmt.Errorf("levels are written as %s", p.DefinitionLevelEncoding())
		}
		end := sizedEnd(data)
		if end < 0 {
			return errShortPage
		}
		levels, data = data[4:end], data[end:]
	}
	return d.page(levels, data, n, parquet.Encoding(p.Encoding()))
}

func (d *chunkDecoder) pageV2(p *file.DataPageV2) error {
	data, from, to := p.Data(), int(p.RepetitionLevelByteLen()), int(p.RepetitionLevelByteLen()+p.DefinitionLevelByteLen())
	if from > to || to > len(data) {
		return errShortPage
	}
	return d.page(data[from:to], data[to:], int(p.NumValues()), parquet.Encoding(p.Encoding()))
}

// page adds the rows of a page.
func (d *chunkDecoder) page(levels, data []byte, n int, encoding parquet.Encoding) error {
	if n < 0 || n > d.rows-d.done {
		return fmt.Errorf("more than %d rows", d.rows)
	}
	some := n
	if d.present != nil {
		if err := d.readLevels(levels, n); err != nil {
			return err
		}
		some = bitutil.CountSetBits(d.present, d.done, n)
		d.nulls += n - some
	}
	var err error
	switch {
	case encoding == parquet.Encodings.Plain && d.width > 0:
		err = d.plain(data, n, some)
	case encoding == parquet.Encodings.Plain:
		err = d.plainText(data, n, some)
	case encoding != parquet.Encodings.PlainDict && encoding != parquet.Encodings.RLEDict:
		return fmt.Errorf("a page is written as %s, which the footer does not say", encoding)
	default:
		if err = d.readIndices(data, some); err != nil {
			return err
		}
		if d.width > 0 {
			d.look(n)
		} else {
			err = d.lookText(n)
		}
	}
	d.done += n
	return err
}

func (d *chunkDecoder) readLevels(levels []byte, n int) error {
	at := d.done
	return hybridRuns(levels, 1, n, func(value uint32, n int) {
		bitutil.SetBitsTo(d.present, int64(at), int64(n), value == 1)
		at += n
	}, func(bits []byte, n int) {
		bitutil.CopyBitmap(bits, 0, n, d.present, at)
		at += n
	})
}

func (d *chunkDecoder) isNull(i int) bool {
	at := d.done + i
	return d.present != nil && d.present[at>>3]>>(at&7)&1 == 0
}

// plain copies numbers of a page of n rows, of which some are not null.
func (d *chunkDecoder) plain(data []byte, n, some int) error {
	if len(data) < some*d.width {
		return errShortPage
	}
	to := d.values[d.done*d.width : (d.done+n)*d.width]
	if some == n {
		copy(to, data)
		return nil
	}
	for i := range n {
		value := to[i*d.width : (i+1)*d.width]
		if d.isNull(i) {
			clear(value)
			continue
		}
		copy(value, data)
		data = data[d.width:]
	}
	return nil
}

func (d *chunkDecoder) plainText(data []byte, n, some int) error {
	size := len(data) - 4*some
	if size < 0 {
		return errShortPage
	}
	if err := d.reserve(size, n); err != nil {
		return err
	}
	for i := range n {
		if !d.isNull(i) {
			end := sizedEnd(data)
			if end < 0 {
				return errShortPage
			}
			d.values = append(d.values, data[4:end]...)
			data = data[end:]
		}
		d.starts[d.done+i+1] = int32(len(d.values))
	}
	return nil
}

// reserve makes room for the texts of a page of n rows, and for what the rows behind it will need if their texts are as long.
func (d *chunkDecoder) reserve(size, n int) error {
	need := len(d.values) + size
	if need > math.MaxInt32 {
		return errLongText
	}
	if need > cap(d.values) {
		most := math.MaxInt32
		if all := float64(need) / float64(d.done+n) * float64(d.rows) * 1.02; all < math.MaxInt32 {
			most = max(need, int(all))
		}
		if d.done > 0 { // the guess was wrong once: do not copy for every page
			most = max(most, min(math.MaxInt32, 2*cap(d.values)))
		}
		d.values = append(pages.Make(most)[:0], d.values...)
	}
	return nil
}

func (d *chunkDecoder) dictionary(data []byte, n int) error {
	if n < 0 || n > len(data) {
		return errShortPage
	}
	if d.width > 0 {
		if len(data) < n*d.width {
			return errShortPage
		}
		d.dict = slices.Clone(data[:n*d.width])
		return nil
	}
	d.dict, d.places = make([]byte, 0, len(data)), make([]int32, 1, n+1)
	for range n {
		end := sizedEnd(data)
		if end < 0 {
			return errShortPage
		}
		d.dict = append(d.dict, data[4:end]...)
		data = data[end:]
		d.places = append(d.places, int32(len(d.dict)))
	}
	return nil
}

// readIndices reads the places in the dictionary of the values that are not null.
func (d *chunkDecoder) readIndices(data []byte, n int) error {
	d.indices = slices.Grow(d.indices[:0], n)
	if n == 0 {
		return nil
	}
	if len(data) == 0 || data[0] > 32 {
		return errShortPage
	}
	width := int(data[0])
	return hybridRuns(data[1:], width, n, func(value uint32, n int) {
		for range n {
			d.indices = append(d.indices, value)
		}
	}, func(bits []byte, n int) {
		d.packed = append(append(d.packed[:0], bits...), 0, 0, 0, 0, 0, 0, 0, 0)
		at := len(d.indices)
		d.indices = d.indices[:at+n]
		unpack(d.indices[at:], d.packed, width)
	})
}

// look copies the numbers that the indices of a page of n rows stand for.
func (d *chunkDecoder) look(n int) {
	next := 0
	for i := range n {
		value := d.values[(d.done+i)*d.width : (d.done+i+1)*d.width]
		if d.isNull(i) {
			clear(value)
			continue
		}
		copy(value, d.dict[int(d.indices[next])*d.width:][:d.width])
		next++
	}
}

func (d *chunkDecoder) lookText(n int) error {
	size := 0
	for _, k := range d.indices {
		size += int(d.places[k+1] - d.places[k])
	}
	if err := d.reserve(size, n); err != nil {
		return err
	}
	next := 0
	for i := range n {
		if !d.isNull(i) {
			k := d.indices[next]
			d.values = append(d.values, d.dict[d.places[k]:d.places[k+1]]...)
			next++
		}
		d.starts[d.done+i+1] = int32(len(d.values))
	}
	return nil
}
