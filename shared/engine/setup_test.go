package engine_test

import (
	"context"
	"testing"

	"gocloud.dev/blob/memblob"

	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/engine"
	"waggle/shared/job"
	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/store"
	"waggle/shared/store/memorydriver"
	"waggle/shared/waggle"
)

// world is an engine over a store in memory.
type world struct {
	t      *testing.T
	store  *store.Store
	engine *engine.Engine
	events []runlog.Event
}

func setup(t *testing.T, defs waggle.Definitions, opts *engine.Options) *world {
	t.Helper()
	s := store.New(memorydriver.New(nil), store.NewBlobs(memblob.OpenBucket(nil)), nil)
	t.Cleanup(func() { _ = s.Close() })
	return &world{t: t, store: s, engine: engine.New(s, defs, opts)}
}

func (w *world) launch(req run.Request) run.ID {
	w.t.Helper()
	id, err := w.store.Launch(w.t.Context(), req)
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

func (w *world) run(id run.ID, opts *engine.RunOptions) engine.Outcome {
	w.t.Helper()
	if opts == nil {
		opts = &engine.RunOptions{}
	}
	opts.Observe = func(e *runlog.Event) { w.events = append(w.events, *e) }
	out, err := w.engine.Run(context.Background(), id, opts)
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// definitions puts assets and checks into one job named "job".
func definitions(assets asset.List, checks ...*check.Check) waggle.Definitions {
	return waggle.Definitions{Assets: assets, Checks: checks, Jobs: job.List{job.New("job", assets, nil)}}
}
