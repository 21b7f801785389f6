// Package fault holds the one error type that crosses package borders: what was
// tried, which of a dozen codes it failed with, why, and what to do next.
//
// It imports nothing of ours, so every other package may use it.
package fault

import (
	"errors"
	"fmt"
)

// Code says what kind of failure an error is. A Code is itself an error, so that
// errors.Is(err, fault.NotFound) asks for it. The zero Code means "no fault".
type Code string

// The codes. The table in codes.go says which can be retried and how a process
// that ends with one exits.
const (
	Invalid      Code = "invalid"      // the caller's words are wrong: a flag, a name, a definition
	NotFound     Code = "not found"    // what was named does not exist
	Conflict     Code = "conflict"     // a condition on the stored item failed
	Lost         Code = "lost"         // the caller no longer owns what it wrote to
	Throttled    Code = "throttled"    // the service asks for less; the same call may work later
	Unavailable  Code = "unavailable"  // no answer, or the service failed; the call may have been done
	Canceled     Code = "canceled"     // the caller's context ended first
	TooLarge     Code = "too large"    // over a limit that waiting does not change
	Denied       Code = "denied"       // no permission
	Full         Code = "full"         // the disk or quota has no room
	Incompatible Code = "incompatible" // written by another version, or not ours
	Corrupt      Code = "corrupt"      // stored bytes do not read back
	Internal     Code = "internal"     // a bug in Waggle
)

// Error makes a Code usable with errors.Is.
func (c Code) Error() string { return string(c) }

// Error is a failure with its operation, code, cause and the next step.
type Error struct {
	Op   string // what was tried, "put RUN#0199f3c2/META"; empty where the text says it
	Code Code
	Err  error  // the cause; never nil
	Hint string // what to do next, without a full stop; empty if nothing is known
}

// New returns an error with a code and a text.
func New(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Err: fmt.Errorf(format, args...)}
}

// Wrap adds an operation and a code to a cause. It returns nil for a nil cause.
func Wrap(code Code, op string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Op: op, Code: code, Err: err}
}

// WithHint returns the error with the next step added: "add it to Deps".
func (e *Error) WithHint(format string, args ...any) *Error {
	hinted := *e
	hinted.Hint = fmt.Sprintf(format, args...)
	return &hinted
}

// Error is "op: cause (hint)".
func (e *Error) Error() string {
	text := e.Err.Error()
	if e.Op != "" {
		text = e.Op + ": " + text
	}
	if e.Hint != "" {
		text += " (" + e.Hint + ")"
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is this error's code.
func (e *Error) Is(target error) bool {
	code, ok := target.(Code)
	return ok && code == e.Code
}

// CodeOf returns the outermost code in err's chain: "" for nil, Internal where
// there is none.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	var c Code
	if errors.As(err, &c) {
		return c
	}
	return Internal
}
