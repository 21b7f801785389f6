package asset

import (
	"errors"

	"waggle/shared/fault"
)

// Load returns the value of an asset named in Options.Deps: the one of this run if the
// run makes it, else the newest that no blocking check refused. An asset that is not in
// Deps is fault.Invalid; one without a value yet is fault.NotFound.
func Load[T any](ctx *Context, a *Asset[T]) (T, error) {
	var zero T
	if a == nil {
		return zero, fault.New(fault.Invalid, "Load of a nil asset")
	}
	v, err := ctx.step.Load(ctx, a.def)
	if err != nil {
		return zero, err
	}
	value, _ := v.(T)
	return value, nil
}

// Previous returns the value that the step's own asset had before this run, and whether it had one.
// An asset cannot name itself in its function, so T is written out: Previous[[]Sale](ctx).
func Previous[T any](ctx *Context) (value T, found bool, err error) {
	v, err := ctx.step.Previous(ctx)
	if isNotFound(err) {
		return value, false, nil
	}
	if err != nil {
		return value, false, err
	}
	value, ok := v.(T)
	if !ok {
		return value, false, fault.New(fault.Invalid, "Previous[%T] of an asset whose value is a %T", value, v)
	}
	return value, true, nil
}

func isNotFound(err error) bool { return errors.Is(err, fault.NotFound) }
