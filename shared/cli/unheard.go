package cli

import (
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// unheard lets a command go on when whoever read what it prints has gone, as `waggle run gallery | head` does: a run is worth more than
// its output. Without it the system ends the process in the middle of the run.
func (s *session) unheard() {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) // not ignored, as the processes of steps would inherit that
	s.out = untilGone{s.out}
}

// untilGone drops what is written once nobody reads it any more.
type untilGone struct{ io.Writer }

func (w untilGone) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	if errors.Is(err, syscall.EPIPE) {
		return len(p), nil
	}
	return n, err
}
