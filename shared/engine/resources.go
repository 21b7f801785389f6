package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"waggle/shared/asset"
)

// resources are opened by the first step that takes them, and closed when the execution ends. One that could not be
// opened is tried again by the next step or attempt.
type resources struct {
	opening once[*asset.ResourceDefinition]

	mu     sync.Mutex
	opened []resource
	closed bool
}

type resource struct {
	name  string
	value any
}

var errClosed = errors.New("the run's resources are closed")

// open returns the resource, opening it if no step has. The context is the execution's, so that it
// outlives the step that asked first.
func (r *resources) open(ctx context.Context, def *asset.ResourceDefinition) (any, error) {
	return r.opening.do(def, func() (any, error) {
		value, err := def.Open(ctx)
		if err == nil {
			err = r.keep(resource{def.Name, value})
		}
		if err != nil {
			return nil, fmt.Errorf("open resource %q: %w", def.Name, err)
		}
		return value, nil
	})
}

// keep remembers what is to be closed. What a step that was left running opens too late is closed at once.
func (r *resources) keep(opened resource) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return errors.Join(errClosed, opened.close())
	}
	r.opened = append(r.opened, opened)
	return nil
}

// close closes what is an io.Closer, last opened first.
func (r *resources) close() error {
	r.mu.Lock()
	opened := r.opened
	r.opened, r.closed = nil, true
	r.mu.Unlock()
	var errs []error
	for _, res := range slices.Backward(opened) {
		errs = append(errs, res.close())
	}
	return errors.Join(errs...)
}

func (r resource) close() (err error) {
	c, ok := r.value.(io.Closer)
	if !ok {
		return nil
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("close resource %q: panic: %v", r.name, p)
		}
	}()
	if err := c.Close(); err != nil {
		return fmt.Errorf("close resource %q: %w", r.name, err)
	}
	return nil
}
