// Package manifest is what a deployment consists of: the functions that were built, and the jobs, schedules, sensors and channels
// that they serve. The build writes it; infrastructure is generated from it, so that nothing is declared twice.
//
// It knows no AWS library; what it says of AWS are names, limits and the form of cron expressions. It imports event, fault, job, notify,
// run, secret, sensor and waggle of ours.
package manifest

import "waggle/shared/run"

// Version is the version of the manifest that this package reads and writes.
const Version = 1

// File is the manifest's name, in the folder that its paths begin in.
const File = "manifest.json"

// Manifest is what a deployment consists of. Of makes it; the build adds the zips.
type Manifest struct {
	Version int `json:"version"`
	// CodeVersion is the commit that the functions were built from, with + where files had changed since.
	CodeVersion string     `json:"code_version"`
	Functions   []Function `json:"functions"`
	Jobs        []Job      `json:"jobs"`
	Schedules   []Schedule `json:"schedules"`
	Sensors     []Sensor   `json:"sensors"`
	Channels    []Channel  `json:"channels"`
}

// Job is a job's name and its steps, in the order of the plan.
type Job struct {
	Name     string        `json:"name"`
	Steps    []run.StepKey `json:"steps"`
	Isolated []run.StepKey `json:"isolated"` // those of Steps that run in the function step
}

// Schedule launches a job.
type Schedule struct {
	Name       string `json:"name"`
	Cron       string `json:"cron"`       // as declared: five fields
	Expression string `json:"expression"` // the same for EventBridge Scheduler; see Expression
	TimeZone   string `json:"time_zone"`  // IANA's name, never empty
	Job        string `json:"job"`
}

// Sensor is called for events of some types, or by the clock.
type Sensor struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
	// DetailTypes are the types of events that the bus must bring it; none where the clock calls it.
	DetailTypes []string `json:"detail_types"`
	// IntervalSeconds is how often the clock calls it; 0: it does not.
	IntervalSeconds int `json:"interval_seconds,omitempty"`
	// Jobs are those that it looks at; none: all.
	Jobs []string `json:"jobs"`
}

// DetailTypes lists the types of events that any sensor wants, sorted, each once.
func (m Manifest) DetailTypes() []string { return detailTypes(m.Sensors) }

// Function returns the function with a name; ok is false where there is none.
func (m Manifest) Function(name string) (f Function, ok bool) {
	for _, f := range m.Functions {
		if f.Name == name {
			return f, true
		}
	}
	return Function{}, false
}
