package memorydriver_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"waggle/shared/fault"
	"waggle/shared/store/driver"
	"waggle/shared/store/memorydriver"
)

func item(sort string, version int64) driver.Item {
	return driver.Item{
		Key: driver.Key{Partition: "RUN#1", Sort: sort}, Version: version,
		Entries: []driver.Entry{{Index: "due", Partition: "0", Sort: sort}},
	}
}

func wantCode(t *testing.T, code fault.Code, err error) {
	t.Helper()
	if fault.CodeOf(err) != code {
		t.Fatalf("error is %q (%v), want %q", fault.CodeOf(err), err, code)
	}
}

// stored is how many items are stored, expired ones included.
func stored(d *memorydriver.Driver) int { return len(d.Snapshot()) }

func faulty(f memorydriver.Faults) *memorydriver.Driver {
	return memorydriver.New(&memorydriver.Options{Faults: f})
}

// writes are the four ways to write one item.
func writes(ctx context.Context, d *memorydriver.Driver) map[string]error {
	a := item("a", 1)
	return map[string]error{
		"put": d.Put(ctx, a, driver.Any), "delete": d.Delete(ctx, a.Key, driver.Any),
		"put all": d.PutAll(ctx, []driver.Item{a}), "write": d.Write(ctx, []driver.Op{{Put: &a}}),
	}
}

func TestThrottleRefusesWritesAndNotReads(t *testing.T) {
	t.Parallel()
	d := faulty(memorydriver.Faults{Throttle: 1})
	for method, err := range writes(t.Context(), d) {
		if fault.CodeOf(err) != fault.Throttled || stored(d) != 0 {
			t.Errorf("%s: %v, %d items", method, err, stored(d))
		}
	}
	_, err := d.Query(t.Context(), driver.Query{Partition: "RUN#1"})
	wantCode(t, "", err)
}

func TestThrottleReadsRefusesReadsAndNotWrites(t *testing.T) {
	t.Parallel()
	d := faulty(memorydriver.Faults{ThrottleReads: 1})
	wantCode(t, "", d.Put(t.Context(), item("a", 1), driver.Any))
	_, err := d.Get(t.Context(), item("a", 0).Key)
	wantCode(t, fault.Throttled, err)
	_, err = d.Query(t.Context(), driver.Query{Partition: "RUN#1"})
	wantCode(t, fault.Throttled, err)
}

func TestUnavailableFailsCallsThatAreNotDone(t *testing.T) {
	t.Parallel()
	d := faulty(memorydriver.Faults{Unavailable: 1})
	for method, err := range writes(t.Context(), d) {
		if fault.CodeOf(err) != fault.Unavailable || stored(d) != 0 {
			t.Errorf("%s: %v, %d items", method, err, stored(d))
		}
	}
	_, err := d.Get(t.Context(), item("a", 0).Key)
	wantCode(t, fault.Unavailable, err)
}

func TestConflictRefusesAtomicWritesOnly(t *testing.T) {
	t.Parallel()
	d := faulty(memorydriver.Faults{Conflict: 1})
	a := item("a", 1)
	wantCode(t, fault.Throttled, d.Write(t.Context(), []driver.Op{{Put: &a}}))
	if stored(d) != 0 {
		t.Fatal("it was done")
	}
	wantCode(t, "", d.Put(t.Context(), a, driver.Any))
}

func TestApplyThenFailDoesTheWriteAndLosesTheAnswer(t *testing.T) {
	t.Parallel()
	d := faulty(memorydriver.Faults{ApplyThenFail: 1})
	wantCode(t, fault.Unavailable, d.Put(t.Context(), item("a", 1), driver.IfAbsent))
	if got, err := d.Get(t.Context(), item("a", 0).Key); err != nil || got.Version != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	wantCode(t, fault.Unavailable, d.Put(t.Context(), item("a", 2), driver.IfAbsent))
	if got, _ := d.Get(t.Context(), item("a", 0).Key); got.Version != 1 {
		t.Fatal("a put whose condition failed was done")
	}
}

func TestPartialPutAllWritesSomeAndNeverAll(t *testing.T) {
	t.Parallel()
	items := []driver.Item{item("a", 1), item("b", 1), item("c", 1), item("d", 1)}
	seen := map[int]bool{}
	for seed := range uint64(100) {
		d := faulty(memorydriver.Faults{Seed: seed, PartialPutAll: 1})
		wantCode(t, fault.Unavailable, d.PutAll(t.Context(), items))
		seen[stored(d)] = true
	}
	if len(seen) != 4 || seen[4] {
		t.Fatalf("numbers written: %v, want 0 to 3", seen)
	}
}

func TestIndexLagShowsAWriteSomeCallsLater(t *testing.T) {
	t.Parallel()
	const lag = 5
	late := 0
	for seed := range uint64(50) {
		d := faulty(memorydriver.Faults{Seed: seed, IndexLag: lag})
		wantCode(t, "", d.Put(t.Context(), item("a", 1), driver.Any))
		calls := 0
		for ; calls <= lag; calls++ {
			if page, err := d.Query(t.Context(), driver.Query{Index: "due", Partition: "0"}); err != nil {
				t.Fatal(err)
			} else if len(page.Items) == 1 {
				break
			}
		}
		if calls > lag {
			t.Fatalf("seed %d: not shown after %d calls", seed, calls)
		}
		if calls > 0 {
			late++
		}
	}
	if late == 0 {
		t.Fatal("no index read was late")
	}
}

func TestIndexDelayShowsAWriteLaterByTheClock(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	d := memorydriver.New(&memorydriver.Options{
		Clock: func() time.Time { return now }, Faults: memorydriver.Faults{Seed: 2, IndexDelay: time.Minute},
	})
	wantCode(t, "", d.Put(t.Context(), item("a", 1), driver.Any))
	shown := func() int {
		page, err := d.Query(t.Context(), driver.Query{Index: "due", Partition: "0"})
		wantCode(t, "", err)
		return len(page.Items)
	}
	for range 100 {
		if shown() != 0 {
			t.Fatal("shown at once")
		}
	}
	now = now.Add(time.Minute)
	if shown() != 1 {
		t.Fatal("not shown after the delay")
	}
}

func TestChangesOfOneItemReachAnIndexInOrder(t *testing.T) {
	t.Parallel()
	for seed := range uint64(50) {
		d := faulty(memorydriver.Faults{Seed: seed, IndexLag: 10})
		last := int64(0)
		for version := int64(1); version <= 30; version++ {
			wantCode(t, "", d.Put(t.Context(), item("a", version), driver.Any))
			page, err := d.Query(t.Context(), driver.Query{Index: "due", Partition: "0"})
			wantCode(t, "", err)
			if len(page.Items) > 0 {
				if page.Items[0].Version < last {
					t.Fatalf("seed %d: version %d after %d", seed, page.Items[0].Version, last)
				}
				last = page.Items[0].Version
			}
		}
	}
}

func TestTheSameSeedGivesTheSameFaults(t *testing.T) {
	t.Parallel()
	trace := func(seed uint64) (codes []fault.Code) {
		d := faulty(memorydriver.Faults{Seed: seed, Throttle: 0.2, Unavailable: 0.2, Conflict: 0.3, ApplyThenFail: 0.2, IndexLag: 3})
		for n := range 100 {
			a := item(fmt.Sprint(n%7), int64(n))
			codes = append(codes, fault.CodeOf(d.Put(t.Context(), a, driver.IfAbsent)), fault.CodeOf(d.Write(t.Context(), []driver.Op{{Put: &a}})))
			page, err := d.Query(t.Context(), driver.Query{Index: "due", Partition: "0"})
			codes = append(codes, fault.CodeOf(err), fault.Code(fmt.Sprint(len(page.Items))))
		}
		return codes
	}
	if !slices.Equal(trace(7), trace(7)) {
		t.Fatal("two runs with one seed differ")
	}
	if slices.Equal(trace(7), trace(8)) {
		t.Fatal("two seeds do the same")
	}
}

func TestAHookIsCalledBeforeAndAfterACallAndCanStopIt(t *testing.T) {
	t.Parallel()
	crash := errors.New("crash")
	for _, c := range []struct {
		done   bool // stop after the write, not before
		stored int
	}{{false, 0}, {true, 1}} {
		var heard []string
		d := memorydriver.New(&memorydriver.Options{Hook: func(call memorydriver.Call) error {
			heard = append(heard, fmt.Sprint(call, call.Done, call.Err))
			if call.Op.Writes() && call.Done == c.done {
				return crash
			}
			return nil
		}})
		if err := d.Put(t.Context(), item("a", 1), driver.Any); !errors.Is(err, crash) {
			t.Fatalf("error is %v", err)
		}
		if stored(d) != c.stored {
			t.Fatalf("%d items, want %d", stored(d), c.stored)
		}
		want := []string{"put RUN#1/a false <nil>", "put RUN#1/a true <nil>"}[:1+c.stored]
		if !slices.Equal(heard, want) {
			t.Fatalf("the hook heard %q, want %q", heard, want)
		}
	}
}

func TestAHookMayUseTheDriver(t *testing.T) {
	t.Parallel()
	var d *memorydriver.Driver
	other := false
	d = memorydriver.New(&memorydriver.Options{Hook: func(call memorydriver.Call) error {
		if call.Op == memorydriver.Put && !call.Done && !other {
			other = true
			return d.Put(context.Background(), item("a", 7), driver.IfAbsent) // another owner is faster
		}
		return nil
	}})
	wantCode(t, fault.Conflict, d.Put(t.Context(), item("a", 1), driver.IfAbsent))
}

func TestACloneGoesItsOwnWay(t *testing.T) {
	t.Parallel()
	d := memorydriver.New(nil)
	wantCode(t, "", d.Put(t.Context(), item("a", 1), driver.Any))
	wantCode(t, "", d.Close())
	c := d.Clone(nil)
	wantCode(t, "", c.Put(t.Context(), item("a", 2), driver.IfVersion(1)))
	wantCode(t, "", c.Put(t.Context(), item("b", 1), driver.Any))
	if got := d.Snapshot(); len(got) != 1 || got[0].Version != 1 {
		t.Fatalf("the original has %v", got)
	}
	page, err := c.Query(t.Context(), driver.Query{Index: "due", Partition: "0"})
	if err != nil || len(page.Items) != 2 {
		t.Fatalf("%v, %v", page.Items, err)
	}
}

func TestACloneHasTheWritesThatItsIndexesDoNotShowYet(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	d := memorydriver.New(&memorydriver.Options{Clock: clock, Faults: memorydriver.Faults{Seed: 2, IndexDelay: time.Minute}})
	wantCode(t, "", d.Put(t.Context(), item("a", 1), driver.Any))
	c := d.Clone(&memorydriver.Options{Clock: clock})
	for _, want := range []int{0, 1} {
		page, err := c.Query(t.Context(), driver.Query{Index: "due", Partition: "0"})
		if err != nil || len(page.Items) != want {
			t.Fatalf("%v, %v; want %d", page.Items, err, want)
		}
		now = now.Add(time.Minute)
	}
}

func TestExpiredItemsStayStoredUntilASweep(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	d := memorydriver.New(&memorydriver.Options{Clock: func() time.Time { return now }})
	for _, sort := range []string{"a", "b", "c"} {
		ends := item(sort, 1)
		ends.Expires = now
		wantCode(t, "", d.Put(t.Context(), ends, driver.Any))
	}
	if stored(d) != 3 {
		t.Fatalf("%d items", stored(d))
	}
	for _, want := range []int{2, 1, 0} {
		if n, err := d.Sweep(t.Context(), 2); err != nil || n != want {
			t.Fatalf("sweep: %d, %v; want %d", n, err, want)
		}
	}
	if stored(d) != 0 {
		t.Fatalf("%d items", stored(d))
	}
}
