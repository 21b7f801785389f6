package run

import (
	"bytes"
	"encoding/json"
)

// Request is what was asked for when a run was launched. It never changes.
type Request struct {
	Job         string            `json:"job,omitempty"`       // empty: a selection of steps
	Selection   []StepKey         `json:"selection,omitempty"` // empty: every step of the job
	Config      Config            `json:"config,omitempty"`    // what differs from the defaults
	Tags        map[string]string `json:"tags,omitempty"`
	Parent      ID                `json:"parent,omitempty"`  // the run that this one retries
	Root        ID                `json:"root,omitempty"`    // the first of that chain
	Retries     int               `json:"retries,omitempty"` // how many runs of that chain came before
	CodeVersion string            `json:"code_version,omitempty"`
	Limits      []Limit           `json:"limits,omitempty"`   // empty: the run never waits
	Priority    int               `json:"priority,omitempty"` // a higher one is admitted first; from -MaxPriority to MaxPriority
}

// RetryKey is the run key of the one run that retries another.
func RetryKey(parent ID) string { return "retry#" + string(parent) }

// MaxPriority is the highest priority of a run; its negative is the lowest.
const MaxPriority = 10_000

// Limit is how many runs of some kind may run at once.
type Limit struct {
	Name string `json:"name"` // "job:gallery", "tag:customer=acme"
	Max  int    `json:"max"`
}

// Name is the job's name, or what was selected.
func (r Request) Name() string {
	switch {
	case r.Job != "":
		return r.Job
	case len(r.Selection) == 1:
		return string(r.Selection[0])
	default:
		return "selection"
	}
}

// Config is what a run was given of its job's configuration, by name.
type Config map[string]any

// UnmarshalJSON keeps numbers as json.Number, so that large integers stay what they are.
func (c *Config) UnmarshalJSON(data []byte) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var m map[string]any
	if err := dec.Decode(&m); err != nil {
		return err
	}
	*c = m
	return nil
}
