package table

import (
	"encoding/binary"
	"errors"
)

var errShortPage = errors.New("a page is shorter than it says")

// hybridRuns goes through n numbers of some bits each in the hybrid of run lengths and packed bits by which Parquet writes
// levels and indices: of each run its header, then
//
//	header even: header/2 times one value, in whole bytes
//	header odd:  header/2 times eight values, packed from the lowest bit on
func hybridRuns(data []byte, width, n int, repeated func(value uint32, n int), packed func(bits []byte, n int)) error {
	for n > 0 {
		header, size := binary.Uvarint(data)
		if size <= 0 || header < 2 {
			return errShortPage
		}
		data = data[size:]
		if header&1 == 0 {
			bytes := (width + 7) / 8
			if len(data) < bytes {
				return errShortPage
			}
			var value [4]byte
			copy(value[:], data[:bytes])
			some := int(min(header>>1, uint64(n)))
			repeated(binary.LittleEndian.Uint32(value[:]), some)
			data, n = data[bytes:], n-some
			continue
		}
		groups := int(min(header>>1, uint64(n+7)/8)) // what is behind the last value does not matter
		some := min(groups*8, n)
		if len(data) < (some*width+7)/8 {
			return errShortPage
		}
		bytes := min(groups*width, len(data))
		packed(data[:bytes], some)
		data, n = data[bytes:], n-some
	}
	return nil
}

// unpack reads numbers of up to 32 bits each. Behind the bits there are eight bytes that may be anything.
func unpack(dst []uint32, bits []byte, width int) {
	mask := uint64(1)<<width - 1
	for i := range dst {
		at := i * width
		dst[i] = uint32(binary.LittleEndian.Uint64(bits[at>>3:]) >> (at & 7) & mask)
	}
}
