package courier

import "waggle/shared/notify"

// Dictionary is for the test that holds its hash.
const Dictionary = dictionary

// Packer packs what channels of a kind send.
type Packer struct{ packer packer }

// NewPacker returns a packer.
func NewPacker() Packer { return Packer{newPacker()} }

// Pack returns the rungs of a message as a channel of a kind stores them.
func (p Packer) Pack(rungs []notify.Content, kind notify.Kind) ([]byte, error) {
	return p.packer.pack(payload{rungs}.of(kind))
}

// Unpack reads what Pack wrote.
func (p Packer) Unpack(body []byte) ([]notify.Content, error) {
	message, err := p.packer.unpack(body)
	return message.Rungs, err
}
