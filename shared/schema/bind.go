package schema

import (
	"fmt"
	"slices"
	"strings"

	"waggle/shared/fault"
	"waggle/shared/table"
)

// boundColumn is a column of the schema in one table.
type boundColumn struct {
	given  *chunked // as the table has it
	values *chunked // converted where the schema coerces; else given
	lost   *marks   // the rows whose value did not convert; nil where nothing was converted
}

// binding is a schema on one table.
type binding struct {
	schema  *Schema
	table   *table.Table
	rows    int
	base    int            // the row of the whole table that row 0 is, where this is a part of one
	total   int            // how many rows the whole has
	columns []*boundColumn // nil where the table's column is missing or of another type
	rules   []*rule        // those that can be evaluated, in order
	evals   []func(*block, []uint64)
	broken  []Failure // of no row
	unfit   bool      // a column is missing or of another type: no row is valid
	extra   []string  // columns that the schema does not name
}

func bind(s *Schema, rows any) (*binding, error) { return bindPart(s, rows, 0, -1) }

// bindPart binds rows that are a part of total rows, from row base on; total is negative where they are the whole.
func bindPart(s *Schema, rows any, base, total int) (*binding, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	t, err := table.Of(rows)
	if err != nil {
		return nil, err
	}
	b := &binding{schema: s, table: t, rows: t.NumRows(), base: base, total: total, columns: make([]*boundColumn, len(s.columns))}
	if total < 0 {
		b.total = b.rows
	}
	names := t.Columns()
	if err := duplicates(names); err != nil {
		return nil, err
	}

	for i, c := range s.columns {
		b.column(i, c, slices.Index(names, c.name))
	}
	for at, name := range names {
		if !slices.ContainsFunc(s.columns, func(c *column) bool { return c.name == name }) {
			b.extra = append(b.extra, name)
			if s.options.ExtraColumns == Reject {
				b.fail(name, "column_in_schema", table.TypeWord(t.Arrow().Schema().Field(at).Type))
			}
		}
	}
	return b, b.bindRules(rows)
}

func duplicates(names []string) error {
	seen := map[string]bool{}
	var twice []string
	for _, n := range names {
		if seen[n] {
			twice = append(twice, fmt.Sprintf("%q", n))
		}
		seen[n] = true
	}
	if len(twice) > 0 {
		return fault.New(fault.Invalid, "the table has more than one column %s", strings.Join(twice, ", ")).
			WithHint("rename them, so that a name means one column")
	}
	return nil
}

func (b *binding) fail(column, check string, failureCase any) {
	b.broken = append(b.broken, Failure{Column: column, Check: check, Severity: Error, FailureCase: failureCase, Row: NoRow})
}

// column binds one column, or says why that cannot be.
func (b *binding) column(i int, c *column, at int) {
	if at < 0 {
		if !c.optional {
			b.fail(c.name, "column_present", nil)
			b.unfit = true
		}
		return
	}
	data := b.table.Arrow().Column(at).Data()
	given := chunkedOf(data)
	bound := &boundColumn{given: given, values: given}
	if !c.kind.holds(data.DataType()) {
		if !b.schema.options.Coerce || !converts(data.DataType(), c.kind) {
			b.fail(c.name, "type("+c.kind.word+")", table.TypeWord(data.DataType()))
			b.unfit = true
			return
		}
		bound.values, bound.lost = convert(given, b.rows, c.kind)
	}
	b.columns[i] = bound
}

// bindRules picks the rules whose columns are there, and adds those of conversions.
func (b *binding) bindRules(rows any) error {
	for _, r := range b.schema.rules {
		if r.count != nil {
			if !r.count(b.total) {
				b.broken = append(b.broken, Failure{Check: r.check, Severity: r.severity, FailureCase: int64(b.total), Row: NoRow})
			}
			continue
		}
		if slices.ContainsFunc(r.at, func(at int) bool { return b.columns[at] == nil }) {
			continue
		}
		eval := r.eval
		if r.row != nil {
			if b.unfit {
				continue // the struct would not fit either; what is wrong is reported already
			}
			var err error
			if eval, err = r.row.over(rows, b); err != nil {
				return fault.Wrap(fault.Invalid, fmt.Sprintf("schema %q: %s", b.schema.name, r.what()), err)
			}
		}
		b.rules, b.evals = append(b.rules, r), append(b.evals, eval)
	}
	for i, c := range b.columns {
		if c != nil && c.lost != nil {
			b.addCoerce(i)
		}
	}
	return nil
}

// columnsOf returns a rule's columns.
func (b *binding) columnsOf(r *rule) []*chunked {
	columns := make([]*chunked, len(r.at))
	for i, at := range r.at {
		columns[i] = b.columns[at].values
	}
	return columns
}

// addCoerce puts the rule of a converted column at its place in the order.
func (b *binding) addCoerce(i int) {
	c := b.schema.columns[i]
	r := &rule{check: "coerce(" + c.kind.word + ")", names: []string{c.name}, at: []int{i}, severity: Error}
	place := slices.IndexFunc(b.rules, func(o *rule) bool { return o.ofTable || o.at[0] > i || o.at[0] == i && o.check > r.check })
	if place < 0 {
		place = len(b.rules)
	}
	lost := b.columns[i].lost
	b.rules = slices.Insert(b.rules, place, r)
	b.evals = slices.Insert(b.evals, place, func(k *block, fail []uint64) { copy(fail, lost.words(k.from/blockRows)) })
}
