package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"

	"gocloud.dev/blob/memblob"

	"waggle/shared/run"
	"waggle/shared/store"
	"waggle/shared/store/driver"
	"waggle/shared/store/memorydriver"
	"waggle/shared/store/tabletest"
)

// waitingRun launches a run with limits and queues it.
func waitingRun(t *testing.T, s *store.Store, priority int, limits ...run.Limit) (run.ID, run.Request) {
	t.Helper()
	req := run.Request{Job: "job", Limits: limits, Priority: priority}
	id, err := s.Launch(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Enqueue(t.Context(), id, req); err != nil {
		t.Fatal(err)
	}
	return id, req
}

// over is a store over a table.
func over(t *testing.T, db driver.Driver) *store.Store {
	t.Helper()
	s := store.New(db, store.NewBlobs(memblob.OpenBucket(nil)), nil)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func admitted(t *testing.T, s *store.Store) []run.ID {
	t.Helper()
	ids, err := s.Admit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func TestRunsAreAdmittedByPriorityThenByLaunchUpToTheLimit(t *testing.T) {
	t.Parallel()
	s := over(t, tabletest.New(t, nil))
	limit := run.Limit{Name: "job:job", Max: 2}
	low, _ := waitingRun(t, s, -1, limit)
	first, firstReq := waitingRun(t, s, 0, limit)
	urgent, _ := waitingRun(t, s, 7, limit)
	if got := admitted(t, s); !slices.Equal(got, []run.ID{urgent, first}) {
		t.Fatalf("admitted %v, want the urgent one and the first", got)
	}
	ok, waiting, err := s.HasSlots(t.Context(), low, []run.Limit{limit})
	if err != nil || ok || waiting.String() != fmt.Sprintf("limit job:job is full: 2 of 2 slots taken by %s, %s", urgent.Short(), first.Short()) {
		t.Errorf("%v %q %v", ok, waiting, err)
	}
	if err := s.Free(t.Context(), first, firstReq); err != nil {
		t.Fatal(err)
	}
	if got := admitted(t, s); !slices.Equal(got, []run.ID{low}) {
		t.Errorf("admitted %v after a slot was freed", got)
	}
}

func TestAFullLimitDoesNotHoldBackRunsWithOtherLimits(t *testing.T) {
	t.Parallel()
	s := over(t, tabletest.New(t, nil))
	a, b := run.Limit{Name: "tag:customer=a", Max: 1}, run.Limit{Name: "tag:customer=b", Max: 1}
	first, _ := waitingRun(t, s, 0, a)
	second, _ := waitingRun(t, s, 0, a)
	third, _ := waitingRun(t, s, 0, b)
	both, _ := waitingRun(t, s, 0, a, b)
	if got := admitted(t, s); !slices.Equal(got, []run.ID{first, third}) {
		t.Errorf("admitted %v; %v and %v must wait", got, second, both)
	}
}

func TestTheSlotOfARunThatIsGoneIsFree(t *testing.T) {
	t.Parallel()
	s := over(t, tabletest.New(t, nil))
	limit := run.Limit{Name: "job:job", Max: 1}
	ended, _ := waitingRun(t, s, 0, limit)
	admitted(t, s)
	lease, err := s.Acquire(t.Context(), ended, "test")
	if err != nil {
		t.Fatal(err)
	}
	lease.Update(func(sum *store.Summary) { sum.Status = run.Failure })
	if err := lease.Renew(t.Context()); err != nil { // it ended, and its worker died before it gave the slot back
		t.Fatal(err)
	}
	next, _ := waitingRun(t, s, 0, limit)
	if got := admitted(t, s); !slices.Equal(got, []run.ID{next}) {
		t.Errorf("admitted %v", got)
	}
}

func TestQueuingTwiceIsOnceAndFreeingARunThatWaitsTakesItOut(t *testing.T) {
	t.Parallel()
	s := over(t, tabletest.New(t, nil))
	limit := run.Limit{Name: "job:job", Max: 1}
	id, req := waitingRun(t, s, 0, limit)
	if err := s.Enqueue(t.Context(), id, req); err != nil {
		t.Fatal(err)
	}
	if err := s.Free(t.Context(), id, req); err != nil {
		t.Fatal(err)
	}
	if got := admitted(t, s); len(got) != 0 {
		t.Errorf("admitted %v", got)
	}
}

// TestManyWorkersNeverPassALimitAndStrandNobody lets workers queue, look, run and free at once, with transactions that
// conflict and answers that get lost.
func TestManyWorkersNeverPassALimitAndStrandNobody(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	s := over(t, memorydriver.New(&memorydriver.Options{Faults: memorydriver.Faults{Seed: seed, Conflict: 0.2}}))
	limits := []run.Limit{{Name: "job:job", Max: 3}, {Name: "tag:x", Max: 2}}
	var mu sync.Mutex
	running, most := 0, 0
	wakes := map[run.ID]chan struct{}{}
	wake := func(ids []run.ID) {
		mu.Lock()
		defer mu.Unlock()
		for _, id := range ids {
			close(wakes[id])
		}
	}
	admit := func() {
		for {
			ids, err := s.Admit(context.Background())
			wake(ids)
			if err == nil {
				return
			}
		}
	}
	var work sync.WaitGroup
	for i := range 40 {
		req := run.Request{Job: "job", Limits: limits, Priority: i % 3}
		id, err := s.Launch(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		woken := make(chan struct{})
		mu.Lock()
		wakes[id] = woken
		mu.Unlock()
		work.Go(func() {
			if err := s.Enqueue(context.Background(), id, req); err != nil {
				t.Error(err)
				return
			}
			admit()
			<-woken
			mu.Lock()
			running++
			most = max(most, running)
			mu.Unlock()
			runtime.Gosched()
			mu.Lock()
			running--
			mu.Unlock()
			if err := s.Free(context.Background(), id, req); err != nil {
				t.Error(err)
			}
			admit()
		})
	}
	work.Wait()
	if most > 2 {
		t.Errorf("%d ran at once, 2 were allowed", most)
	}
}
