package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"waggle/shared/fault"
	"waggle/shared/report"
	"waggle/shared/run"
	"waggle/shared/schema"
)

func (s *session) quarantineReplayCommand() *cobra.Command {
	var runName string
	cmd := &cobra.Command{
		Use:   "replay ASSET",
		Short: "Validate again what an asset set aside, with the schema of today",
		Long: `Validate again the rows that an asset set aside when it was last made, with the schema of today, as after a mistake in it was mended. It says
which rows would pass if the same rows were filtered again. Nothing is changed: run the job again to make the asset anew.

Rows are judged by the schema of that name that set them aside: one of the asset's Options.Schemas, or of a check of the asset (schema.Check).
A row that was a copy stays one while the schema asks for unique values, whether what it is a copy of was handed on or set aside too;
a rule of uniqueness that is new sees only the rows that were set aside.`,
		Example:           `  waggle quarantine replay sales_transform`,
		Args:              exactly("asset"),
		ValidArgsFunction: s.completeAssets,
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.quarantineReplay(cmd.Context(), run.AssetKey(args[0]), runName)
		},
	}
	s.ofRun(cmd, &runName)
	return cmd
}

// replayedJSON is what became of the rows that one filter set aside, as -o json prints it.
type replayedJSON struct {
	Asset       run.AssetKey   `json:"asset"`
	RunID       run.ID         `json:"run_id"`
	Schema      string         `json:"schema"`
	Quarantined int            `json:"quarantined"`
	Pass        int            `json:"pass"`
	Rows        []int          `json:"rows_that_pass"`
	Still       []schema.Count `json:"still"`
}

func (s *session) quarantineReplay(ctx context.Context, key run.AssetKey, runName string) error {
	if err := s.app.Definitions.Validate(); err != nil {
		return err
	}
	st, err := s.look(ctx)
	if err != nil {
		return err
	}
	m, list, err := s.quarantines(ctx, st, key, runName)
	if err != nil {
		return err
	}
	var replayed []replayedJSON
	for _, q := range list {
		rules, err := s.schemaOf(key, q.Schema)
		if err != nil {
			return err
		}
		out := replayedJSON{Asset: key, RunID: m.Run, Schema: q.Schema, Quarantined: len(q.Numbers), Rows: []int{}, Still: []schema.Count{}}
		pass, still, err := rules.Replay(q)
		if err != nil {
			return err
		}
		out.Pass, out.Rows, out.Still = len(pass), append(out.Rows, pass...), append(out.Still, still...)
		replayed = append(replayed, out)
	}
	if s.format == formatTable && len(replayed) > 0 {
		return s.writeText(s.replayedText(replayed)...)
	}
	return printList(s, replayed, noneAside(m), nil)
}

func (s *session) replayedText(replayed []replayedJSON) []string {
	var lines []string
	pass := 0
	for _, r := range replayed {
		pass += r.Pass
		lines = append(lines, fmt.Sprintf("%s of %s that %s set aside in run %s would pass %s now", report.Number(int64(r.Pass)),
			report.Count(r.Quarantined, "row"), r.Asset, r.RunID.Short(), r.Schema))
		g := &grid{columns: []column{{title: "COLUMN", least: 16}, {title: "STILL BREAKS", least: 16}, {title: "ROWS", right: true}}, indent: 2}
		for _, c := range r.Still {
			g.row(c.Column, c.Check, report.Number(int64(c.Count)))
		}
		if len(g.rows) > 0 {
			lines = append(lines, g.lines(s)...)
		}
		lines = append(lines, "")
	}
	if pass > 0 {
		return append(lines, "Run a job that makes "+string(replayed[0].Asset)+" to take them in.")
	}
	return lines[:len(lines)-1]
}

// schemaOf finds the schema of a name that an asset is judged by: in its options, or in those of its checks.
func (s *session) schemaOf(key run.AssetKey, name string) (*schema.Schema, error) {
	var known []string
	for _, declared := range s.schemasOf(key) {
		if declared.Name() == name {
			return declared, nil
		}
		if !slices.Contains(known, declared.Name()) {
			known = append(known, declared.Name())
		}
	}
	err := fault.New(fault.NotFound, "the rows were set aside by schema %q, which neither %s nor a check of it names", name, key)
	if len(known) > 0 {
		return nil, err.WithHint("add it to Options.Schemas of the asset; there are %s", strings.Join(known, ", "))
	}
	return nil, err.WithHint("add it to Options.Schemas of the asset")
}

func (s *session) schemasOf(key run.AssetKey) (list []*schema.Schema) {
	if def := s.app.Definitions.Asset(key); def != nil {
		for _, declared := range def.Options.Schemas {
			if rules, ok := declared.(*schema.Schema); ok {
				list = append(list, rules)
			}
		}
	}
	for _, c := range s.app.Definitions.Checks {
		if def := c.Definition(); def.Asset.Key == key {
			if rules, ok := def.Schema.(*schema.Schema); ok {
				list = append(list, rules)
			}
		}
	}
	return list
}
