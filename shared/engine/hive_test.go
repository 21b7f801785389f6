package engine_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/blob/memblob"

	"waggle/shared/asset"
	"waggle/shared/engine"
	"waggle/shared/fault"
	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/store"
	"waggle/shared/store/driver"
	"waggle/shared/store/tabletest"
	"waggle/shared/waggle"
)

// hive runs isolated steps as processes do: each has an engine and a way to the store of its own.
type hive struct {
	t      *testing.T
	db     tabletest.Table
	bucket *blob.Bucket
	defs   waggle.Definitions

	silent bool                              // nobody knows how a process ended
	each   int                               // processes started for an attempt
	way    func(driver.Driver) driver.Driver // of a process to the store; nil: straight

	mu      sync.Mutex
	started []store.Attempt
	refused atomic.Int64 // processes whose attempt was another's
	events  []runlog.Event
}

func newHive(t *testing.T, defs waggle.Definitions) *hive {
	t.Helper()
	if err := defs.Validate(); err != nil {
		t.Fatal(err)
	}
	h := &hive{t: t, db: tabletest.New(t, nil), bucket: memblob.OpenBucket(nil), defs: defs, each: 1}
	t.Cleanup(func() { _ = h.bucket.Close() })
	return h
}

func (h *hive) isolate(ctx context.Context, a store.Attempt) (<-chan engine.Ending, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.started = append(h.started, a)
	ended := make(chan engine.Ending, h.each)
	for range h.each {
		db := driver.Driver(h.db)
		if h.way != nil {
			db = h.way(db)
		}
		p := newProcess(db, h.bucket, h.defs, nil, impatient)
		go func() {
			switch err := p.engine.RunStep(ctx, a, time.Time{}); {
			case err == nil:
				ended <- engine.Ending{}
			case errors.Is(err, fault.Conflict):
				h.refused.Add(1)
				ended <- engine.Ending{}
			case errors.Is(err, errDied):
				ended <- engine.Ending{How: "signal: killed", Killed: true}
			default:
				ended <- engine.Ending{How: "exit status 3", Output: err.Error()}
			}
		}()
	}
	if h.silent {
		return nil, nil
	}
	return ended, nil
}

// owner returns a process that runs runs and has others for isolated steps.
func (h *hive) owner(db driver.Driver) process {
	opts := *impatient
	opts.Isolate = h.isolate
	return newProcess(db, h.bucket, h.defs, nil, &opts)
}

func (h *hive) run(id run.ID, opts *engine.RunOptions) engine.Outcome {
	h.t.Helper()
	if opts == nil {
		opts = &engine.RunOptions{}
	}
	opts.Observe = func(e *runlog.Event) { h.events = append(h.events, *e) }
	out, err := h.owner(h.db).engine.Run(context.Background(), id, opts)
	if err != nil {
		h.t.Fatal(err)
	}
	return out
}

// job launches and runs the job.
func (h *hive) job() run.Record {
	h.t.Helper()
	return h.run(h.owner(h.db).launch(h.t), nil).Record
}

var isolated = &asset.Options{Isolated: true}
