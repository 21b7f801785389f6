package run

import (
	"slices"

	"waggle/shared/fault"
)

// Status is where a run stands. The words are Dagster's.
type Status string

// The statuses of a run.
const (
	Queued     Status = "QUEUED"      // waits for a slot
	NotStarted Status = "NOT_STARTED" // launched, nobody runs it yet
	Starting   Status = "STARTING"    // owned, but its log has no RUN_START; derived, never stored
	Started    Status = "STARTED"     // steps run
	Success    Status = "SUCCESS"     // every step that had to run did
	Failure    Status = "FAILURE"     // something failed; Reason says what
	Canceling  Status = "CANCELING"   // asked to stop, steps are ending
	Canceled   Status = "CANCELED"    // stopped on request
)

// transitions is the state machine: for each status, those that may follow it.
var transitions = map[Status][]Status{
	Queued:     {NotStarted, Starting, Started, Canceling, Canceled, Failure},
	NotStarted: {Queued, Starting, Started, Canceling, Canceled, Failure},
	Starting:   {Queued, Started, Canceling, Canceled, Failure},
	Started:    {Success, Failure, Canceling, Canceled},
	Canceling:  {Canceled, Success, Failure},
	Success:    {},
	Failure:    {},
	Canceled:   {},
}

// Statuses lists every status in the order in which a run passes through them.
func Statuses() []Status {
	return []Status{Queued, NotStarted, Starting, Started, Canceling, Success, Failure, Canceled}
}

// Terminal reports whether the status never changes again.
func (s Status) Terminal() bool { return s == Success || s == Failure || s == Canceled }

// Next lists the statuses that may follow s.
func (s Status) Next() []Status { return slices.Clone(transitions[s]) }

// May reports whether a run may go from s to next. A status may repeat.
func (s Status) May(next Status) bool { return s == next || slices.Contains(transitions[s], next) }

// ParseStatus reads a status as a person types it, in any case.
func ParseStatus(text string) (Status, error) {
	for _, s := range Statuses() {
		if equalFold(string(s), text) {
			return s, nil
		}
	}
	return "", fault.New(fault.Invalid, "unknown status %q", text).WithHint("one of %s", join(Statuses()))
}

// Reason says why a run failed.
type Reason string

// The reasons of FAILURE.
const (
	StepFailure  Reason = "STEP_FAILURE"  // a step failed, or a blocking check
	RunException Reason = "RUN_EXCEPTION" // the run itself could not go on: its code changed, its plan is gone
	Crashed      Reason = "CRASHED"       // its workers died again and again without a result
	Timeout      Reason = "TIMEOUT"       // longer than its job allows
	StartTimeout Reason = "START_TIMEOUT" // nobody could start it
	BadConfig    Reason = "CONFIG"        // its configuration does not fit its job
)
