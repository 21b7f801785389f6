package runlog

import (
	"log/slog"
	"maps"
	"time"

	"github.com/klauspost/compress/zstd"

	"waggle/shared/fault"
)

// chunkVersion is the version of the format that Builder writes.
const chunkVersion = 1

// maxChunkText bounds what a chunk may decompress to, so that a corrupt one cannot take all memory.
const maxChunkText = 64 << 20

// Header is what a chunk says about itself, so that readers can skip it.
type Header struct {
	Version int            `json:"v"`
	Epoch   int64          `json:"epoch"` // of the owner that wrote it
	From    int64          `json:"from"`  // number of its first event
	To      int64          `json:"to"`    // of its last
	Start   time.Time      `json:"start"` // time of its first event
	End     time.Time      `json:"end"`
	Levels  map[string]int `json:"levels"` // events a level
	Types   map[Type]int   `json:"types"`  // events a type
}

// Has reports whether the chunk holds an event of at least this level.
func (h Header) Has(level slog.Level) bool {
	for _, known := range levels {
		if known.level >= level && h.Levels[known.name] > 0 {
			return true
		}
	}
	return false
}

// Chunk is a part of a log as it is stored: a header, and the events as zstd of JSON lines.
type Chunk struct {
	Header Header
	Body   []byte
}

// Codec packs and unpacks chunks. It may be used by several goroutines.
type Codec struct {
	enc *zstd.Encoder
	dec *zstd.Decoder
}

// NewCodec returns a codec. It needs no closing.
func NewCodec() *Codec {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(128<<10), zstd.WithLowerEncoderMem(true),
		zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithEncoderDictRaw(dictionaryID, dictionary), zstd.WithEncoderCRC(true))
	if err != nil {
		panic(err) // the options are constants
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxChunkText), zstd.WithDecoderDictRaw(dictionaryID, dictionary))
	if err != nil {
		panic(err)
	}
	return &Codec{enc: enc, dec: dec}
}

// Unpack returns the events of a chunk; one that does not read back is fault.Corrupt.
func (c *Codec) Unpack(chunk Chunk) ([]Event, error) {
	if chunk.Header.Version > chunkVersion {
		return nil, fault.New(fault.Incompatible, "a chunk of log version %d, this waggle reads up to %d", chunk.Header.Version, chunkVersion).
			WithHint("use the newer waggle that wrote it")
	}
	text, err := c.dec.DecodeAll(chunk.Body, nil)
	if err != nil {
		return nil, fault.Wrap(fault.Corrupt, "read a chunk of the log", err)
	}
	events, err := parseLines(text, chunk.Header.From, chunk.Header.Start)
	if err != nil {
		return nil, err
	}
	if n := int64(len(events)); n != chunk.Header.To-chunk.Header.From+1 {
		return nil, fault.New(fault.Corrupt, "a chunk of %d events says that it has %d to %d", n, chunk.Header.From, chunk.Header.To)
	}
	return events, nil
}

// PackText packs a text that says the like of what a log says.
func (c *Codec) PackText(text []byte) []byte { return c.enc.EncodeAll(text, nil) }

// UnpackText reads what PackText wrote; what does not read back is fault.Corrupt.
func (c *Codec) UnpackText(packed []byte) ([]byte, error) {
	text, err := c.dec.DecodeAll(packed, nil)
	return text, fault.Wrap(fault.Corrupt, "unpack a text", err)
}

// Builder gathers events into a chunk. The zero value is not usable; it is not safe for
// several goroutines.
type Builder struct {
	header Header
	text   []byte
	last   time.Time
}

// NewBuilder starts a chunk of an owner's epoch.
func NewBuilder(epoch int64) *Builder {
	return &Builder{header: Header{Version: chunkVersion, Epoch: epoch, To: -1, Levels: map[string]int{}, Types: map[Type]int{}}}
}

// Add appends an event. One larger than MaxEvent is fault.TooLarge, and is not added.
func (b *Builder) Add(e *Event, data []byte) error {
	if len(b.text) == 0 {
		b.header.From, b.header.Start, b.last = e.Seq, e.Time, e.Time
	}
	before := len(b.text)
	b.text = appendLine(b.text, e, b.last, data)
	if n := len(b.text) - before; n > MaxEvent {
		b.text = b.text[:before]
		return fault.New(fault.TooLarge, "event %d (%s of %s) has %d bytes, %d are allowed", e.Seq, e.Type, e.Step, n, MaxEvent)
	}
	b.header.To, b.header.End, b.last = e.Seq, e.Time, e.Time
	b.header.Levels[LevelName(e.Level)]++
	b.header.Types[e.Type]++
	return nil
}

// Size is the number of bytes of the events, not yet compressed.
func (b *Builder) Size() int { return len(b.text) }

// Last is the number of the newest event; -1 where there is none.
func (b *Builder) Last() int64 { return b.header.To }

// Pack returns the chunk.
func (c *Codec) Pack(b *Builder) Chunk {
	header := b.header
	header.Levels, header.Types = maps.Clone(header.Levels), maps.Clone(header.Types)
	return Chunk{Header: header, Body: c.enc.EncodeAll(b.text, make([]byte, 0, 256+len(b.text)/8))}
}
