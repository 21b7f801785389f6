package cli

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"github.com/spf13/cobra"

	"waggle/shared/fault"
	"waggle/shared/plan"
	"waggle/shared/report"
	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/store"
)

func (s *session) runsRetryCommand() *cobra.Command {
	var fromStart, fromFailure bool
	cmd := &cobra.Command{
		Use:   "retry RUN",
		Short: "Run again what a run did not achieve",
		Long: `Launch a run that goes on where another failed or was canceled, and watch it: only the steps without a success run; what
they read of the others is loaded as it was last stored. With --from-start every step runs.

Configuration, tags and priority are those of the first run. A run is retried once; what then fails is retried itself.`,
		Example: `  waggle runs retry LAST
  waggle runs retry 0199f3c2-1a2b --from-start`,
		Annotations:       map[string]string{ownInterrupt: "yes", works: "yes"},
		Args:              exactly("run"),
		ValidArgsFunction: s.completeRuns,
		RunE: func(cmd *cobra.Command, args []string) error {
			if fromStart && fromFailure {
				return usage("give one of them", "--from-start and --from-failure")
			}
			return s.runsRetry(cmd.Context(), args[0], fromStart)
		},
	}
	cmd.Flags().BoolVar(&fromStart, "from-start", false, "run every step again")
	cmd.Flags().BoolVar(&fromFailure, "from-failure", false, "run the steps without a success (the default)")
	return cmd
}

func (s *session) runsRetry(ctx context.Context, name string, fromStart bool) error {
	if err := s.app.Definitions.Validate(); err != nil {
		return err
	}
	if _, err := s.logLevel(); err != nil {
		return err
	}
	if err := s.openSenders(ctx); err != nil {
		return err
	}
	st, err := s.store(ctx)
	if err != nil {
		return err
	}
	parent, err := st.Find(ctx, name)
	if err != nil {
		return err
	}
	fold, _, err := st.Fold(ctx, parent)
	if err != nil {
		return err
	}
	req, p, err := s.retryOf(ctx, st, fold, fromStart)
	if err != nil {
		return err
	}
	s.tellOfNewerCode()
	interrupts := make(chan os.Signal, 2)
	signal.Notify(interrupts, os.Interrupt)
	defer signal.Stop(interrupts)
	if err := s.resumeDead(ctx, st, interrupts); err != nil {
		return err
	}
	id, launched, err := st.LaunchOnce(ctx, req, run.RetryKey(parent))
	switch {
	case err != nil:
		return fmt.Errorf("launch the run: %w", err)
	case !launched:
		return s.retriedAlready(parent, id)
	case fold.Expired:
		s.say("run %s retries run %s, whose log has expired: every step runs", id.Short(), parent.Short())
	case len(req.Selection) > 0 && len(p.Steps) < fold.Record.StepCount:
		s.say("run %s retries run %s: %s of %s", id.Short(), parent.Short(), report.Number(int64(len(p.Steps))), report.Count(fold.Record.StepCount, "step"))
	default:
		s.say("run %s retries run %s: every step", id.Short(), parent.Short())
	}
	defer s.deliver(ctx, st)()
	return s.watch(ctx, st, id, req, p, interrupts)
}

// retryOf is the request that retries a run, and its plan; an error says why there is nothing to retry, or no way to.
func (s *session) retryOf(ctx context.Context, st *store.Store, fold *runlog.Fold, fromStart bool) (run.Request, *plan.Plan, error) {
	r := fold.Record
	what := "run " + r.ID.Short() + " of " + r.Request.Name()
	switch {
	case !r.Status.Terminal():
		own, err := st.Owner(ctx, r.ID)
		if err != nil {
			return run.Request{}, nil, err
		}
		hint := "wait for its end, or end it with `" + s.call("runs", "cancel", r.ID.Short()) + "`"
		if !own.Held(st.Now(), st.Lease()) {
			hint = s.unless("it goes on with `" + s.call("monitor", "--once") + "`")
		}
		return run.Request{}, nil, usage(hint, "%s has not ended", what)
	case r.Status == run.Success:
		return run.Request{}, nil, usage("launch another with `"+s.again(r.Request)+"`", "%s succeeded; there is nothing to retry", what)
	}
	if id, found, err := st.RunOf(ctx, r.Request.Job, run.RetryKey(r.ID)); err != nil || found {
		if err == nil {
			err = s.retriedAlready(r.ID, id)
		}
		return run.Request{}, nil, err
	}
	was, err := s.app.Definitions.Plan(r.Request)
	if err != nil {
		return run.Request{}, nil, fmt.Errorf("%s cannot be retried by this code: %w", what, err)
	}
	retry := was.Retry(r, fromStart)
	retry.CodeVersion = s.app.Version
	req, p, err := s.app.Definitions.Request(retry)
	if err != nil {
		return run.Request{}, nil, fmt.Errorf("%s cannot be retried by this code: %w", what, err)
	}
	req.Config = retry.Config // what differs from the defaults
	return req, p, nil
}

func (s *session) retriedAlready(parent, id run.ID) error {
	return fault.New(fault.Invalid, "run %s was retried already, by run %s", parent.Short(), id.Short()).
		WithHint("if that failed too: `%s`", s.call("runs", "retry", id.Short()))
}

// again is the command that launches a request anew.
func (s *session) again(req run.Request) string {
	words := []string{"run"}
	if req.Job != "" {
		words = append(words, req.Job)
	}
	if len(req.Selection) > 0 {
		words = append(words, "--select", joined(req.Selection))
		words[len(words)-1] = quoted(words[len(words)-1])
	}
	return s.call(words...)
}
