package report

import "waggle/shared/run"

// Role is what a word or sign stands for; a terminal, a mail or a page gives each its colour.
type Role string

// The roles. The zero Role is plain text.
const (
	Plain   Role = ""
	Strong  Role = "strong"
	Muted   Role = "muted"
	Good    Role = "success"
	Bad     Role = "failure"
	Warn    Role = "warning"
	Running Role = "running"
	Idle    Role = "idle" // queued, canceled
	Blocked Role = "blocked"
)

// Paint gives a text the look of its role.
type Paint func(Role, string) string

// Unpainted leaves every text as it is.
func Unpainted(_ Role, text string) string { return text }

// State is how something stands, as people read it: a sign and a word. Colour only supports them.
type State struct {
	Sign string
	Word string
	Role Role
}

// The states that people see.
var (
	success   = State{"✓", "SUCCESS", Good}
	passed    = State{"✓", "PASSED", Good}
	failed    = State{"✗", "FAILED", Bad}
	warned    = State{"▲", "WARNING", Warn}
	retrying  = State{"▲", "RETRYING", Warn}
	running   = State{"◐", "RUNNING", Running}
	stopping  = State{"◐", "CANCELING", Running}
	queued    = State{"○", "QUEUED", Idle}
	waiting   = State{"○", "WAITING", Idle}
	canceled  = State{"–", "CANCELED", Idle}
	skipped   = State{"–", "SKIPPED", Idle}
	blocked   = State{"⊘", "BLOCKED", Blocked}
	unchecked = State{"○", "UNCHECKED", Idle}
	never     = State{"○", "NEVER", Idle}
)

// Text is the sign and the word.
func (s State) Text() string { return s.Sign + " " + s.Word }

// Painted is the sign and the word in their colour.
func (s State) Painted(paint Paint) string { return paint(s.Role, s.Text()) }

// OfRun is how a run stands.
func OfRun(s run.Status) State {
	switch s {
	case run.Success:
		return success
	case run.Failure:
		return failed
	case run.Canceled:
		return canceled
	case run.Canceling:
		return stopping
	case run.Started, run.Starting:
		return running
	default:
		return queued
	}
}

// OfStep is how a step stands. One that does not run because of another is BLOCKED.
func OfStep(s run.StepStatus) State {
	switch s {
	case run.StepSucceeded:
		return success
	case run.StepFailed:
		return failed
	case run.StepSkipped:
		return blocked
	case run.StepCanceled:
		return canceled
	case run.StepRunning:
		return running
	case run.StepRetrying:
		return retrying
	default:
		return waiting
	}
}

// OfCheck is what a check came to. A failure that only warns is a WARNING.
func OfCheck(s run.CheckStatus, severity run.Severity) State {
	switch s {
	case run.CheckSucceeded:
		return passed
	case run.CheckFailed:
		if severity == run.SeverityWarn {
			return warned
		}
		return failed
	case run.CheckExecutionFailed:
		return failed
	case run.CheckInProgress:
		return running
	default:
		return skipped
	}
}

// OfVerdict is what the blocking checks made of a materialization.
func OfVerdict(v run.Verdict) State {
	switch v {
	case run.Bad:
		return blocked
	case run.Unchecked:
		return unchecked
	default:
		return success
	}
}

// Never is the state of an asset without a materialization, or of a check without a result.
func Never() State { return never }

// Failing is the state of what failed when it was last tried.
func Failing() State { return failed }

// Doubtful is the state of what is there, but a check has failed on it.
func Doubtful() State { return warned }
