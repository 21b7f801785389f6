package engine_test

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"gocloud.dev/blob/memblob"

	"waggle/shared/asset"
	"waggle/shared/engine"
	"waggle/shared/job"
	"waggle/shared/run"
	"waggle/shared/store/memorydriver"
	"waggle/shared/waggle"
)

// TestWhereverTwoWorkersMeetAtALimitOneRunsAndTheOtherIsWoken stops one worker at each of its calls; lets another, whose run has the same
// limit, make each number of calls; lets the first go on to its end, and then the second. No clock brings a run back here: one that waits must have been
// told by whoever freed its slot.
func TestWhereverTwoWorkersMeetAtALimitOneRunsAndTheOtherIsWoken(t *testing.T) {
	t.Parallel()
	for _, after := range []bool{false, true} {
		t.Run(fmt.Sprintf("after %t", after), func(t *testing.T) {
			t.Parallel()
			meetings := 0
			for stop := 1; ; stop++ {
				reached := true
				for lead := 0; reached; lead++ {
					var more bool
					synctest.Test(t, func(t *testing.T) { reached, more = meet(t, stop, lead, after) })
					if t.Failed() {
						t.Fatalf("stopped at call %d (after %t), the second worker %d calls ahead", stop, after, lead)
					}
					if meetings++; !more {
						break
					}
				}
				if !reached {
					break
				}
			}
			if meetings < 200 {
				t.Errorf("only %d meetings", meetings)
			}
		})
	}
}

func meet(t *testing.T, stop, lead int, after bool) (reached, more bool) {
	bucket := memblob.OpenBucket(nil)
	defer func() { _ = bucket.Close() }()
	var running, most atomic.Int64
	one := asset.New("a", func(*asset.Context) (int, error) {
		most.Store(max(most.Load(), running.Add(1)))
		time.Sleep(time.Millisecond)
		running.Add(-1)
		return 1, nil
	}, nil)
	defs := waggle.Definitions{Assets: asset.List{one}, Jobs: job.List{job.New("job", asset.List{one}, &job.Options{MaxRuns: 1})}}
	db := memorydriver.New(nil)
	clean := newProcess(db, bucket, defs, nil, eager)
	ids := make([]run.ID, 2)
	for i := range ids {
		id, err := clean.store.Launch(t.Context(), request(t, defs))
		if err != nil {
			t.Fatal(err)
		}
		ids[i] = id
	}
	start := func(id run.ID, g *gate) chan engine.Outcome {
		p := newProcess(&client{db, g.around}, bucket, defs, nil, eager)
		ended := make(chan engine.Outcome, 1)
		go func() {
			out, err := p.engine.Run(context.Background(), id, nil)
			if err != nil {
				t.Error(err)
			}
			ended <- out
		}()
		return ended
	}
	settle := func(g *gate, ended chan engine.Outcome) {
		synctest.Wait()
		for !g.stopped() && len(ended) == 0 {
			time.Sleep(time.Millisecond)
			synctest.Wait()
		}
	}
	first, second := newGate(stop-1, after), newGate(lead, false)
	a := start(ids[0], first)
	settle(first, a)
	reached = first.stopped()
	b := start(ids[1], second)
	settle(second, b)
	more = reached && second.stopped()
	close(first.open)
	outs := []engine.Outcome{<-a, {}}
	close(second.open)
	outs[1] = <-b
	woken := slices.Concat(outs[0].Woken, outs[1].Woken)
	for again := true; again; {
		again = false
		for i, id := range ids {
			if at := slices.Index(woken, id); at >= 0 && outs[i].End == engine.Parked {
				woken, again = slices.Delete(woken, at, at+1), true
				out, err := clean.engine.Run(t.Context(), id, nil)
				if err != nil {
					t.Error(err)
				}
				outs[i] = out
				woken = append(woken, out.Woken...)
			}
		}
	}
	for i, out := range outs {
		if out.End != engine.Ended || out.Record.Status != run.Success {
			t.Errorf("run %d is %s (%s), and nobody was told to go on with it", i+1, out.End, out.Record.Status)
		}
	}
	if most.Load() != 1 {
		t.Errorf("%d ran at once", most.Load())
	}
	for _, item := range db.Snapshot() {
		if item.Partition == "QUEUE" || item.Partition == "LIMIT#job:job" && string(item.Data) != `{"holders":[]}` {
			t.Errorf("%s is left: %s", item.Key, item.Data)
		}
	}
	return reached, more
}
