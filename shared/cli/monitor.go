package cli

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"waggle/shared/courier"
	"waggle/shared/engine"
	"waggle/shared/monitor"
	"waggle/shared/report"
	"waggle/shared/run"
	"waggle/shared/scheduler"
	"waggle/shared/store"
)

func (s *session) monitorCommand() *cobra.Command {
	var once, noSchedules bool
	var only string
	cmd := &cobra.Command{
		Use:   "monitor --once",
		Short: "Launch the ticks that are due, resume the runs whose process died",
		Long: `Look once at what is due, as waggle dev does all the time: launch the ticks of schedules that have come, late ones
included, and resume every run that nobody looks after: its process died, was stopped, or never started it. Steps that
have a result do not run again. What has expired is deleted. Then sensors are called, those that are polled too, and
messages are sent.

It exits 0 when each was looked after, also if a run then failed; runs show why.`,
		Example: `  waggle monitor --once
  waggle monitor --once --run 0199f3c2-1a2b
  * * * * * cd /srv/shop && bin/waggle monitor --once    in a crontab, instead of waggle dev`,
		Annotations: map[string]string{works: "yes", localOnly: "a deployment looks after its runs itself, each minute"},
		Args:        nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !once {
				return usage("add --once, or use `"+s.call("dev")+"`, which stays", "monitor looks once")
			}
			return s.monitorOnce(cmd.Context(), only, !noSchedules)
		},
	}
	cmd.Flags().BoolVar(&once, "once", false, "do what is due, then exit")
	cmd.Flags().BoolVar(&noSchedules, "no-schedules", false, "launch no ticks")
	cmd.Flags().StringVar(&only, "run", "", "resume this `RUN` and what follows from it, nothing else")
	_ = cmd.RegisterFlagCompletionFunc("run", s.completeRuns)
	return cmd
}

// resumedJSON is a resumed run as -o json prints it.
type resumedJSON struct {
	RunID  string `json:"run_id"`
	Name   string `json:"name"`
	Status string `json:"status"`
	End    string `json:"end"`
	Error  string `json:"error,omitempty"`
}

func (s *session) monitorOnce(ctx context.Context, only string, schedules bool) error {
	if err := s.app.Definitions.Validate(); err != nil {
		return err
	}
	if err := s.openSenders(ctx); err != nil {
		return err
	}
	st, err := s.store(ctx)
	if err != nil {
		return err
	}
	s.polls = schedules
	e := s.engine(st)
	var all []resumedJSON
	var broken error
	var launched []run.ID
	before := func(due store.Summary) {
		what, err := s.fate(ctx, st, due.ID)
		if err == nil && !slices.Contains(launched, due.ID) {
			s.say("resuming %s", what)
		}
	}
	after := func(r monitor.Resumed) {
		line := resumedJSON{RunID: string(r.ID), Name: r.Name, Status: string(r.Record.Status), End: string(r.End)}
		if r.Err != nil {
			line.Error, broken = r.Err.Error(), r.Err
		}
		all = append(all, line)
		if s.format == formatTable {
			_ = s.write(s.resumedLine(r))
		} else if s.format == formatLines {
			_ = s.printJSON(line)
		}
	}
	if only != "" {
		id, err := st.Find(ctx, only)
		if err == nil {
			err = monitor.Resume(ctx, st, e, []run.ID{id}, before, after)
		}
		if err != nil {
			return err
		}
	} else {
		if schedules {
			if launched, err = s.launchTicks(ctx, st); err != nil {
				return err
			}
		}
		if err := monitor.Once(ctx, st, e, before, after, launched...); err != nil {
			return err
		}
		if err := s.deliverOnce(ctx, st); err != nil {
			return err
		}
	}
	switch {
	case s.format == formatJSON:
		if all == nil {
			all = []resumedJSON{}
		}
		err = s.printJSON(all)
	case s.format == formatTable && len(all) == 0 && s.courier(st).Tally() == (courier.Tally{}):
		err = s.write("nothing is due")
	}
	if err == nil {
		err = broken
	}
	return err
}

// resumedLine says what became of a run.
func (s *session) resumedLine(r monitor.Resumed) string {
	state := report.OfRun(r.Record.Status).Painted(s.paint)
	line := state + " run " + r.ID.Short() + " of " + r.Name
	switch {
	case r.Err != nil:
		return line + " could not go on: " + r.Err.Error()
	case r.End == engine.Parked:
		return line + " waits; it is due again " + utc(r.Due)
	case r.End == engine.HandedOver:
		return line + " was interrupted; it is due again"
	case r.Record.Error != "":
		return line + ": " + report.OneLine(r.Record.Error)
	}
	return line
}

// scheduler launches ticks, and has those that were missed told to the sensors that look at them.
func (s *session) scheduler(st *store.Store) *scheduler.Scheduler {
	return scheduler.New(st.Owing(store.Here, s.app.Definitions.Sensors.Hear), s.app.Definitions)
}

// launchTicks launches the ticks that are due, says so, and returns their runs.
func (s *session) launchTicks(ctx context.Context, st *store.Store) ([]run.ID, error) {
	launched, passed, err := s.scheduler(st).Launch(ctx)
	for _, p := range passed {
		s.warn("%s", s.passedText(p.Schedule, p.Ticks, p.Until))
	}
	var ids []run.ID
	for _, l := range launched {
		if l.Err != nil {
			s.warn("tick %s of %s could not be launched: %v", zoned(s.scheduleTime(l.Schedule, l.Time)), l.Schedule, l.Err)
			continue
		}
		s.say("launched run %s for %s", l.Run.Short(), s.tickText(l.Schedule, l.Time, l.Late, st.Now()))
		ids = append(ids, l.Run)
	}
	return ids, err
}
