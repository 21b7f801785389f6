package table

import (
	"fmt"
	"strings"

	"waggle/shared/fault"
)

// missingColumn says which column is not there, which are, and what was probably meant.
func missingColumn(name string, has []string) *fault.Error {
	err := fault.New(fault.Invalid, "no column %q, the columns are %s", name, enumerate(has))
	if near := fault.Nearest(name, has); near != "" {
		return err.WithHint("is it %q? name it %q in the source, or give the field the tag `column:%q`", near, name, near)
	}
	return err.WithHint("add it to the source, or leave the field out with the tag `column:\"-\"`")
}

// enumerate lists names for people, at most 20 of them.
func enumerate(names []string) string {
	const most = 20
	if len(names) == 0 {
		return "none"
	}
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}

// quoted is a value in an error: at most 60 characters of it.
func quoted[S string | []byte](value S) string {
	return fmt.Sprintf("%q", cut(string(value), 60))
}

// cut shortens a text to n characters and an ellipsis.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	count := 0
	for i := range s {
		if count == n {
			return s[:i] + "…"
		}
		count++
	}
	return s
}
