package cli

import (
	"context"

	"github.com/spf13/cobra"

	"waggle/shared/engine"
	"waggle/shared/monitor"
	"waggle/shared/report"
	"waggle/shared/store"
)

func (s *session) monitorCommand() *cobra.Command {
	var once bool
	cmd := &cobra.Command{
		Use:   "monitor --once",
		Short: "Resume the runs whose process died",
		Long: `Resume every run that nobody looks after: its process died, was stopped, or never started it. Steps that have a
result do not run again.

It exits 0 when each was looked after, also if a run then failed; runs show why.`,
		Example: "  waggle monitor --once",
		Args:    nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !once {
				return usage("add --once: resume what is due, then exit", "monitor does not run on its own yet")
			}
			return s.monitorOnce(cmd.Context())
		},
	}
	cmd.Flags().BoolVar(&once, "once", false, "resume what is due, then exit")
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

func (s *session) monitorOnce(ctx context.Context) error {
	if err := s.app.Definitions.Validate(); err != nil {
		return err
	}
	st, err := s.store(ctx)
	if err != nil {
		return err
	}
	e := engine.New(st, s.app.Definitions, &engine.Options{Worker: s.app.Worker})
	var all []resumedJSON
	var broken error
	err = monitor.Once(ctx, st, e, func(due store.Summary) {
		what, err := s.fate(ctx, st, due.ID)
		if err == nil {
			s.say("resuming %s", what)
		}
	}, func(r monitor.Resumed) {
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
	})
	if err != nil {
		return err
	}
	switch {
	case s.format == formatJSON:
		if all == nil {
			all = []resumedJSON{}
		}
		err = s.printJSON(all)
	case s.format == formatTable && len(all) == 0:
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
