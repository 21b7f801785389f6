package cli

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"waggle/shared/fault"
	"waggle/shared/report"
	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/store"
)

// runsFlags are what `runs` can be asked.
type runsFlags struct {
	job, status, last, cursor string
	limit                     int
}

func (s *session) runsCommand() *cobra.Command {
	var f runsFlags
	cmd := &cobra.Command{
		Use:   "runs",
		Short: "List runs, newest first",
		Example: `  waggle runs
  waggle runs --job gallery --status failed --last 7d
  waggle runs show LAST
  waggle runs logs LAST -f`,
		Args: noSuchCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return s.runs(cmd.Context(), f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.job, "job", "", "runs of this `JOB`")
	flags.StringVar(&f.status, "status", "", "runs with this `STATUS`: success, failed, canceled, running, queued")
	flags.StringVar(&f.last, "last", "", "runs launched within this `TIME`: 30m, 12h, 7d, 4w")
	flags.IntVar(&f.limit, "limit", 25, "at most `N` runs a page, up to 1,000")
	flags.StringVar(&f.cursor, "cursor", "", "where the page begins: `CURSOR`, as the page before says")
	_ = cmd.RegisterFlagCompletionFunc("job", s.completeJobs)
	_ = cmd.RegisterFlagCompletionFunc("status", cobra.FixedCompletions([]string{"success", "failed", "canceled", "running", "queued"}, cobra.ShellCompDirectiveNoFileComp))
	cmd.AddCommand(s.runsShowCommand(), s.runsLogsCommand(), s.runsCancelCommand(), s.runsRetryCommand())
	return cmd
}

// runJSON is a run in a list.
type runJSON struct {
	RunID        run.ID            `json:"run_id"`
	Job          string            `json:"job,omitempty"`
	Selection    []run.StepKey     `json:"selection,omitempty"`
	Status       run.Status        `json:"status"`
	Reason       run.Reason        `json:"failure_reason,omitempty"`
	Error        string            `json:"error,omitempty"`
	LaunchedAt   time.Time         `json:"launched_at"`
	StartedAt    *time.Time        `json:"started_at"`
	EndedAt      *time.Time        `json:"ended_at"`
	DurationMS   *float64          `json:"duration_ms"`
	Steps        int               `json:"steps"`
	Done         int               `json:"done"`
	Failed       int               `json:"failed"`
	Assets       int               `json:"assets"`
	Checks       int               `json:"checks"`
	ChecksFailed int               `json:"checks_failed"`
	Tags         map[string]string `json:"tags,omitempty"`
	Parent       run.ID            `json:"parent,omitempty"` // the run that this one retries
	Root         run.ID            `json:"root,omitempty"`   // the first of that chain
	// Note says why a run that has not ended does not go on: it waits, or its process died.
	Note string `json:"note,omitempty"`
}

func (s *session) runs(ctx context.Context, f runsFlags) error {
	filter, span, err := f.filter()
	if err != nil {
		return err
	}
	st, err := s.look(ctx)
	if err != nil {
		return err
	}
	if span > 0 {
		filter.Since = st.Now().Add(-span)
	}
	page, next, err := st.Runs(ctx, filter, f.limit, f.cursor)
	if err != nil {
		return err
	}
	if len(page) == 0 && f.job != "" && s.app.Definitions.Job(f.job) == nil {
		return fault.Unknown("job", f.job, s.jobNames())
	}
	list := make([]runJSON, len(page))
	for i, summary := range page {
		if list[i], err = s.runOf(ctx, st, summary); err != nil {
			return err
		}
	}
	if s.format == formatJSON {
		return s.printJSON(struct {
			Runs       []runJSON `json:"runs"`
			NextCursor *string   `json:"next_cursor"`
		}{list, pointer(next)})
	}
	empty := "there is no run yet; start one with: " + s.call("run", "JOB")
	if f != (runsFlags{limit: f.limit}) {
		empty = "no run fits; all are listed by: " + s.call("runs")
	}
	if err := printList(s, list, empty, func() *grid { return s.runsGrid(list, st.Now()) }); err != nil {
		return err
	}
	if next != "" {
		s.say("more: %s", s.call(f.words(next)...))
	}
	return nil
}

func pointer(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// words are the arguments that ask for the page at a cursor.
func (f runsFlags) words(cursor string) []string {
	words := []string{"runs"}
	for _, flag := range []struct{ name, value string }{{"--job", f.job}, {"--status", f.status}, {"--last", f.last}} {
		if flag.value != "" {
			words = append(words, flag.name, quoted(flag.value))
		}
	}
	if f.limit != 25 {
		words = append(words, "--limit", strconv.Itoa(f.limit))
	}
	return append(words, "--cursor", quoted(cursor))
}

// filter checks the flags; span is how far back to look, 0 is to the first run.
func (f runsFlags) filter() (filter store.Filter, span time.Duration, err error) {
	filter.Job = f.job
	if f.limit < 1 || f.limit > 1000 {
		return filter, 0, usage("give 1 to 1000", "--limit is %d", f.limit)
	}
	if f.status != "" {
		if filter.Status, err = parseStatus(f.status); err != nil {
			return filter, 0, err
		}
	}
	if f.last != "" {
		span, err = parseSpan(f.last)
	}
	return filter, span, err
}

// parseStatus reads a status, also by the word that people see.
func parseStatus(text string) (run.Status, error) {
	switch strings.ToUpper(text) {
	case "FAILED":
		return run.Failure, nil
	case "RUNNING":
		return run.Started, nil
	case "CANCELLED":
		return run.Canceled, nil
	}
	status, err := run.ParseStatus(text)
	if err != nil {
		return "", usage("one of success, failed, canceled, running, queued", "unknown status %q", text)
	}
	return status, nil
}

// parseSpan reads a length of time: 30m, 12h, 7d, 4w.
func parseSpan(text string) (time.Duration, error) {
	const day = 24 * time.Hour
	units := map[string]time.Duration{"d": day, "w": 7 * day}
	if n := len(text); n > 1 {
		if unit, ok := units[text[n-1:]]; ok {
			if count, err := strconv.ParseFloat(text[:n-1], 64); err == nil && count > 0 && count < 36500 {
				return time.Duration(count * float64(unit)), nil
			}
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return d, nil
	}
	return 0, usage("write it as 30m, 12h, 7d or 4w", "--last %s is no length of time", text)
}

// runOf is a run for a list. What the summary says of a run that has not ended can be old, so its log is read.
func (s *session) runOf(ctx context.Context, st *store.Store, summary store.Summary) (runJSON, error) {
	now, note := st.Now(), ""
	if !summary.Status.Terminal() {
		own, err := st.Owner(ctx, summary.ID)
		if err != nil {
			return runJSON{}, err
		}
		fold, _, err := st.Fold(ctx, summary.ID)
		if err != nil {
			return runJSON{}, err
		}
		summary.Tell(fold)
		summary.Status = derived(summary.Status, own.Held(now, st.Lease()))
		if !summary.Status.Terminal() && !own.Held(now, st.Lease()) && !own.Due.After(now) {
			note = s.whyDue(own, summary, st.Lease(), now)
		}
		if summary.Status == run.Queued {
			if note, err = waiting(ctx, st, summary.ID, summary.Request.Limits); err != nil {
				return runJSON{}, err
			}
		}
	}
	r := runJSON{RunID: summary.ID, Job: summary.Request.Job, Selection: summary.Request.Selection, Status: summary.Status, Reason: summary.Reason,
		Error: summary.Error, LaunchedAt: summary.Launched, Steps: summary.Steps, Done: summary.Done, Failed: summary.Failed, Assets: summary.Assets,
		Checks: summary.Checks, ChecksFailed: summary.ChecksFailed, Tags: summary.Request.Tags, Parent: summary.Request.Parent, Root: summary.Request.Root, Note: note}
	if !summary.Started.IsZero() {
		r.StartedAt = &summary.Started
		took := runlog.Milliseconds(run.Record{Started: summary.Started, Ended: summary.Ended}.Duration(now))
		r.DurationMS = &took
	}
	if !summary.Ended.IsZero() {
		r.EndedAt = &summary.Ended
	}
	return r, nil
}

// derived is STARTING for a run that is owned and whose log has not begun.
func derived(status run.Status, held bool) run.Status {
	if status == run.NotStarted && held {
		return run.Starting
	}
	return status
}

func (r runJSON) name() string { return run.Request{Job: r.Job, Selection: r.Selection}.Name() }

func (s *session) runsGrid(list []runJSON, now time.Time) *grid {
	g := &grid{columns: []column{{title: "RUN"}, {title: "STATUS"}, {title: "OF", least: 12}, {title: "LAUNCHED"}, {title: "TOOK", right: true},
		{title: "ASSETS", right: true}, {title: "CHECKS", right: true}, {note: true}}}
	for _, r := range list {
		took, checks := "", ""
		if r.DurationMS != nil {
			took = report.Seconds(milliseconds(*r.DurationMS))
		}
		if r.Checks > 0 {
			checks = report.Number(int64(r.Checks-r.ChecksFailed)) + " of " + report.Number(int64(r.Checks))
		}
		g.row(r.RunID.Short(), report.OfRun(r.Status).Painted(s.paint), r.name(), s.when(r.LaunchedAt, now), took,
			report.Number(int64(r.Assets)), checks, report.OneLine(r.Error+r.Note))
	}
	return g
}

func milliseconds(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }
