package metadata

// Invalid is a value that could not be made. It is for packages that make values of their own: the
// step that adds it fails at its end with the label and the error, as for NaN.
func Invalid(err error) Value { return broken(TypeNull, err) }
