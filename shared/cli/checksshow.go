package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"waggle/shared/check"
	"waggle/shared/fault"
	"waggle/shared/report"
	"waggle/shared/run"
	"waggle/shared/store"
)

func (s *session) checksShowCommand() *cobra.Command {
	limit := 10
	cmd := &cobra.Command{
		Use:               "show ASSET:CHECK",
		Short:             "Show a check: what it is, its results",
		Example:           "  waggle checks show sales_output:check_sales_above_threshold",
		Args:              exactly("check"),
		ValidArgsFunction: s.completeChecks,
		RunE: func(cmd *cobra.Command, args []string) error {
			if limit < 1 || limit > 1000 {
				return usage("give 1 to 1000", "--limit is %d", limit)
			}
			return s.checksShow(cmd.Context(), args[0], limit)
		},
	}
	cmd.Flags().IntVar(&limit, "limit", limit, "look back at `N` results, 1,000 at most")
	return cmd
}

// findCheck finds a check by asset:check, or by its name where only one has it.
func (s *session) findCheck(name string) (*check.Definition, error) {
	var found []*check.Definition
	for _, c := range s.app.Definitions.Checks {
		if def := c.Definition(); def != nil && def.Asset != nil && (string(def.Step()) == name || def.Name == name) {
			found = append(found, def)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return nil, fault.New(fault.Invalid, "several assets have a check %q", name).WithHint("name it as asset:check")
	}
	return nil, fault.Unknown("check", name, s.checkSteps())
}

func (s *session) checksShow(ctx context.Context, name string, limit int) error {
	def, err := s.findCheck(name)
	if err != nil {
		return err
	}
	st, err := s.look(ctx)
	if err != nil {
		return err
	}
	history, err := st.CheckHistory(ctx, def.Asset.Key, def.Name, limit)
	if err != nil {
		return err
	}
	stands := checkStanding{def: def}
	if len(history) > 0 {
		stands.last = &history[0]
	}
	if s.format != formatTable {
		results := []checkResult{}
		for _, c := range history {
			results = append(results, *checkResultOf(c))
		}
		return s.printJSON(struct {
			checkJSON
			History []checkResult `json:"history"`
		}{checkOf(stands), results})
	}
	return s.writeText(s.checkText(stands, history, st)...)
}

func (s *session) checkText(c checkStanding, history []run.CheckResult, st *store.Store) []string {
	now := st.Now()
	head := c.state().Painted(s.paint) + " " + s.paint(report.Strong, c.def.Name) + " on " + string(c.def.Asset.Key)
	if why := c.why(); why != "" {
		head += ": " + report.OneLine(why)
	}
	lines := []string{head}
	if c.def.Options.Description != "" {
		lines = append(lines, "  "+strings.ReplaceAll(strings.TrimSpace(c.def.Options.Description), "\n", "\n  "))
	}
	g := &grid{columns: []column{{}, {least: 20, wrap: true}}, indent: 2}
	if c.def.Options.Blocking {
		g.row(s.paint(report.Muted, "blocking"), "yes: what is downstream waits for it")
	}
	g.row(s.paint(report.Muted, "severity"), string(c.def.Options.Severity))
	g.row(s.paint(report.Muted, "defined in"), c.def.Origin)
	lines = append(append(lines, g.lines(s)...), "")
	if c.last == nil {
		return append(lines, "It was never evaluated. Run it with: "+s.call("run", "--select", string(c.def.Step())))
	}
	past := &grid{indent: 2, columns: []column{{title: "EVALUATED"}, {title: "RUN"}, {title: "STATUS"}, {least: 16, wrap: true}}}
	for _, r := range history {
		past.row(s.when(r.Time, now), r.Run.Short(), report.OfCheck(r.Status, r.Severity).Painted(s.paint), report.OneLine(whyOf(r)))
	}
	lines = append(lines, s.part("Results", past, 0, "")...)
	if len(c.last.Metadata) > 0 {
		lines = append(lines, s.part("Metadata", s.metadataGrid(c.last.Metadata), 0, "")...)
	}
	return lines[:len(lines)-1]
}
