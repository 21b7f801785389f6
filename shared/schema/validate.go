package schema

// Validate looks at every row of a []Struct or a *table.Table and finds all that is wrong. Columns of a struct are
// its fields in snake case, as everywhere in table. The table must not change while the result is used.
//
// An error is not about the rows: the schema has mistakes, rows is no table, a column name is there twice, a
// function of a rule panicked. It is fault.Invalid.
func Validate(s *Schema, rows any) (*Result, error) {
	b, err := bind(s, rows)
	if err != nil {
		return nil, err
	}
	e := newEvaluator(b)
	if err := e.run(nil); err != nil {
		return nil, err
	}
	return e.result(), nil
}

// First stops at the first failure of severity Error that it comes to, and returns nil where there is none. Failures of no row come first,
// then the rows in order without regard to uniqueness, and only where nothing else is wrong uniqueness.
func First(s *Schema, rows any) (*Failure, error) {
	b, err := bind(s, rows)
	if err != nil {
		return nil, err
	}
	e := newEvaluator(b)
	first := func() *Failure {
		for f := range e.result().Errors() {
			return &f
		}
		return nil
	}
	for _, f := range b.broken {
		if f.Severity == Error {
			return &f, nil
		}
	}
	for k, block := 0, e.newBlock(); k < e.blocks(); k++ {
		if err := e.block(block, k); err != nil {
			return nil, err
		}
		for i, r := range e.rules {
			if r.severity == Error && e.failed[i].blocks[k] != nil {
				return first(), nil
			}
		}
	}
	for i, r := range e.rules {
		if r.unique != 0 && r.severity == Error {
			e.uniqueness(i, r)
		}
	}
	return first(), nil
}
