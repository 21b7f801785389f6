package schema

// The labels that Filter sets.
const (
	// WarningsLabel is what was removed and why:
	//
	//	{removed_rows, error_count, errors: [{column, check, count, examples: [{row, failure_case}]}]}
	WarningsLabel = "validation_warnings"
	// QuarantineLabel is where the removed rows are. A second filter of one step sets quarantine_2, and so on.
	QuarantineLabel = "quarantine"
	// KeptLabel is what rows that were handed on break of the rules of severity Warn:
	//
	//	{kept_rows, warning_count, warnings: [{column, check, count, examples: [{row, failure_case}]}]}
	KeptLabel = "kept_with_warnings"
)

// examples is how many failures of a rule metadata shows.
const examples = 10

// warnings is the value of WarningsLabel.
type warnings struct {
	RemovedRows int      `json:"removed_rows"`
	ErrorCount  int      `json:"error_count"`
	Errors      []broken `json:"errors"`

	filters int // that removed something
}

// broken is a rule that was broken, as metadata shows it.
type broken struct {
	Column   string    `json:"column"`
	Check    string    `json:"check"`
	Count    int       `json:"count"`
	Examples []example `json:"examples"`
}

type example struct {
	Row         *int `json:"row"` // counted from 0, before any row is removed; null where the failure is no row's
	FailureCase any  `json:"failure_case"`
}

// brokenRules lists the broken rules of a severity.
func brokenRules(r *Result, of Severity) []broken {
	var list []broken
	for _, c := range r.Counts {
		if c.Severity != of {
			continue
		}
		b := broken{Column: c.Column, Check: c.Check, Count: c.Count}
		for _, f := range c.Failures[:min(examples, len(c.Failures))] {
			e := example{FailureCase: JSONCase(f.FailureCase)}
			if f.Row != NoRow {
				e.Row = new(f.Row)
			}
			b.Examples = append(b.Examples, e)
		}
		list = append(list, b)
	}
	return list
}

// plus adds what another filter of the step found.
func (w warnings) plus(r *Result) warnings {
	return warnings{RemovedRows: w.RemovedRows + r.InvalidRowCount, ErrorCount: w.ErrorCount + r.ErrorCount,
		Errors: append(w.Errors[:len(w.Errors):len(w.Errors)], brokenRules(r, Error)...), filters: w.filters + 1}
}

// kept is the value of KeptLabel.
type kept struct {
	KeptRows     int      `json:"kept_rows"`
	WarningCount int      `json:"warning_count"`
	Warnings     []broken `json:"warnings"`
}

// keptWithWarnings lists what valid rows break of the rules of severity Warn, and what the table does.
func (r *Result) keptWithWarnings() kept {
	var k kept
	for _, f := range r.binding.broken {
		if f.Severity == Warn {
			k.Warnings = append(k.Warnings, broken{f.Column, f.Check, 1, []example{{nil, JSONCase(f.FailureCase)}}})
			k.WarningCount++
		}
	}
	rows := newMarks(r.Rows)
	for i, rule := range r.binding.rules {
		if rule.severity != Warn {
			continue
		}
		b := broken{Column: rule.column(), Check: rule.check}
		for row := range r.failed[i].all() {
			if r.invalid.has(row) {
				continue
			}
			rows.add(row)
			if b.Count++; b.Count <= examples {
				b.Examples = append(b.Examples, example{new(row), JSONCase(r.binding.failure(i, row).FailureCase)})
			}
		}
		if b.Count > 0 {
			k.Warnings = append(k.Warnings, b)
			k.WarningCount += b.Count
		}
	}
	k.KeptRows = rows.count()
	return k
}

// plus adds what another filter of the step kept.
func (k kept) plus(more kept) kept {
	return kept{k.KeptRows + more.KeptRows, k.WarningCount + more.WarningCount, append(k.Warnings[:len(k.Warnings):len(k.Warnings)], more.Warnings...)}
}
