package schema

import (
	"math"
	"math/bits"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// momentBound compares dates and timestamps as the integers that they are in memory, with the bound in the column's
// unit.
func momentBound(v time.Time, low, open bool) func(*block, []uint64) {
	return func(b *block, fail []uint64) {
		at := b.rule.at[0]
		b.columns[at].values.parts(b.from, b.n, func(a arrow.Array, to, first, n int) { markMoments(a, to, first, n, v, low, open, fail) })
		b.bits(at).keepValid(fail)
	}
}

func markMoments(a arrow.Array, to, first, n int, v time.Time, low, open bool, fail []uint64) {
	least, most, ok := int64(math.MinInt64), int64(math.MaxInt64), false
	if unit := unitOf(a.DataType()); unit > 0 {
		least, most, ok = between(v, low, open, unit)
	}
	switch a := a.(type) {
	case *array.Date32:
		if ok {
			markOutside(a.Date32Values()[first:first+n], least, most, to, fail)
			return
		}
	case *array.Date64:
		if ok {
			markOutside(a.Date64Values()[first:first+n], least, most, to, fail)
			return
		}
	case *array.Timestamp:
		if ok {
			markOutside(a.TimestampValues()[first:first+n], least, most, to, fail)
			return
		}
	}
	for k := range n { // a dictionary, or a bound that the unit cannot hold
		if isNull(a, first+k) {
			continue
		}
		t, _ := goValue(a, first+k).(time.Time)
		if low && !(v.Before(t) || !open && v.Equal(t)) || !low && !(t.Before(v) || !open && t.Equal(v)) {
			fail[(to+k)>>6] |= 1 << ((to + k) & 63)
		}
	}
}

func markOutside[T arrow.Date32 | arrow.Date64 | arrow.Timestamp](values []T, least, most int64, to int, fail []uint64) {
	for k, x := range values {
		if int64(x) < least || int64(x) > most {
			fail[(to+k)>>6] |= 1 << ((to + k) & 63)
		}
	}
}

// unitOf is how many nanoseconds one is in an array of dates or timestamps; 0 for anything else.
func unitOf(t arrow.DataType) int64 {
	switch t := t.(type) {
	case *arrow.Date32Type:
		return 86400 * 1e9
	case *arrow.Date64Type:
		return 1e6
	case *arrow.TimestampType:
		return int64(t.Unit.Multiplier())
	}
	return 0
}

// between returns the least and the most integer of a unit that a bound allows; not ok where an integer does not hold them.
func between(v time.Time, low, open bool, unit int64) (least, most int64, ok bool) {
	least, most = math.MinInt64, math.MaxInt64
	floor, exact, ok := inUnits(v, unit)
	if !ok {
		return 0, 0, false
	}
	switch {
	case low && (open || !exact):
		least = floor + 1
	case low:
		least = floor
	case open && exact:
		most = floor - 1
	default:
		most = floor
	}
	return least, most, floor > math.MinInt64 && floor < math.MaxInt64
}

// inUnits rounds a point in time down to a unit of some nanoseconds.
func inUnits(t time.Time, unit int64) (floor int64, exact, ok bool) {
	seconds, nanoseconds := t.Unix(), int64(t.Nanosecond())
	if unit >= 1e9 {
		per := unit / 1e9
		floor = seconds / per
		if seconds%per < 0 {
			floor--
		}
		return floor, floor*per == seconds && nanoseconds == 0, true
	}
	per := 1e9 / unit
	high, _ := bits.Mul64(uint64(max(seconds, -seconds)), uint64(per))
	if product := seconds * per; high == 0 && (product < 0) == (seconds < 0) && product < math.MaxInt64-per {
		return product + nanoseconds/unit, nanoseconds%unit == 0, true
	}
	return 0, false, false
}
