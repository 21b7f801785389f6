package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"waggle/shared/metadata"
	"waggle/shared/report"
	"waggle/shared/run"
)

func (s *session) checksCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "checks",
		Short: "List checks and what each last said",
		Example: `  waggle checks
  waggle checks show sales_output:check_sales_above_threshold`,
		Args: noSuchCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return s.listChecks(cmd.Context()) },
	}
	cmd.AddCommand(s.checksShowCommand())
	return cmd
}

// checkJSON is a check in a list.
type checkJSON struct {
	Asset       run.AssetKey `json:"asset"`
	Name        string       `json:"name"`
	Blocking    bool         `json:"blocking"`
	Severity    run.Severity `json:"severity"`
	Description string       `json:"description,omitempty"`
	Last        *checkResult `json:"last"`
}

// checkResult is one in JSON.
type checkResult struct {
	RunID       run.ID          `json:"run_id"`
	Time        time.Time       `json:"time"`
	Status      run.CheckStatus `json:"status"`
	Passed      bool            `json:"passed"`
	Severity    run.Severity    `json:"severity"`
	Description string          `json:"description,omitempty"`
	Metadata    metadata.Values `json:"metadata"`
	Error       string          `json:"error,omitempty"`
}

func checkOf(c checkStanding) checkJSON {
	out := checkJSON{Asset: c.def.Asset.Key, Name: c.def.Name, Blocking: c.def.Options.Blocking, Severity: c.def.Options.Severity, Description: c.def.Options.Description}
	if c.last != nil {
		out.Last = checkResultOf(*c.last)
	}
	return out
}

func checkResultOf(c run.CheckResult) *checkResult {
	values := c.Metadata
	if values == nil {
		values = metadata.Values{}
	}
	return &checkResult{RunID: c.Run, Time: c.Time, Status: c.Status, Passed: c.Passed, Severity: c.Severity, Description: c.Description, Metadata: values, Error: c.Error}
}

func (c checkStanding) state() report.State {
	if c.last == nil {
		return report.Never()
	}
	return report.OfCheck(c.last.Status, c.last.Severity)
}

func (c checkStanding) why() string {
	if c.last == nil {
		return ""
	}
	return whyOf(*c.last)
}

func (c checkStanding) when(s *session, now time.Time) string {
	if c.last == nil {
		return ""
	}
	return s.when(c.last.Time, now)
}

func (s *session) listChecks(ctx context.Context) error {
	if err := s.app.Definitions.Validate(); err != nil {
		return err
	}
	st, err := s.look(ctx)
	if err != nil {
		return err
	}
	var list []checkJSON
	var all []checkStanding
	for _, c := range s.app.Definitions.Checks {
		def := c.Definition()
		results, err := st.CheckHistory(ctx, def.Asset.Key, def.Name, 1)
		if err != nil {
			return err
		}
		stands := checkStanding{def: def}
		if len(results) > 0 {
			stands.last = &results[0]
		}
		all = append(all, stands)
		list = append(list, checkOf(stands))
	}
	return printList(s, list, "there is no check; add one to Definitions", func() *grid {
		g := &grid{columns: []column{{title: "CHECK", least: 16}, {title: "ASSET", least: 12}, {title: "STATUS"}, {title: "LAST RUN"}, {title: "BLOCKING"}, {note: true}}}
		for _, c := range all {
			g.row(c.def.Name, string(c.def.Asset.Key), c.state().Painted(s.paint), c.when(s, st.Now()), yes(c.def.Options.Blocking), report.OneLine(c.why()))
		}
		return g
	})
}
