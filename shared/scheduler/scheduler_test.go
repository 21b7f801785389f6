package scheduler_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"gocloud.dev/blob/memblob"

	"waggle/shared/asset"
	"waggle/shared/job"
	"waggle/shared/run"
	"waggle/shared/scheduler"
	"waggle/shared/store"
	"waggle/shared/store/tabletest"
	"waggle/shared/waggle"
)

// world is a store whose clock a test sets.
type world struct {
	t     *testing.T
	store *store.Store
	mu    sync.Mutex
	now   time.Time
}

func setup(t *testing.T, now string) *world {
	t.Helper()
	w := &world{t: t}
	w.at(now)
	clock := func() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.now }
	w.store = store.New(tabletest.New(t, &tabletest.Options{Clock: clock}), store.NewBlobs(memblob.OpenBucket(nil)), &store.Options{Now: clock})
	t.Cleanup(func() { _ = w.store.Close() })
	return w
}

func (w *world) at(now string) {
	w.t.Helper()
	t, err := time.Parse(time.RFC3339, now)
	if err != nil {
		w.t.Fatal(err)
	}
	w.mu.Lock()
	w.now = t
	w.mu.Unlock()
}

func definitions(cron, zone string) waggle.Definitions {
	one := asset.New("one", func(*asset.Context) (int, error) { return 1, nil }, nil)
	j := job.New("nightly", asset.List{one}, nil)
	return waggle.Definitions{Assets: asset.List{one}, Jobs: job.List{j}, Schedules: job.Schedules{job.Cron("daily", cron, j, &job.ScheduleOptions{TimeZone: zone})}}
}

// launch launches what is due and returns the times of the ticks in UTC.
func (w *world) launch(d waggle.Definitions) (ticks []string, passed []scheduler.Passed) {
	w.t.Helper()
	launched, passed, err := scheduler.New(w.store, d).Launch(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	for _, l := range launched {
		text := l.Time.UTC().Format("01-02 15:04")
		if l.Late {
			text += " late"
		}
		ticks = append(ticks, text)
	}
	return ticks, passed
}

func (w *world) runs() int {
	w.t.Helper()
	list, _, err := w.store.Runs(w.t.Context(), store.Filter{}, 1000, "")
	if err != nil {
		w.t.Fatal(err)
	}
	return len(list)
}

func TestANewScheduleStartsNowAndEachTickIsLaunchedOnce(t *testing.T) {
	t.Parallel()
	w, d := setup(t, "2026-05-01T12:00:00Z"), definitions("0 2 * * *", "UTC")
	if ticks, _ := w.launch(d); len(ticks) != 0 {
		t.Fatalf("a new schedule launched %v", ticks)
	}
	w.at("2026-05-02T02:00:00Z")
	if ticks, _ := w.launch(d); !slices.Equal(ticks, []string{"05-02 02:00"}) {
		t.Fatalf("launched %v", ticks)
	}
	if ticks, _ := w.launch(d); len(ticks) != 0 || w.runs() != 1 {
		t.Errorf("launched %v again; %d runs", ticks, w.runs())
	}
	history, err := w.store.Ticks(t.Context(), "daily", 5)
	if err != nil || len(history) != 1 || history[0].Late || history[0].Run == "" {
		t.Errorf("ticks %+v %v", history, err)
	}
}

func TestTicksThatWereSleptOverAreLaunchedLateEachOnce(t *testing.T) {
	t.Parallel()
	w, d := setup(t, "2026-05-01T12:00:00Z"), definitions("0 * * * *", "UTC")
	w.launch(d)
	w.at("2026-05-01T15:00:30Z")
	if ticks, _ := w.launch(d); !slices.Equal(ticks, []string{"05-01 13:00 late", "05-01 14:00 late", "05-01 15:00"}) {
		t.Errorf("launched %v", ticks)
	}
}

func TestTicksOlderThanADayArePassedOverAndSaidSo(t *testing.T) {
	t.Parallel()
	w, d := setup(t, "2026-05-01T12:00:00Z"), definitions("0 2 * * *", "UTC")
	w.launch(d)
	w.at("2026-05-09T12:00:00Z")
	ticks, passed := w.launch(d)
	if !slices.Equal(ticks, []string{"05-09 02:00 late"}) || len(passed) != 1 || passed[0].Ticks != 7 {
		t.Errorf("launched %v, passed %+v", ticks, passed)
	}
	if ticks, passed := w.launch(d); len(ticks)+len(passed) != 0 {
		t.Errorf("again: %v %v", ticks, passed)
	}
}

func TestAChangedScheduleStartsAnew(t *testing.T) {
	t.Parallel()
	w := setup(t, "2026-05-01T12:00:00Z")
	w.launch(definitions("0 2 * * *", "UTC"))
	w.at("2026-05-03T12:00:00Z")
	if ticks, passed := w.launch(definitions("0 3 * * *", "UTC")); len(ticks)+len(passed) != 0 {
		t.Errorf("a changed schedule launched %v, passed %v", ticks, passed)
	}
}

func TestBothChangesOfDaylightSavingGiveOneTickANight(t *testing.T) {
	t.Parallel()
	for name, night := range map[string]struct {
		cron, from, to string
		want           []string
	}{
		"clocks go forward, the hour exists":     {"0 2 * * *", "2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z", []string{"03-29 01:00 late"}},
		"clocks go forward, the hour is missing": {"30 1 * * *", "2026-03-28T12:00:00Z", "2026-03-30T00:29:00Z", []string{}},
		"clocks go back, the hour comes twice":   {"30 1 * * *", "2026-10-24T12:00:00Z", "2026-10-25T12:00:00Z", []string{"10-25 00:30 late"}},
	} {
		w, d := setup(t, night.from), definitions(night.cron, "Europe/London")
		w.launch(d)
		w.at(night.to)
		if ticks, _ := w.launch(d); !slices.Equal(ticks, night.want) {
			t.Errorf("%s: launched %v, want %v", name, ticks, night.want)
		}
	}
}

// TestSchedulersAtOnceLaunchATickOnce lets many processes see the same tick.
func TestSchedulersAtOnceLaunchATickOnce(t *testing.T) {
	t.Parallel()
	w, d := setup(t, "2026-05-01T12:00:00Z"), definitions("0 2 * * *", "UTC")
	w.launch(d)
	w.at("2026-05-02T02:00:00Z")
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, _, err := scheduler.New(w.store, d).Launch(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if w.runs() != 1 {
		t.Errorf("%d runs of one tick", w.runs())
	}
	list, _, _ := w.store.Runs(t.Context(), store.Filter{}, 10, "")
	if len(list) == 1 && (list[0].Status != run.NotStarted || list[0].Request.Tags["waggle/schedule"] != "daily") {
		t.Errorf("%+v", list[0])
	}
}
