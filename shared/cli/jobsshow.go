package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"waggle/shared/asset"
	"waggle/shared/duration"
	"waggle/shared/fault"
	"waggle/shared/job"
	"waggle/shared/plan"
	"waggle/shared/report"
	"waggle/shared/run"
	"waggle/shared/store"
)

func (s *session) jobsShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "show JOB",
		Short:             "Show a job: its steps, settings, schedules and last runs",
		Example:           "  waggle jobs show gallery",
		Args:              exactly("job"),
		ValidArgsFunction: s.completeJobs,
		RunE:              func(cmd *cobra.Command, args []string) error { return s.jobsShow(cmd.Context(), args[0]) },
	}
}

func (s *session) jobsShow(ctx context.Context, name string) error {
	j := s.app.Definitions.Job(name)
	if j == nil {
		return fault.Unknown("job", name, s.jobNames())
	}
	p, err := s.app.Definitions.Plan(run.Request{Job: name})
	if err != nil {
		return err
	}
	st, err := s.look(ctx)
	if err != nil {
		return err
	}
	page, _, err := st.Runs(ctx, store.Filter{Job: name}, 5, "")
	if err != nil {
		return err
	}
	runs := make([]runJSON, len(page))
	for i, summary := range page {
		if runs[i], err = s.runOf(ctx, st, summary); err != nil {
			return err
		}
	}
	if s.format != formatTable {
		return s.printJSON(struct {
			jobDefinition
			Runs []runJSON `json:"runs"`
		}{s.jobDefinition(j, p), runs})
	}
	return s.writeText(s.jobText(j, p, runs, st.Now())...)
}

func (s *session) jobText(j *job.Job, p *plan.Plan, runs []runJSON, now time.Time) []string {
	lines := []string{s.paint(report.Strong, j.Name) + ": " + report.Count(p.Assets(), "asset") + ", " + report.Count(len(p.Steps)-p.Assets(), "check")}
	if j.Options.Description != "" {
		lines = append(lines, "  "+strings.ReplaceAll(strings.TrimSpace(j.Options.Description), "\n", "\n  "))
	}
	facts := &grid{columns: []column{{}, {least: 20, wrap: true}}, indent: 2}
	for _, schedule := range s.schedulesOf(j) {
		next := schedule.Next(now)
		facts.row(s.paint(report.Muted, "schedule"), fmt.Sprintf("%s: %s %s, next %s", schedule.Name, schedule.Cron, schedule.Options.TimeZone,
			next.Format("2006-01-02 15:04 ")+schedule.Options.TimeZone))
	}
	facts.row(s.paint(report.Muted, "at once"), report.Count(j.Options.Parallelism, "step"))
	if j.Options.Timeout > 0 {
		facts.row(s.paint(report.Muted, "timeout"), duration.Text(j.Options.Timeout))
	}
	if len(j.Options.Tags) > 0 {
		facts.row(s.paint(report.Muted, "tags"), pairText(anyMap(j.Options.Tags)))
	}
	facts.row(s.paint(report.Muted, "defined in"), j.Origin)
	lines = append(append(lines, facts.lines(s)...), "")

	settings := &grid{indent: 2, columns: []column{{title: "NAME"}, {title: "TYPE"}, {title: "DEFAULT", least: 10}, {least: 20, wrap: true}}}
	for _, f := range p.ConfigFields() {
		settings.row(f.Name, f.TypeWord(), defaultText(f, j), f.Help)
	}
	lines = append(lines, s.part("Settings (--config name=value)", settings, 0, "")...)

	steps := &grid{indent: 2, columns: []column{{title: "GROUP", least: 8}, {title: "STEP", least: 16}, {title: "AFTER", least: 12, wrap: true}}}
	for i, step := range p.Steps {
		if i == shownSteps {
			break
		}
		steps.row(step.Group(), string(step.Key), after(step))
	}
	lines = append(lines, s.part("Steps", steps, max(0, len(p.Steps)-shownSteps), "steps")...)
	if len(runs) > 0 {
		g := s.runsGrid(runs, now)
		g.indent = 2
		lines = append(lines, s.part("Last runs", g, 0, "")...)
	}
	return append(lines, "Run it: "+s.call("run", j.Name))
}

// defaultText is a setting's value where nobody gives one.
func defaultText(f asset.ConfigField, j *job.Job) string {
	value := f.Default
	if own, ok := j.Options.Config[f.Name]; ok {
		value = own
	}
	switch v := value.(type) {
	case string:
		if v == "" {
			return "(empty)"
		}
		return v
	case []string:
		return strings.Join(v, ",")
	}
	return fmt.Sprint(value)
}

func after(step *plan.Step) string {
	var keys []run.StepKey
	for _, need := range step.Needs {
		keys = append(keys, need.Key)
	}
	for _, gate := range step.Gates {
		keys = append(keys, gate.Key)
	}
	return joined(keys)
}
