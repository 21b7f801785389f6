// Package schema says what rows must look like and finds every row that does not: columns with their
// types and rules, rules over several columns, rules over the table.
//
// Validate finds all failures in one pass, First the first one, Split takes valid and invalid rows
// apart. ValidateParquet and SplitParquet do the same with a file. They need no run, so scripts and tests can call them.
//
// What holds for every schema:
//   - A null breaks not_null and nothing else: no other rule looks at it. A rule over several columns
//     looks at a row only where none of them is null. The zero time.Time of a struct is null.
//   - NaN is a value: it breaks every bound, one_of and finite, and equals itself where uniqueness is
//     asked. Infinities are ordinary numbers, and -0 equals 0.
//   - A column that is missing is one failure, column_present; one of another type is one failure,
//     type(...). Both are of no row (NoRow), no other rule looks at such a column, and every row counts as
//     invalid, because none has the value it must have.
//   - Text is measured in characters; each byte that is not UTF-8 is one.
//   - A row that breaks only rules of severity Warn is valid. Its failures are counted as warnings.
//
// Filter, Check and the ready checks are for assets, and need a run.
//
// Of ours it imports asset, check, fault, metadata, run and table.
package schema

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"waggle/shared/asset"
	"waggle/shared/fault"
	"waggle/shared/run"
)

// Severity is run.Severity: how bad it is when a rule is broken.
type Severity = run.Severity

// The severities. The default is Error.
const (
	Error Severity = run.SeverityError // the row is invalid
	Warn  Severity = run.SeverityWarn  // counted and reported; the row stays valid
)

// Schema is what rows must look like. It is never changed once made and may be used by several
// goroutines at once. Make one with New or FromStruct.
type Schema struct {
	name     string
	options  Options
	columns  []*column
	rules    []*rule // of the columns in order, then of the table
	origin   string
	mistakes []error
}

// Part is what a schema is made of: a column, a table rule or Options.
type Part interface{ addTo(*Schema) }

// Options are the optional parts of a schema, given to New among its columns, once. The zero value is
// all defaults.
type Options struct {
	// Description says what the rows are, in Markdown.
	Description string
	// ExtraColumns says what becomes of columns that the schema does not name. Defaults to Allow.
	ExtraColumns Extra
	// Coerce converts columns of another type before their rules look at them: between widths of numbers, text to
	// and from numbers, bool, dates and timestamps. A value that does not convert without loss breaks coerce(type) and no other rule. Split hands
	// on the converted columns of a *table.Table; structs keep what they have.
	Coerce bool
}

func (o Options) addTo(s *Schema) {
	if s.options != (Options{}) {
		s.mistake("it has Options twice; merge them")
	}
	s.options = o
	if o.ExtraColumns < Allow || o.ExtraColumns > Drop {
		s.mistake("ExtraColumns is %d; it must be Allow, Reject or Drop", o.ExtraColumns)
	}
}

// Extra says what becomes of columns that a schema does not name.
type Extra int

const (
	Allow  Extra = iota // they stay and are not looked at
	Reject              // each is a failure, column_in_schema, of no row
	Drop                // Split leaves them out of the valid rows of a *table.Table; structs and invalid rows keep them
)

func (e Extra) String() string {
	return [...]string{"allow", "reject", "drop"}[min(max(e, Allow), Drop)]
}

// New declares a schema. What is wrong with it is reported by Mistakes, and by Validate and Split when they are
// called. Definitions.Validate reports it where a check uses the schema or the Options.Schemas of an asset name it.
func New(name string, parts ...Part) *Schema { return define(name, asset.Origin(2), parts) }

func define(name, origin string, parts []Part) *Schema {
	s := &Schema{name: name, origin: origin}
	if !namePattern.MatchString(name) || len(name) > 200 {
		s.mistake("a name has letters, digits and underscores, 200 at most")
	}
	for i, p := range parts {
		if isNil(p) {
			s.mistake("part %d is nil", i+1)
			continue
		}
		p.addTo(s)
	}
	if len(s.columns) == 0 && len(s.rules) == 0 && len(s.mistakes) == 0 {
		s.mistake("it has no columns and no rules")
	}
	s.order()
	return s
}

var namePattern = regexp.MustCompile(`^[A-Za-z0-9_]+$`)

func (s *Schema) mistake(format string, args ...any) {
	s.mistakes = append(s.mistakes, fmt.Errorf(format, args...))
}

// order finds the columns of each table rule and puts the rules into the order of a row's failures:
// columns as declared, then the table's rules, each by the name of the check.
func (s *Schema) order() {
	for _, r := range s.rules {
		for _, name := range r.names {
			at := slices.IndexFunc(s.columns, func(c *column) bool { return c.name == name })
			if at < 0 {
				s.mistake("%s: its column %q is not in the schema; add it, as schema.Any(%q) if it has no rules", r.what(), name, name)
				continue
			}
			r.at = append(r.at, at)
		}
		if r.bind != nil && len(r.at) == len(r.names) {
			if err := r.bind(s); err != nil {
				s.mistake("%s: %w", r.what(), err)
			}
		}
	}
	slices.SortStableFunc(s.rules, func(a, b *rule) int {
		if a.ofTable != b.ofTable {
			if a.ofTable {
				return 1
			}
			return -1
		}
		if !a.ofTable && len(a.at) == 1 && len(b.at) == 1 && a.at[0] != b.at[0] {
			return a.at[0] - b.at[0]
		}
		return strings.Compare(a.check, b.check)
	})
	for i, r := range s.rules {
		if i > 0 && s.rules[i-1].ofTable == r.ofTable && s.rules[i-1].check == r.check && s.rules[i-1].column() == r.column() {
			s.mistake("%s is there twice", r.what())
		}
	}
}

// Name returns the schema's name; empty for a nil schema.
func (s *Schema) Name() string {
	if s == nil {
		return ""
	}
	return s.name
}

// Origin returns the file and line of the constructor, "pipelines/gallery/sales.go:12"; empty for a nil schema.
func (s *Schema) Origin() string {
	if s == nil {
		return ""
	}
	return s.origin
}

// Description returns what Options.Description said.
func (s *Schema) Description() string { return s.options.Description }

// Mistakes lists what is wrong with the declaration: a pattern that does not compile, bounds that
// no value meets, two columns with one name.
func (s *Schema) Mistakes() []error {
	if s == nil {
		return []error{fmt.Errorf("the schema is nil")}
	}
	return s.mistakes
}

// usable is the error of a schema with mistakes.
func (s *Schema) usable() error {
	switch bad := s.Mistakes(); {
	case s == nil:
		return fault.New(fault.Invalid, "the schema is nil").WithHint("make one with schema.New")
	case len(bad) > 0:
		lines := make([]string, len(bad))
		for i, err := range bad {
			lines[i] = fmt.Sprintf("%s: schema %q: %s", s.origin, s.name, err)
		}
		return fault.New(fault.Invalid, "%s", strings.Join(lines, "\n"))
	}
	return nil
}
