package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"waggle/shared/fault"
	"waggle/shared/run"
	"waggle/shared/store"
)

func (s *session) runsCancelCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "cancel RUN",
		Short: "Ask a run to stop",
		Long: `Ask the process that works on a run to cancel it. Its steps are asked to stop within a second; what they
materialized so far stays. A run that nobody works on is canceled at once.`,
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
		if note, err = s.heedCancel(ctx, st, id, what); err != nil {
			return err
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

// heedCancel cancels a run that nobody works on, since nobody would read the note, and says what became of the wish.
func (s *session) heedCancel(ctx context.Context, st *store.Store, id run.ID, what string) (string, error) {
	asked := what + " was asked to stop"
	own, err := st.Owner(ctx, id)
	if err != nil || own.Held(st.Now(), st.Lease()) {
		return asked, err
	}
	if s.deployed != nil {
		return asked, s.deployed.Run(ctx, id)
	}
	// It reads the note before it does anything else, so no step begins here.
	out, err := s.engine(st).Run(ctx, id, nil)
	switch {
	case errors.Is(err, fault.Conflict):
		return asked, nil // another process has taken it meanwhile, and reads the note
	case err != nil:
		return "", fmt.Errorf("%s was asked to stop, but its end could not be recorded; `%s` does that: %w", what, s.call("monitor", "--once"), err)
	case out.Record.Status != run.Canceled:
		return what + " has ended meanwhile with " + string(out.Record.Status), nil
	}
	return what + " is canceled", nil
}
