package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"waggle/shared/report"
	"waggle/shared/store"
)

func (s *session) gcCommand() *cobra.Command {
	older, dryRun := "24h", false
	cmd := &cobra.Command{
		Use:   "gc",
		Short: "Delete stored values and texts that nothing names any more",
		Long: `Delete the blobs that no materialization, check result or log names: values of attempts that were tried again, texts of
logs that have expired, what runs that are gone left. Blobs of runs that have not ended are never touched, so it may go
on beside runs. Logs that are past their time and do not know it are deleted too.`,
		Example: `  waggle gc --dry-run
  waggle gc
  waggle gc --older-than 7d`,
		Args: nothing,
		RunE: func(cmd *cobra.Command, _ []string) error { return s.gc(cmd.Context(), older, dryRun) },
	}
	cmd.Flags().StringVar(&older, "older-than", older, "only blobs written before this `TIME` ago: 24h, 7d, 4w")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "say what would be deleted, and delete nothing")
	return cmd
}

// gcJSON is what gc found, as -o json prints it.
type gcJSON struct {
	store.Report
	Deleted store.Tally `json:"deleted"`
	Kept    store.Tally `json:"kept"`
}

// fates are the fates of blobs in the order in which they are listed, and what each means to people.
var fates = []struct {
	fate store.Fate
	why  string
}{
	{store.Unnamed, "an attempt that did not count wrote it"},
	{store.LogExpired, "only a log that has expired named it"},
	{store.RunGone, "its run does not exist"},
	{store.Named, "a materialization or a check result names it"},
	{store.Logged, "the log of its run is there"},
	{store.Unsettled, "its run has not ended"},
	{store.Young, "too new to judge"},
	{store.Foreign, "no run gives such a name"},
}

func (s *session) gc(ctx context.Context, older string, dryRun bool) error {
	age, err := parseAge(older)
	if err != nil {
		return err
	}
	st, err := s.store(ctx)
	if err != nil {
		return err
	}
	r, err := st.GC(ctx, age, dryRun)
	if err != nil {
		if t := r.Deleted(); t.Count > 0 && !dryRun {
			s.say("until then %s, %s, were deleted", report.Count(int(t.Count), "blob"), report.Bytes(t.Bytes))
		}
		return err
	}
	if s.format != formatTable {
		return s.printJSON(gcJSON{r, r.Deleted(), r.Kept()})
	}
	g := &grid{indent: 2, columns: []column{{}, {right: true}, {right: true}, {note: true}}}
	for _, f := range fates {
		t := r.Blobs[f.fate]
		if t.Count == 0 {
			continue
		}
		word := "kept"
		switch {
		case f.fate.Deleted() && dryRun:
			word = "to be deleted"
		case f.fate.Deleted():
			word = "deleted"
		}
		g.row(word, report.Count(int(t.Count), "blob"), report.Bytes(t.Bytes), f.why)
	}
	lines := g.lines(s)
	if len(g.rows) == 0 {
		lines = nil
	}
	verb := "deleted "
	if dryRun {
		verb = "would delete "
	}
	gone, kept := r.Deleted(), r.Kept()
	line := verb + report.Count(int(gone.Count), "blob") + ", " + report.Bytes(gone.Bytes) + "; kept " + report.Count(int(kept.Count), "blob") + ", " + report.Bytes(kept.Bytes)
	if r.Logs > 0 {
		line += "; " + verb + report.Count(r.Logs, "log") + " past their time"
	}
	return s.write(append(lines, line)...)
}

// parseAge reads --older-than: a length of time, or 0.
func parseAge(text string) (age time.Duration, err error) {
	if text == "0" {
		return 0, nil
	}
	if age, err = parseSpan(text); err != nil {
		return 0, usage("write it as 24h, 7d or 4w", "--older-than %s is no length of time", text)
	}
	return age, nil
}
