package deflate

import "encoding/binary"

// stream is of bits that are written from the lowest of a byte on.
type stream struct {
	bytes []byte
	word  uint64
	n     uint8 // bits of word, below 32
}

// add writes up to 32 bits.
func (b *stream) add(value uint64, n uint8) {
	b.word |= value << b.n
	b.n += n
	if b.n >= 32 {
		b.bytes = binary.LittleEndian.AppendUint32(b.bytes, uint32(b.word))
		b.word >>= 32
		b.n -= 32
	}
}

// append writes all of others.
func (b *stream) append(others *stream) {
	for all := others.bytes; len(all) > 0; all = all[4:] {
		b.add(uint64(binary.LittleEndian.Uint32(all)), 32)
	}
	b.add(others.word, others.n)
}

// whole are the bytes, the last one filled with zeros.
func (b *stream) whole() []byte {
	for b.n > 0 {
		b.bytes = append(b.bytes, byte(b.word))
		b.word >>= 8
		b.n -= min(8, b.n)
	}
	return b.bytes
}
