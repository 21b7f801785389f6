package run

import (
	"time"

	"waggle/shared/metadata"
)

// Severity is how bad a failed check is.
type Severity string

// The severities. The zero value means Error.
const (
	SeverityError Severity = "ERROR"
	SeverityWarn  Severity = "WARN"
)

// CheckStatus is where a check evaluation stands. The words are Dagster's.
type CheckStatus string

// The statuses of a check.
const (
	CheckInProgress      CheckStatus = "IN_PROGRESS"
	CheckSucceeded       CheckStatus = "SUCCEEDED"
	CheckFailed          CheckStatus = "FAILED"
	CheckExecutionFailed CheckStatus = "EXECUTION_FAILED" // it returned an error or panicked
	CheckSkipped         CheckStatus = "SKIPPED"
)

// CheckResult is one evaluation of a check.
type CheckResult struct {
	Asset       AssetKey
	Check       string
	Run         ID
	Seq         int64
	Time        time.Time
	Status      CheckStatus
	Passed      bool
	Blocking    bool
	Severity    Severity
	Description string
	Metadata    metadata.Values
	Error       string // of EXECUTION_FAILED
}

// Blocks reports whether the result holds downstream steps back and fails the run.
func (c CheckResult) Blocks() bool {
	failed := c.Status == CheckExecutionFailed || c.Status == CheckFailed && c.Severity != SeverityWarn
	return c.Blocking && failed
}
