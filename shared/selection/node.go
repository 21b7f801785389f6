package selection

import (
	"path"
	"slices"
	"strings"

	"waggle/shared/asset"
	"waggle/shared/fault"
	"waggle/shared/run"
)

// node is a part of an expression.
type node interface {
	choose(x *index) (set, error)
}

// either is "or".
type either struct{ a, b node }

func (n either) choose(x *index) (set, error) {
	return combine(x, n.a, n.b, func(inA, inB bool) bool { return inA || inB })
}

// both is "and".
type both struct{ a, b node }

func (n both) choose(x *index) (set, error) {
	return combine(x, n.a, n.b, func(inA, inB bool) bool { return inA && inB })
}

func combine(x *index, a, b node, keep func(inA, inB bool) bool) (set, error) {
	inA, err := a.choose(x)
	if err != nil {
		return nil, err
	}
	inB, err := b.choose(x)
	if err != nil {
		return nil, err
	}
	chosen := set{}
	for _, of := range []set{inA, inB} {
		for key := range of {
			if keep(inA[key], inB[key]) {
				chosen[key] = true
			}
		}
	}
	return chosen, nil
}

// without is "not": all other assets.
type without struct{ of node }

func (n without) choose(x *index) (set, error) {
	not, err := n.of.choose(x)
	if err != nil {
		return nil, err
	}
	return x.assets(func(a *asset.Definition) bool { return !not[run.StepKey(a.Key)] }), nil
}

// around is a choice with what it is made from, up layers of it, and what is made from it, down layers; -1 is all.
type around struct {
	of       node
	up, down int
	at       int
}

func (n around) choose(x *index) (set, error) {
	from, err := n.of.choose(x)
	if err != nil {
		return nil, err
	}
	for key := range from {
		if strings.Contains(string(key), ":") {
			return nil, wrong(x.text, n.at, "check %q has nothing before or after it", string(key)).WithHint("put + at an asset")
		}
	}
	chosen := x.reach(from, x.up, n.up)
	for key := range x.reach(from, x.down, n.down) {
		chosen[key] = true
	}
	return chosen, nil
}

// named is an asset by its key, or several by a pattern.
type named struct {
	key string
	at  int
}

func (n named) choose(x *index) (set, error) {
	matches := func(a *asset.Definition) bool { return string(a.Key) == n.key }
	if strings.Contains(n.key, "*") {
		matches = func(a *asset.Definition) bool { return matchesPattern(n.key, string(a.Key)) }
	}
	if chosen := x.assets(matches); len(chosen) > 0 {
		return chosen, nil
	}
	if strings.Contains(n.key, "*") {
		return nil, wrong(x.text, n.at, "no asset matches %q", n.key)
	}
	return nil, unknown(x, n.at, "asset", n.key, keys(x.Assets))
}

// attribute is every asset that has a value, or one check on an asset.
type attribute struct {
	name, value string
	at          int
}

func (n attribute) choose(x *index) (set, error) {
	var values func(*asset.Definition) []string
	switch n.name {
	case "group":
		values = func(a *asset.Definition) []string { return []string{a.Options.Group} }
	case "kind":
		values = func(a *asset.Definition) []string { return a.Options.Kinds }
	case "owner":
		values = func(a *asset.Definition) []string { return a.Options.Owners }
	case "tag":
		values = tags
	default:
		return n.check(x)
	}
	if chosen := x.assets(func(a *asset.Definition) bool { return slices.Contains(values(a), n.value) }); len(chosen) > 0 {
		return chosen, nil
	}
	var all []string
	for _, a := range x.Assets {
		all = append(all, values(a)...)
	}
	slices.Sort(all)
	return nil, unknown(x, n.at, n.name, n.value, slices.Compact(all))
}

// check is one check, "asset:check".
func (n attribute) check(x *index) (set, error) {
	step := run.CheckStep(run.AssetKey(n.name), n.value)
	var all []run.StepKey
	for _, c := range x.Checks {
		if c.Step() == step {
			return set{step: true}, nil
		}
		all = append(all, c.Step())
	}
	for _, word := range []string{"group", "kind", "owner", "tag", "key"} {
		if fault.Nearest(n.name, []string{word}) != "" {
			return nil, wrong(x.text, n.at, "unknown word %q", n.name).WithHint("did you mean %s:?", word)
		}
	}
	return nil, unknown(x, n.at, "check", string(step), all)
}

// tags lists an asset's tags, each by its name alone and with its value.
func tags(a *asset.Definition) []string {
	var all []string
	for name, value := range a.Options.Tags {
		all = append(all, name, name+"="+value)
	}
	return all
}

func (x *index) assets(keep func(*asset.Definition) bool) set {
	chosen := set{}
	for _, a := range x.Assets {
		if keep(a) {
			chosen[run.StepKey(a.Key)] = true
		}
	}
	return chosen
}

// unknown is the error for a name that does not exist, at its place.
func unknown[S ~string](x *index, at int, noun, name string, names []S) error {
	e := fault.Unknown(noun, name, names)
	e.Code, e.Op = fault.Invalid, place(x.text, at)
	return e
}

func keys(assets []*asset.Definition) []string {
	all := make([]string, len(assets))
	for i, a := range assets {
		all[i] = string(a.Key)
	}
	return all
}

// matchesPattern matches * with any characters, slashes included.
func matchesPattern(pattern, key string) bool {
	flat := func(s string) string { return strings.ReplaceAll(s, "/", "\x00") }
	ok, err := path.Match(flat(pattern), flat(key))
	return err == nil && ok
}
