package schema

import (
	"encoding/json"
	"iter"
	"math"
	"math/bits"
	"slices"
)

// NoRow is the Row of a failure that is the table's: a missing column, a number of rows.
const NoRow = -1

// Failure is a row that breaks a rule. As JSON it is {column, check, severity, failure_case, row}.
type Failure struct {
	// Column is what the rule is about; several are joined, "first_name, last_name". Empty for the table.
	Column string
	// Check is the name of the rule: "not_null", "greater_than(0)".
	Check string
	// Severity is the rule's.
	Severity Severity
	// FailureCase is the value that breaks it: nil, int64, uint64, float64, bool or string. Dates and timestamps are
	// ISO text, lists and structs are JSON, text is cut at 256 characters. Of a rule over several columns
	// it is a map[string]any by column.
	FailureCase any
	// Row counts from 0; NoRow, in JSON null, where the failure is no row's.
	Row int
}

// MarshalJSON writes NaN and infinities as "NaN", "+Inf" and "-Inf", since JSON has no such numbers.
func (f Failure) MarshalJSON() ([]byte, error) {
	var row *int
	if f.Row != NoRow {
		row = &f.Row
	}
	return json.Marshal(struct {
		Column      string   `json:"column"`
		Check       string   `json:"check"`
		Severity    Severity `json:"severity"`
		FailureCase any      `json:"failure_case"`
		Row         *int     `json:"row"`
	}{f.Column, f.Check, f.Severity, JSONCase(f.FailureCase), row})
}

// JSONCase is a failure case that JSON can hold: NaN and infinities as text, everything else as it is.
func JSONCase(v any) any {
	switch v := v.(type) {
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return formatFloat(v, 64)
		}
	case map[string]any:
		safe := make(map[string]any, len(v))
		for k, inner := range v {
			safe[k] = JSONCase(inner)
		}
		return safe
	}
	return v
}

// KeptFailures is how many failures of a rule a result holds. The others are found again on demand.
const KeptFailures = 100

// Count is how often a rule was broken.
type Count struct {
	Column   string    `json:"column"`
	Check    string    `json:"check"`
	Severity Severity  `json:"severity"`
	Count    int       `json:"count"`
	Failures []Failure `json:"failures"` // the first KeptFailures, by row
}

// Result is what Validate found. It holds the table, from which Errors and Warnings read failures when asked; of
// each broken rule it holds a bit a row beside it.
type Result struct {
	// Schema is the schema's name.
	Schema string
	// Rows is how many rows were looked at.
	Rows int
	// ErrorCount is the number of failing pairs of row and rule; a failure of no row counts as one. Rules of
	// severity Warn are not in it.
	ErrorCount int
	// WarningCount is the same for rules of severity Warn.
	WarningCount int
	// InvalidRowCount is how many rows break a rule of severity Error; all of them where a column is missing or has
	// another type.
	InvalidRowCount int
	// Counts has each broken rule: those that are no row's first, then columns as the schema has them, then
	// the table's rules; rules of one column by name.
	Counts []Count

	binding *binding
	failed  []*marks
	invalid *marks
}

// Valid reports whether no rule of severity Error is broken.
func (r *Result) Valid() bool { return r.ErrorCount == 0 }

// Errors yields every failure of severity Error: first those of no row, then by row, column in the
// schema's order (the table's rules last), check by name.
func (r *Result) Errors() iter.Seq[Failure] { return r.failures(Error) }

// Warnings yields every failure of severity Warn, in the order of Errors.
func (r *Result) Warnings() iter.Seq[Failure] { return r.failures(Warn) }

// InvalidRows yields the rows that are invalid, counted from 0, in order.
func (r *Result) InvalidRows() iter.Seq[int] { return r.invalid.all() }

// IsInvalid reports whether a row is invalid. A row that there is not is not.
func (r *Result) IsInvalid(row int) bool { return row >= 0 && row < r.Rows && r.invalid.has(row) }

// OfRow returns the failures of a row, of either severity, in the order of Errors.
func (r *Result) OfRow(row int) []Failure {
	var list []Failure
	if row < 0 || row >= r.Rows {
		return nil
	}
	for i, m := range r.failed {
		if m.has(row) {
			list = append(list, r.binding.failure(i, row))
		}
	}
	return list
}

// TableFailures returns the failures that are no row's: missing columns, columns of another type, columns that may not be
// there, numbers of rows.
func (r *Result) TableFailures() []Failure { return slices.Clone(r.binding.broken) }

// MarshalJSON writes {schema, valid, record_count, error_count, warning_count, invalid_row_count, counts}, where each
// count has the first 100 failures of its rule.
func (r *Result) MarshalJSON() ([]byte, error) {
	counts := r.Counts
	if counts == nil {
		counts = []Count{}
	}
	return json.Marshal(struct {
		Schema          string  `json:"schema"`
		Valid           bool    `json:"valid"`
		RecordCount     int     `json:"record_count"`
		ErrorCount      int     `json:"error_count"`
		WarningCount    int     `json:"warning_count"`
		InvalidRowCount int     `json:"invalid_row_count"`
		Counts          []Count `json:"counts"`
	}{r.Schema, r.Valid(), r.Rows, r.ErrorCount, r.WarningCount, r.InvalidRowCount, counts})
}

// result counts what an evaluator found.
func (e *evaluator) result() *Result {
	r := &Result{Schema: e.schema.name, Rows: e.rows, binding: e.binding, failed: e.failed, invalid: e.allInvalid()}
	count := func(c Count) {
		if c.Severity == Warn {
			r.WarningCount += c.Count
		} else {
			r.ErrorCount += c.Count
		}
		r.Counts = append(r.Counts, c)
	}
	for _, f := range e.broken {
		count(Count{f.Column, f.Check, f.Severity, 1, []Failure{f}})
	}
	for i, rule := range e.rules {
		n := e.failed[i].count()
		if n == 0 {
			continue
		}
		c := Count{Column: rule.column(), Check: rule.check, Severity: rule.severity, Count: n, Failures: make([]Failure, 0, min(n, KeptFailures))}
		for row := range e.failed[i].all() {
			if len(c.Failures) == KeptFailures {
				break
			}
			c.Failures = append(c.Failures, e.failure(i, row))
		}
		count(c)
	}
	r.InvalidRowCount = r.invalid.count()
	return r
}

// failure is rule i's failure at a row of the binding.
func (b *binding) failure(i, row int) Failure {
	r := b.rules[i]
	f := Failure{Column: r.column(), Check: r.check, Severity: r.severity, Row: b.base + row}
	value := func(at int) any {
		a, k := b.columns[at].given.find(row)
		return failureCase(a, k)
	}
	switch {
	case len(r.at) == 1 && !r.ofTable:
		f.FailureCase = value(r.at[0])
	case len(r.at) > 0:
		all := make(map[string]any, len(r.at))
		for k, at := range r.at {
			all[r.names[k]] = value(at)
		}
		f.FailureCase = all
	}
	return f
}

func (r *Result) failures(of Severity) iter.Seq[Failure] {
	return func(yield func(Failure) bool) {
		for _, f := range r.binding.broken {
			if f.Severity == of && !yield(f) {
				return
			}
		}
		for k := range r.invalid.blocks {
			if !r.ofBlock(k, of, yield) {
				return
			}
		}
	}
}

// ofBlock yields the failures of a block and reports whether more are wanted.
func (r *Result) ofBlock(k int, of Severity, yield func(Failure) bool) bool {
	var broken []int // the rules that a row of the block breaks
	var rows [blockWords]uint64
	for i, m := range r.failed {
		if r.binding.rules[i].severity == of && m.blocks[k] != nil {
			broken = append(broken, i)
			for w, word := range m.blocks[k] {
				rows[w] |= word
			}
		}
	}
	for w, word := range rows {
		for ; word != 0; word &= word - 1 {
			row := k*blockRows + w*64 + bits.TrailingZeros64(word)
			for _, i := range broken {
				if r.failed[i].has(row) && !yield(r.binding.failure(i, row)) {
					return false
				}
			}
		}
	}
	return true
}
