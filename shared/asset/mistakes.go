package asset

import (
	"fmt"
	"reflect"
	"regexp"

	"waggle/shared/table"
)

var keyPattern = regexp.MustCompile(`^[A-Za-z0-9_]+(/[A-Za-z0-9_]+)*$`)

// check collects what the compiler could not see; Mistakes reports it.
func (d *Definition) check(nilFn bool, inputs []Sourced) {
	d.Codec = codecFor(d.Type, d.Options.Codec)
	if !keyPattern.MatchString(string(d.Key)) {
		d.mistake("a key has letters, digits and underscores, parts separated by /")
	}
	if len(d.Key) > 200 {
		d.mistake("the key has %d characters, 200 are allowed", len(d.Key))
	}
	if nilFn {
		d.mistake("its function is nil")
	}
	var nils []int
	d.Inputs, nils = Sources(inputs)
	for _, i := range nils {
		d.mistake("input %d is nil", i+1)
	}
	for i, dep := range d.Options.Deps {
		def := DefinitionOf(dep)
		if def == nil {
			d.mistake("Deps[%d] is nil", i)
			continue
		}
		d.Deps = append(d.Deps, def)
	}
	if err := d.Options.Retry.Check(); err != nil {
		d.mistakes = append(d.mistakes, err)
	}
	if d.Options.Timeout < 0 {
		d.mistake("Timeout is %s; it must be 0 or more", d.Options.Timeout)
	}
	if d.Type != reflect.TypeFor[None]() {
		if err := storable(d.Type, d.Codec); err != nil {
			d.mistakes = append(d.mistakes, err)
		}
	}
}

func (d *Definition) mistake(format string, args ...any) {
	d.mistakes = append(d.mistakes, fmt.Errorf(format, args...))
}

// Mistakes lists what is wrong with the declaration on its own: a bad key, a nil
// input, a value that cannot be stored.
func (d *Definition) Mistakes() []error { return d.mistakes }

// DefinitionOf returns the definition of an asset of any type, nil for nil.
func DefinitionOf(a Any) *Definition {
	if a == nil {
		return nil
	}
	return a.Definition()
}

// storable reports why values of a type cannot be stored.
func storable(t reflect.Type, codec Codec) error {
	switch codec {
	case Parquet:
		if t == reflect.TypeFor[*table.Table]() {
			return nil
		}
		return table.CheckRow(t.Elem())
	case JSON:
		return checkJSON(t, "value", nil)
	default:
		return nil // a codec of the user's own: only encoding tells
	}
}
