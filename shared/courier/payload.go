package courier

import (
	"encoding/json"

	"github.com/klauspost/compress/zstd"

	"waggle/shared/fault"
	"waggle/shared/notify"
)

// payload is a message as it waits in a channel: on each rung.
type payload struct {
	Rungs []notify.Content `json:"rungs"`
}

// of is the message in the forms that channels of a kind send.
func (p payload) of(kind notify.Kind) payload {
	rungs := make([]notify.Content, len(p.Rungs))
	for i, c := range p.Rungs {
		rungs[i] = c.For(kind)
	}
	return payload{rungs}
}

// packer turns payloads into what is stored, and back: zstd of JSON. The rungs repeat each other, so that a tenth of the bytes is left; a
// table that keeps rows beside their keys, as SQLite does here, searches the slower the larger its rows are.
type packer struct {
	enc *zstd.Encoder
	dec *zstd.Decoder
}

// maxPayload is how many bytes of JSON are read back: several times the largest mail.
const maxPayload = 256 << 20

func newPacker() packer {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(256<<10), zstd.WithLowerEncoderMem(true), zstd.WithEncoderCRC(true))
	if err != nil {
		panic(err) // the options are constants
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxPayload))
	if err != nil {
		panic(err)
	}
	return packer{enc, dec}
}

func (p packer) pack(message payload) ([]byte, error) {
	text, err := json.Marshal(message)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, "encode a message", err)
	}
	return p.enc.EncodeAll(text, nil), nil
}

// unpack reads what pack wrote; also the bare JSON of earlier versions.
func (p packer) unpack(body []byte) (message payload, err error) {
	if len(body) == 0 || body[0] != '{' {
		if body, err = p.dec.DecodeAll(body, nil); err != nil {
			return message, fault.Wrap(fault.Corrupt, "read a message", err)
		}
	}
	if err = json.Unmarshal(body, &message); err == nil && len(message.Rungs) == 0 {
		return message, fault.New(fault.Corrupt, "a message says nothing")
	}
	return message, fault.Wrap(fault.Corrupt, "read a message", err)
}
