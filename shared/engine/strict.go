package engine

import (
	"bytes"

	"waggle/shared/asset"
	"waggle/shared/fault"
)

// given is a value that a step read, and how it was encoded then.
type given struct {
	def     *asset.Definition
	value   any
	encoded []byte
}

// read returns an asset's value for this attempt. A strict engine passes it through its codec.
func (a *attempt) read(def *asset.Definition) (any, error) {
	value, err := a.x.values.get(a.x.ctx, def, retryOf(a.step).Max > 0)
	if err != nil || !a.x.engine.opts.Strict || def.Codec == nil {
		return value, err
	}
	encoded, err := def.Codec.Encode(value)
	if err != nil {
		return nil, err
	}
	if value, err = def.Codec.Decode(encoded, def.Type); err != nil {
		return nil, err
	}
	a.mu.Lock()
	a.given = append(a.given, given{def, value, encoded})
	a.mu.Unlock()
	return value, nil
}

// unchanged returns an error if the step changed what a strict engine gave it.
func (a *attempt) unchanged() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, g := range a.given {
		now, err := g.def.Codec.Encode(g.value)
		if err != nil || !bytes.Equal(now, g.encoded) {
			return fault.New(fault.Invalid, "changed its input %s; inputs are read-only, other steps may read the same value", g.def.Key).
				WithHint("change a copy: slices.Clone")
		}
	}
	return nil
}
