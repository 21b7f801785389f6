package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"waggle/shared/asset"
)

// resources are opened by the first step that takes them, and closed when the execution ends.
type resources struct {
	mu     sync.Mutex
	opened map[*asset.ResourceDefinition]*resource
	order  []*resource
}

type resource struct {
	once  sync.Once
	name  string
	value any
	err   error
}

// open returns the resource, opening it if no step has. The context is the execution's, so that it
// outlives the step that asked first.
func (r *resources) open(ctx context.Context, def *asset.ResourceDefinition) (any, error) {
	r.mu.Lock()
	res := r.opened[def]
	if res == nil {
		res = &resource{name: def.Name}
		if r.opened == nil {
			r.opened = map[*asset.ResourceDefinition]*resource{}
		}
		r.opened[def] = res
		r.order = append(r.order, res)
	}
	r.mu.Unlock()
	res.once.Do(func() {
		res.value, res.err = def.Open(ctx)
		if res.err != nil {
			res.err = fmt.Errorf("open resource %q: %w", def.Name, res.err)
		}
	})
	return res.value, res.err
}

// close closes what is an io.Closer, last opened first.
func (r *resources) close() error {
	var errs []error
	for i := len(r.order) - 1; i >= 0; i-- {
		if c, ok := r.order[i].value.(io.Closer); ok && r.order[i].err == nil {
			if err := c.Close(); err != nil {
				errs = append(errs, fmt.Errorf("close resource %q: %w", r.order[i].name, err))
			}
		}
	}
	return errors.Join(errs...)
}
