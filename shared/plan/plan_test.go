package plan_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/fault"
	"waggle/shared/job"
	"waggle/shared/plan"
	"waggle/shared/run"
)

func number(key string, deps ...asset.Any) *asset.Asset[int] {
	return asset.New(key, func(*asset.Context) (int, error) { return 0, nil }, &asset.Options{Deps: deps})
}

func checkOn(name string, a *asset.Asset[int], blocking bool) *check.Check {
	return check.New1(name, func(*asset.Context, int) (check.Result, error) { return check.Result{}, nil }, a, &check.Options{Blocking: blocking})
}

func of(assets ...asset.Any) (defs []*asset.Definition) {
	for _, a := range assets {
		defs = append(defs, a.Definition())
	}
	return defs
}

func checks(list ...*check.Check) (defs []*check.Definition) {
	for _, c := range list {
		defs = append(defs, c.Definition())
	}
	return defs
}

func keys(steps []*plan.Step) (keys []run.StepKey) {
	for _, s := range steps {
		keys = append(keys, s.Key)
	}
	return keys
}

func newPlan(t testing.TB, j *job.Job, assets []*asset.Definition, list ...*check.Check) *plan.Plan {
	t.Helper()
	p, err := plan.New(j, assets, checks(list...))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestEveryStepComesAfterWhatItNeeds draws graphs, declares them in any order, and checks the plan.
func TestEveryStepComesAfterWhatItNeeds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		var assets []*asset.Asset[int]
		var list []*check.Check
		for i := range rapid.IntRange(1, 12).Draw(r, "assets") {
			var deps []asset.Any
			for _, j := range rapid.SliceOfNDistinct(rapid.IntRange(0, 11), 0, 3, rapid.ID).Draw(r, "deps") {
				if j < i {
					deps = append(deps, assets[j])
				}
			}
			assets = append(assets, number(fmt.Sprintf("a%d", i), deps...))
			for j := range rapid.IntRange(0, 2).Draw(r, "checks") {
				list = append(list, checkOn(fmt.Sprintf("c%d", j), assets[i], rapid.Bool().Draw(r, "blocking")))
			}
		}
		var declared []*asset.Definition
		for _, i := range rapid.Permutation(indices(len(assets))).Draw(r, "order") {
			declared = append(declared, assets[i].Definition())
		}
		p, err := plan.New(nil, declared, checks(list...))
		if err != nil {
			r.Fatal(err)
		}
		if len(p.Steps) != len(assets)+len(list) || p.Assets() != len(assets) {
			r.Fatalf("%d steps of %d assets and %d checks", len(p.Steps), len(assets), len(list))
		}
		for i, s := range p.Steps {
			if s.Index != i || p.Step(s.Key) != s {
				r.Fatalf("step %s is at %d, not %d", s.Key, i, s.Index)
			}
			for _, before := range append(slices.Clone(s.Needs), s.Gates...) {
				if before.Index >= i || !slices.Contains(before.Follows, s) {
					r.Fatalf("%s stands before %s, or does not follow it", s.Key, before.Key)
				}
			}
			if s.Check != nil {
				if !slices.Equal(keys(s.Needs), []run.StepKey{run.StepKey(s.Asset.Key)}) || len(s.Gates) > 0 {
					r.Fatalf("%s needs %v and %v", s.Key, keys(s.Needs), keys(s.Gates))
				}
				continue
			}
			var blocking []run.StepKey // of what it reads
			for _, c := range list {
				if def := c.Definition(); def.Options.Blocking && slices.Contains(s.Reads(), def.Asset) {
					blocking = append(blocking, def.Step())
				}
			}
			gates := keys(s.Gates)
			slices.Sort(gates)
			slices.Sort(blocking)
			if !slices.Equal(gates, blocking) {
				r.Fatalf("%s waits for %v, want %v", s.Key, gates, blocking)
			}
		}
		again, err := plan.New(nil, declared, checks(list...))
		if err != nil || again.Hash != p.Hash || !slices.Equal(keys(again.Steps), keys(p.Steps)) {
			r.Fatalf("the same definitions make another plan, %v", err)
		}
	})
}

func indices(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

func TestAnotherGraphHasAnotherHash(t *testing.T) {
	t.Parallel()
	a := number("a")
	hashes := map[string]string{}
	for name, p := range map[string]*plan.Plan{
		"two":                 newPlan(t, nil, of(a, number("b"))),
		"chain":               newPlan(t, nil, of(a, number("b", a))),
		"another name":        newPlan(t, nil, of(a, number("c", a))),
		"with a check":        newPlan(t, nil, of(a, number("b", a)), checkOn("x", a, false)),
		"with one that gates": newPlan(t, nil, of(a, number("b", a)), checkOn("x", a, true)),
	} {
		if other, ok := hashes[p.Hash]; ok {
			t.Errorf("%s and %s have the hash %s", name, other, p.Hash)
		}
		hashes[p.Hash] = name
	}
}

func TestWhatIsNotInTheRunIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	a := number("a")
	b := number("b", a)
	p := newPlan(t, nil, of(b), checkOn("x", b, true))
	if s := p.Step("b"); len(s.Needs) != 0 || !slices.Equal(p.Blocking(s), []string{"x"}) || p.Step("a") != nil {
		t.Errorf("%+v", s)
	}
	if p.Parallelism() != job.DefaultParallelism {
		t.Errorf("parallelism %d", p.Parallelism())
	}
}

func TestABlockingCheckThatWaitsForWhatItHoldsBackIsRefused(t *testing.T) {
	t.Parallel()
	a := number("a")
	b := asset.New1("b", func(*asset.Context, int) (int, error) { return 0, nil }, a, nil)
	two := func(blocking bool) *check.Check {
		return check.New2("x", func(*asset.Context, int, int) (check.Result, error) { return check.Result{}, nil }, a, b, &check.Options{Blocking: blocking})
	}
	_, err := plan.New(nil, of(a, b), checks(two(true)))
	if !errors.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "wait for each other: b, a:x (a blocking check") {
		t.Errorf("%v", err)
	}
	p := newPlan(t, nil, of(a, b), two(false))
	if !slices.Equal(keys(p.Steps), []run.StepKey{"a", "b", "a:x"}) {
		t.Errorf("%v", keys(p.Steps))
	}
}

type config struct {
	Big   int64
	Ratio float64
	Name  string
	On    bool
	Wait  time.Duration
	List  []string
}

func configured(key string) *asset.Asset[int] {
	return asset.New1(key, func(*asset.Context, config) (int, error) { return 0, nil }, asset.NewConfig(config{Name: "default"}), nil)
}

func TestARunsConfigIsTheJobsWithItsOwnOverIt(t *testing.T) {
	t.Parallel()
	a := configured("a")
	j := job.New("job", asset.List{a}, &job.Options{Config: map[string]any{"big": 1, "name": "job"}})
	p := newPlan(t, j, of(a))
	got, err := p.Config(run.Config{"big": "9007199254740993", "on": "true", "wait": "5m", "list": "x,y", "ratio": "0.5"})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"big": int64(9007199254740993), "name": "job", "on": true, "wait": 5 * time.Minute, "list": []string{"x", "y"}, "ratio": 0.5}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", got, want)
	}
	var names []string
	for _, f := range p.ConfigFields() {
		names = append(names, f.Name)
	}
	if !slices.Equal(names, []string{"big", "list", "name", "on", "ratio", "wait"}) {
		t.Errorf("%v", names)
	}
}

func TestEveryMistakeInAConfigIsReported(t *testing.T) {
	t.Parallel()
	a := configured("a")
	_, err := newPlan(t, nil, of(a)).Config(run.Config{"bigg": 1, "big": "x", "on": "perhaps"})
	if !errors.Is(err, fault.Invalid) || fault.CodeOf(err) != fault.Invalid {
		t.Fatal(err)
	}
	for _, want := range []string{`unknown config key "bigg" (did you mean "big"?)`, "config big=x is no whole number", "config on=perhaps is no bool"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %q", want, err)
		}
	}
}

func TestAJobsConfigForAssetsThatAreLeftOutIsPassedOver(t *testing.T) {
	t.Parallel()
	a, b := configured("a"), number("b")
	j := job.New("job", asset.List{a, b}, &job.Options{Config: map[string]any{"name": "job"}})
	if got, err := newPlan(t, j, of(b)).Config(nil); err != nil || len(got) != 0 {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := newPlan(t, j, of(b)).Config(run.Config{"name": "x"}); !errors.Is(err, fault.Invalid) {
		t.Errorf("a setting of the run's own for nobody: %v", err)
	}
	j = job.New("job", asset.List{b}, &job.Options{Config: map[string]any{"name": "job"}})
	if _, err := newPlan(t, j, of(b)).Config(nil); !errors.Is(err, fault.Invalid) {
		t.Errorf("a setting of the whole job for nobody: %v", err)
	}
}
