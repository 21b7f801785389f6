package monitor_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gocloud.dev/blob/memblob"

	"waggle/shared/asset"
	"waggle/shared/engine"
	"waggle/shared/job"
	"waggle/shared/monitor"
	"waggle/shared/run"
	"waggle/shared/store"
	"waggle/shared/store/tabletest"
	"waggle/shared/waggle"
)

func TestRunsOverTheLimitWaitForEachOtherAndAllEnd(t *testing.T) {
	t.Parallel()
	var running, most atomic.Int64
	one := asset.New("one", func(*asset.Context) (int, error) {
		n := running.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		defer running.Add(-1)
		return 1, nil
	}, nil)
	d := waggle.Definitions{Assets: asset.List{one}, Jobs: job.List{job.New("job", asset.List{one}, &job.Options{MaxRuns: 2})}}
	s := store.New(tabletest.New(t, nil), store.NewBlobs(memblob.OpenBucket(nil)), nil)
	t.Cleanup(func() { _ = s.Close() })
	e := engine.New(s, d, nil)
	req, _, err := d.Request(run.Request{Job: "job"})
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 12 {
		id, err := s.Launch(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		all.Go(func() {
			out, err := monitor.Attend(context.Background(), s, e, id, nil)
			if err != nil || out.Record.Status != run.Success {
				t.Errorf("%s %s: %v", id.Short(), out.Record.Status, err)
			}
		})
	}
	all.Wait()
	if most.Load() > 2 {
		t.Errorf("%d ran at once, 2 were allowed", most.Load())
	}
}

func TestACanceledRunStopsWaiting(t *testing.T) {
	t.Parallel()
	one := asset.New("one", func(*asset.Context) (int, error) { return 1, nil }, nil)
	d := waggle.Definitions{Assets: asset.List{one}, Jobs: job.List{job.New("job", asset.List{one}, &job.Options{MaxRuns: 1})}}
	s := store.New(tabletest.New(t, nil), store.NewBlobs(memblob.OpenBucket(nil)), nil)
	t.Cleanup(func() { _ = s.Close() })
	req, _, err := d.Request(run.Request{Job: "job"})
	if err != nil {
		t.Fatal(err)
	}
	holder, err := s.Launch(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Enqueue(t.Context(), holder, req); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Admit(t.Context()); err != nil {
		t.Fatal(err)
	}
	id, err := s.Launch(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	cancel := make(chan struct{})
	time.AfterFunc(20*time.Millisecond, func() { close(cancel) })
	out, err := monitor.Attend(context.Background(), s, engine.New(s, d, nil), id, &engine.RunOptions{Cancel: cancel})
	if err != nil || out.Record.Status != run.Canceled {
		t.Errorf("%s: %v", out.Record.Status, err)
	}
}
