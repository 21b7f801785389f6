package cli

import (
	"cmp"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"waggle/shared/fault"
	"waggle/shared/monitor"
	"waggle/shared/report"
	"waggle/shared/run"
	"waggle/shared/scheduler"
	"waggle/shared/store"
)

func (s *session) devCommand() *cobra.Command {
	parallel := 4
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Run schedules, the queue and recovery, until Ctrl-C",
		Long: `Look after everything in one process: launch the ticks of schedules as they come, and those of the last day that were
missed; run what is due and nobody runs; give free slots to the runs that wait. It exits 0.

A run whose process died goes on in a process of its own, so that it cannot end this one. Ctrl-C launches nothing
more and asks the runs to stop where they are; they go on with the next waggle dev. A second Ctrl-C ends at once.

Several may look after one home: a tick is launched once, and a run has one process.`,
		Example: `  waggle dev
  waggle dev --parallel 8
  waggle dev -o jsonl >> dev.log`,
		Annotations: map[string]string{ownInterrupt: "yes", works: "yes", localOnly: "a deployment looks after its runs itself"},
		Args:        nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case parallel < 1 || parallel > 1000:
				return usage("give 1 to 1000", "--parallel is %d", parallel)
			case s.format == formatJSON:
				return usage("use -o jsonl: one object for each thing that happens", "dev has no end, so it is no one JSON value")
			}
			return s.dev(cmd.Context(), parallel)
		},
	}
	cmd.Flags().IntVar(&parallel, "parallel", parallel, "run up to `N` runs at once")
	return cmd
}

func (s *session) dev(ctx context.Context, parallel int) error {
	if err := s.app.Definitions.Validate(); err != nil {
		return err
	}
	level, err := s.logLevel()
	if err != nil {
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
	release := s.claimHome()
	defer release()
	s.polls = true
	v := newDevView(s, st, level)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	over := s.devInterrupts(v, stop)
	e := s.engine(st)
	opts := &monitor.KeeperOptions{Parallel: parallel, Look: s.app.Look, Observe: v.observe, Tell: v.tell, Show: v.show}
	if s.app.Executable != "" {
		opts.Elsewhere = func(ctx context.Context, id run.ID) error { return s.resumeElsewhere(ctx, id) }
	}
	v.open()
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		s.courier(st).Keep(ctx, func(err error) { v.say("deliveries: " + report.OneLine(err.Error())) })
	}()
	err = monitor.NewKeeper(st, e, s.scheduler(st), opts).Keep(ctx)
	stop()
	<-kept
	v.close()
	over()
	if err == nil && len(v.unfinished) > 0 {
		s.say("%s; going on with: %s", joinedRuns(v.unfinished), s.call("dev"))
	}
	return err
}

// place is the store that is looked after.
func (s *session) place() string { return cmp.Or(s.storeAddress(), s.homeDir()) }

// joinedRuns names runs that did not end.
func joinedRuns(ids []run.ID) string {
	const most = 5
	var names []string
	for _, id := range ids[:min(most, len(ids))] {
		names = append(names, id.Short())
	}
	text := report.Count(len(ids), "run") + " did not end: " + strings.Join(names, ", ")
	if len(ids) > most {
		text += " and " + report.Number(int64(len(ids)-most)) + " more"
	}
	return text
}

// devInterrupts ends the keeper at the first Ctrl-C and the process at the second, until the returned function is called.
func (s *session) devInterrupts(v *devView, stop func()) (over func()) {
	interrupts, done := make(chan os.Signal, 2), make(chan struct{})
	signal.Notify(interrupts, os.Interrupt)
	go func() {
		select {
		case <-interrupts:
		case <-done:
			return
		}
		v.say("ending: runs are asked to stop where they are; press Ctrl-C again to end at once")
		stop()
		select {
		case <-interrupts:
			v.quit()
			s.children.kill()
			s.say("ended at once; runs go on with: %s", s.call("dev"))
			os.Exit(fault.ExitInterrupted)
		case <-done:
		}
	}()
	return func() {
		signal.Stop(interrupts)
		close(done)
	}
}

// claimHome says when another `dev` looks after the same home. It knows by a file that the first locks while it lives; of
// another kind of store it does not know.
func (s *session) claimHome() (release func()) {
	if s.storeAddress() != "" {
		return func() {}
	}
	f, err := os.OpenFile(filepath.Join(s.homeDir(), "dev.lock"), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return func() {} // a home that is no folder, or that cannot be written: nothing depends on it
	}
	if !lockFile(f) {
		who, _ := io.ReadAll(io.LimitReader(f, 200))
		s.say("another `%s` looks after this home (%s); both share the work", s.call("dev"), strings.TrimSpace(string(who)))
		_ = f.Close()
		return func() {}
	}
	_ = f.Truncate(0)
	_, _ = f.WriteString(s.app.Worker + "\n")
	return func() { _ = f.Close() }
}

// resumeElsewhere resumes a run in a process of its own.
func (s *session) resumeElsewhere(ctx context.Context, id run.ID) error {
	var talk strings.Builder
	child := s.child(context.Background(), "monitor", "--once", "--run", string(id))
	child.Stderr = &talk
	if err := child.Start(); err != nil {
		return fault.Wrap(fault.Unavailable, "start "+s.app.Executable+" to resume the run", err)
	}
	defer s.children.add(child.Process)()
	defer context.AfterFunc(ctx, func() { _ = child.Process.Signal(os.Interrupt) })()
	err := child.Wait()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &exit) && !exit.Exited():
		return fault.New(fault.Unavailable, "it ended its process again (%s); it is tried once more", exit)
	case ctx.Err() != nil:
		return nil // it was interrupted, and handed over
	}
	lines := strings.Split(strings.TrimSpace(talk.String()), "\n")
	return fault.New(fault.Unavailable, "%s (%w)", lines[len(lines)-1], err)
}

// passedText says that ticks were not launched.
func (s *session) passedText(schedule string, ticks int, until time.Time) string {
	return report.Count(ticks, "tick") + " of " + schedule + " up to " + zoned(s.scheduleTime(schedule, until)) + " passed over: nobody looked for more than " +
		span(scheduler.CatchUp)
}

// tickText names a tick, and says how late it is.
func (s *session) tickText(schedule string, tick time.Time, late bool, now time.Time) string {
	text := schedule + " of " + zoned(s.scheduleTime(schedule, tick))
	if late {
		text += ", late by " + span(now.Sub(tick))
	}
	return text
}

// scheduleTime is a time in the zone of a schedule.
func (s *session) scheduleTime(name string, t time.Time) time.Time {
	for _, schedule := range s.app.Definitions.Schedules {
		if schedule.Name == name {
			return inZone(t, schedule.Options.TimeZone)
		}
	}
	return t.UTC()
}

// nextTicks are the next ticks of all schedules, soonest first.
func (s *session) nextTicks(now time.Time) []nextTick {
	var next []nextTick
	for _, schedule := range s.app.Definitions.Schedules {
		if t := schedule.Next(now); !t.IsZero() {
			next = append(next, nextTick{schedule.Name, schedule.Job.Name, t})
		}
	}
	slices.SortStableFunc(next, func(a, b nextTick) int { return a.at.Compare(b.at) })
	return next
}

type nextTick struct {
	schedule, job string
	at            time.Time
}

// ending is how a run that ended is told: how it stands, and what is to be known of it.
func ending(summary store.Summary, retry run.ID, paint report.Paint) (state, text string) {
	state = report.OfRun(summary.Status).Painted(paint)
	parts := []string{report.Count(summary.Assets, "asset")}
	if summary.Checks > 0 {
		parts = append(parts, report.Number(int64(summary.Checks-summary.ChecksFailed))+" of "+report.Count(summary.Checks, "check")+" passed")
	}
	if !summary.Started.IsZero() {
		parts = append(parts, report.Seconds(summary.Ended.Sub(summary.Started)))
	}
	text = strings.Join(parts, ", ")
	if summary.Error != "" {
		text += ": " + report.OneLine(summary.Error)
	}
	if retry != "" {
		text += "; tried again as run " + retry.Short()
	}
	return state, text
}
