package engine_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gocloud.dev/blob/memblob"

	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/engine"
	"waggle/shared/job"
	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/store"
	"waggle/shared/store/memorydriver"
	"waggle/shared/store/tabletest"
	"waggle/shared/waggle"
)

// world is an engine over a store of its own.
type world struct {
	t      testing.TB
	db     tabletest.Table
	store  *store.Store
	engine *engine.Engine

	mu     sync.Mutex
	hook   func(memorydriver.Call) error
	events []runlog.Event
}

func setup(t testing.TB, defs waggle.Definitions, opts *engine.Options) *world {
	t.Helper()
	w := &world{t: t}
	w.db = tabletest.New(t, &tabletest.Options{Hook: func(c memorydriver.Call) error {
		w.mu.Lock()
		hook := w.hook
		w.mu.Unlock()
		if hook == nil {
			return nil
		}
		return hook(c)
	}})
	w.store = store.New(w.db, store.NewBlobs(memblob.OpenBucket(nil)), nil)
	t.Cleanup(func() { _ = w.store.Close() })
	w.engine = engine.New(w.store, defs, heard(w.store, opts))
	return w
}

// with runs other definitions over the same store.
func (w *world) with(defs waggle.Definitions, opts *engine.Options) *world {
	return &world{t: w.t, db: w.db, store: w.store, engine: engine.New(w.store, defs, heard(w.store, opts))}
}

// onCall sets what is called before and after each call of the driver.
func (w *world) onCall(hook func(memorydriver.Call) error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hook = hook
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
	out, err := w.try(context.Background(), id, opts)
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

func (w *world) try(ctx context.Context, id run.ID, opts *engine.RunOptions) (engine.Outcome, error) {
	if opts == nil {
		opts = &engine.RunOptions{}
	}
	opts.Observe = func(e *runlog.Event) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.events = append(w.events, *e)
	}
	return w.engine.Run(ctx, id, opts)
}

// job launches and runs the job, and returns its record.
func (w *world) job() run.Record {
	w.t.Helper()
	return w.run(w.launch(run.Request{Job: "job"}), nil).Record
}

// selection launches and runs some steps.
func (w *world) selection(keys ...run.StepKey) run.Record {
	w.t.Helper()
	return w.run(w.launch(run.Request{Selection: keys}), nil).Record
}

// stored folds the run's log as it is stored.
func (w *world) stored(id run.ID) *runlog.Fold {
	w.t.Helper()
	fold, _, err := w.store.Fold(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return fold
}

// logged lists the observed events of a type.
func (w *world) logged(kind runlog.Type) []runlog.Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	var found []runlog.Event
	for _, e := range w.events {
		if e.Type == kind {
			found = append(found, e)
		}
	}
	return found
}

// value is the newest good value of an asset, as JSON.
func (w *world) value(key run.AssetKey) string {
	w.t.Helper()
	m, err := w.store.Latest(w.t.Context(), key)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(m.Value.Inline)
}

// want compares the run's status and those of its steps, "SUCCESS a SUCCEEDED, b FAILED", sorted by key.
func want(t testing.TB, r run.Record, text string) {
	t.Helper()
	if got := outline(r); got != text {
		t.Fatalf("%s, want %s (%s: %s)", got, text, r.Reason, r.Error)
	}
}

func outline(r run.Record) string {
	var steps []string
	for _, s := range r.Steps {
		steps = append(steps, fmt.Sprintf("%s %s", s.Key, s.Status))
	}
	slices.Sort(steps)
	return strings.TrimSpace(string(r.Status) + " " + strings.Join(steps, ", "))
}

// definitions puts assets and checks into one job named "job".
func definitions(assets asset.List, checks ...*check.Check) waggle.Definitions {
	return jobOf(nil, assets, checks...)
}

func jobOf(opts *job.Options, assets asset.List, checks ...*check.Check) waggle.Definitions {
	return waggle.Definitions{Assets: assets, Checks: checks, Jobs: job.List{job.New("job", assets, opts)}}
}

// number is an asset without inputs.
func number(key string, n int, opts *asset.Options) *asset.Asset[int] {
	return asset.New(key, func(*asset.Context) (int, error) { return n, nil }, opts)
}

// plus is an asset that adds one to another.
func plus(key string, in asset.Input[int], opts *asset.Options) *asset.Asset[int] {
	return asset.New1(key, func(_ *asset.Context, n int) (int, error) { return n + 1, nil }, in, opts)
}

// impatient is an engine for tests on a fake clock.
var impatient = &engine.Options{Flush: time.Millisecond, Pace: time.Millisecond, Grace: time.Second, Margin: 30 * time.Second, Worker: "test"}
