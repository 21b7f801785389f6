package engine

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"

	"waggle/shared/asset"
	"waggle/shared/fault"
	"waggle/shared/plan"
	"waggle/shared/run"
	"waggle/shared/store"
)

// values hands the values of assets to steps: those that this execution made from memory, until their last
// reader is done; all others from the store.
type values struct {
	store *store.Store
	plan  *plan.Plan
	id    run.ID

	mu      sync.Mutex
	held    map[*asset.Definition]any
	readers map[*asset.Definition]int
	own     map[*asset.Definition]*run.Value // made by this run, elsewhere
	loaded  once[*asset.Definition]          // from the store, for several steps
}

// newValues counts the readers of each asset among the steps that have no result yet.
func newValues(s *store.Store, p *plan.Plan, record run.Record, done func(*plan.Step) bool) *values {
	v := &values{store: s, plan: p, id: record.ID, held: map[*asset.Definition]any{}, readers: map[*asset.Definition]int{},
		own: map[*asset.Definition]*run.Value{}}
	for _, step := range p.Steps {
		if done(step) {
			continue
		}
		for _, def := range step.Reads() {
			v.readers[def]++
		}
	}
	for _, m := range record.Materializations {
		if step := p.Step(run.StepKey(m.Asset)); step != nil && m.Value != nil {
			v.own[step.Asset] = m.Value
		}
	}
	return v
}

// hold keeps a value for its readers.
func (v *values) hold(def *asset.Definition, value any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.readers[def] > 0 {
		v.held[def] = value
	}
}

// stored takes the value of an asset that was made elsewhere.
func (v *values) stored(def *asset.Definition, value *run.Value) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if value != nil {
		v.own[def] = value
	}
}

// release says that a step is done with what it reads.
func (v *values) release(s *plan.Step) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, def := range s.Reads() {
		if v.readers[def]--; v.readers[def] <= 0 {
			delete(v.held, def)
			v.loaded.forget(def, nil)
		}
	}
}

// get returns an asset's value for one reader: the run's own, else the newest good one. A slice that has
// several readers, or one that may try again, is copied, so that a reader that sorts it does not disturb the others.
func (v *values) get(ctx context.Context, def *asset.Definition, again bool) (any, error) {
	v.mu.Lock()
	value, ok := v.held[def]
	shared := again || v.readers[def] > 1
	v.mu.Unlock()
	if !ok {
		var err error
		if value, err = v.loaded.do(def, func() (any, error) { return v.load(ctx, def) }); err != nil {
			return nil, err
		}
	}
	if shared {
		value = cloneSlice(value)
	}
	return value, nil
}

func (v *values) load(ctx context.Context, def *asset.Definition) (any, error) {
	v.mu.Lock()
	stored := v.own[def]
	v.mu.Unlock()
	if stored == nil {
		m, err := v.store.Latest(ctx, def.Key)
		if err != nil {
			return nil, err
		}
		stored = m.Value
	}
	return v.decode(ctx, def, stored)
}

// previous returns the newest good value that other runs gave an asset.
func (v *values) previous(ctx context.Context, def *asset.Definition) (any, error) {
	m, err := v.store.Before(ctx, def.Key, v.id)
	if err != nil {
		return nil, err
	}
	return v.decode(ctx, def, m.Value)
}

func (v *values) decode(ctx context.Context, def *asset.Definition, stored *run.Value) (any, error) {
	if def.Type == nil || stored == nil {
		return nil, fault.New(fault.NotFound, "asset %q has no value to load", string(def.Key))
	}
	data := stored.Inline
	if stored.Blob != "" {
		var err error
		if data, err = v.store.GetBlob(ctx, stored.Blob); err != nil {
			return nil, unreadable(def, err)
		}
	}
	codec := asset.CodecNamed(stored.Codec, def.Codec)
	if codec == nil {
		return nil, fault.New(fault.Incompatible, "%s was stored as %s, now it is %s", def.Key, stored.Codec, def.Codec.Name()).WithHint("materialize it again")
	}
	value, err := codec.Decode(data, def.Type)
	if err != nil {
		return nil, unreadable(def, err)
	}
	return value, nil
}

// unreadable says whose value it is that is gone, broken or of another shape, and what to do.
func unreadable(def *asset.Definition, err error) error {
	var was *fault.Error // its hint would come twice
	if errors.As(err, &was) {
		switch was.Code {
		case fault.Incompatible:
			return fault.New(fault.Incompatible, "%s was %w; materialize it again", def.Key, was.Err)
		case fault.NotFound, fault.Corrupt:
			return fault.New(fault.Corrupt, "the value of %s cannot be read: %w", def.Key, was.Err).WithHint("materialize it again")
		}
	}
	return fmt.Errorf("load %q: %w", def.Key, err)
}

// cloneSlice copies a slice's elements, not what they point to; other values are themselves.
func cloneSlice(value any) any {
	v := reflect.ValueOf(value)
	if v.Kind() != reflect.Slice || v.IsNil() {
		return value
	}
	c := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
	reflect.Copy(c, v)
	return c.Interface()
}
