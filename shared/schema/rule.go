package schema

import (
	"fmt"
	"strings"
)

// rule is one thing that rows must hold to, of a column or of the table.
type rule struct {
	check    string   // "greater_than(0)"
	names    []string // of its columns
	at       []int    // their places in the schema
	ofTable  bool
	severity Severity
	because  string

	bind   func(*Schema) error           // checks the columns' types when the schema is made; nil: no need
	eval   func(b *block, fail []uint64) // marks the rows of a block that break it
	unique Copies                        // of a rule about uniqueness
	count  func(rows int) bool           // of a rule about the number of rows
	row    rowRule                       // of a rule over structs
}

// column is how failures name what the rule is about.
func (r *rule) column() string { return strings.Join(r.names, ", ") }

func (r *rule) what() string {
	if len(r.names) == 0 {
		return fmt.Sprintf("rule %q", r.check)
	}
	return fmt.Sprintf("rule %q of column %q", r.check, r.column())
}

// notNull is the check that nulls break.
const notNull = "not_null"
