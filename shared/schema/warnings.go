package schema

// The labels that Filter sets.
const (
	// WarningsLabel is what was removed and why:
	//
	//	{removed_rows, error_count, errors: [{column, check, count, examples: [{row, failure_case}]}]}
	WarningsLabel = "validation_warnings"
	// QuarantineLabel is where the removed rows are. A second filter of one step sets quarantine_2, and so on.
	QuarantineLabel = "quarantine"
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
