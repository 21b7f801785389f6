package engine_test

import (
	"testing"

	"waggle/shared/asset"
	"waggle/shared/metadata"
	"waggle/shared/run"
)

func TestAChainOfTwoAssetsHandsTheValueOnAndRecordsEverything(t *testing.T) {
	t.Parallel()
	one := asset.New("one", func(ctx *asset.Context) (int, error) {
		ctx.AddMetadata(metadata.Map{"n": 1})
		ctx.Log.Info("made", "n", 1)
		return 1, nil
	}, nil)
	two := asset.New1("two", func(ctx *asset.Context, n int) (int, error) { return n + 1, nil }, one, nil)
	w := setup(t, definitions(asset.List{one, two}), nil)
	id := w.launch(run.Request{Job: "job"})
	out := w.run(id, nil)
	if out.Record.Status != run.Success {
		t.Fatalf("%+v", out.Record)
	}
	fold, _, err := w.store.Fold(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if got := len(fold.Record.Materializations); got != 2 {
		t.Fatalf("%d materializations", got)
	}
	m, err := w.store.Latest(t.Context(), "two")
	if err != nil || string(m.Value.Inline) != "2" {
		t.Fatalf("%+v %v", m, err)
	}
}
