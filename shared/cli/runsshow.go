package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"waggle/shared/duration"
	"waggle/shared/metadata"
	"waggle/shared/owner"
	"waggle/shared/plan"
	"waggle/shared/report"
	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/store"
)

func (s *session) runsShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show RUN",
		Short: "Show a run: its steps, checks, errors and metadata",
		Long:  "Show a run, whether it has ended or not: its steps and checks, why it failed, and what its assets reported.",
		Example: `  waggle runs show LAST
  waggle runs show 0199f3c2-1a2b
  waggle runs show LAST --json`,
		Args:              exactly("run"),
		ValidArgsFunction: s.completeRuns,
		RunE:              func(cmd *cobra.Command, args []string) error { return s.runsShow(cmd.Context(), args[0]) },
	}
}

const (
	shownSteps    = 100 // steps of a run that a table lists whatever they came to
	shownMetadata = 25  // assets whose metadata is shown
)

func (s *session) runsShow(ctx context.Context, name string) error {
	st, err := s.look(ctx)
	if err != nil {
		return err
	}
	id, err := st.Find(ctx, name)
	if err != nil {
		return err
	}
	fold, _, err := st.Fold(ctx, id)
	if err != nil {
		return err
	}
	own, err := st.Owner(ctx, id)
	if err != nil {
		return err
	}
	p, changed := s.planOf(fold)
	fold.Record.Status = derived(fold.Record.Status, own.Held(st.Now(), st.Lease()))
	rel, err := relationsOf(ctx, st, fold.Record)
	if err != nil {
		return err
	}
	r := report.Of(fold.Record, p, st.Now())
	if s.format != formatTable {
		return s.printJSON(shownRun{r, rel, own.Worker, changed})
	}
	lines := s.runHead(r, fold, own, rel, st)
	if changed {
		lines = append(lines, "", "The code has changed since: steps that did not begin are not listed.")
	}
	lines = append(lines, "")
	lines = append(lines, s.assetLines(r, st.Now())...)
	lines = append(lines, s.checkLines(r)...)
	lines = append(lines, r.Text(s.paint)...)
	if len(r.Failures()) > 0 || r.Status == run.Failure {
		why, err := s.failureLines(ctx, st, r)
		if err != nil {
			return err
		}
		lines = append(lines, why...)
	}
	lines = append(lines, s.runMetadata(r)...)
	lines = append(lines, "Its log: "+s.call("runs", "logs", r.ID.Short()))
	return s.writeText(lines...)
}

// shownRun is a report with what else the store knows of the run.
type shownRun struct {
	report  *report.Report
	rel     relations
	worker  string
	changed bool
}

// MarshalJSON adds fields to those of the report.
func (r shownRun) MarshalJSON() ([]byte, error) {
	text, err := encodeJSON(r.report)
	if err != nil {
		return nil, err
	}
	more, err := encodeJSON(struct {
		Parent    run.ID `json:"parent,omitempty"`
		Root      run.ID `json:"root,omitempty"`
		RetriedBy run.ID `json:"retried_by,omitempty"`
		Priority  int    `json:"priority,omitempty"`
		Waiting   string `json:"waiting,omitempty"`
		Worker    string `json:"worker,omitempty"`
		Changed   bool   `json:"code_changed"`
	}{r.report.Request.Parent, r.report.Request.Root, r.rel.retriedBy, r.report.Request.Priority, r.rel.waiting, r.worker, r.changed})
	if err != nil {
		return nil, err
	}
	return json.RawMessage(slices.Concat(text[:len(text)-1], []byte(","), more[1:])), nil
}

// planOf returns the plan of a run if this code still has it, and whether the code has changed.
func (s *session) planOf(f *runlog.Fold) (p *plan.Plan, changed bool) {
	p, err := s.app.Definitions.Plan(f.Record.Request)
	if err != nil || f.Plan != "" && f.Plan != p.Hash {
		return nil, true
	}
	return p, false
}

// runHead is the run itself: one fact a line.
func (s *session) runHead(r *report.Report, f *runlog.Fold, own owner.Ownership, rel relations, st *store.Store) []string {
	now := st.Now()
	g, add := s.facts()
	add("run", string(r.ID))
	add("launched", s.absolute(r.Launched, now))
	if !r.Started.IsZero() {
		took := report.Seconds(r.Duration)
		if !r.Status.Terminal() {
			took += " so far"
		}
		add("took", took)
	}
	add("reason", string(r.Reason))
	add("config", pairText(r.Request.Config))
	add("tags", pairText(anyMap(r.Request.Tags)))
	if len(r.Request.Selection) > 0 {
		add("selection", joined(r.Request.Selection))
	}
	if r.Request.Priority != 0 {
		add("priority", fmt.Sprint(r.Request.Priority))
	}
	add("waits", rel.waiting)
	add("retry of", string(r.Request.Parent))
	if r.Request.Root != r.Request.Parent {
		add("first try", string(r.Request.Root))
	}
	add("retried by", string(rel.retriedBy))
	add("code", r.Request.CodeVersion)
	add("worker", s.workerText(own, f, own.Held(now, st.Lease())))
	if !r.Status.Terminal() && !own.Held(now, st.Lease()) && !own.Due.After(now) {
		why := s.whyDue(own, store.Summary{Launched: r.Launched, Status: r.Status}, st.Lease(), now)
		add("note", why+"; "+s.unless("resume it with: "+s.call("monitor", "--once")))
	}
	return append([]string{r.Closing(s.paint)}, g.lines(s)...)
}

func (s *session) workerText(own owner.Ownership, f *runlog.Fold, held bool) string {
	if own.Worker == "" {
		return ""
	}
	text := own.Worker
	if f.Epoch > 1 {
		text += fmt.Sprintf(", the %s to take it", ordinal(f.Epoch))
	}
	if held {
		text += ", at work"
	}
	return text
}

func ordinal(n int64) string {
	switch n {
	case 2:
		return "second"
	case 3:
		return "third"
	default:
		return fmt.Sprintf("%dth", n)
	}
}

// absolute is a time with its zone; on a terminal also how long ago.
func (s *session) absolute(t, now time.Time) string {
	switch {
	case t.IsZero():
		return ""
	case s.outTTY != nil:
		return utc(t) + ", " + ago(now.Sub(t))
	default:
		return utc(t)
	}
}

func (s *session) assetLines(r *report.Report, now time.Time) []string {
	g := &grid{indent: 2, columns: []column{{title: "STATUS"}, {title: "ASSET", least: 16}, {title: "GROUP", least: 8}, {title: "ROWS", right: true},
		{title: "TOOK", right: true}, {title: "ATTEMPT", right: true}, {least: 12, wrap: true}}}
	left := 0
	for _, a := range r.Assets {
		if len(r.Assets) > shownSteps && a.Status == run.StepSucceeded {
			left++
			continue
		}
		rows, took, attempt := "", "", ""
		if n, ok := a.Rows(); ok {
			rows = report.Number(n)
		}
		switch {
		case a.Status == run.StepRunning:
			took = duration.Text(now.Sub(a.Started).Truncate(time.Millisecond))
		case a.Attempt > 0:
			took = duration.Text(a.Duration)
		}
		if a.Attempt > 1 {
			attempt = fmt.Sprint(a.Attempt)
		}
		note := report.By(a.Skipped)
		if a.Verdict == run.Bad {
			note = "a blocking check failed on it"
		}
		g.row(report.OfStep(a.Status).Painted(s.paint), string(a.Key), a.Group, rows, took, attempt, note)
	}
	return s.part("Assets", g, left, "that succeeded")
}

func (s *session) checkLines(r *report.Report) []string {
	g := &grid{indent: 2, columns: []column{{title: "STATUS"}, {title: "CHECK", least: 16}, {title: "ASSET", least: 12}, {title: "BLOCKING"}, {title: "TOOK", right: true}, {least: 16, wrap: true}}}
	left := 0
	for _, c := range r.Checks {
		if len(r.Checks) > shownSteps && c.Passed {
			left++
			continue
		}
		took := ""
		if c.Attempt > 0 {
			took = duration.Text(c.Duration)
		}
		why := report.OneLine(c.Why())
		if c.Skipped != nil {
			why = report.By(c.Skipped)
		}
		g.row(report.OfCheck(c.Status, c.Severity).Painted(s.paint), c.Check, string(c.Asset), yes(c.Blocking), took, why)
	}
	return s.part("Checks", g, left, "that passed")
}

// part is a grid under a title; nothing where it is empty.
func (s *session) part(title string, g *grid, left int, which string) []string {
	if len(g.rows) == 0 && left == 0 {
		return nil
	}
	lines := []string{s.paint(report.Strong, title)}
	if len(g.rows) > 0 {
		lines = append(lines, g.lines(s)...)
	}
	if left > 0 {
		lines = append(lines, fmt.Sprintf("  and %s more %s; -o json lists them", report.Number(int64(left)), which))
	}
	return append(lines, "")
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}

// runMetadata is what the assets and checks of a run reported.
func (s *session) runMetadata(r *report.Report) []string {
	var lines []string
	shown := 0
	add := func(name string, values metadata.Values) {
		if len(values) == 0 {
			return
		}
		if shown++; shown > shownMetadata {
			return
		}
		lines = append(lines, s.paint(report.Strong, name))
		lines = append(lines, s.metadataGrid(values).lines(s)...)
		lines = append(lines, "")
	}
	for _, a := range r.Assets {
		add(string(a.Key), a.Metadata)
	}
	for _, c := range r.Checks {
		add(c.Check+" on "+string(c.Asset), c.Metadata)
	}
	if shown > shownMetadata {
		lines = append(lines, fmt.Sprintf("and the metadata of %d more; -o json has it", shown-shownMetadata), "")
	}
	return lines
}

// pairText is a map as k=v, sorted.
func pairText(values map[string]any) string {
	pairs := make([]string, 0, len(values))
	for k, v := range values {
		pairs = append(pairs, k+"="+runlog.QuotedValue(fmt.Sprint(v)))
	}
	slices.Sort(pairs)
	return strings.Join(pairs, " ")
}

func anyMap(values map[string]string) map[string]any {
	m := make(map[string]any, len(values))
	for k, v := range values {
		m[k] = v
	}
	return m
}

func joined[T ~string](list []T) string {
	texts := make([]string, len(list))
	for i, x := range list {
		texts[i] = string(x)
	}
	return strings.Join(texts, ", ")
}
