package table

import (
	"fmt"
	"strings"

	"github.com/agnivade/levenshtein"

	"waggle/shared/fault"
)

// missingColumn says which column is not there, which are, and what was probably meant.
func missingColumn(name string, has []string) *fault.Error {
	err := fault.New(fault.Invalid, "no column %q, the columns are %s", name, enumerate(has))
	if near := nearest(name, has); near != "" {
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

// nearest returns the name that is at most a third of its letters away from what was written,
// letter case and separators aside; "" where there is none.
func nearest(name string, among []string) string {
	best, least := "", 1<<30
	for _, other := range among {
		d := levenshtein.ComputeDistance(fold(name), fold(other))
		if d < least && d <= max(len(name), len(other))/3 {
			best, least = other, d
		}
	}
	return best
}

var separators = strings.NewReplacer("_", "", " ", "", "-", "")

func fold(s string) string { return separators.Replace(strings.ToLower(s)) }

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
