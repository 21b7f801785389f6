package cli

import (
	"context"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"waggle/shared/fault"
	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/store"
)

// followPause is how long -f waits before it looks for more.
const followPause = 100 * time.Millisecond

type logsFlags struct {
	follow bool
	level  string
	step   string
}

func (s *session) runsLogsCommand() *cobra.Command {
	var f logsFlags
	cmd := &cobra.Command{
		Use:   "logs RUN",
		Short: "Show the log of a run",
		Long: `Show every event and log record of a run, oldest first, in UTC. Every level is stored, whatever
WAGGLE_LOG_LEVEL was.`,
		Example: `  waggle runs logs LAST
  waggle runs logs LAST -f --level warning
  waggle runs logs 0199f3c2 --step sales_raw`,
		Args:              exactly("run"),
		ValidArgsFunction: s.completeRuns,
		RunE:              func(cmd *cobra.Command, args []string) error { return s.runsLogs(cmd.Context(), args[0], f) },
	}
	flags := cmd.Flags()
	flags.BoolVarP(&f.follow, "follow", "f", false, "go on until the run has ended")
	flags.StringVar(&f.level, "level", "debug", "the lowest `LEVEL`: debug, info, warning, error, critical")
	flags.StringVar(&f.step, "step", "", "an asset, or a check as asset:check: `STEP`")
	_ = cmd.RegisterFlagCompletionFunc("step", s.completeSteps)
	_ = cmd.RegisterFlagCompletionFunc("level", cobra.FixedCompletions([]string{"debug", "info", "warning", "error", "critical"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (s *session) runsLogs(ctx context.Context, name string, f logsFlags) error {
	level, err := runlog.ParseLevel(f.level)
	if err != nil {
		return err
	}
	st, err := s.look(ctx)
	if err != nil {
		return err
	}
	id, err := st.Find(ctx, name)
	if err != nil {
		return err
	}
	r := &logReader{s: s, st: st, id: id, level: level, step: run.StepKey(f.step), attempts: attemptLogs{st: st}}
	if f.step != "" {
		if err := r.checkStep(ctx); err != nil {
			return err
		}
	}
	for {
		summary, err := st.Summary(ctx, id) // before the log: what ended has its whole log
		if err != nil {
			return err
		}
		if err := r.read(ctx); err != nil {
			return err
		}
		if !f.follow || r.over || summary.Status.Terminal() {
			break
		}
		select {
		case <-time.After(followPause):
		case <-ctx.Done():
			return exitError{fault.ExitInterrupted}
		}
	}
	return r.finish()
}

// logReader prints the log of a run, chunk by chunk.
type logReader struct {
	s     *session
	st    *store.Store
	id    run.ID
	level slog.Level
	step  run.StepKey
	// observe is given the events instead of who reads stdout; nil: they are printed.
	observe func(*runlog.Event)

	attempts attemptLogs
	next     int64 // number of the next chunk
	over     bool  // the run's end was among the events
	printed  int
	list     []eventJSON // of -o json
}

// read prints what was stored since the last time, attempts in processes of their own included.
func (r *logReader) read(ctx context.Context) error {
	if err := r.attempts.read(ctx); err != nil {
		return err
	}
	if err := r.readRun(ctx); err != nil {
		return err
	}
	return r.print(r.attempts.until(time.Time{}))
}

func (r *logReader) readRun(ctx context.Context) error {
	return r.st.ReadLog(ctx, r.id, r.next, func(c store.Stored) error {
		r.next = c.N + 1
		for _, end := range []runlog.Type{runlog.RunSuccess, runlog.RunFailure, runlog.RunCanceled} {
			r.over = r.over || c.Chunk.Header.Types[end] > 0
		}
		begins := c.Chunk.Header.Types[runlog.WorkerStarting] > 0
		if !begins && !c.Chunk.Header.Has(r.level) {
			return nil
		}
		events, err := r.st.Unpack(c.Chunk)
		if err != nil {
			return err
		}
		for i := range events {
			if events[i].Type == runlog.WorkerStarting {
				r.attempts.begin(r.id, &events[i])
			}
		}
		if begins {
			if err := r.attempts.read(ctx); err != nil {
				return err
			}
		}
		return r.print(r.attempts.among(events))
	})
}

func (r *logReader) print(events []runlog.Event) error {
	var lines []string
	for i := range events {
		e := &events[i]
		if e.Level < r.level || r.step != "" && e.Step != r.step {
			continue
		}
		r.printed++
		if r.observe != nil {
			r.observe(e)
			continue
		}
		switch r.s.format {
		case formatTable:
			lines = append(lines, logLine(e, r.s.paint))
		case formatLines:
			if err := r.s.printJSON(eventOf(r.id, e)); err != nil {
				return err
			}
		default:
			r.list = append(r.list, eventOf(r.id, e))
		}
	}
	return r.s.write(lines...)
}

func (r *logReader) finish() error {
	switch {
	case r.s.format == formatJSON && r.list == nil:
		return r.s.printJSON([]eventJSON{})
	case r.s.format == formatJSON:
		return r.s.printJSON(r.list)
	case r.s.format == formatTable && r.printed == 0:
		return r.s.write("its log holds nothing of that kind")
	}
	return nil
}

// checkStep answers a step that the run does not have with the nearest one.
func (r *logReader) checkStep(ctx context.Context) error {
	fold, _, err := r.st.Fold(ctx, r.id)
	if err != nil {
		return err
	}
	var names []string
	for _, step := range fold.Record.Steps {
		if step.Key == r.step {
			return nil
		}
		names = append(names, string(step.Key))
	}
	if p, changed := r.s.planOf(fold); !changed {
		if p.Step(r.step) != nil {
			return nil
		}
	}
	return fault.Unknown("step", string(r.step), names)
}
