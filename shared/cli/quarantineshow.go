package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"waggle/shared/report"
	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/schema"
)

// shownRows is how many rows of each quarantine a table shows where nobody says how many.
const shownRows = 20

func (s *session) quarantineShowCommand() *cobra.Command {
	var runName string
	limit := shownRows
	cmd := &cobra.Command{
		Use:   "show ASSET",
		Short: "Show the rows that an asset set aside when it was last made, and why",
		Long: `Show what an asset set aside when it was last made: which rules were broken how often, then the rows, with their place before any was removed
(counted from 0), the columns that say which they are (id, and those that end in _id; two at most, else the first column), and all that is wrong with each.
json and jsonl have the whole rows, all of them.`,
		Example: `  waggle quarantine show sales_transform
  waggle quarantine show sales_transform --limit 0
  waggle quarantine show sales_transform --run 0199f3c2-1a2b -o jsonl`,
		Args:              exactly("asset"),
		ValidArgsFunction: s.completeAssets,
		RunE: func(cmd *cobra.Command, args []string) error {
			if limit < 0 {
				return usage("give 1 or more, or 0 for all", "--limit is %d", limit)
			}
			if s.format != formatTable && !cmd.Flags().Changed("limit") {
				limit = 0
			}
			return s.quarantineShow(cmd.Context(), run.AssetKey(args[0]), runName, limit)
		},
	}
	s.ofRun(cmd, &runName)
	cmd.Flags().IntVar(&limit, "limit", limit, "at most `N` rows of each filter, 0 for all; json and jsonl have all by default")
	return cmd
}

// quarantinedRow is a row that was set aside, as -o json prints it.
type quarantinedRow struct {
	Asset    run.AssetKey     `json:"asset"`
	RunID    run.ID           `json:"run_id"`
	Schema   string           `json:"schema"`
	Row      int              `json:"row"`
	Failures []schema.Failure `json:"failures"`
	Values   map[string]any   `json:"values"`
}

func (s *session) quarantineShow(ctx context.Context, key run.AssetKey, runName string, limit int) error {
	st, err := s.look(ctx)
	if err != nil {
		return err
	}
	m, list, err := s.quarantines(ctx, st, key, runName)
	if err != nil {
		return err
	}
	if s.format == formatTable && len(list) > 0 {
		return s.writeText(s.quarantineText(m, list, limit, st.Now())...)
	}
	var rows []quarantinedRow
	for _, q := range list {
		if limit > 0 {
			q = q.First(limit)
		}
		values := q.Values()
		for i, n := range q.Numbers {
			rows = append(rows, quarantinedRow{key, m.Run, q.Schema, n, q.Failures[i], values[i]})
		}
	}
	return printList(s, rows, noneAside(m), nil)
}

// quarantineText says of each quarantine whose it is, which rules were broken, and lists rows.
func (s *session) quarantineText(m run.Materialization, list []*schema.Quarantine, limit int, now time.Time) []string {
	var lines []string
	for _, q := range list {
		rules := brokenRules(q)
		errors := 0
		for _, r := range rules {
			errors += r.rows
		}
		lines = append(lines, fmt.Sprintf("%s set %s aside for %s in run %s, %s, by %s", s.paint(report.Strong, string(m.Asset)),
			report.Count(len(q.Numbers), "row"), report.Count(errors, "error"), m.Run.Short(), s.when(m.Time, now), q.Schema), "")
		g := &grid{indent: 2, columns: []column{{title: "ROWS", right: true}, {title: "COLUMN", least: 16}, {title: "BREAKS", least: 16}}}
		for _, r := range rules {
			g.row(report.Number(int64(r.rows)), r.column, r.check)
		}
		lines = append(append(lines, g.lines(s)...), "")
		first := q
		if limit > 0 {
			first = q.First(limit)
		}
		lines = append(lines, quarantineGrid(first).lines(s)...)
		if left := len(q.Numbers) - len(first.Numbers); left > 0 {
			lines = append(lines, "  and "+report.Number(int64(left))+" more; --limit 0 shows all")
		}
		lines = append(lines, "")
	}
	return lines[:len(lines)-1]
}

// brokenRule is a rule and how many rows break it.
type brokenRule struct {
	column, check string
	rows          int
}

// brokenRules counts the rules that the rows break, the most often broken first.
func brokenRules(q *schema.Quarantine) []brokenRule {
	places := map[[2]string]int{}
	var list []brokenRule
	for _, failures := range q.Failures {
		for _, f := range failures {
			at, ok := places[[2]string{f.Column, f.Check}]
			if !ok {
				at = len(list)
				places[[2]string{f.Column, f.Check}] = at
				list = append(list, brokenRule{column: f.Column, check: f.Check})
			}
			list[at].rows++
		}
	}
	slices.SortStableFunc(list, func(a, b brokenRule) int { return b.rows - a.rows })
	return list
}

func quarantineGrid(q *schema.Quarantine) *grid {
	names := idColumns(q.Rows.Columns())
	g := &grid{indent: 2, columns: []column{{title: "ROW", right: true}}}
	for _, name := range names {
		g.columns = append(g.columns, column{title: strings.ToUpper(name), least: 6})
	}
	g.columns = append(g.columns, column{title: "WHY", least: 20, wrap: true})
	values := q.Values()
	for i, n := range q.Numbers {
		cells := []string{strconv.Itoa(n)}
		for _, name := range names {
			cells = append(cells, report.OneLine(failureValue(values[i][name])))
		}
		g.row(append(cells, report.OneLine(reasons(q.Failures[i])))...)
	}
	return g
}

// idColumns picks the columns that tell a person which row it is.
func idColumns(names []string) []string {
	var ids []string
	for _, name := range names {
		if lower := strings.ToLower(name); (lower == "id" || strings.HasSuffix(lower, "_id")) && len(ids) < 2 {
			ids = append(ids, name)
		}
	}
	if len(ids) == 0 {
		return names[:min(1, len(names))]
	}
	return ids
}

// reasons says why a row was set aside: "title, medium null: not_null; sale_price_usd -5: greater_than(0)".
func reasons(failures []schema.Failure) string {
	var nulls, parts []string
	for _, f := range failures {
		if f.Check == "not_null" {
			nulls = append(nulls, f.Column)
			continue
		}
		text := f.Check
		switch v := f.FailureCase.(type) {
		case map[string]any:
			pairs := make([]string, 0, len(v))
			for _, name := range slices.Sorted(maps.Keys(v)) {
				pairs = append(pairs, name+" "+failureValue(v[name]))
			}
			text = strings.Join(pairs, ", ") + ": " + f.Check
		default:
			if f.Column != "" {
				text = f.Column + " " + failureValue(v) + ": " + f.Check
			}
		}
		parts = append(parts, text)
	}
	if len(nulls) > 0 {
		parts = append([]string{strings.Join(nulls, ", ") + " null: not_null"}, parts...)
	}
	return strings.Join(parts, "; ")
}

func failureValue(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return runlog.QuotedValue(v)
	case float64: // 1000000 and not 1e+06
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return fmt.Sprint(v)
}
