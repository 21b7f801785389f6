package store_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"gocloud.dev/blob/memblob"

	"waggle/shared/run"
	"waggle/shared/store"
	"waggle/shared/store/memorydriver"
)

func without[T comparable](list []T, one T) []T {
	return slices.DeleteFunc(slices.Clone(list), func(x T) bool { return x == one })
}

// ids makes ids and tokens that are the same in each round.
type ids struct{ next byte }

func (r *ids) Read(p []byte) (int, error) {
	for i := range p {
		r.next++
		p[i] = r.next
	}
	return len(p), nil
}

// attender is what a worker does with a run that has limits, in the order in which the engine does it: it queues before it looks, and
// frees before it looks. wake tells others of their slots, as the engine's caller does.
func attender(t *testing.T, s *store.Store, id run.ID, req run.Request, w *witness, a *actor) {
	ctx := context.Background()
	must := func(err error) {
		if err != nil {
			t.Errorf("%s: %v", a.name, err)
		}
	}
	has, _, err := s.HasSlots(ctx, id, req.Limits)
	must(err)
	if !has {
		must(s.Enqueue(ctx, id, req))
		admitted, err := s.Admit(ctx)
		must(err)
		w.wake(admitted)
		has, _, err = s.HasSlots(ctx, id, req.Limits)
		must(err)
	}
	if !has {
		a.wait("it has its slot", func() bool { return w.woken[id] })
	}
	if w.running++; w.running > w.limit {
		t.Errorf("%d run at once, %d are allowed", w.running, w.limit)
	}
	a.wait("its steps were done", func() bool { return true })
	w.running--
	must(s.Free(ctx, id, req))
	admitted, err := s.Admit(ctx)
	must(err)
	w.wake(admitted)
	w.ended++
}

// witness is what the workers tell each other, and what a test sees of them.
type witness struct {
	limit, running, ended int
	woken                 map[run.ID]bool
}

func (w *witness) wake(ids []run.ID) {
	for _, id := range ids {
		w.woken[id] = true
	}
}

// TestInEveryOrderOfThreeWorkersNoRunIsOverTheLimitAndNoneIsStranded takes the store's own admission through all
// of those that take the turn from a worker that could go on three times at most, of three workers twice (of two slots, once).
func TestInEveryOrderOfThreeWorkersNoRunIsOverTheLimitAndNoneIsStranded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		workers  int
		switches int
		limits   []run.Limit
	}{
		{"one slot, two runs", 2, 3, []run.Limit{{Name: "job:job", Max: 1}}},
		{"one slot, three runs", 3, 2, []run.Limit{{Name: "job:job", Max: 1}}},
		{"two slots, three runs", 3, 1, []run.Limit{{Name: "job:job", Max: 2}}},
		{"two limits, two runs", 2, 3, []run.Limit{{Name: "job:job", Max: 2}, {Name: "tag:x", Max: 1}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			launched := memorydriver.New(nil)
			now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
			opts := &store.Options{Now: func() time.Time { return now }, Random: &ids{}}
			clean := store.New(launched, store.NewBlobs(memblob.OpenBucket(nil)), opts)
			w := &witness{}
			var workers []*actor
			for i := range c.workers {
				req := run.Request{Job: "job", Limits: c.limits}
				id, err := clean.Launch(context.Background(), req)
				if err != nil {
					t.Fatal(err)
				}
				a := &actor{name: fmt.Sprintf("worker %d", i+1)}
				s := store.New(a, store.NewBlobs(memblob.OpenBucket(nil)), opts)
				a.act = func(a *actor) { attender(t, s, id, req, w, a) }
				workers = append(workers, a)
			}
			n := interleave(t, c.switches, func(o *order) {
				db := launched.Clone(nil)
				*w = witness{limit: c.limits[0].Max, woken: map[run.ID]bool{}}
				for _, l := range c.limits {
					w.limit = min(w.limit, l.Max)
				}
				o.run(db, workers)
				if len(o.stuck) > 0 || w.ended != c.workers {
					t.Errorf("%v are stranded, %d of %d ended", o.stuck, w.ended, c.workers)
				}
				for _, item := range db.Snapshot() {
					if item.Partition == "QUEUE" || item.Partition[:5] == "LIMIT" && string(item.Data) != `{"holders":[]}` {
						t.Errorf("%s is left: %s", item.Key, item.Data)
					}
				}
			})
			t.Logf("%d orders", n)
			if n < 100 {
				t.Errorf("only %d orders", n)
			}
		})
	}
}
