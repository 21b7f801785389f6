package notice

import (
	"time"

	"waggle/shared/metadata"
	"waggle/shared/notify"
	"waggle/shared/run"
)

// Run is what is known of a run when people are told of it. Of makes it; fields that do not apply are zero.
type Run struct {
	ID     run.ID
	Job    string // empty: assets that were selected by hand
	Name   string // the job, or what was selected
	Status run.Status
	Reason run.Reason // of FAILURE

	Config      run.Config
	Tags        map[string]string
	CodeVersion string

	Launched time.Time
	Started  time.Time // zero: it never started
	Ended    time.Time // zero: it has not ended

	// Error is the first real error; not "steps failed".
	Error       string
	FailedSteps []FailedStep
	Skipped     []SkippedStep
	Canceled    int // steps that were stopped, or never started, because the run was canceled

	// WillRetry says that another run of the request follows.
	WillRetry bool
	// RetryOf is the run that this one retries; empty for the first of a chain.
	RetryOf run.ID
	// Retries is how many runs of the chain came before.
	Retries int

	Materializations []run.Materialization
	Checks           []run.CheckResult
	Warnings         []Warning

	// FailingSince is when the first of the failures in a row ended whose newest this run is; zero for a run that did not fail.
	FailingSince time.Time
	// Failures is how many runs in a row have failed, this one included. Runs that the chain still retries do not count.
	Failures int
	// LastSuccess is the newest run of the job before this one that succeeded; nil: none is known.
	LastSuccess *Success
	// Changed is what differs from LastSuccess.
	Changed []Change

	// Place is where the run ran; it gives Link and Command their words, and times their zone.
	Place Place
}

// FailedStep is a step that failed by itself, or a blocking check that failed.
type FailedStep struct {
	Step    run.StepKey
	Kind    run.ErrorKind
	Error   string
	Stack   string // of a panic, from its innermost call
	Attempt int    // of how many starts this is the last
	Took    time.Duration
	Log     []string // its last log lines, as people read them
}

// SkippedStep is a step that did not run because of another.
type SkippedStep struct {
	Step   run.StepKey
	Reason run.SkipReason
	By     run.StepKey
}

// Success is a run that succeeded.
type Success struct {
	Run  run.ID
	Time time.Time // when it ended
}

// Warning is a check that failed without stopping the run, or rows of an asset that broke its rules.
type Warning struct {
	Asset       run.AssetKey
	Check       string // empty: Validation or Kept says it
	Severity    run.Severity
	Description string          // of the check, or the error that kept it from an answer
	Metadata    metadata.Values // of the check
	Validation  metadata.Value  // the asset's validation_warnings: rows that it set aside
	Kept        metadata.Value  // the asset's kept_with_warnings: rows that it handed on
}

// Link is the page of the run; empty where there are no pages.
func (r Run) Link() string { return r.Place.link(r.ID) }

// Command shows the run: "waggle runs show 0199f3c2-1a2b".
func (r Run) Command() string { return r.Place.command("runs", "show", r.ID.Short()) }

// Duration is how long the run took; zero where it has not started or not ended.
func (r Run) Duration() time.Duration {
	if r.Started.IsZero() || r.Ended.IsZero() {
		return 0
	}
	return max(0, r.Ended.Sub(r.Started))
}

// Report is what there is to say of the run as it stands: it failed, succeeded, was canceled or has started.
func (r Run) Report() notify.Sendable {
	switch r.Status {
	case run.Failure:
		return failureReport{r}
	case run.Success:
		return successReport{r}
	case run.Canceled:
		return canceledReport{r}
	default:
		return startedReport{r}
	}
}

// WarningsReport lists the warnings, with validation_warnings.json attached.
func (r Run) WarningsReport() notify.Sendable { return warningsReport{r} }

// failingFor is how long the job has been failing; zero at its first failure.
func (r Run) failingFor() time.Duration {
	if r.FailingSince.IsZero() || r.Ended.IsZero() {
		return 0
	}
	return max(0, r.Ended.Sub(r.FailingSince))
}

// begun is the moment the run is known by: its start, else its launch.
func (r Run) begun() time.Time {
	if r.Started.IsZero() {
		return r.Launched
	}
	return r.Started
}
