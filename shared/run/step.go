package run

import (
	"strings"
	"time"

	"waggle/shared/metadata"
)

// StepStatus is where a step stands.
type StepStatus string

// The statuses of a step.
const (
	StepPending   StepStatus = "PENDING"   // not started, or to be started again
	StepRunning   StepStatus = "RUNNING"   //
	StepRetrying  StepStatus = "RETRYING"  // failed, waits for its next attempt
	StepSucceeded StepStatus = "SUCCEEDED" //
	StepFailed    StepStatus = "FAILED"    //
	StepSkipped   StepStatus = "SKIPPED"   // does not run because of another step
	StepCanceled  StepStatus = "CANCELED"  // stopped, or never started, because the run was canceled
)

// Done reports whether the step has its result.
func (s StepStatus) Done() bool {
	return s == StepSucceeded || s == StepFailed || s == StepSkipped || s == StepCanceled
}

// Step is one step of a run.
type Step struct {
	Key      StepKey
	Status   StepStatus
	Attempt  int // of the newest start; 0: never started
	Started  time.Time
	Ended    time.Time
	Duration time.Duration   // of the last attempt
	Error    *Error          // of the last failed attempt; nil: none
	Metadata metadata.Values // what a failed step had reported
	Skipped  *Skip           // why it was skipped; nil: it was not
}

// Check reports the check's name if the step evaluates one.
func (s Step) Check() (name string, ok bool) {
	_, name, ok = strings.Cut(string(s.Key), ":")
	return name, ok
}

// ErrorKind says how a step failed.
type ErrorKind string

// The kinds of step errors.
const (
	Returned    ErrorKind = "error"       // the function returned it
	Panicked    ErrorKind = "panic"       // Stack has where
	TimedOut    ErrorKind = "timeout"     // longer than its Timeout
	Interrupted ErrorKind = "interrupted" // stopped by the platform's deadline, twice
	Stopped     ErrorKind = "stopped"     // stopped because its worker was; it is started again
	Died        ErrorKind = "died"        // its worker died while it ran
	Ignored     ErrorKind = "ignored"     // did not stop when it was canceled
	Blocked     ErrorKind = "blocked"     // a blocking check failed
)

// Error is why a step failed.
type Error struct {
	Kind    ErrorKind `json:"kind"`
	Message string    `json:"message"`
	Stack   string    `json:"stack,omitempty"` // of a panic
}

// Skip is why a step did not run.
type Skip struct {
	Reason SkipReason `json:"reason"`
	Step   StepKey    `json:"step"` // the step that failed or blocked, not one that was skipped in turn
}

// SkipReason says why a step was skipped.
type SkipReason string

// The reasons to skip a step.
const (
	UpstreamFailed SkipReason = "upstream_failed"
	CheckBlocked   SkipReason = "check_blocked"
)
