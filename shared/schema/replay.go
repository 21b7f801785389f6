package schema

import "slices"

// Replay judges the rows again by a schema, as after a mistake in it was mended: which of them it would hand on if the same rows were
// filtered once more. It returns their numbers, and how often the rules of severity Error are still broken, by rule in the order of Result.Counts, with
// rows numbered as in the quarantine.
//
// A copy stays a copy, also where no other copy is in the quarantine: what it is a copy of was in the rows that were filtered, and is in them the next
// time. Where the schema says of another copy than before that it may stay, that one passes: all copies of a value but the one that was handed on
// are in the quarantine. A rule of uniqueness that is new sees the quarantine alone, and rules about the number of rows are passed over.
//
// Errors are those of Validate.
func (s *Schema) Replay(q *Quarantine) (pass []int, still []Count, err error) {
	r, err := Validate(s, q.Rows)
	if err != nil {
		return nil, nil, err
	}
	for i, rule := range r.binding.rules {
		for row, reasons := range q.reasons {
			for _, was := range reasons {
				if was.staysCopy(rule) {
					r.failed[i].add(row)
				}
			}
		}
	}
	for _, f := range r.TableFailures() {
		if f.Severity == Error && f.Column != "" { // a column that the schema has and the rows have not
			still = append(still, Count{f.Column, f.Check, f.Severity, 1, []Failure{f}})
		}
	}
	for i, rule := range r.binding.rules {
		n := r.failed[i].count()
		if n == 0 || rule.severity != Error {
			continue
		}
		c := Count{Column: rule.column(), Check: rule.check, Severity: Error, Count: n, Failures: []Failure{}}
		for row := range r.failed[i].all() {
			r.invalid.add(row)
			if len(c.Failures) < KeptFailures {
				f := r.binding.failure(i, row)
				f.Row = q.Numbers[row]
				c.Failures = append(c.Failures, f)
			}
		}
		still = append(still, c)
	}
	for row, number := range q.Numbers {
		if !r.invalid.has(row) {
			pass = append(pass, number)
		}
	}
	return pass, still, nil
}

// staysCopy reports whether a row that was a copy by a rule is one by a rule of today whatever else is in the quarantine: it fails as before, or all copies do. Of
// the copy that may stay now Validate knows, since the others that may not are beside it.
func (was reason) staysCopy(rule *rule) bool {
	if rule.unique == 0 || was.Copies == "" || was.Check != rule.check || !slices.Equal(was.Columns, rule.names) {
		return false
	}
	return rule.unique == All || rule.unique.String() == was.Copies
}
