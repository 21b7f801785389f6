package fault

import (
	"strings"

	"github.com/agnivade/levenshtein"
)

var separators = strings.NewReplacer("_", "", " ", "", "-", "")

func folded(s string) string { return separators.Replace(strings.ToLower(s)) }

// Nearest returns the name that was probably meant: about a third of its letters at most away from what
// was written (of five letters two: a swap), letter case and separators aside; "" where there is none.
func Nearest[S ~string](written string, names []S) S {
	var best S
	least := -1
	for _, name := range names {
		d := levenshtein.ComputeDistance(folded(written), folded(string(name)))
		if d <= (max(len(written), len(name))+1)/3 && (least < 0 || d < least) {
			best, least = name, d
		}
	}
	return best
}

// Unknown is the NotFound error for a name that is not one of names: `unknown job "galery"
// (did you mean "gallery"?)`, or the list of names where none is near.
func Unknown[S ~string](noun, written string, names []S) *Error {
	err := New(NotFound, "unknown %s %q", noun, written)
	if near := Nearest(written, names); near != "" {
		return err.WithHint("did you mean %q?", string(near))
	}
	switch {
	case len(names) == 0:
		return err.WithHint("there is no %s", noun)
	case len(names) > 20:
		return err.WithHint("there are %d, the first is %q", len(names), string(names[0]))
	}
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = string(name)
	}
	return err.WithHint("there is %s", strings.Join(list, ", "))
}
