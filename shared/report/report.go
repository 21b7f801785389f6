// Package report is the summary of a run: what it made, what its checks said, what failed and why, computed once from
// the run's record and rendered as text for a terminal or a mail, and as JSON.
//
// It knows no store and no terminal. It imports duration, metadata, plan and run of ours.
package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"waggle/shared/metadata"
	"waggle/shared/plan"
	"waggle/shared/run"
	"waggle/shared/runlog"
)

// Report is the summary of a run.
type Report struct {
	ID       run.ID
	Request  run.Request
	Status   run.Status
	Reason   run.Reason // of FAILURE
	Error    string     // the first real one
	Launched time.Time
	Started  time.Time // zero: not started
	Ended    time.Time // zero: not ended
	Duration time.Duration

	Assets   []Asset // every asset that the run was to make, in the order of the plan
	Checks   []Check
	Warnings []Warning
	Outputs  []Output

	// Deliveries are what sensors told people of the run. Of does not know them.
	Deliveries []Delivery
}

// Delivery is a message about the run.
type Delivery struct {
	Sensor   string `json:"sensor"`
	Channel  string `json:"channel"` // empty: the sensor has not been called yet
	State    string `json:"state"`
	Attempts int    `json:"attempts"`
	EventID  string `json:"event_id"`
}

// Asset is what became of an asset in the run.
type Asset struct {
	Key      run.AssetKey
	Group    string // empty where the code is not known
	Status   run.StepStatus
	Attempt  int
	Started  time.Time
	Duration time.Duration
	Error    *run.Error // of its last failed attempt
	Skipped  *run.Skip
	Metadata metadata.Values
	Value    *run.Value
	Verdict  run.Verdict // empty where it has no value
}

// Rows is the asset's record_count, and whether it reported one.
func (a Asset) Rows() (int64, bool) { return Rows(a.Metadata) }

// Rows is the record_count among metadata, and whether there is one.
func Rows(values metadata.Values) (int64, bool) {
	n, ok := values["record_count"].Number()
	return int64(n), ok
}

// Check is what a check of the run came to.
type Check struct {
	run.CheckResult
	Attempt  int
	Started  time.Time
	Duration time.Duration
	Failure  *run.Error // of its last failed attempt
	Skipped  *run.Skip
}

// Why is what the check found: its description, the error that kept it from an answer, or else its metadata.
func (c Check) Why() string {
	switch {
	case c.Error != "":
		return c.Error
	case c.Description != "":
		return c.Description
	}
	var found []string
	for _, label := range c.Metadata.Labels() {
		found = append(found, label+" "+c.Metadata[label].String())
	}
	return strings.Join(found, ", ")
}

// Warning is something that did not fail the run and that somebody should look at.
type Warning struct {
	Asset run.AssetKey
	Check string // empty: the asset itself reports it
	Text  string
}

// Output is where an asset was written to.
type Output struct {
	Asset run.AssetKey
	Label string
	Path  string
}

// Of summarizes a run. With its plan also steps that had no event are listed, and groups are known; nil where the code
// has changed since. now is for the duration of a run that has not ended.
func Of(r run.Record, p *plan.Plan, now time.Time) *Report {
	report := &Report{ID: r.ID, Request: r.Request, Status: r.Status, Reason: r.Reason, Error: r.Error,
		Launched: r.Launched, Started: r.Started, Ended: r.Ended, Duration: r.Duration(now)}
	steps := make(map[run.StepKey]*run.Step, len(r.Steps))
	for i := range r.Steps {
		steps[r.Steps[i].Key] = &r.Steps[i]
	}
	made := make(map[run.AssetKey]*run.Materialization, len(r.Materializations))
	for i := range r.Materializations {
		made[r.Materializations[i].Asset] = &r.Materializations[i]
	}
	judged := make(map[run.StepKey]*run.CheckResult, len(r.Checks))
	for i, c := range r.Checks {
		judged[run.CheckStep(c.Asset, c.Check)] = &r.Checks[i]
	}
	add := func(key run.StepKey, group string) {
		step := steps[key]
		if step == nil {
			step = &run.Step{Key: key, Status: withoutEvent(r.Status)}
		}
		if _, isCheck := step.Check(); isCheck {
			report.Checks = append(report.Checks, checkOf(step, judged[key], r.ID))
			return
		}
		report.Assets = append(report.Assets, assetOf(step, made[run.AssetKey(key)], group))
	}
	if p != nil {
		for _, s := range p.Steps {
			add(s.Key, s.Group())
		}
	} else {
		for i := range r.Steps {
			add(r.Steps[i].Key, "")
		}
	}
	report.notice()
	return report
}

// withoutEvent is the status of a step that the log does not mention.
func withoutEvent(s run.Status) run.StepStatus {
	if s.Terminal() {
		return run.StepCanceled
	}
	return run.StepPending
}

func assetOf(s *run.Step, m *run.Materialization, group string) Asset {
	a := Asset{Key: run.AssetKey(s.Key), Group: group, Status: s.Status, Attempt: s.Attempt, Started: s.Started, Duration: s.Duration,
		Error: s.Error, Skipped: s.Skipped, Metadata: s.Metadata}
	if m != nil {
		a.Metadata, a.Value, a.Verdict = m.Metadata, m.Value, m.Verdict
	}
	return a
}

func checkOf(s *run.Step, c *run.CheckResult, id run.ID) Check {
	out := Check{Attempt: s.Attempt, Started: s.Started, Duration: s.Duration, Failure: s.Error, Skipped: s.Skipped}
	if c != nil {
		out.CheckResult = *c
		return out
	}
	name, _ := s.Check()
	out.CheckResult = run.CheckResult{Asset: runlog.AssetOf(s.Key), Check: name, Run: id, Severity: run.SeverityError, Status: run.CheckSkipped}
	if s.Status == run.StepRunning || s.Status == run.StepRetrying {
		out.Status = run.CheckInProgress
	}
	return out
}

// notice gathers the warnings and the outputs.
func (r *Report) notice() {
	for _, c := range r.Checks {
		if c.Status == run.CheckFailed && !c.Blocks() || c.Status == run.CheckExecutionFailed && !c.Blocking {
			r.Warnings = append(r.Warnings, Warning{Asset: c.Asset, Check: c.Check, Text: c.Why()})
		}
	}
	for _, a := range r.Assets {
		if v, ok := a.Metadata["validation_warnings"]; ok {
			r.Warnings = append(r.Warnings, Warning{Asset: a.Key, Text: validationText(v)})
		}
		if v, ok := a.Metadata["kept_with_warnings"]; ok {
			r.Warnings = append(r.Warnings, Warning{Asset: a.Key, Text: keptText(v)})
		}
		for _, label := range a.Metadata.Labels() {
			v := a.Metadata[label]
			if path, ok := v.Any().(string); ok && v.Type == metadata.TypePath && v.Blob == "" && a.Status == run.StepSucceeded && !reads(label) {
				r.Outputs = append(r.Outputs, Output{Asset: a.Key, Label: label, Path: path})
			}
		}
	}
}

// reads reports whether a label says that its path is no output: it was read, or is the store's own.
func reads(label string) bool {
	return slices.Contains([]string{"source", "sources", "input"}, label) || strings.HasPrefix(label, "quarantine")
}

func validationText(v metadata.Value) string {
	var found struct {
		Removed int `json:"removed_rows"`
		Errors  int `json:"error_count"`
	}
	if v.Blob == "" && v.Decode(&found) == nil && found.Removed > 0 {
		return fmt.Sprintf("%s set aside for %s", Count(found.Removed, "row"), Count(found.Errors, "error"))
	}
	return "rows were set aside; see validation_warnings"
}

func keptText(v metadata.Value) string {
	var found struct {
		Rows     int `json:"kept_rows"`
		Warnings int `json:"warning_count"`
	}
	if v.Blob == "" && v.Decode(&found) == nil && found.Rows > 0 {
		return fmt.Sprintf("%s kept with %s", Count(found.Rows, "row"), Count(found.Warnings, "warning"))
	}
	return "there are warnings; see kept_with_warnings"
}

// Tally counts what a run came to.
type Tally struct {
	Assets, Made, Failed, Blocked, Canceled int // assets
	Checks, Passed                          int // evaluated
}

// Tally counts the assets and the checks.
func (r *Report) Tally() Tally {
	t := Tally{Assets: len(r.Assets)}
	for _, a := range r.Assets {
		switch a.Status {
		case run.StepSucceeded:
			t.Made++
		case run.StepFailed:
			t.Failed++
		case run.StepSkipped:
			t.Blocked++
		case run.StepCanceled:
			t.Canceled++
		}
	}
	for _, c := range r.Checks {
		if c.Status == run.CheckSkipped || c.Status == run.CheckInProgress {
			continue
		}
		t.Checks++
		if c.Passed {
			t.Passed++
		}
	}
	return t
}

// Failures lists the assets and checks that failed by themselves, in order.
func (r *Report) Failures() []Failure {
	var list []Failure
	for _, a := range r.Assets {
		if a.Status == run.StepFailed && a.Error != nil {
			list = append(list, Failure{Step: run.StepKey(a.Key), Error: *a.Error})
		}
	}
	for _, c := range r.Checks {
		key := run.CheckStep(c.Asset, c.Check)
		switch {
		case c.Status == run.CheckExecutionFailed && c.Failure != nil:
			list = append(list, Failure{Step: key, Error: *c.Failure})
		case c.Blocks():
			list = append(list, Failure{Step: key, Error: run.Error{Kind: run.Blocked, Message: c.Why()}})
		}
	}
	return list
}

// Failure is a step that failed, and why.
type Failure struct {
	Step  run.StepKey
	Error run.Error
}
