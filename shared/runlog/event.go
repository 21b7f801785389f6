// Package runlog is the log of a run: its events, the chunks they are stored in, and the fold that turns
// them into the state of the run.
//
// It knows no store and no engine. It imports fault, metadata and run of ours.
package runlog

import (
	"encoding/json"
	"log/slog"
	"time"

	"waggle/shared/metadata"
	"waggle/shared/run"
)

// Type is what an event says. Where Dagster has the event, the word is Dagster's.
type Type string

// The types of events, with the Data each carries; nil where none is named.
const (
	Owner           Type = "OWNER"                  // *Ownership: a worker took the run
	RunEnqueued     Type = "RUN_ENQUEUED"           // waits for its slots; the message says which
	RunDequeued     Type = "RUN_DEQUEUED"           // has its slots
	RunStart        Type = "RUN_START"              // *Start
	RunCanceling    Type = "RUN_CANCELING"          //
	RunSuccess      Type = "RUN_SUCCESS"            //
	RunFailure      Type = "RUN_FAILURE"            // *Failure
	RunCanceled     Type = "RUN_CANCELED"           //
	StepStart       Type = "STEP_START"             // *Begun, nil for an attempt like any other
	WorkerStarting  Type = "STEP_WORKER_STARTING"   // the attempt runs in a process of its own and has a log of its own
	WorkerStarted   Type = "STEP_WORKER_STARTED"    // *Claim: first event of that log
	StepSuccess     Type = "STEP_SUCCESS"           // *Outcome
	StepFailure     Type = "STEP_FAILURE"           // *Outcome
	StepUpForRetry  Type = "STEP_UP_FOR_RETRY"      // *Outcome
	StepInterrupted Type = "STEP_INTERRUPTED"       // *Outcome: stopped by the platform's deadline, will be started again
	StepSkipped     Type = "STEP_SKIPPED"           // *run.Skip
	StepCanceled    Type = "STEP_CANCELED"          // *Outcome, nil if it had not started
	Materialization Type = "ASSET_MATERIALIZATION"  // *Materialized
	CheckEvaluation Type = "ASSET_CHECK_EVALUATION" // *Evaluated
	Log             Type = "LOG"                    // *Logged, nil for a record without attributes
)

// Types lists every type of event.
func Types() []Type {
	return []Type{Owner, RunEnqueued, RunDequeued, RunStart, RunCanceling, RunSuccess, RunFailure, RunCanceled, StepStart, WorkerStarting, WorkerStarted,
		StepSuccess, StepFailure, StepUpForRetry, StepInterrupted, StepSkipped, StepCanceled, Materialization, CheckEvaluation, Log}
}

// MaxEvent is how many bytes an encoded event may have. What is larger goes to a blob before
// the event is appended.
const MaxEvent = 64 << 10

// Event is one entry of a run's log.
type Event struct {
	Seq       int64     // from 1, without gaps
	Time      time.Time // UTC, to the microsecond; never before that of the event before
	Type      Type
	Level     slog.Level
	Step      run.StepKey // empty: about the run
	Attempt   int         // of the step; 0: about the run
	Partition string      // of the step's asset; empty: it has none
	Message   string
	Data      any // by Type, a pointer; nil where there is none
}

// Ownership is the Data of OWNER.
type Ownership struct {
	Epoch  int64  `json:"epoch"`
	Worker string `json:"worker"`         // host and process, for people
	Died   bool   `json:"died,omitempty"` // the owner before did not release the run
}

// Start is the Data of RUN_START.
type Start struct {
	Plan        string `json:"plan"` // hash of the plan
	Steps       int    `json:"steps"`
	CodeVersion string `json:"code_version,omitempty"`
}

// Begun is the Data of STEP_START.
type Begun struct {
	// Careful marks an attempt that runs alone, after a crash: should its worker die, it is to blame.
	Careful bool `json:"careful,omitempty"`
}

// Claim is the Data of STEP_WORKER_STARTED: of several processes that were started for an attempt, the one whose claim is stored runs it.
type Claim struct {
	Worker string `json:"worker"` // host and process, for people
	Token  string `json:"token"`  // no two processes have the same
}

// Failure is the Data of RUN_FAILURE.
type Failure struct {
	Reason run.Reason `json:"reason"`
	Error  string     `json:"error"` // the first real error
	// WillRetry promises another run of the same request; it exists before this one is settled.
	WillRetry bool `json:"will_retry,omitempty"`
}

// Outcome is the Data of the end of an attempt.
type Outcome struct {
	DurationMS float64         `json:"duration_ms"`
	Error      *run.Error      `json:"error,omitempty"`
	Metadata   metadata.Values `json:"metadata,omitempty"` // what a failed attempt had reported
	RetryAt    *time.Time      `json:"retry_at,omitempty"` // of STEP_UP_FOR_RETRY
}

// Materialized is the Data of ASSET_MATERIALIZATION.
type Materialized struct {
	DurationMS float64         `json:"duration_ms"`
	Metadata   metadata.Values `json:"metadata,omitempty"`
	Value      *run.Value      `json:"value,omitempty"`    // nil: an asset without a value
	Blocking   []string        `json:"blocking,omitempty"` // checks that must answer before others may use it
}

// Evaluated is the Data of ASSET_CHECK_EVALUATION.
type Evaluated struct {
	Status      run.CheckStatus `json:"status"`
	Passed      bool            `json:"passed"`
	Blocking    bool            `json:"blocking,omitempty"`
	Severity    run.Severity    `json:"severity"`
	Description string          `json:"description,omitempty"`
	Metadata    metadata.Values `json:"metadata,omitempty"`
	Error       string          `json:"error,omitempty"`
}

// Logged is the Data of LOG.
type Logged struct {
	Attrs json.RawMessage `json:"attrs,omitempty"` // the record's attributes, an object
	Blob  string          `json:"blob,omitempty"`  // where the whole record is, when it was too large
}

// dataOf returns an empty Data for a type of event; nil where it carries none.
func dataOf(t Type) any {
	switch t {
	case Owner:
		return new(Ownership)
	case RunStart:
		return new(Start)
	case RunFailure:
		return new(Failure)
	case StepStart:
		return new(Begun)
	case WorkerStarted:
		return new(Claim)
	case StepSuccess, StepFailure, StepUpForRetry, StepInterrupted, StepCanceled:
		return new(Outcome)
	case StepSkipped:
		return new(run.Skip)
	case Materialization:
		return new(Materialized)
	case CheckEvaluation:
		return new(Evaluated)
	case Log:
		return new(Logged)
	default:
		return nil
	}
}
