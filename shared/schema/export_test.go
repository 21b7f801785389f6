package schema

import (
	"reflect"
	"slices"

	"waggle/shared/table"
)

// FieldsOf is what FromStruct makes of a type that is known only at run time.
func FieldsOf(t reflect.Type) (parts []Part, mistakes []error) { return fieldsOf(t) }

// CopiesDealing finds copies of one column with few rows dealt out at a time.
func CopiesDealing(t *table.Table, which Copies, most int) []int {
	c := chunkedOf(t.Arrow().Column(0).Data())
	return slices.Collect(findCopies([]*chunked{c}, t.NumRows(), which, most).all())
}
