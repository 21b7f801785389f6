package asset

// Input is what a function takes as a parameter of type T: an asset, a configuration or a resource.
type Input[T any] interface {
	// Source says which, without the type.
	Source() Source
	yields(T)
}

// Source is an input, its type erased: one of its fields is set. All nil is a nil
// input, which Validate reports.
type Source struct {
	Asset    *Definition
	Config   *ConfigDefinition
	Resource *ResourceDefinition
}

// Source makes a source one of the Sourced.
func (s Source) Source() Source { return s }

// Zero reports whether the source is a nil input.
func (s Source) Zero() bool { return s == Source{} }

// Sources erases the types of inputs, and lists by position those that are nil.
func Sources(inputs []Sourced) (sources []Source, nils []int) {
	for i, in := range inputs {
		var source Source
		if in != nil {
			source = in.Source()
		}
		if source.Zero() {
			nils = append(nils, i)
			continue
		}
		sources = append(sources, source)
	}
	return sources, nils
}
