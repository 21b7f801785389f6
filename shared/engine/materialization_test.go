package engine_test

import (
	"testing"
	"testing/synctest"

	"waggle/shared/asset"
	"waggle/shared/metadata"
	"waggle/shared/run"
	"waggle/shared/waggle"
)

// askedOf is asset a, which counts how often it was made, and told, which says what the record has of a and of the told before it. An empty
// answer is none.
func askedOf(opts asset.Options) waggle.Definitions {
	n := 0
	a := asset.New("a", func(ctx *asset.Context) (int, error) {
		n++
		ctx.AddMetadata(metadata.Map{"made": n})
		return n, nil
	}, nil)
	opts.Deps = asset.List{a}
	told := asset.New("told", func(ctx *asset.Context) ([]string, error) {
		m, found, err := ctx.Materialization(a)
		if err != nil || !found {
			return nil, err
		}
		before, _, err := ctx.Before()
		whose := "another run's"
		if m.Run == ctx.RunID() {
			whose = "this run's"
		}
		return []string{string(m.Metadata["made"].Value), whose, string(before.Asset)}, err
	}, &opts)
	return definitions(asset.List{a, told})
}

func TestAStepAsksForTheMaterializationOfItsRunElseForTheNewest(t *testing.T) {
	t.Parallel()
	w := setup(t, askedOf(asset.Options{}), nil)
	for _, c := range []struct {
		run  func() run.Record
		want string
	}{
		{func() run.Record { return w.selection("told") }, "null"},
		{w.job, `["1","this run's","told"]`},
		{w.job, `["2","this run's","told"]`},
		{func() run.Record { return w.selection("told") }, `["2","another run's","told"]`},
	} {
		if r := c.run(); r.Status != run.Success || w.value("told") != c.want {
			t.Errorf("%s: %s, want %s", outline(r), w.value("told"), c.want)
		}
	}
}

func TestAStepInAProcessOfItsOwnAsksForTheMaterializationOfItsRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		defs := askedOf(asset.Options{Isolated: true})
		h := newHive(t, defs)
		want(t, h.job(), "SUCCESS a SUCCEEDED, told SUCCEEDED")
		m, err := newProcess(h.db, h.bucket, defs, nil, nil).store.Latest(t.Context(), "told")
		if err != nil || string(m.Value.Inline) != `["1","this run's",""]` {
			t.Errorf("%s, %v", m.Value.Inline, err)
		}
	})
}
