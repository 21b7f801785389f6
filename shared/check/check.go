// Package check defines checks: functions that look at an asset's value, and at other inputs if they
// wish, and say whether it is as it should be.
//
// It imports asset, fault, metadata and run of ours.
package check

import (
	"fmt"
	"reflect"
	"regexp"
	"time"

	"waggle/shared/asset"
	"waggle/shared/metadata"
	"waggle/shared/run"
)

// Check is a declared check; list it in waggle.Definitions.
type Check struct{ def *Definition }

// Definition returns what was declared; nil for a nil check.
func (c *Check) Definition() *Definition {
	if c == nil {
		return nil
	}
	return c.def
}

// List is checks.
type List []*Check

// Definition is a check as declared, its types erased: what engines and commands read.
type Definition struct {
	Name    string
	Options Options
	Asset   *asset.Definition // the asset it is about; its first input
	Inputs  []asset.Source    // the asset and whatever else it takes
	Origin  string            // file:line of the constructor
	Call    func(ctx *asset.Context, inputs []any) (Result, error)
	// Schema judges the value where the check is not only a function. Nil for most checks.
	Schema asset.Schema

	mistakes []error
}

// Step is the key of the step that evaluates the check.
func (d *Definition) Step() run.StepKey { return run.CheckStep(d.Asset.Key, d.Name) }

// Severity is run.Severity: how bad it is when the check fails.
type Severity = run.Severity

// The severities. The zero value means Error.
const (
	Error Severity = run.SeverityError // a blocking check holds downstream steps back
	Warn  Severity = run.SeverityWarn  // recorded and reported; the run goes on
)

// Result is what a check found.
type Result struct {
	Passed bool
	// Severity of a failure. Defaults to the check's own.
	Severity Severity
	// Description says what was found, in a sentence. May be empty.
	Description string
	// Metadata is shown with the result.
	Metadata metadata.Map
}

// Options are the optional parts of a check. The zero value and nil mean all defaults.
type Options struct {
	// Description says what the check is for, in Markdown.
	Description string
	// Blocking holds the steps downstream of the asset back until the check has
	// passed, and fails the run if it does not.
	Blocking bool
	// Severity of a failure, where the result names none. Defaults to Error. A blocking
	// check that fails with Warn holds nothing back.
	Severity Severity
	// Retry says what follows an error (not a failed check). The zero value is no retry.
	Retry asset.Retry
	// Timeout ends an attempt that takes longer. Zero is no limit.
	Timeout time.Duration
	// Isolated evaluates the check in a process of its own; see asset.Options.
	Isolated bool
}

// Blocking is the options of a check that holds downstream back.
var Blocking = &Options{Blocking: true}

// New1 declares a check of an asset.
func New1[A any](name string, fn func(*asset.Context, A) (Result, error), of *asset.Asset[A], opts *Options) *Check {
	return define(name, fn == nil, func(ctx *asset.Context, in []any) (Result, error) {
		return fn(ctx, asset.Arg[A](in, 0))
	}, opts, of.Definition(), of)
}

// New2 declares a check of an asset with one more input. It runs when both are there.
func New2[A, B any](name string, fn func(*asset.Context, A, B) (Result, error), of *asset.Asset[A], b asset.Input[B], opts *Options) *Check {
	return define(name, fn == nil, func(ctx *asset.Context, in []any) (Result, error) {
		return fn(ctx, asset.Arg[A](in, 0), asset.Arg[B](in, 1))
	}, opts, of.Definition(), of, b)
}

// New3 declares a check of an asset with two more inputs. It runs when all are there.
func New3[A, B, C any](name string, fn func(*asset.Context, A, B, C) (Result, error), of *asset.Asset[A], b asset.Input[B], c asset.Input[C], opts *Options) *Check {
	return define(name, fn == nil, func(ctx *asset.Context, in []any) (Result, error) {
		return fn(ctx, asset.Arg[A](in, 0), asset.Arg[B](in, 1), asset.Arg[C](in, 2))
	}, opts, of.Definition(), of, b, c)
}

// New4 declares a check of an asset with three more inputs. It runs when all are there.
func New4[A, B, C, D any](name string, fn func(*asset.Context, A, B, C, D) (Result, error), of *asset.Asset[A], b asset.Input[B], c asset.Input[C], d asset.Input[D], opts *Options) *Check {
	return define(name, fn == nil, func(ctx *asset.Context, in []any) (Result, error) {
		return fn(ctx, asset.Arg[A](in, 0), asset.Arg[B](in, 1), asset.Arg[C](in, 2), asset.Arg[D](in, 3))
	}, opts, of.Definition(), of, b, c, d)
}

// Define declares a check for a package that has a constructor of its own: fn gets the values of the asset and of the other inputs, in
// their order, and schema, nil for most, is kept as Definition.Schema. Validate reports what is wrong with the schema, what that constructor found
// wrong, mistakes, and its own findings at the line of whoever called the constructor, which must call Define itself.
func Define(name string, fn func(ctx *asset.Context, inputs []any) (Result, error), of *asset.Definition, inputs []asset.Sourced, schema asset.Schema, opts *Options, mistakes ...error) *Check {
	c := define(name, fn == nil, fn, opts, of, inputs...)
	c.def.Origin, c.def.Schema = asset.Origin(3), schema
	c.def.mistakes = append(c.def.mistakes, mistakes...)
	return c
}

func define(name string, nilFn bool, call func(*asset.Context, []any) (Result, error), opts *Options, of *asset.Definition, inputs ...asset.Sourced) *Check {
	d := &Definition{Name: name, Asset: of, Call: call, Origin: asset.Origin(3)}
	if opts != nil {
		d.Options = *opts
	}
	if d.Options.Severity == "" {
		d.Options.Severity = Error
	}
	d.check(nilFn, inputs)
	return &Check{def: d}
}

var namePattern = regexp.MustCompile(`^[A-Za-z0-9_]+$`)

func (d *Definition) check(nilFn bool, inputs []asset.Sourced) {
	mistake := func(format string, args ...any) { d.mistakes = append(d.mistakes, fmt.Errorf(format, args...)) }
	if !namePattern.MatchString(d.Name) || len(d.Name) > 200 {
		mistake("a name has letters, digits and underscores, 200 at most")
	}
	if nilFn {
		mistake("its function is nil")
	}
	if d.Asset == nil {
		mistake("its asset is nil")
	} else if d.Asset.Type == nil || d.Asset.Type == reflect.TypeFor[asset.None]() {
		mistake("its asset %q has no value to look at", d.Asset.Key)
	}
	var bad []int
	d.Inputs, bad = asset.Sources(inputs)
	for _, i := range bad {
		if i > 0 || d.Asset != nil {
			mistake("input %d is nil", i+1)
		}
	}
	if d.Options.Severity != Error && d.Options.Severity != Warn {
		mistake("Severity is %q; it must be Error or Warn", d.Options.Severity)
	}
	if d.Options.Timeout < 0 {
		mistake("Timeout is %s; it must be 0 or more", d.Options.Timeout)
	}
	if err := d.Options.Retry.Check(); err != nil {
		d.mistakes = append(d.mistakes, err)
	}
}

// Mistakes lists what is wrong with the declaration on its own.
func (d *Definition) Mistakes() []error { return d.mistakes }
