package cli

import (
	"context"

	"github.com/spf13/cobra"

	"waggle/shared/fault"
	"waggle/shared/run"
)

func (s *session) runsCancelCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "cancel RUN",
		Short: "Ask a run to stop",
		Long: `Ask the process that works on a run to cancel it. Its steps are asked to stop within a second; what they
materialized so far stays.`,
		Example:           "  waggle runs cancel LAST",
		Args:              exactly("run"),
		ValidArgsFunction: s.completeRuns,
		RunE:              func(cmd *cobra.Command, args []string) error { return s.runsCancel(cmd.Context(), args[0]) },
	}
}

func (s *session) runsCancel(ctx context.Context, name string) error {
	st, err := s.store(ctx)
	if err != nil {
		return err
	}
	id, err := st.Find(ctx, name)
	if err != nil {
		return err
	}
	summary, err := st.Summary(ctx, id)
	if err != nil {
		return err
	}
	what := "run " + id.Short() + " of " + summary.Request.Name()
	if summary.Status.Terminal() && summary.Status != run.Canceled {
		return fault.New(fault.Invalid, "%s has ended with %s; there is nothing to cancel", what, summary.Status)
	}
	note := what + " is canceled already"
	if summary.Status != run.Canceled {
		if err := st.RequestCancel(ctx, id); err != nil {
			return err
		}
		own, err := st.Owner(ctx, id)
		if err != nil {
			return err
		}
		if note = what + " was asked to stop"; !own.Held(st.Now(), st.Lease()) {
			note = what + " has no process; it is canceled by: " + s.call("monitor", "--once")
		}
	}
	if s.format != formatTable {
		return s.printJSON(struct {
			RunID run.ID `json:"run_id"`
			Note  string `json:"note"`
		}{id, note})
	}
	return s.write(note)
}
