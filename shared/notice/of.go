package notice

import (
	"time"

	"waggle/shared/report"
	"waggle/shared/run"
)

// Metadata labels under which an asset says which rows broke its rules.
const (
	WarningsLabel = "validation_warnings" // rows that it set aside
	KeptLabel     = "kept_with_warnings"  // rows that it handed on
)

// History is what a record does not say about its own run: others before it, and its log. The zero value says nothing.
type History struct {
	// LastSuccess is the newest run of the job before this one that succeeded; nil: none.
	LastSuccess *run.Record
	// FailingSince and Failures as in Run. For a run that failed, their zero values mean that it is the first to fail.
	FailingSince time.Time
	Failures     int
	// Logs are the last log lines of failed steps, oldest first.
	Logs map[run.StepKey][]string
	// Inputs are the assets whose row counts and schemas are compared with those of LastSuccess. Nil: every asset that
	// both runs report them of.
	Inputs []run.AssetKey
}

// Of gathers what people are told of a run. It keeps the record's lists, which must not change afterwards.
func Of(r run.Record, h History, place Place) Run {
	out := Run{ID: r.ID, Job: r.Request.Job, Name: r.Request.Name(), Status: r.Status, Reason: r.Reason, Config: r.Request.Config,
		Tags: r.Request.Tags, CodeVersion: r.Request.CodeVersion, Launched: r.Launched, Started: r.Started, Ended: r.Ended, Error: r.Error,
		WillRetry: r.WillRetry, RetryOf: r.Request.Parent, Retries: r.Request.Retries, Materializations: r.Materializations, Checks: r.Checks,
		Warnings: WarningsOf(r), Place: place}
	steps := make(map[run.StepKey]*run.Step, len(r.Steps))
	for i := range r.Steps {
		s := &r.Steps[i]
		steps[s.Key] = s
		switch s.Status {
		case run.StepSkipped:
			skipped := SkippedStep{Step: s.Key}
			if s.Skipped != nil {
				skipped.Reason, skipped.By = s.Skipped.Reason, s.Skipped.Step
			}
			out.Skipped = append(out.Skipped, skipped)
		case run.StepCanceled:
			out.Canceled++
		}
	}
	for _, f := range report.Of(r, nil, r.Ended).Failures() {
		step := FailedStep{Step: f.Step, Kind: f.Error.Kind, Error: f.Error.Message, Stack: f.Error.Stack, Log: h.Logs[f.Step]}
		if s := steps[f.Step]; s != nil {
			step.Attempt, step.Took = s.Attempt, s.Duration
		}
		out.FailedSteps = append(out.FailedSteps, step)
	}
	if out.Error == "" && len(out.FailedSteps) > 0 {
		out.Error = out.FailedSteps[0].Error
	}
	if r.Status == run.Failure {
		out.FailingSince, out.Failures = h.FailingSince, max(1, h.Failures)
		if out.FailingSince.IsZero() {
			out.FailingSince = r.Ended
		}
	}
	if h.LastSuccess != nil {
		out.LastSuccess = &Success{Run: h.LastSuccess.ID, Time: h.LastSuccess.Ended}
		out.Changed = changes(*h.LastSuccess, r, h.Inputs)
	}
	return out
}

// WarningsOf lists what a run warns of: checks that failed without stopping it, then rows of assets that broke their rules, both in
// the order of the log.
func WarningsOf(r run.Record) []Warning {
	var all []Warning
	for _, c := range r.Checks {
		if (c.Status == run.CheckFailed || c.Status == run.CheckExecutionFailed) && !c.Blocks() {
			w := Warning{Asset: c.Asset, Check: c.Check, Severity: c.Severity, Description: c.Description, Metadata: c.Metadata}
			if w.Severity == "" {
				w.Severity = run.SeverityError
			}
			if c.Error != "" {
				w.Description = c.Error
			}
			all = append(all, w)
		}
	}
	for _, m := range r.Materializations {
		if v, ok := m.Metadata[WarningsLabel]; ok {
			all = append(all, Warning{Asset: m.Asset, Validation: v})
		}
		if v, ok := m.Metadata[KeptLabel]; ok {
			all = append(all, Warning{Asset: m.Asset, Kept: v})
		}
	}
	return all
}
