package cli

import (
	"context"
	"log/slog"
	"os"
	"regexp"
	"time"

	"github.com/spf13/cobra"

	"waggle/shared/engine"
	"waggle/shared/fault"
	"waggle/shared/plan"
	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/store"
)

// Deployed is a deployment in the cloud. Commands read and write its store, and ask its functions to work: a process here never owns a run
// or a channel there.
type Deployed struct {
	Store *store.Store
	// Run has a run run; one that nobody works on then sees what was noted for it.
	Run func(context.Context, run.ID) error
	// Sensor has sensors called and messages sent.
	Sensor func(context.Context) error
	// SetSecret stores a secret of the deployment by its name, in place of the one before.
	SetSecret func(ctx context.Context, name, value string) error
}

// localOnly marks commands that do the work of a deployment's functions, or are about this machine. Its value says what to do instead.
const localOnly = "local-only"

// environmentName is how a deployment can be called; infra/ says the same of its settings.
var environmentName = regexp.MustCompile(`^[a-z][a-z0-9]{0,19}$`)

// checkEnvironment refuses what --env does not go with.
func (s *session) checkEnvironment(cmd *cobra.Command) error {
	switch {
	case s.environment == "":
		return nil
	case !environmentName.MatchString(s.environment):
		return usage("it has 1 to 20 small letters and digits, a letter first", "--env %q is no name of a deployment", s.environment)
	case s.home != "" || s.address != "":
		return usage("give one of them", "--env and another store")
	case cmd.Annotations[localOnly] != "":
		return usage(cmd.Annotations[localOnly], "%s does not work on a deployment", cmd.CommandPath())
	case s.app.Deployed == nil && cmd.Annotations[deploys] == "":
		return usage("the laptop's binary links no cloud; `make waggle-aws` builds one that does", "this waggle knows no deployments")
	}
	return nil
}

// unless is what to do here, or on a deployment, where that does not work and need not be done, who does it.
func (s *session) unless(here string) string {
	if s.environment != "" {
		return "the deployment sees to it within a minute"
	}
	return here
}

// watchDeployed has a launched run run by its deployment, and shows it. Ctrl-C ends the watching, not the run.
func (s *session) watchDeployed(ctx context.Context, id run.ID, req run.Request, p *plan.Plan, interrupts <-chan os.Signal) (engine.Outcome, error) {
	if err := s.deployed.Run(ctx, id); err != nil {
		s.warn("the deployment could not be told of run %s; it looks for it by itself within a minute: %v", id.Short(), err)
	}
	v, tick, err := s.viewOf(id, req, p)
	if err != nil {
		return engine.Outcome{}, err
	}
	st := s.deployed.Store
	f := newFeed(v, tick, st.Now)
	over, err := s.followDeployed(ctx, id, f.Observe, interrupts)
	f.Close()
	if err != nil {
		return engine.Outcome{}, err
	}
	if !over {
		s.say("run %s goes on; see it with `%s`, end it with `%s`", id.Short(), s.call("runs", "logs", id.Short(), "-f"), s.call("runs", "cancel", id.Short()))
		return engine.Outcome{}, exitError{fault.ExitInterrupted}
	}
	fold, _, err := st.Fold(ctx, id)
	if err != nil {
		return engine.Outcome{}, err
	}
	out := engine.Outcome{Record: fold.Record, End: engine.Ended}
	if out.Retry, _, err = st.RunOf(ctx, req.Job, run.RetryKey(id)); err != nil {
		return out, err
	}
	return out, s.conclude(ctx, st, out, p, false, interrupts)
}

// watchPause is how long a look at a deployment's run waits for the next: each reads a few items that are paid for.
const watchPause = 500 * time.Millisecond

// followDeployed hands on the events of a run until it has ended; false: somebody wanted no more of it.
func (s *session) followDeployed(ctx context.Context, id run.ID, observe func(*runlog.Event), interrupts <-chan os.Signal) (bool, error) {
	st := s.deployed.Store
	r := &logReader{s: s, st: st, id: id, level: slog.LevelDebug, attempts: attemptLogs{st: st}, observe: observe}
	for {
		summary, err := st.Summary(ctx, id) // before the log: what ended has its whole log
		if err == nil {
			err = r.read(ctx)
		}
		if err != nil || summary.Status.Terminal() {
			return true, err
		}
		select {
		case <-time.After(watchPause):
		case <-interrupts:
			return false, nil
		case <-ctx.Done():
			return false, nil
		}
	}
}
