// Package asset defines assets: typed variables whose inputs are the parameters of a plain
// function. It also holds what such a function gets: its context, configuration and resources.
//
// It knows no engine and no store; whoever runs a step hands a Step to NewContext. It imports
// duration, fault, metadata, notify, run and table of ours.
package asset

import (
	"log/slog"
	"reflect"
	"slices"
	"time"

	"waggle/shared/fault"
	"waggle/shared/notify"
	"waggle/shared/run"
)

// Key names an asset: letters, digits and underscores, parts separated by slashes.
type Key = run.AssetKey

// LevelCritical is the log level above slog.LevelError: somebody must act now.
const LevelCritical = slog.LevelError + 4

// Asset is a table, file or value that a function of yours makes. Declare it as a package variable;
// as an Input[T] it hands its value to other assets and checks.
type Asset[T any] struct{ def *Definition }

// Definition returns what was declared. It is nil for a nil asset.
func (a *Asset[T]) Definition() *Definition {
	if a == nil {
		return nil
	}
	return a.def
}

// Key returns the asset's key; empty for a nil asset.
func (a *Asset[T]) Key() Key {
	if a == nil {
		return ""
	}
	return a.def.Key
}

// Source makes an asset an Input.
func (a *Asset[T]) Source() Source {
	if a == nil {
		return Source{}
	}
	return Source{Asset: a.def}
}

func (a *Asset[T]) yields(T) {}

// Any is an asset of any type.
type Any interface{ Definition() *Definition }

// List is assets of any types.
type List []Any

// Definition is an asset as declared, its types erased: what engines and commands read.
type Definition struct {
	Key     Key
	Options Options
	Inputs  []Source
	Deps    []*Definition
	Type    reflect.Type // of the value; nil: an asset without a value
	Codec   Codec        // of the value; nil where Type is
	Origin  string       // file:line of the constructor
	// Channel is where a notification asset sends its message; nil for other assets.
	Channel *notify.Definition
	// Call runs the function. The inputs are in the order of Inputs; the value of an
	// asset without one is nil.
	Call func(ctx *Context, inputs []any) (any, error)

	mistakes []error
}

// Upstream lists the assets that the function reads: its inputs and its Deps.
func (d *Definition) Upstream() []*Definition {
	var up []*Definition
	for _, in := range d.Inputs {
		if in.Asset != nil {
			up = append(up, in.Asset)
		}
	}
	return append(up, d.Deps...)
}

// Options are the optional parts of an asset. The zero value and nil mean all defaults.
type Options struct {
	// Description says what the asset is, in Markdown.
	Description string
	// Group is where commands and pages list it. Defaults to "default".
	Group string
	// Kinds says what it is made of or with: "csv", "go". At most three are shown.
	Kinds []string
	// Tags are labels to select by.
	Tags map[string]string
	// Owners are mail addresses or team names.
	Owners []string
	// Deps are assets that must be there first and that are not parameters: read them
	// with Load, what is recorded of them with Context.Materialization, or not at all.
	Deps List
	// Retry says what follows an error. The zero value is no retry.
	Retry Retry
	// Timeout ends an attempt that takes longer. Zero is no limit.
	Timeout time.Duration
	// Effects marks a step that changes the world outside the store: it starts only when all it
	// reads is stored, so that a crash cannot undo what it acted on.
	Effects bool
	// Isolated runs each attempt in a process of its own, on AWS in a function of its own, with its own memory and time: should it
	// die, the step has failed, and nothing else. Starting it costs about as much as starting the program. What the function
	// takes is read from the store, what it returns is stored before others read it.
	Isolated bool
	// Schemas are those that the function filters its rows by, as *schema.Schema: their mistakes are found with those of the
	// other definitions and not when the step runs, and `waggle quarantine replay` judges by them. A schema of one of the
	// asset's checks (schema.Check) need not be named.
	Schemas Schemas
	// Codec stores the value. Defaults to Parquet for slices of structs and tables, JSON for all else.
	Codec Codec
}

// Schema is what a definition needs of a *schema.Schema.
type Schema interface {
	Name() string
	// Origin is the file:line of the constructor; empty for a nil schema.
	Origin() string
	// Mistakes lists what is wrong with the declaration, a nil schema included.
	Mistakes() []error
}

// Schemas is schemas.
type Schemas []Schema

func (o *Options) copied() Options {
	if o == nil {
		return Options{Group: "default"}
	}
	c := *o
	if c.Group == "" {
		c.Group = "default"
	}
	c.Kinds, c.Owners, c.Deps, c.Schemas = slices.Clone(o.Kinds), slices.Clone(o.Owners), slices.Clone(o.Deps), slices.Clone(o.Schemas)
	if o.Tags != nil {
		c.Tags = make(map[string]string, len(o.Tags))
		for k, v := range o.Tags {
			c.Tags[k] = v
		}
	}
	return c
}

// New declares an asset without inputs.
func New[T any](key string, fn func(*Context) (T, error), opts *Options) *Asset[T] {
	return define[T](key, fn == nil, func(ctx *Context, _ []any) (any, error) { return fn(ctx) }, opts)
}

// New1 declares an asset with one input.
func New1[T, A any](key string, fn func(*Context, A) (T, error), a Input[A], opts *Options) *Asset[T] {
	return define[T](key, fn == nil, func(ctx *Context, in []any) (any, error) { return fn(ctx, Arg[A](in, 0)) }, opts, a)
}

// New2 declares an asset with two inputs.
func New2[T, A, B any](key string, fn func(*Context, A, B) (T, error), a Input[A], b Input[B], opts *Options) *Asset[T] {
	return define[T](key, fn == nil, func(ctx *Context, in []any) (any, error) {
		return fn(ctx, Arg[A](in, 0), Arg[B](in, 1))
	}, opts, a, b)
}

// New3 declares an asset with three inputs.
func New3[T, A, B, C any](key string, fn func(*Context, A, B, C) (T, error), a Input[A], b Input[B], c Input[C], opts *Options) *Asset[T] {
	return define[T](key, fn == nil, func(ctx *Context, in []any) (any, error) {
		return fn(ctx, Arg[A](in, 0), Arg[B](in, 1), Arg[C](in, 2))
	}, opts, a, b, c)
}

// New4 declares an asset with four inputs.
func New4[T, A, B, C, D any](key string, fn func(*Context, A, B, C, D) (T, error), a Input[A], b Input[B], c Input[C], d Input[D], opts *Options) *Asset[T] {
	return define[T](key, fn == nil, func(ctx *Context, in []any) (any, error) {
		return fn(ctx, Arg[A](in, 0), Arg[B](in, 1), Arg[C](in, 2), Arg[D](in, 3))
	}, opts, a, b, c, d)
}

// New5 declares an asset with five inputs.
func New5[T, A, B, C, D, E any](key string, fn func(*Context, A, B, C, D, E) (T, error), a Input[A], b Input[B], c Input[C], d Input[D], e Input[E], opts *Options) *Asset[T] {
	return define[T](key, fn == nil, func(ctx *Context, in []any) (any, error) {
		return fn(ctx, Arg[A](in, 0), Arg[B](in, 1), Arg[C](in, 2), Arg[D](in, 3), Arg[E](in, 4))
	}, opts, a, b, c, d, e)
}

// New6 declares an asset with six inputs. For more, or for optional ones, use
// Options.Deps and Load.
func New6[T, A, B, C, D, E, F any](key string, fn func(*Context, A, B, C, D, E, F) (T, error), a Input[A], b Input[B], c Input[C], d Input[D], e Input[E], f Input[F], opts *Options) *Asset[T] {
	return define[T](key, fn == nil, func(ctx *Context, in []any) (any, error) {
		return fn(ctx, Arg[A](in, 0), Arg[B](in, 1), Arg[C](in, 2), Arg[D](in, 3), Arg[E](in, 4), Arg[F](in, 5))
	}, opts, a, b, c, d, e, f)
}

// None is the value of an asset without one.
type None struct{}

// Do declares an asset without a value: something that is done, a mail or a load.
func Do(key string, fn func(*Context) error, opts *Options) *Asset[None] {
	a := define[None](key, fn == nil, func(ctx *Context, _ []any) (any, error) { return nil, fn(ctx) }, opts)
	a.def.Type, a.def.Codec = nil, nil
	return a
}

// Sourced is any input, its type erased.
type Sourced interface{ Source() Source }

func define[T any](key string, nilFn bool, call func(*Context, []any) (any, error), opts *Options, inputs ...Sourced) *Asset[T] {
	def := &Definition{Key: Key(key), Options: opts.copied(), Type: reflect.TypeFor[T](), Call: call, Origin: Origin(3)}
	def.check(nilFn, inputs)
	return &Asset[T]{def: def}
}

// Define declares an asset for a package that has a constructor of its own, whose inputs are not the parameters of a Go
// function: fn gets their values in the order of inputs. Validate reports what that constructor found wrong, mistakes, and its own
// findings at the line of whoever called the constructor, which must call Define itself.
func Define[T any](key string, fn func(ctx *Context, inputs []any) (T, error), inputs []Source, opts *Options, mistakes ...error) *Asset[T] {
	sourced := make([]Sourced, len(inputs))
	for i, in := range inputs {
		sourced[i] = in
	}
	a := define[T](key, fn == nil, func(ctx *Context, in []any) (any, error) { return fn(ctx, in) }, opts, sourced...)
	a.def.Origin = Origin(3)
	a.def.mistakes = append(a.def.mistakes, mistakes...)
	return a
}

// Arg returns input i as the type that the function declares.
func Arg[A any](inputs []any, i int) A {
	a, _ := inputs[i].(A) // a nil interface is the zero value
	return a
}

// Origin is fault.Origin: the file:line of a caller.
func Origin(skip int) string { return fault.Origin(skip + 1) }
