package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"waggle/shared/fault"
	"waggle/shared/report"
	"waggle/shared/run"
	"waggle/shared/schema"
	"waggle/shared/store"
)

func (s *session) quarantineCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "quarantine",
		Short: "Look at rows that assets set aside",
		Example: `  waggle quarantine show sales_transform
  waggle quarantine replay sales_transform`,
		Args: noSuchCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(s.quarantineShowCommand(), s.quarantineReplayCommand())
	return cmd
}

func (s *session) quarantineShowCommand() *cobra.Command {
	var runName string
	cmd := &cobra.Command{
		Use:   "show ASSET",
		Short: "Show the rows that an asset set aside when it was last made, and why",
		Example: `  waggle quarantine show sales_transform
  waggle quarantine show sales_transform --run 0199f3c2-1a2b -o jsonl`,
		Args:              exactly("asset"),
		ValidArgsFunction: s.completeAssets,
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.quarantineShow(cmd.Context(), run.AssetKey(args[0]), runName)
		},
	}
	s.ofRun(cmd, &runName)
	return cmd
}

// ofRun adds the flag that chooses another run than the last one.
func (s *session) ofRun(cmd *cobra.Command, name *string) {
	cmd.Flags().StringVar(name, "run", "", "those of this `RUN`, not of the last one")
	_ = cmd.RegisterFlagCompletionFunc("run", s.completeRuns)
}

// quarantinedRow is a row that was set aside, as -o json prints it.
type quarantinedRow struct {
	Asset    run.AssetKey     `json:"asset"`
	RunID    run.ID           `json:"run_id"`
	Row      int              `json:"row"`
	Failures []schema.Failure `json:"failures"`
	Values   map[string]any   `json:"values"`
}

func (s *session) quarantineShow(ctx context.Context, key run.AssetKey, runName string) error {
	st, err := s.look(ctx)
	if err != nil {
		return err
	}
	id, list, err := s.quarantines(ctx, st, key, runName)
	if err != nil {
		return err
	}
	var rows []quarantinedRow
	for _, q := range list {
		values := q.Values()
		for i, n := range q.Numbers {
			rows = append(rows, quarantinedRow{key, id, n, q.Failures[i], values[i]})
		}
	}
	return printList(s, rows, fmt.Sprintf("%s set no row aside in run %s", key, id.Short()), func() *grid {
		g := &grid{columns: []column{{title: "ROW", right: true}, {title: "WHY", least: 20, wrap: true}}}
		for _, r := range rows {
			g.row(strconv.Itoa(r.Row), report.OneLine(reasons(r.Failures)))
		}
		return g
	})
}

// reasons says why a row was set aside: "sale_price_usd -5: greater_than(0); title null: not_null".
func reasons(failures []schema.Failure) string {
	parts := make([]string, len(failures))
	for i, f := range failures {
		value := "null"
		switch v := f.FailureCase.(type) {
		case nil:
		case string:
			value = quotedValue(v)
		case float64: // 1000000 and not 1e+06
			value = strconv.FormatFloat(v, 'f', -1, 64)
		default:
			value = fmt.Sprint(v)
		}
		parts[i] = strings.TrimSpace(f.Column+" "+value) + ": " + f.Check
	}
	return strings.Join(parts, "; ")
}

// quarantines reads what an asset set aside, in its newest materialization or in that of a run, and says in which run that was.
func (s *session) quarantines(ctx context.Context, st *store.Store, key run.AssetKey, runName string) (run.ID, []*schema.Quarantine, error) {
	m, err := s.madeBy(ctx, st, key, runName)
	if err != nil {
		return "", nil, err
	}
	var list []*schema.Quarantine
	for _, blob := range schema.Quarantined(m.Metadata) {
		data, err := st.GetBlob(ctx, blob)
		if err != nil {
			return "", nil, err
		}
		q, err := schema.ReadQuarantine(data)
		if err != nil {
			return "", nil, err
		}
		list = append(list, q)
	}
	return m.Run, list, nil
}

// madeBy is the newest materialization of an asset, or that of a run.
func (s *session) madeBy(ctx context.Context, st *store.Store, key run.AssetKey, runName string) (run.Materialization, error) {
	if _, err := s.findAsset(ctx, st, key); err != nil {
		return run.Materialization{}, err
	}
	if runName == "" {
		history, err := st.History(ctx, key, 1)
		if err == nil && len(history) == 0 {
			err = fault.New(fault.NotFound, "%s was never made", key).WithHint("run a job that makes it")
		}
		if err != nil {
			return run.Materialization{}, err
		}
		return history[0], nil
	}
	id, err := st.Find(ctx, runName)
	if err != nil {
		return run.Materialization{}, err
	}
	fold, _, err := st.Fold(ctx, id)
	if err != nil {
		return run.Materialization{}, err
	}
	for _, m := range fold.Record.Materializations {
		if m.Asset == key {
			return m, nil
		}
	}
	return run.Materialization{}, fault.New(fault.NotFound, "run %s did not make %s", id.Short(), key).WithHint("`%s` says what it made", s.call("runs", "show", id.Short()))
}

func (s *session) quarantineReplayCommand() *cobra.Command {
	var runName string
	cmd := &cobra.Command{
		Use:   "replay ASSET",
		Short: "Validate again what an asset set aside, with the schema of today",
		Long: `Validate again the rows that an asset set aside when it was last made, with the schema of today, as after a mistake in it was mended. It says
which rows would pass now. Nothing is changed: run the job again to make the asset anew. A row that was a copy counts as
one for as long as the schema asks for unique values: what it is a copy of is not in the quarantine.

The schema is that of the asset's check (schema.Check).`,
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

// replayedJSON is what became of the rows, as -o json prints it.
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
	id, list, err := s.quarantines(ctx, st, key, runName)
	if err != nil {
		return err
	}
	rules := s.schemaOf(key)
	if rules == nil {
		return usage("check it by one: schema.Check(yourSchema, yourAsset, nil)", "no check of %s has a schema", key)
	}
	out := replayedJSON{Asset: key, RunID: id, Schema: rules.Name(), Rows: []int{}, Still: []schema.Count{}}
	for _, q := range list {
		pass, still, err := rules.Replay(q)
		if err != nil {
			return err
		}
		out.Quarantined += len(q.Numbers)
		out.Rows, out.Still = append(out.Rows, pass...), append(out.Still, still...)
	}
	out.Pass = len(out.Rows)
	if s.format != formatTable {
		return s.printJSON(out)
	}
	if out.Quarantined == 0 {
		return s.write(fmt.Sprintf("%s set no row aside in run %s", key, id.Short()))
	}
	lines := []string{fmt.Sprintf("%s of %s that %s set aside in run %s would pass %s now", report.Number(int64(out.Pass)), report.Count(out.Quarantined, "row"), key, id.Short(), out.Schema)}
	g := &grid{columns: []column{{title: "COLUMN"}, {title: "STILL BREAKS"}, {title: "ROWS", right: true}}, indent: 2}
	for _, c := range out.Still {
		g.row(c.Column, c.Check, report.Number(int64(c.Count)))
	}
	if len(g.rows) > 0 {
		lines = append(lines, g.lines(s)...)
	}
	if out.Pass > 0 {
		lines = append(lines, "", "Run a job that makes "+string(key)+" to take them in.")
	}
	return s.writeText(lines...)
}

// schemaOf is the schema that a check of the asset has; nil: none.
func (s *session) schemaOf(key run.AssetKey) *schema.Schema {
	for _, c := range s.app.Definitions.Checks {
		if def := c.Definition(); def.Asset.Key == key {
			if rules, ok := def.Schema.(*schema.Schema); ok {
				return rules
			}
		}
	}
	return nil
}
