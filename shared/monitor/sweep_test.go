package monitor_test

import (
	"path/filepath"
	"testing"
	"time"

	"gocloud.dev/blob/memblob"

	"waggle/shared/asset"
	"waggle/shared/engine"
	"waggle/shared/job"
	"waggle/shared/monitor"
	"waggle/shared/run"
	"waggle/shared/store"
	"waggle/shared/store/sqlitedriver"
	"waggle/shared/waggle"
)

func TestTheMonitorDeletesWhatHasExpired(t *testing.T) {
	t.Parallel()
	late := false
	clock := func() time.Time {
		if late {
			return time.Now().Add(2 * store.DefaultRetention)
		}
		return time.Now()
	}
	db, err := sqlitedriver.Open(t.Context(), filepath.Join(t.TempDir(), "waggle.db"), &sqlitedriver.Options{Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	s := store.New(db, store.NewBlobs(memblob.OpenBucket(nil)), nil)
	t.Cleanup(func() { _ = s.Close() })
	one := asset.New("one", func(*asset.Context) (int, error) { return 1, nil }, nil)
	d := waggle.Definitions{Assets: asset.List{one}, Jobs: job.List{job.New("job", asset.List{one}, nil)}}
	e := engine.New(s, d, nil)
	id, err := s.Launch(t.Context(), run.Request{Job: "job"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Run(t.Context(), id, nil); err != nil {
		t.Fatal(err)
	}
	late = true
	if err := monitor.Once(t.Context(), s, e, func(store.Summary) {}, func(monitor.Resumed) {}); err != nil {
		t.Fatal(err)
	}
	if n, err := db.Sweep(t.Context(), 1); err != nil || n != 0 {
		t.Errorf("the monitor left %d expired items: %v", n, err)
	}
	late = false
	if fold, _, err := s.Fold(t.Context(), id); err != nil || !fold.Expired || fold.Record.Status != run.Success {
		t.Errorf("%+v, %v", fold, err)
	}
}
