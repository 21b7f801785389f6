package table

import (
	"cmp"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/cespare/xxhash/v2"

	"waggle/shared/metadata"
)

// ColumnProfile is what a column holds, in numbers.
type ColumnProfile struct {
	Column string `json:"column"`
	Type   string `json:"type"`
	Nulls  int    `json:"nulls"`
	// Distinct is how many different values there are, null aside: exact up to 4,096, else an estimate that is off by about 2 % (one
	// standard deviation). Null where the column holds lists or structs.
	Distinct *int `json:"distinct"`
	// Exact says that Distinct was counted.
	Exact bool `json:"exact"`
	// Min and Max are numbers, texts (by bytes, cut at 60 characters), ISO dates and times or booleans; null where there is no value.
	// NaN and infinities do not count.
	Min any `json:"min"`
	Max any `json:"max"`
	// Mean is the average of the numbers; null where there are none.
	Mean *float64 `json:"mean"`
	// NotFinite is how many values are NaN or infinite.
	NotFinite int `json:"not_finite,omitempty"`
	// Histogram counts the numbers or times in ten parts of the same width from Min to Max; the last part holds Max. Null for other types,
	// and where there is only one value.
	Histogram []int `json:"histogram"`
}

const (
	histogramParts = 10
	exactDistinct  = 4096
)

// Profile describes every column of a slice of structs or a *Table as metadata, under profile, a table of ColumnProfile.
//
//	ctx.AddMetadata(table.Preview(rows, 5), table.Profile(rows))
//
// It reads each column twice at most and holds 100 KB a column beside the rows; rows of structs are made columns first.
func Profile(rows any) metadata.Map {
	columns, err := ProfileOf(rows)
	if err != nil {
		return metadata.Map{"profile": metadata.Invalid(err)}
	}
	return metadata.Map{"profile": metadata.Table(columns)}
}

// ProfileOf is Profile for code that wants the numbers.
func ProfileOf(rows any) ([]ColumnProfile, error) {
	t, err := Of(rows)
	if err != nil {
		return nil, err
	}
	out := make([]ColumnProfile, t.arrow.NumCols())
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(out)) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(out); i = int(next.Add(1)) - 1 {
				f := t.arrow.Schema().Field(i)
				out[i] = profileColumn(f.Name, t.arrow.Column(i).Data())
			}
		})
	}
	workers.Wait()
	return out, nil
}

func profileColumn(name string, data *arrow.Chunked) ColumnProfile {
	p := ColumnProfile{Column: name, Type: TypeWord(data.DataType()), Nulls: data.NullN()}
	chunks := data.Chunks()
	switch data.DataType().ID() {
	case arrow.INT64:
		profileNumbers(&p, chunks, func(a *array.Int64) []int64 { return a.Int64Values() })
	case arrow.INT32:
		profileNumbers(&p, chunks, func(a *array.Int32) []int32 { return a.Int32Values() })
	case arrow.INT16:
		profileNumbers(&p, chunks, func(a *array.Int16) []int16 { return a.Int16Values() })
	case arrow.INT8:
		profileNumbers(&p, chunks, func(a *array.Int8) []int8 { return a.Int8Values() })
	case arrow.UINT64:
		profileNumbers(&p, chunks, func(a *array.Uint64) []uint64 { return a.Uint64Values() })
	case arrow.UINT32:
		profileNumbers(&p, chunks, func(a *array.Uint32) []uint32 { return a.Uint32Values() })
	case arrow.UINT16:
		profileNumbers(&p, chunks, func(a *array.Uint16) []uint16 { return a.Uint16Values() })
	case arrow.UINT8:
		profileNumbers(&p, chunks, func(a *array.Uint8) []uint8 { return a.Uint8Values() })
	case arrow.FLOAT64:
		profileNumbers(&p, chunks, func(a *array.Float64) []float64 { return a.Float64Values() })
	case arrow.FLOAT32:
		profileNumbers(&p, chunks, func(a *array.Float32) []float32 { return a.Float32Values() })
	case arrow.DATE32:
		profileNumbers(&p, chunks, func(a *array.Date32) []arrow.Date32 { return a.Date32Values() })
		p.asTimes(func(v any) string { return v.(arrow.Date32).ToTime().Format(time.DateOnly) })
	case arrow.TIMESTAMP:
		unit := data.DataType().(*arrow.TimestampType).Unit
		profileNumbers(&p, chunks, func(a *array.Timestamp) []arrow.Timestamp { return a.TimestampValues() })
		p.asTimes(func(v any) string { return v.(arrow.Timestamp).ToTime(unit).UTC().Format(time.RFC3339Nano) })
	case arrow.BOOL:
		profileBools(&p, chunks)
	default:
		profileTexts(&p, chunks)
	}
	return p
}

type number interface {
	~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~float32 | ~float64
}

// profileNumbers fills in all but the nulls.
func profileNumbers[A arrow.Array, N number](p *ColumnProfile, chunks []arrow.Array, values func(A) []N) {
	var least, most N
	var sum float64
	n, d := 0, newDistinct()
	eachNumber(chunks, values, func(v N) {
		if f := float64(v); f-f != 0 { // NaN or infinite
			p.NotFinite++
			if f != f {
				f = math.NaN() // all alike
			}
			d.add(mix(math.Float64bits(f)))
			return
		}
		if n == 0 || v < least {
			least = v
		}
		if n == 0 || v > most {
			most = v
		}
		n++
		sum += float64(v)
		d.add(mix(bitsOf(v)))
	})
	p.distinct(d)
	if n == 0 {
		return
	}
	p.Min, p.Max, p.Mean = least, most, new(sum/float64(n))
	if math.IsInf(sum, 0) {
		p.Mean = nil
	}
	if least == most {
		return
	}
	from, scale := float64(least), histogramParts/(float64(most)-float64(least))
	if scale == 0 || math.IsInf(scale, 0) {
		return // they are further apart, or closer, than a float can say
	}
	p.Histogram = make([]int, histogramParts)
	eachNumber(chunks, values, func(v N) {
		f := float64(v)
		if f-f != 0 {
			return
		}
		p.Histogram[min(max(int((f-from)*scale), 0), histogramParts-1)]++
	})
}

// bitsOf tells values apart. Equal floats have equal bits but for 0 and -0, which are made one.
func bitsOf[N number](v N) uint64 {
	if f := float64(v); f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		return uint64(int64(f))
	}
	switch v := any(v).(type) {
	case float64:
		return math.Float64bits(v)
	case float32:
		return math.Float64bits(float64(v))
	}
	return uint64(v)
}

// eachNumber calls see with the values that are not null.
func eachNumber[A arrow.Array, N number](chunks []arrow.Array, values func(A) []N, see func(N)) {
	for _, c := range chunks {
		list := values(c.(A))
		if c.NullN() == 0 {
			for _, v := range list {
				see(v)
			}
			continue
		}
		for i, v := range list {
			if c.IsValid(i) {
				see(v)
			}
		}
	}
}

// asTimes writes the bounds as people do. An average of times is none.
func (p *ColumnProfile) asTimes(text func(any) string) {
	p.Mean = nil
	if p.Min != nil {
		p.Min, p.Max = text(p.Min), text(p.Max)
	}
}

func profileBools(p *ColumnProfile, chunks []arrow.Array) {
	var seen [2]bool
	for _, c := range chunks {
		a := c.(*array.Boolean)
		for i := range a.Len() {
			if a.IsValid(i) {
				if a.Value(i) {
					seen[1] = true
				} else {
					seen[0] = true
				}
			}
		}
	}
	n := 0
	for i, there := range seen {
		if there {
			n++
			if p.Min == nil {
				p.Min = i == 1
			}
			p.Max = i == 1
		}
	}
	p.Distinct, p.Exact = &n, true
}

// profileTexts looks at texts, bytes and dictionaries of texts; of other columns only the nulls are told.
func profileTexts(p *ColumnProfile, chunks []arrow.Array) {
	var least, most string
	n, d := 0, newDistinct()
	see := func(s string) {
		if n == 0 || s < least {
			least = s
		}
		if n == 0 || s > most {
			most = s
		}
		n++
		d.add(xxhash.Sum64String(s))
	}
	for _, c := range chunks {
		var value func(i int) string
		nulls := c
		switch a := c.(type) {
		case interface{ Value(int) string }:
			value = a.Value
		case *array.Dictionary:
			words, ok := a.Dictionary().(interface{ Value(int) string })
			if !ok {
				return
			}
			used := make([]bool, a.Dictionary().Len()) // each word once, however often it is written
			for i := range a.Len() {
				if a.IsValid(i) {
					used[a.GetValueIndex(i)] = true
				}
			}
			for i, is := range used {
				if is && a.Dictionary().IsValid(i) {
					see(words.Value(i))
				}
			}
			continue
		default:
			return
		}
		for i := range c.Len() {
			if nulls.IsValid(i) {
				see(value(i))
			}
		}
	}
	p.distinct(d)
	if n > 0 {
		p.Min, p.Max = cutRunes(least, previewCut), cutRunes(most, previewCut)
	}
}

func cutRunes(s string, most int) string {
	n := 0
	for i := range s {
		if n++; n > most {
			return s[:i] + "…"
		}
	}
	return s
}

func (p *ColumnProfile) distinct(d *distinct) {
	n, exact := d.count()
	p.Distinct, p.Exact = &n, exact
}

// distinct counts different hashes: all of them up to exactDistinct, beyond that it keeps the smallest ones and concludes from how close
// they lie (the k minimum values estimate; Bar-Yossef et al. 2002: (k-1) / the k-th smallest of hashes between 0 and 1).
type distinct struct {
	recent [exactDistinct]uint64 // by the hash's last bits: most repetitions end here
	kept   []uint64              // not sorted, with repetitions
	limit  uint64                // hashes over it do not matter any more
	full   bool                  // some were dropped
}

func newDistinct() *distinct {
	return &distinct{kept: make([]uint64, 0, 2*exactDistinct), limit: math.MaxUint64}
}

func (d *distinct) add(hash uint64) {
	if hash > d.limit || d.recent[hash%exactDistinct] == hash && hash != 0 {
		return
	}
	d.recent[hash%exactDistinct] = hash
	if d.kept = append(d.kept, hash); len(d.kept) == cap(d.kept) {
		d.tidy()
	}
}

// tidy leaves the smallest hashes, each once.
func (d *distinct) tidy() {
	slices.SortFunc(d.kept, cmp.Compare[uint64])
	d.kept = slices.Compact(d.kept)
	if len(d.kept) > exactDistinct {
		d.kept, d.full = d.kept[:exactDistinct], true
	}
	if d.full {
		d.limit = d.kept[len(d.kept)-1]
	}
}

func (d *distinct) count() (n int, exact bool) {
	d.tidy()
	if !d.full {
		return len(d.kept), true
	}
	return int(math.Round((exactDistinct - 1) / (float64(d.limit) / math.MaxUint64))), false
}

// mix spreads the bits of a number (the finalizer of SplitMix64).
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}
