package cli

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"waggle/shared/report"
	"waggle/shared/run"
)

func (s *session) assetsCommand() *cobra.Command {
	var selections []string
	cmd := &cobra.Command{
		Use:   "assets",
		Short: "List assets and when each was last made",
		Example: `  waggle assets
  waggle assets --select "group:transform or +sales_output"
  waggle assets show sales_output`,
		Args: noSuchCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return s.listAssets(cmd.Context(), selections) },
	}
	cmd.Flags().StringArrayVar(&selections, "select", nil, "list what `EXPR` chooses; run --help explains it")
	_ = cmd.RegisterFlagCompletionFunc("select", s.completeSelection)
	cmd.AddCommand(s.assetsShowCommand())
	return cmd
}

// assetJSON is an asset in a list.
type assetJSON struct {
	Key         run.AssetKey     `json:"key"`
	Group       string           `json:"group"`
	Kinds       []string         `json:"kinds"`
	Description string           `json:"description,omitempty"`
	Jobs        []string         `json:"jobs"`
	Status      string           `json:"status"`
	Note        string           `json:"note,omitempty"`
	Last        *materialization `json:"last"`

	state report.State
}

// materialization is one in JSON.
type materialization struct {
	RunID      run.ID      `json:"run_id"`
	Time       time.Time   `json:"time"`
	DurationMS float64     `json:"duration_ms"`
	Rows       *int64      `json:"rows"`
	Verdict    run.Verdict `json:"verdict"`
}

func materializationOf(m run.Materialization) *materialization {
	out := &materialization{RunID: m.Run, Time: m.Time, DurationMS: tookMS(m), Verdict: m.Verdict}
	if n, ok := report.Rows(m.Metadata); ok {
		out.Rows = &n
	}
	return out
}

func (s *session) listAssets(ctx context.Context, selections []string) error {
	if err := s.app.Definitions.Validate(); err != nil {
		return err
	}
	defs, err := s.selectedAssets(selections)
	if err != nil {
		return err
	}
	st, err := s.look(ctx)
	if err != nil {
		return err
	}
	failed, err := s.lastFailures(ctx, st)
	if err != nil {
		return err
	}
	var list []assetJSON
	for _, def := range defs {
		stands, err := s.standingOf(ctx, st, def.Key, failed)
		if err != nil {
			return err
		}
		a := assetJSON{Key: def.Key, Group: def.Options.Group, Kinds: append([]string{}, def.Options.Kinds...), Description: def.Options.Description,
			Jobs: s.jobsOf(def.Key), Status: stands.state().Word, Note: stands.note(), state: stands.state()}
		if stands.last != nil {
			a.Last = materializationOf(*stands.last)
		}
		list = append(list, a)
	}
	var groups []string
	for _, a := range list {
		if !slices.Contains(groups, a.Group) {
			groups = append(groups, a.Group)
		}
	}
	slices.SortStableFunc(list, func(a, b assetJSON) int { return slices.Index(groups, a.Group) - slices.Index(groups, b.Group) })
	return printList(s, list, "there is no asset; add one to Definitions", func() *grid { return s.assetsGrid(list, st.Now()) })
}

func (s *session) assetsGrid(list []assetJSON, now time.Time) *grid {
	g := &grid{columns: []column{{title: "GROUP", least: 8}, {title: "ASSET", least: 16}, {title: "KINDS", least: 6}, {title: "STATUS"}, {title: "LAST MADE"}, {title: "ROWS", right: true},
		{note: true}}}
	group := ""
	for _, a := range list {
		shown := a.Group
		if shown == group {
			shown = "" // said once
		}
		group = a.Group
		when, rows := "", ""
		if a.Last != nil {
			when = s.when(a.Last.Time, now)
			if a.Last.Rows != nil {
				rows = report.Number(*a.Last.Rows)
			}
		}
		note := a.Note
		if note == "" && len(a.Jobs) == 0 {
			note = "in no job"
		}
		g.row(shown, string(a.Key), strings.Join(a.Kinds, " "), a.state.Painted(s.paint), when, rows, note)
	}
	return g
}
