package cli

import (
	"errors"
	"fmt"
	"strings"

	"waggle/shared/fault"
	"waggle/shared/report"
)

// exitError ends the process with a status when all has been said.
type exitError struct{ status int }

func (e exitError) Error() string { return fmt.Sprintf("exit status %d", e.status) }

// silent returns the status of an error that needs no words.
func silent(err error) (int, bool) {
	var exit exitError
	ok := errors.As(err, &exit)
	return exit.status, ok
}

// complain says on stderr what went wrong, and how to go on. Commands in it are as the person calls the program.
func (s *session) complain(err error) {
	text := strings.ReplaceAll(err.Error(), "`waggle ", "`"+s.app.Program+" ")
	if head, rest, many := strings.Cut(text, "\n"); many {
		text = head + "\n  " + strings.ReplaceAll(rest, "\n", "\n  ")
	}
	s.say("%s %s", s.errPaint(report.Bad, "waggle:"), text)
}

// usage is an error in how a command was called.
func usage(hint, format string, args ...any) error {
	err := fault.New(fault.Invalid, format, args...)
	if hint != "" {
		err = err.WithHint("%s", hint)
	}
	return err
}
