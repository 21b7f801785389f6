package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"waggle/shared/cli/progress"
	"waggle/shared/duration"
	"waggle/shared/engine"
	"waggle/shared/fault"
	"waggle/shared/monitor"
	"waggle/shared/plan"
	"waggle/shared/report"
	"waggle/shared/run"
	"waggle/shared/store"
)

func (s *session) runCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run JOB | --select EXPR",
		Short: "Run a job, or assets and checks that you choose",
		Long: `Run a job, or the assets and checks that --select chooses, of the job or of all, and watch it.

` + selectionHelp + `

On a terminal the steps are shown by group and updated in place; elsewhere each finished step is one line. Log
records of level WARNING and above are shown while the run goes on; WAGGLE_LOG_LEVEL sets another level. Every
record is stored, whatever its level: see runs logs.

Ctrl-C cancels the run and waits for its steps to stop; a second Ctrl-C ends the process at once. Runs whose
process died are resumed first.`,
		Example: `  waggle run gallery
  waggle run gallery --config output_dir=out --config min_sale_value_usd=1000000
  waggle run --select sales_raw,sales_transform
  waggle run gallery --select "group:transform and not kind:csv"
  waggle run --select sales_transform+1
  waggle run --select sales_output:check_sales_above_threshold
  waggle run gallery --json > run.json`,
		Annotations: map[string]string{ownInterrupt: "yes", works: "yes"},
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usage("run them one after the other", "run takes one job, not %d", len(args))
			}
			return nil
		},
		ValidArgsFunction: s.completeJobs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.run(cmd.Context(), args, f)
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&f.selections, "select", nil, "run what `EXPR` chooses; several are joined by a comma")
	flags.StringArrayVar(&f.configs, "config", nil, "a setting as `NAME=VALUE`; jobs show JOB lists them")
	flags.StringArrayVar(&f.tags, "tag", nil, "a label of the run as `NAME=VALUE`")
	flags.Var(&f.priority, "priority", "from -10000 to 10000: of the runs that wait, the highest `N` starts first (default the job's)")
	flags.BoolVar(&f.detach, "detach", false, "launch the run and return; waggle dev, or the deployment of --env, runs it")
	_ = cmd.RegisterFlagCompletionFunc("select", s.completeSelection)
	_ = cmd.RegisterFlagCompletionFunc("config", s.completeConfig)
	return cmd
}

func (s *session) run(ctx context.Context, args []string, f runFlags) error {
	if err := s.app.Definitions.Validate(); err != nil {
		return err
	}
	req, p, err := s.request(args, f)
	if err != nil {
		return err
	}
	if _, err := s.logLevel(); err != nil {
		return err
	}
	if err := s.openSenders(ctx); err != nil {
		return err
	}
	s.tellOfNewerCode()
	st, err := s.store(ctx)
	if err != nil {
		return err
	}
	interrupts := make(chan os.Signal, 2)
	signal.Notify(interrupts, os.Interrupt)
	defer signal.Stop(interrupts)
	if err := s.resumeDead(ctx, st, interrupts); err != nil {
		return err
	}
	id, err := st.Launch(ctx, req)
	if err != nil {
		return fmt.Errorf("launch the run: %w", err)
	}
	if f.detach {
		return s.detach(ctx, id)
	}
	defer s.deliver(ctx, st)()
	return s.watch(ctx, st, id, req, p, interrupts)
}

// detach leaves a launched run to others, and says which it is.
func (s *session) detach(ctx context.Context, id run.ID) error {
	if s.deployed != nil {
		if err := s.deployed.Run(ctx, id); err != nil {
			s.warn("the deployment could not be told of it; it looks for it by itself within a minute: %v", err)
		}
	}
	if s.format != formatTable {
		return s.printJSON(struct {
			RunID run.ID `json:"run_id"`
		}{id})
	}
	s.say("see how it goes with: %s", s.call("runs", "logs", id.Short(), "-f"))
	return s.write(string(id))
}

// watch runs a launched run and shows it, and the runs that retry it.
func (s *session) watch(ctx context.Context, st *store.Store, id run.ID, req run.Request, p *plan.Plan, interrupts <-chan os.Signal) error {
	for {
		attend := s.attend
		if s.deployed != nil {
			attend = s.watchDeployed
		}
		out, err := attend(ctx, id, req, p, interrupts)
		if err == nil {
			return nil
		}
		if out.Retry == "" || s.isInterrupted(err) {
			return err
		}
		s.say("run %s failed; it is tried again as run %s", id.Short(), out.Retry.Short())
		retry, err := st.Summary(ctx, out.Retry)
		if err != nil {
			return err
		}
		id, req = out.Retry, retry.Request
		if p, err = s.app.Definitions.Plan(req); err != nil {
			return err
		}
	}
}

func (s *session) isInterrupted(err error) bool {
	status, ok := silent(err)
	return !ok || status == fault.ExitInterrupted
}

// attend runs a launched run and shows it.
func (s *session) attend(ctx context.Context, id run.ID, req run.Request, p *plan.Plan, interrupts <-chan os.Signal) (engine.Outcome, error) {
	v, tick, err := s.viewOf(id, req, p)
	if err != nil {
		return engine.Outcome{}, err
	}
	st := s.opened
	f := newFeed(v, tick, st.Now)
	cancel := make(chan struct{})
	var interrupted atomic.Bool
	over := make(chan struct{})
	unlisten := sync.OnceFunc(func() { close(over) })
	defer unlisten()
	go func() {
		select {
		case <-interrupts:
		case <-over:
			return
		}
		interrupted.Store(true)
		f.Say("canceling; press Ctrl-C again to end at once")
		close(cancel)
		select {
		case <-interrupts:
			f.Quit()
			s.children.kill()
			s.say("ended at once; `%s` takes run %s up, in %s at the earliest", s.call("monitor", "--once"), id.Short(), duration.Text(st.Lease()))
			os.Exit(fault.ExitInterrupted)
		case <-over:
		}
	}()
	e := s.engine(st)
	out, err := monitor.Attend(ctx, st, e, id, &engine.RunOptions{Cancel: cancel, Observe: f.Observe})
	f.Close()
	if err != nil {
		s.say("the record of run %s is not complete; `%s` takes it up, in %s at the earliest", id.Short(), s.call("monitor", "--once"), duration.Text(st.Lease()))
		return out, err
	}
	unlisten()
	return out, s.conclude(ctx, st, out, p, interrupted.Load(), interrupts)
}

// viewOf chooses how the run is shown.
func (s *session) viewOf(id run.ID, req run.Request, p *plan.Plan) (view, time.Duration, error) {
	level, err := s.logLevel()
	if err != nil {
		return nil, 0, err
	}
	if s.format != formatTable {
		return &lineView{s: s, id: id, level: level}, 0, nil
	}
	steps := progress.New(id, req.Name(), p)
	if s.outTTY != nil && s.env("TERM") != "dumb" {
		return newLiveView(s, steps, level), frameTime, nil
	}
	return &plainView{s: s, progress: steps, level: level}, 0, nil
}

// conclude prints the summary of a run and returns what the process exits with.
func (s *session) conclude(ctx context.Context, st *store.Store, out engine.Outcome, p *plan.Plan, interrupted bool, interrupts <-chan os.Signal) error {
	r := report.Of(out.Record, p, st.Now())
	if s.format != formatTable {
		if out.Retry == "" { // else the run that follows is the answer
			s.settle(ctx, st, r, interrupts)
			if err := s.printJSON(r); err != nil {
				return err
			}
		}
	} else if err := s.printEnd(ctx, st, r); err != nil {
		return err
	} else {
		s.settle(ctx, st, r, interrupts)
	}
	if out.LeftRunning > 0 {
		s.warn("%s did not stop and were left", report.Count(out.LeftRunning, "step"))
	}
	switch {
	case out.End == engine.HandedOver:
		s.say("interrupted; run %s goes on with: %s", r.ID.Short(), s.call("monitor", "--once"))
		return exitError{fault.ExitInterrupted}
	case r.Status == run.Success:
		return nil
	case r.Status == run.Canceled && interrupted:
		return exitError{fault.ExitInterrupted}
	default:
		return exitError{fault.ExitRunFailed}
	}
}

// printEnd prints what follows the steps.
func (s *session) printEnd(ctx context.Context, st *store.Store, r *report.Report) error {
	lines := r.Text(s.paint)
	if r.Status == run.Failure {
		tail, err := s.failureLines(ctx, st, r)
		if err != nil && !errors.Is(err, fault.Canceled) {
			return err
		}
		lines = append(lines, tail...)
	}
	lines = append(lines, r.Closing(s.paint))
	words := "See it again"
	switch {
	case r.Status == run.Failure:
		words = "See why"
	case !r.Status.Terminal():
		words = "See how it stands"
	}
	return s.writeText(append(lines, "  "+words+": "+s.call("runs", "show", r.ID.Short()))...)
}
