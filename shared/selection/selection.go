// Package selection reads expressions that choose assets and checks:
//
//	sales_raw                  an asset by its key; * stands for any characters: sales_*
//	sales_raw:check_ids        one check on an asset
//	group:transform            every asset of a group; likewise kind:csv, owner:team, tag:daily, tag:tier=gold
//	+sales_output              the asset and all that it is made from; 2+x two layers of it
//	sales_raw+                 the asset and all that is made from it; x+1 one layer of it
//	a and b, a or b, not a     combined; a, b is a or b; parentheses group; not binds first, then and
//	key:"or"                   a key that reads like a word of the language
//
// It imports asset, check, fault and run of ours.
package selection

import (
	"slices"

	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/fault"
	"waggle/shared/run"
)

// Graph is what there is to choose from.
type Graph struct {
	Assets []*asset.Definition
	Checks []*check.Definition
}

// Select returns the steps that an expression chooses, in the order of the graph. A mistake in the expression, a
// name that does not exist, or a choice of nothing is fault.Invalid, with the place in the text.
func Select(text string, g Graph) ([]run.StepKey, error) {
	expr, err := parse(text)
	if err != nil {
		return nil, err
	}
	chosen, err := expr.choose(newIndex(text, g))
	if err != nil {
		return nil, err
	}
	var keys []run.StepKey
	for _, a := range g.Assets {
		if chosen[run.StepKey(a.Key)] {
			keys = append(keys, run.StepKey(a.Key))
		}
	}
	for _, c := range g.Checks {
		if chosen[c.Step()] {
			keys = append(keys, c.Step())
		}
	}
	if len(keys) == 0 {
		return nil, fault.New(fault.Invalid, "selection %q chooses nothing", text)
	}
	return keys, nil
}

// set is chosen steps.
type set map[run.StepKey]bool

// index is a graph with what expressions ask of it.
type index struct {
	text string // the expression, for errors
	Graph
	up, down map[run.AssetKey][]run.AssetKey
}

func newIndex(text string, g Graph) *index {
	x := &index{text: text, Graph: g, up: map[run.AssetKey][]run.AssetKey{}, down: map[run.AssetKey][]run.AssetKey{}}
	for _, a := range g.Assets {
		for _, in := range a.Upstream() {
			if !slices.Contains(x.up[a.Key], in.Key) {
				x.up[a.Key] = append(x.up[a.Key], in.Key)
				x.down[in.Key] = append(x.down[in.Key], a.Key)
			}
		}
	}
	return x
}

// reach adds to a set of assets what is linked to them, as many layers as asked; -1 is all.
func (x *index) reach(from set, links map[run.AssetKey][]run.AssetKey, layers int) set {
	reached := set{}
	var frontier []run.AssetKey
	for key := range from {
		reached[key] = true
		frontier = append(frontier, run.AssetKey(key))
	}
	for ; layers != 0 && len(frontier) > 0; layers-- {
		var next []run.AssetKey
		for _, key := range frontier {
			for _, linked := range links[key] {
				if !reached[run.StepKey(linked)] {
					reached[run.StepKey(linked)] = true
					next = append(next, linked)
				}
			}
		}
		frontier = next
	}
	return reached
}
