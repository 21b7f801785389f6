// Package events_test holds what is written in this folder, the contract with those who hear Waggle's events on a bus, against the code
// that makes them.
package events_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"waggle/shared/event"
)

// envelope is an event as EventBridge hands it on.
type envelope struct {
	Version    string          `json:"version"`
	ID         string          `json:"id"`
	DetailType string          `json:"detail-type"`
	Source     string          `json:"source"`
	Account    string          `json:"account"`
	Time       time.Time       `json:"time"`
	Region     string          `json:"region"`
	Resources  []string        `json:"resources"`
	Detail     json.RawMessage `json:"detail"`
}

// contract is one version of one event.
type contract struct {
	dir     string // "run_status_change/v1"
	today   bool   // there is no newer version
	written []byte // the schema
	schema  *jsonschema.Schema
	samples map[string][]byte // by path
}

// setup reads every contract.
func setup(t *testing.T) []contract {
	t.Helper()
	here := os.DirFS(".")
	dirs, err := fs.Glob(here, "*/v*")
	if err != nil || len(dirs) < 5 {
		t.Fatalf("contracts: %q, %v", dirs, err)
	}
	slices.SortFunc(dirs, func(a, b string) int { // v10 is newer than v9
		if path.Dir(a) != path.Dir(b) {
			return strings.Compare(a, b)
		}
		return len(a) - len(b)
	})
	var all []contract
	for i, dir := range dirs {
		c := contract{dir: dir, today: i == len(dirs)-1 || path.Dir(dirs[i+1]) != path.Dir(dir), written: read(t, dir+"/schema.json"), samples: map[string][]byte{}}
		c.schema = compile(t, dir, c.written)
		paths, err := fs.Glob(here, dir+"/samples/*.json")
		if err != nil || len(paths) == 0 {
			t.Fatalf("samples of %s: %q, %v", dir, paths, err)
		}
		for _, p := range paths {
			c.samples[p] = read(t, p)
		}
		all = append(all, c)
	}
	return all
}

func compile(t *testing.T, name string, written []byte) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(written))
	if err != nil {
		t.Fatalf("%s/schema.json: %v", name, err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource(name, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(name)
	if err != nil {
		t.Fatalf("%s/schema.json: %v", name, err)
	}
	return s
}

// validate returns what a schema says of a detail.
func (c contract) validate(detail []byte) error {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(detail))
	if err != nil {
		return err
	}
	return c.schema.Validate(doc)
}

// title is the detail-type that a contract is about.
func (c contract) title() event.Type { return event.Type(c.schema.Title) }

func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// strict decodes JSON into a value and refuses fields that it does not have.
func strict(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

// same reports whether two texts are the same JSON value.
func same(t *testing.T, a, b []byte) bool {
	t.Helper()
	var values [2]any
	for i, text := range [][]byte{a, b} {
		if err := json.Unmarshal(text, &values[i]); err != nil {
			t.Fatal(err)
		}
	}
	left, err := json.Marshal(values[0])
	if err != nil {
		t.Fatal(err)
	}
	right, err := json.Marshal(values[1])
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Equal(left, right)
}
