package cli

import (
	"slices"
	"strconv"
	"strings"

	"waggle/shared/asset"
	"waggle/shared/fault"
	"waggle/shared/run"
	"waggle/shared/selection"
)

// selectionHelp is the grammar of --select, for `run --help`.
const selectionHelp = `An EXPR is made of keys (sales_raw, sales_*), checks (sales_output:check_ids), group:G, kind:K, tag:T, tag:T=V and
owner:O. +x adds all that x is made from, x+ all that is made from it, 2+x or x+1 so many layers. Join them with
and, or, not, parentheses; a comma is or.`

// selected returns the steps that expressions choose among those of a job, or among all where job is empty.
func (s *session) selected(job string, texts []string) ([]run.StepKey, error) {
	g := selection.Graph{Assets: s.assets()}
	if j := s.app.Definitions.Job(job); j != nil {
		g.Assets = j.Assets
	}
	for _, c := range s.app.Definitions.Checks {
		if def := c.Definition(); def != nil && slices.Contains(g.Assets, def.Asset) {
			g.Checks = append(g.Checks, def)
		}
	}
	return selection.Select(strings.Join(texts, ","), g)
}

// selectedAssets are the assets that expressions choose; all of them where there is none.
func (s *session) selectedAssets(texts []string) ([]*asset.Definition, error) {
	defs := s.assets()
	if len(texts) == 0 {
		return defs, nil
	}
	keys, err := s.selected("", texts)
	if err != nil {
		return nil, err
	}
	defs = slices.DeleteFunc(defs, func(def *asset.Definition) bool { return !slices.Contains(keys, run.StepKey(def.Key)) })
	if len(defs) == 0 {
		return nil, usage("name assets, not only checks", "selection %q chooses no asset", strings.Join(texts, ","))
	}
	return defs, nil
}

// priority is a flag: a whole number within the limits, and whether it was given.
type priority struct {
	value int
	given bool
}

// String, Set and Type make a priority a flag.
func (p *priority) String() string { return "" }

func (p *priority) Set(text string) error {
	const hint = "give a whole number from -10000 to 10000; the higher is first"
	n, err := strconv.Atoi(text)
	switch {
	case err != nil:
		return fault.New(fault.Invalid, "--priority %q is not a whole number", text).WithHint(hint)
	case n < -run.MaxPriority || n > run.MaxPriority:
		return fault.New(fault.Invalid, "--priority %d is out of range", n).WithHint(hint)
	}
	p.value, p.given = n, true
	return nil
}

func (p *priority) Type() string { return "priority" }
