package asset

import (
	"context"
	"fmt"
	"reflect"
)

// Resource is something a step works with that is opened once a run: a client, a
// connection. As an Input[T] it hands itself to assets and checks.
type Resource[T any] struct{ def *ResourceDefinition }

// ResourceDefinition is a resource as declared, its type erased.
type ResourceDefinition struct {
	Name     string
	Type     reflect.Type
	Origin   string
	Open     func(ctx context.Context) (any, error)
	mistakes []error
}

// NewResource declares a resource. It is opened by the first step of a run that takes it, shared by
// all, and closed at the end of the run if it is an io.Closer. An error of open fails the
// step that asked.
func NewResource[T any](name string, open func(ctx context.Context) (T, error)) *Resource[T] {
	def := &ResourceDefinition{Name: name, Type: reflect.TypeFor[T](), Origin: Origin(2),
		Open: func(ctx context.Context) (any, error) { return open(ctx) }}
	if name == "" {
		def.mistakes = append(def.mistakes, fmt.Errorf("its name is empty"))
	}
	if open == nil {
		def.mistakes = append(def.mistakes, fmt.Errorf("its function is nil"))
	}
	return &Resource[T]{def: def}
}

// Source makes a resource an Input.
func (r *Resource[T]) Source() Source {
	if r == nil {
		return Source{}
	}
	return Source{Resource: r.def}
}

func (r *Resource[T]) yields(T) {}

// Mistakes lists what is wrong with the declaration.
func (d *ResourceDefinition) Mistakes() []error { return d.mistakes }
