package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"waggle/shared/engine"
	"waggle/shared/fault"
	"waggle/shared/run"
	"waggle/shared/store"
)

// stopWithin is how long the process of an isolated step may take to end when it is asked to, before it is killed: the
// engine gives the step 5 s of it.
const stopWithin = 8 * time.Second

// engine runs runs for this command.
func (s *session) engine(st *store.Store) *engine.Engine {
	opts := &engine.Options{Worker: s.app.Worker, Publish: s.courier(st).Publish(), Notify: s.courier(st).Notify()}
	if s.app.Executable != "" {
		opts.Isolate = s.isolate
	}
	return engine.New(st, s.app.Definitions, opts)
}

// isolate starts a process for an isolated step. What the step prints goes where the talk goes.
func (s *session) isolate(ctx context.Context, a store.Attempt) (<-chan engine.Ending, error) {
	said := &tail{}
	c := s.child(ctx, "step", string(a.Run), string(a.Step), strconv.Itoa(a.Number))
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	c.WaitDelay = stopWithin
	c.Stdout, c.Stderr = s.err, io.MultiWriter(s.err, said)
	if err := c.Start(); err != nil {
		return nil, fault.Wrap(fault.Unavailable, "start "+s.app.Executable, err)
	}
	remove := s.children.add(c.Process)
	ended := make(chan engine.Ending, 1)
	go func() {
		_ = c.Wait()
		remove()
		ended <- endingOf(c.ProcessState, said.String())
	}()
	return ended, nil
}

func endingOf(state *os.ProcessState, output string) engine.Ending {
	if state.Success() {
		return engine.Ending{}
	}
	return engine.Ending{How: state.String(), Killed: !state.Exited(), Output: output}
}

// tail keeps the last of what is written to it.
type tail struct{ text []byte }

const tailBytes = 16 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.text = append(t.text, p...)
	if extra := len(t.text) - tailBytes; extra > 0 {
		t.text = append(t.text[:0], t.text[extra:]...)
	}
	return len(p), nil
}

func (t *tail) String() string { return string(t.text) }

// stepCommand runs one attempt at an isolated step, for the process that runs the run.
func (s *session) stepCommand() *cobra.Command {
	return &cobra.Command{
		Use:         "step RUN STEP ATTEMPT",
		Short:       "Run one attempt at an isolated step",
		Hidden:      true,
		Annotations: map[string]string{localOnly: "its functions run steps"},
		Args:        cobra.ExactArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			number, err := strconv.Atoi(args[2])
			if err != nil {
				return usage(cmd.UseLine(), "attempt %q is not a number", args[2])
			}
			return s.step(cmd.Context(), store.Attempt{Run: run.ID(args[0]), Step: run.StepKey(args[1]), Number: number})
		},
	}
}

func (s *session) step(ctx context.Context, a store.Attempt) error {
	signal.Ignore(syscall.SIGPIPE) // whoever read what the step prints may be dead
	if err := s.app.Definitions.Validate(); err != nil {
		return err
	}
	st, err := s.store(ctx)
	if err != nil {
		return err
	}
	err = s.engine(st).RunStep(ctx, a, time.Time{})
	if errors.Is(err, fault.Conflict) { // it is another process's
		s.say("%v", err)
		return nil
	}
	return err
}
