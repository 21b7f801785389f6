package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"waggle/shared/asset"
	"waggle/shared/duration"
	"waggle/shared/metadata"
	"waggle/shared/report"
	"waggle/shared/run"
	"waggle/shared/store"
)

func (s *session) assetsShowCommand() *cobra.Command {
	limit := 10
	cmd := &cobra.Command{
		Use:   "show ASSET",
		Short: "Show an asset: what it is, its history, numbers over time, preview",
		Example: `  waggle assets show sales_output
  waggle assets show sales_output --limit 30`,
		Args:              exactly("asset"),
		ValidArgsFunction: s.completeAssets,
		RunE: func(cmd *cobra.Command, args []string) error {
			if limit < 1 || limit > 1000 {
				return usage("give 1 to 1000", "--limit is %d", limit)
			}
			return s.assetsShow(cmd.Context(), run.AssetKey(args[0]), limit)
		},
	}
	cmd.Flags().IntVar(&limit, "limit", limit, "look back at `N` materializations, 1,000 at most")
	return cmd
}

// shownAsset is an asset in JSON.
type shownAsset struct {
	Key        run.AssetKey     `json:"key"`
	Status     string           `json:"status"`
	Note       string           `json:"note,omitempty"`
	Definition *assetDefinition `json:"definition"` // null: the code no longer has it
	Downstream []run.AssetKey   `json:"downstream"`
	Checks     []checkJSON      `json:"checks"`
	History    []pastMaking     `json:"history"`
}

type pastMaking struct {
	materialization
	Metadata metadata.Values `json:"metadata"`
}

func (s *session) assetsShow(ctx context.Context, key run.AssetKey, limit int) error {
	st, err := s.look(ctx)
	if err != nil {
		return err
	}
	def, err := s.findAsset(ctx, st, key)
	if err != nil {
		return err
	}
	failed, err := s.lastFailures(ctx, st)
	if err != nil {
		return err
	}
	stands, err := s.standingOf(ctx, st, key, failed)
	if err != nil {
		return err
	}
	history, err := st.History(ctx, key, limit)
	if err != nil {
		return err
	}
	if s.format != formatTable {
		return s.printJSON(s.shownAsset(key, def, stands, history))
	}
	return s.writeText(s.assetText(key, def, stands, history, st)...)
}

func (s *session) shownAsset(key run.AssetKey, def *asset.Definition, stands standing, history []run.Materialization) shownAsset {
	out := shownAsset{Key: key, Status: stands.state().Word, Note: stands.note(), Downstream: s.downstream(key), Checks: []checkJSON{}, History: []pastMaking{}}
	if def != nil {
		d := s.assetDefinition(def)
		out.Definition = &d
	}
	for _, c := range stands.checks {
		out.Checks = append(out.Checks, checkOf(c))
	}
	for _, m := range history {
		values := m.Metadata
		if values == nil {
			values = metadata.Values{}
		}
		out.History = append(out.History, pastMaking{*materializationOf(m), values})
	}
	return out
}

func (s *session) assetText(key run.AssetKey, def *asset.Definition, stands standing, history []run.Materialization, st *store.Store) []string {
	now := st.Now()
	head := stands.state().Painted(s.paint) + " " + s.paint(report.Strong, string(key))
	if note := stands.note(); note != "" {
		head += ": " + note
	}
	lines := []string{head}
	if def == nil {
		lines = append(lines, "  The code no longer has it; this is what runs left.", "")
	} else {
		lines = append(lines, s.definitionLines(def)...)
		lines = append(lines, "")
	}
	if len(stands.checks) > 0 {
		g := &grid{indent: 2, columns: []column{{}, {least: 16}, {}, {least: 16, wrap: true}}}
		for _, c := range stands.checks {
			g.row(c.state().Painted(s.paint), c.def.Name, c.when(s, now), report.OneLine(c.why()))
		}
		lines = append(lines, s.part("Checks", g, 0, "")...)
	}
	if len(history) == 0 {
		return append(lines, "It was never made. Make it with: "+s.call("run", "--select", string(key)))
	}
	lines = append(lines, s.historyLines(history, now)...)
	lines = append(lines, s.plots(history)...)
	latest := history[0].Metadata
	if len(latest) > 0 {
		lines = append(lines, s.part("Metadata", s.metadataGrid(latest), 0, "")...)
	}
	for _, label := range latest.Labels() {
		if v := latest[label]; v.Type == metadata.TypeMarkdown && v.Blob == "" {
			lines = append(lines, s.paint(report.Strong, label))
			lines = append(lines, s.markdownLines(text(v))...)
			lines = append(lines, "")
		}
	}
	return slices.Delete(lines, len(lines)-1, len(lines))
}

// definitionLines is what the code says of an asset, one fact a line.
func (s *session) definitionLines(def *asset.Definition) []string {
	var lines []string
	if def.Options.Description != "" {
		for _, line := range strings.Split(strings.TrimSpace(def.Options.Description), "\n") {
			lines = append(lines, "  "+line)
		}
	}
	g, add := s.facts()
	add("group", def.Options.Group)
	add("kinds", strings.Join(def.Options.Kinds, ", "))
	add("made from", joined(upstream(def)))
	add("feeds", joined(s.downstream(def.Key)))
	add("jobs", strings.Join(s.jobsOf(def.Key), ", "))
	add("config", strings.Join(configNames(def.Inputs), ", "))
	add("owners", strings.Join(def.Options.Owners, ", "))
	add("tags", pairText(anyMap(def.Options.Tags)))
	if def.Options.Retry.Max > 0 {
		add("retries", fmt.Sprint(def.Options.Retry.Max))
	}
	if def.Options.Timeout > 0 {
		add("timeout", duration.Text(def.Options.Timeout))
	}
	if def.Codec != nil {
		add("stored as", def.Codec.Name())
	}
	add("defined in", def.Origin)
	return append(lines, g.lines(s)...)
}

func (s *session) historyLines(history []run.Materialization, now time.Time) []string {
	g := &grid{indent: 2, columns: []column{{title: "MADE"}, {title: "RUN"}, {title: "STATUS"}, {title: "ROWS", right: true}, {title: "TOOK", right: true}, {title: "SIZE", right: true}}}
	for _, m := range history {
		rows, bytes := "", ""
		if n, ok := report.Rows(m.Metadata); ok {
			rows = report.Number(n)
		}
		if m.Value != nil {
			bytes = report.Bytes(m.Value.Size)
		}
		g.row(s.when(m.Time, now), m.Run.Short(), report.OfVerdict(m.Verdict).Painted(s.paint), rows, duration.Text(m.Duration), bytes)
	}
	return s.part("History", g, 0, "")
}
