package events_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"waggle/shared/event"
	"waggle/shared/run"
)

// property is what this test reads of a schema's property.
type property struct {
	Type   string   `json:"type"`
	Format string   `json:"format"`
	Enum   []string `json:"enum"`
	Const  any      `json:"const"`
}

func properties(t *testing.T, schema []byte) map[string]property {
	t.Helper()
	var s struct {
		Properties map[string]property `json:"properties"`
	}
	if err := json.Unmarshal(schema, &s); err != nil {
		t.Fatal(err)
	}
	return s.Properties
}

// TestSchemasAndTheGoTypeHaveTheSameFields compares the properties of the schemas with the JSON fields of event.Event.
func TestSchemasAndTheGoTypeHaveTheSameFields(t *testing.T) {
	t.Parallel()
	fields := map[string]reflect.StructField{}
	always := []string{}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[event.Event]()) {
		name, rest, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" || name == "-" {
			t.Fatalf("event.Event.%s has no name in JSON; give it one", f.Name)
		}
		fields[name] = f
		if rest == "" {
			always = append(always, name)
		}
	}
	seen := map[string]bool{}
	for _, c := range setup(t) {
		if !c.today {
			continue
		}
		for name, p := range properties(t, c.written) {
			f, ok := fields[name]
			if !ok {
				t.Errorf("%s/schema.json has %s, and event.Event has not. Was it renamed or removed? Somebody reads it: bring it back, and add a field beside it", c.dir, name)
				continue
			}
			seen[name] = true
			if got, want := p.shape(), shapeOf(f.Type); got != want {
				t.Errorf("%s/schema.json: %s is a %s, in event.Event a %s. A field keeps its type: add another one", c.dir, name, got, want)
			}
		}
		for _, name := range always {
			if !slices.Contains(c.schema.Required, name) {
				t.Errorf("%s/schema.json: %s is always there; add it to required", c.dir, name)
			}
		}
	}
	for name, f := range fields {
		if !seen[name] {
			t.Errorf("event.Event.%s (%s) is in no schema: add it to those of the events that have it, with what it means, and to a new sample", f.Name, name)
		}
	}
}

// shape is a property's kind of value.
func (p property) shape() string {
	switch {
	case p.Format == "date-time":
		return "time"
	case p.Const == true:
		return "boolean" // left out where it is false
	case p.Const != nil:
		return "string"
	}
	return p.Type
}

func shapeOf(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return "time"
	case t.Kind() == reflect.String:
		return "string"
	case t.Kind() == reflect.Bool:
		return "boolean"
	case reflect.Int <= t.Kind() && t.Kind() <= reflect.Int64:
		return "integer"
	}
	return t.String()
}

// enumerations are the fields with a closed set of words, the package and type of their constants, and those that are never published.
var enumerations = []struct {
	field, dir, name string
	never            []string
}{
	{"status", "../shared/run", "Status", []string{string(run.Starting)}},                                             // derived, in no log
	{"check_status", "../shared/run", "CheckStatus", []string{string(run.CheckInProgress), string(run.CheckSkipped)}}, // not evaluated
	{"reason", "../shared/run", "Reason", nil},
	{"verdict", "../shared/run", "Verdict", nil},
	{"severity", "../shared/run", "Severity", nil},
	{"tick_status", "../shared/event", "TickStatus", nil},
	{"delivery_status", "../shared/event", "DeliveryStatus", nil},
}

// TestSchemasAndTheGoConstantsHaveTheSameWords compares the enumerations of the schemas with the constants of their Go types.
func TestSchemasAndTheGoConstantsHaveTheSameWords(t *testing.T) {
	t.Parallel()
	contracts, left := setup(t), map[string]bool{}
	for _, c := range contracts {
		for field, p := range properties(t, c.written) {
			left[field] = left[field] || c.today && len(p.Enum) > 0
		}
	}
	for _, e := range enumerations {
		words := constants(t, e.dir, e.name)
		if len(words) == 0 {
			t.Errorf("%s has no constants of %s", e.dir, e.name)
		}
		for _, word := range e.never {
			delete(words, word)
		}
		want := slices.Sorted(maps.Keys(words))
		for _, c := range contracts {
			p, ok := properties(t, c.written)[e.field]
			if !ok || !c.today {
				continue
			}
			slices.Sort(p.Enum)
			if !slices.Equal(p.Enum, want) {
				t.Errorf("%s/schema.json: %s is one of %q, by %s.%s one of %q. A new word goes into the schema and a new sample; one that is there stays, somebody's rule has it",
					c.dir, e.field, p.Enum, filepath.Base(e.dir), e.name, want)
			}
		}
		delete(left, e.field)
	}
	for field, enum := range left {
		if enum {
			t.Errorf("this test does not know which constants %s has; add it to enumerations", field)
		}
	}
	var titles []string
	for _, c := range contracts {
		if c.today {
			titles = append(titles, string(c.title()))
		}
	}
	slices.Sort(titles)
	if want := slices.Sorted(maps.Keys(constants(t, "../shared/event", "Type"))); !slices.Equal(titles, want) {
		t.Errorf("there are contracts for %q, and types of events %q: each has a folder here", titles, want)
	}
}

// constants reads the string constants of a type from the source of its package.
func constants(t *testing.T, dir, name string) map[string]bool {
	t.Helper()
	words := map[string]bool{}
	paths, err := filepath.Glob(dir + "/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			if ident, ok := spec.Type.(*ast.Ident); !ok || ident.Name != name {
				return true
			}
			for _, v := range spec.Values {
				if lit, ok := v.(*ast.BasicLit); ok && lit.Kind == token.STRING {
					word, err := strconv.Unquote(lit.Value)
					if err != nil {
						t.Fatal(err)
					}
					words[word] = true
				}
			}
			return true
		})
	}
	return words
}
