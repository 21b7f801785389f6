package monitor_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gocloud.dev/blob/memblob"

	"waggle/shared/asset"
	"waggle/shared/engine"
	"waggle/shared/job"
	"waggle/shared/monitor"
	"waggle/shared/run"
	"waggle/shared/scheduler"
	"waggle/shared/store"
	"waggle/shared/store/tabletest"
	"waggle/shared/waggle"
)

// diary is what a keeper told.
type diary struct {
	mu  sync.Mutex
	all []monitor.Happening
}

func (d *diary) tell(h monitor.Happening) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all = append(d.all, h)
}

func (d *diary) of(kind monitor.Kind) (list []monitor.Happening) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, h := range d.all {
		if h.Kind == kind {
			list = append(list, h)
		}
	}
	return list
}

// keep keeps a store in a bubble of its own time, until test returns.
func keep(t *testing.T, d waggle.Definitions, opts monitor.KeeperOptions, test func(s *store.Store, told *diary)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := store.New(tabletest.New(t, nil), store.NewBlobs(memblob.OpenBucket(nil)), nil)
		defer func() { _ = s.Close() }()
		told := &diary{}
		opts.Tell = told.tell
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() {
			ended <- monitor.NewKeeper(s, engine.New(s, d, nil), scheduler.New(s, d), &opts).Keep(ctx)
		}()
		synctest.Wait()
		test(s, told)
		synctest.Wait()
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestAKeeperLaunchesEachTickAtItsTime(t *testing.T) {
	t.Parallel()
	one := asset.New("one", func(*asset.Context) (int, error) { return 1, nil }, nil)
	j := job.New("job", asset.List{one}, nil)
	d := waggle.Definitions{Assets: asset.List{one}, Jobs: job.List{j}, Schedules: job.Schedules{job.Cron("often", "* * * * *", j, nil)}}
	keep(t, d, monitor.KeeperOptions{}, func(s *store.Store, told *diary) {
		time.Sleep(5*time.Minute + 30*time.Second)
		ticks := told.of(monitor.TickLaunched)
		if len(ticks) != 5 || len(told.of(monitor.RunEnded)) != 5 || len(told.of(monitor.Trouble)) != 0 {
			t.Fatalf("%d ticks, %d runs ended, troubles %+v", len(ticks), len(told.of(monitor.RunEnded)), told.of(monitor.Trouble))
		}
		for _, tick := range ticks {
			if late := tick.Time.Sub(tick.Tick); late < 0 || late > 10*time.Millisecond || tick.Late {
				t.Errorf("the tick of %s came %s later", tick.Tick, late)
			}
		}
	})
}

func TestAKeeperRunsAsManyAtOnceAsItMayAndTheMostUrgentFirst(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	running, most := 0, 0
	one := asset.New("one", func(*asset.Context) (int, error) {
		mu.Lock()
		running++
		most = max(most, running)
		mu.Unlock()
		time.Sleep(time.Minute)
		mu.Lock()
		running--
		mu.Unlock()
		return 1, nil
	}, nil)
	d := waggle.Definitions{Assets: asset.List{one}, Jobs: job.List{job.New("job", asset.List{one}, nil)}}
	keep(t, d, monitor.KeeperOptions{Parallel: 2}, func(s *store.Store, told *diary) {
		priorities := map[run.ID]int{}
		for _, priority := range []int{0, 5, -5, 5, 0, 9} {
			id, err := s.Launch(t.Context(), run.Request{Job: "job", Priority: priority})
			if err != nil {
				t.Fatal(err)
			}
			priorities[id] = priority
		}
		time.Sleep(5 * time.Minute)
		var order []int
		for _, h := range told.of(monitor.RunEnded) {
			order = append(order, priorities[h.Run])
		}
		if most != 2 || len(order) != 6 {
			t.Fatalf("%d ran at once, %v ended", most, order)
		}
		for pair := range slices.Chunk(order, 2) {
			slices.Sort(pair)
		}
		if !slices.Equal(order, []int{5, 9, 0, 5, -5, 0}) {
			t.Errorf("two at a time they ended with the priorities %v", order)
		}
	})
}

func TestAKeeperWaitsForSlotsWithoutTakingAPlace(t *testing.T) {
	t.Parallel()
	slow := asset.New("slow", func(*asset.Context) (int, error) { time.Sleep(80 * time.Second); return 1, nil }, nil)
	quick := asset.New("quick", func(*asset.Context) (int, error) { return 1, nil }, nil)
	d := waggle.Definitions{Assets: asset.List{slow, quick}, Jobs: job.List{job.New("single", asset.List{slow}, &job.Options{MaxRuns: 1}), job.New("free", asset.List{quick}, nil)}}
	keep(t, d, monitor.KeeperOptions{Parallel: 2}, func(s *store.Store, told *diary) {
		for _, name := range []string{"single", "single", "single", "free"} {
			req, _, err := d.Request(run.Request{Job: name})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Launch(t.Context(), req); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(80 * time.Second)
		if ended := told.of(monitor.RunEnded); len(ended) != 1 || ended[0].Name != "free" {
			t.Errorf("while the first has its slot, %+v ended", ended)
		}
		if waits := told.of(monitor.RunWaits); len(waits) != 2 || !strings.HasPrefix(waits[0].Why, "limit job:single is full: 1 of 1 slots taken by ") {
			t.Errorf("those that wait say %+v", waits)
		}
		time.Sleep(5 * time.Minute)
		if ended := told.of(monitor.RunEnded); len(ended) != 4 {
			t.Errorf("%d ended", len(ended))
		}
	})
}

func TestAQueuedRunIsCanceledByANote(t *testing.T) {
	t.Parallel()
	slow := asset.New("slow", func(ctx *asset.Context) (int, error) {
		<-ctx.Done()
		return 0, ctx.Err()
	}, nil)
	d := waggle.Definitions{Assets: asset.List{slow}, Jobs: job.List{job.New("single", asset.List{slow}, &job.Options{MaxRuns: 1})}}
	keep(t, d, monitor.KeeperOptions{}, func(s *store.Store, told *diary) {
		req, _, err := d.Request(run.Request{Job: "single"})
		if err != nil {
			t.Fatal(err)
		}
		var ids []run.ID
		for range 2 {
			id, err := s.Launch(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id)
		}
		time.Sleep(35 * time.Second)
		waits := told.of(monitor.RunWaits)
		if len(waits) == 0 {
			t.Fatalf("neither of %s waits", ids)
		}
		if err := s.RequestCancel(t.Context(), waits[0].Run); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * time.Second)
		if ended := told.of(monitor.RunEnded); len(ended) != 1 || ended[0].Run != waits[0].Run || ended[0].Summary.Status != run.Canceled {
			t.Errorf("%+v", ended)
		}
	})
}

func TestAKeeperRetriesWhatItsJobRetries(t *testing.T) {
	t.Parallel()
	tries := 0
	weak := asset.New("weak", func(*asset.Context) (int, error) {
		if tries++; tries < 3 {
			return 0, errors.New("not yet")
		}
		return 1, nil
	}, nil)
	d := waggle.Definitions{Assets: asset.List{weak}, Jobs: job.List{job.New("patient", asset.List{weak}, &job.Options{Retry: job.Retry{Max: 2}})}}
	keep(t, d, monitor.KeeperOptions{}, func(s *store.Store, told *diary) {
		if _, err := s.Launch(t.Context(), run.Request{Job: "patient"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(32 * time.Second)
		var all []run.Status
		for _, h := range told.of(monitor.RunEnded) {
			all = append(all, h.Summary.Status)
			if want := h.Summary.Status == run.Failure; want != (h.Retry != "") {
				t.Errorf("%+v", h)
			}
		}
		if !slices.Equal(all, []run.Status{run.Failure, run.Failure, run.Success}) {
			t.Errorf("they ended %v", all)
		}
	})
}

func TestARunWhoseProcessDiedGoesElsewhere(t *testing.T) {
	t.Parallel()
	one := asset.New("one", func(*asset.Context) (int, error) { return 1, nil }, nil)
	d := waggle.Definitions{Assets: asset.List{one}, Jobs: job.List{job.New("job", asset.List{one}, nil)}}
	elsewhere := map[run.ID]int{}
	opts := monitor.KeeperOptions{Elsewhere: func(_ context.Context, id run.ID) error {
		elsewhere[id]++
		return errors.New("it died again")
	}}
	keep(t, d, opts, func(s *store.Store, told *diary) {
		dead, err := s.Launch(t.Context(), run.Request{Job: "job"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Acquire(t.Context(), dead, "a process that dies"); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Launch(t.Context(), run.Request{Job: "job"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(40 * time.Second)
		if ended := told.of(monitor.RunEnded); len(ended) != 1 || ended[0].Run == dead {
			t.Errorf("%+v", ended)
		}
		if troubles := told.of(monitor.Trouble); len(troubles) != 1 || troubles[0].Run != dead {
			t.Errorf("the same trouble is told once, not %+v", troubles)
		}
		synctest.Wait()
		if ids := slices.Collect(maps.Keys(elsewhere)); !slices.Equal(ids, []run.ID{dead}) || elsewhere[dead] < 2 {
			t.Errorf("%v", elsewhere)
		}
	})
}
