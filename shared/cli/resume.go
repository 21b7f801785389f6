package cli

import (
	"context"
	"errors"
	"os"
	"os/exec"

	"waggle/shared/fault"
	"waggle/shared/report"
	"waggle/shared/store"
)

// resumeDead resumes runs that nobody looks after, in a process of its own: one of them may end its process
// again, and must not end this one.
func (s *session) resumeDead(ctx context.Context, st *store.Store, interrupts <-chan os.Signal) error {
	if s.deployed != nil {
		return nil // it resumes them itself
	}
	if s.app.Executable == "" {
		return s.tellOfDead(ctx, st)
	}
	due, err := st.Due(ctx, 100)
	if err != nil || len(due) == 0 {
		return err
	}
	s.say("going on with %s that nobody looks after; yours is launched after that", report.Count(len(due), "run"))
	child := s.child(context.Background(), "monitor", "--once", "--no-schedules")
	child.Stdout, child.Stderr = s.err, s.err
	if err := child.Start(); err != nil {
		s.warn("cannot start %s to resume %d runs: %v", s.app.Executable, len(due), err)
		return nil
	}
	ended := make(chan error, 1)
	go func() { ended <- child.Wait() }()
	for {
		select {
		case err := <-ended:
			return s.afterResume(err)
		case <-interrupts:
			_ = child.Process.Signal(os.Interrupt)
			<-ended
			return fault.New(fault.Canceled, "interrupted before the run was launched")
		case <-ctx.Done():
			_ = child.Process.Signal(os.Interrupt)
			<-ended
			return fault.Wrap(fault.Canceled, "", context.Cause(ctx))
		}
	}
}

// afterResume says when the child that resumed runs died of one. That run is due again when its lease ends.
func (s *session) afterResume(err error) error {
	var exit *exec.ExitError
	switch {
	case err == nil:
	case errors.As(err, &exit) && !exit.Exited():
		s.say("it ended its process again (%s); the next command tries once more", exit)
	default:
		s.warn("not all runs could be resumed: %v", err)
	}
	return nil
}
