package store_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"gocloud.dev/blob/memblob"

	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/engine"
	"waggle/shared/fault"
	"waggle/shared/job"
	"waggle/shared/run"
	"waggle/shared/store"
	"waggle/shared/store/driver"
	"waggle/shared/store/memorydriver"
	"waggle/shared/store/sqlitedriver"
	"waggle/shared/store/tabletest"
	"waggle/shared/waggle"
)

const day = 24 * time.Hour

// logged counts the chunks of a run's log that can be read.
func logged(t *testing.T, s *store.Store, id run.ID) (n int) {
	t.Helper()
	if err := s.ReadLog(t.Context(), id, 0, func(store.Stored) error { n++; return nil }); err != nil {
		t.Fatal(err)
	}
	return n
}

// onePlus is a job of two steps and a check; made counts the calls of the first.
func onePlus(made *atomic.Int64, second func(*asset.Context, int) (int, error)) waggle.Definitions {
	one := asset.New("one", func(*asset.Context) (int, error) { made.Add(1); return 1, nil }, nil)
	two := asset.New1("two", second, one, nil)
	good := check.New1("good", func(*asset.Context, int) (check.Result, error) { return check.Result{Passed: true}, nil }, one, nil)
	return waggle.Definitions{Assets: asset.List{one, two}, Checks: check.List{good}, Jobs: job.List{job.New("job", asset.List{one, two}, nil)}}
}

func plusOne(_ *asset.Context, n int) (int, error) { return n + 1, nil }

func launch(t *testing.T, s *store.Store) run.ID {
	t.Helper()
	id, err := s.Launch(t.Context(), run.Request{Job: "job", Tags: map[string]string{"a": "b"}})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func attend(t *testing.T, s *store.Store, d waggle.Definitions, id run.ID) run.Record {
	t.Helper()
	out, err := engine.New(s, d, nil).Run(context.Background(), id, nil)
	if err != nil || out.End != engine.Ended {
		t.Fatalf("%s: %v", out.End, err)
	}
	return out.Record
}

func TestALogExpiresNinetyDaysAfterItsRunAndTheRestStays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := over(t, tabletest.New(t, nil))
		var made atomic.Int64
		d := onePlus(&made, plusOne)
		id := launch(t, s)
		whole := attend(t, s, d, id)
		summary, err := s.Summary(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}

		time.Sleep(90*day - time.Minute)
		fold, next, err := s.Fold(t.Context(), id)
		if err != nil || fold.Expired || len(fold.Record.Steps) != 3 || next != summary.Settled+1 {
			t.Fatalf("the day before: %+v, next %d: %v", fold.Record, next, err)
		}
		time.Sleep(2 * time.Minute)
		fold, next, err = s.Fold(t.Context(), id)
		if err != nil || !fold.Expired || next != summary.Settled+1 {
			t.Fatalf("expired %t, next %d: %v", fold.Expired, next, err)
		}
		r := fold.Record
		if r.Status != run.Success || !r.Started.Equal(whole.Started) || !r.Ended.Equal(whole.Ended) || r.StepCount != 3 || r.Request.Tags["a"] != "b" || len(r.Steps) != 0 {
			t.Errorf("left of the record: %+v", r)
		}
		if n := logged(t, s, id); n != 0 {
			t.Errorf("%d chunks are left", n)
		}
		if m, err := s.Latest(t.Context(), "two"); err != nil || string(m.Value.Inline) != "2" {
			t.Errorf("the value: %+v, %v", m, err)
		}
		if c, err := s.CheckHistory(t.Context(), "one", "good", 5); err != nil || len(c) != 1 {
			t.Errorf("check results %+v, %v", c, err)
		}

		if again := attend(t, s, d, id); again.Status != run.Success || !again.Ended.Equal(whole.Ended) || made.Load() != 1 {
			t.Errorf("taken up again: %+v, the step ran %d times", again, made.Load())
		}
		if after, err := s.Summary(t.Context(), id); err != nil || after.Done != summary.Done || after.Assets != 2 {
			t.Errorf("its summary has become %+v, %v", after, err)
		}
	})
}

func TestTheLogOfARunThatIsNotSettledNeverExpires(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := over(t, tabletest.New(t, nil))
		var made atomic.Int64
		ctx, stop := context.WithCancel(context.Background())
		d := onePlus(&made, func(c *asset.Context, n int) (int, error) {
			if c.Attempt() == 1 {
				stop()
				<-c.Done()
				return 0, context.Cause(c)
			}
			return n + 1, nil
		})
		id := launch(t, s)
		if out, err := engine.New(s, d, nil).Run(ctx, id, nil); err != nil || out.End != engine.HandedOver {
			t.Fatalf("%s: %v", out.End, err)
		}
		time.Sleep(200 * day)
		if r := attend(t, s, d, id); r.Status != run.Success || made.Load() != 1 || len(r.Steps) != 3 {
			t.Errorf("after 200 days it ended %s in %d steps, the first ran %d times", r.Status, len(r.Steps), made.Load())
		}
		time.Sleep(89 * day)
		if fold, _, err := s.Fold(t.Context(), id); err != nil || fold.Expired {
			t.Errorf("89 days after its end: expired %t, %v", fold.Expired, err)
		}
	})
}

// paid is a store where writes are paid by size, and the number of chunks that were written a second time.
func paid(t *testing.T) (*store.Store, *atomic.Int64) {
	var again atomic.Int64
	db := tabletest.New(t, &tabletest.Options{Hook: func(c memorydriver.Call) error {
		if c.Op == memorydriver.PutAll && strings.HasPrefix(c.Keys[0].Sort, "LOG#") && !c.Done {
			again.Add(int64(len(c.Keys)))
		}
		return nil
	}})
	return store.New(db, store.NewBlobs(memblob.OpenBucket(nil)), &store.Options{PaidBySize: true}), &again
}

// pausing is a job whose second step gives up its worker in each of the first attempts.
func pausing(made *atomic.Int64, stop *context.CancelFunc, attempts int) waggle.Definitions {
	return onePlus(made, func(c *asset.Context, n int) (int, error) {
		if c.Attempt() <= attempts {
			(*stop)()
			<-c.Done()
			return 0, context.Cause(c)
		}
		return n + 1, nil
	})
}

// begin runs a run until its worker is given up.
func begin(t *testing.T, s *store.Store, d waggle.Definitions, id run.ID, stop *context.CancelFunc) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	*stop = cancel
	if out, err := engine.New(s, d, nil).Run(ctx, id, nil); err != nil || out.End != engine.HandedOver {
		t.Fatalf("%s: %v", out.End, err)
	}
}

func TestWhereWritesArePaidBySizeALogIsWrittenOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, again := paid(t)
		id := launch(t, s)
		time.Sleep(2 * day) // in the queue, say
		attend(t, s, onePlus(new(atomic.Int64), plusOne), id)
		if n := again.Load(); n != 0 {
			t.Errorf("%d chunks were written a second time", n)
		}
		time.Sleep(90 * day)
		if fold, _, err := s.Fold(t.Context(), id); err != nil || fold.Expired || len(fold.Record.Steps) != 3 {
			t.Errorf("90 days after its end: %+v, %v", fold.Record, err)
		}
		time.Sleep(2 * day)
		if fold, _, err := s.Fold(t.Context(), id); err != nil || !fold.Expired || fold.Record.Status != run.Success || logged(t, s, id) != 0 {
			t.Errorf("92 days after its end: %+v, %v", fold.Record, err)
		}
		if r, err := s.GC(t.Context(), store.MinBlobAge, false); err != nil || r.Logs != 0 {
			t.Errorf("gc %+v, %v", r, err)
		}
	})
}

func TestWhereWritesArePaidBySizeTheLogOfARunThatLastsStays(t *testing.T) {
	t.Parallel()
	for _, pauses := range [][]time.Duration{{10 * day}, {50 * day, 200 * day}, {90 * day, 90 * day, 90 * day}} {
		synctest.Test(t, func(t *testing.T) {
			s, _ := paid(t)
			var made atomic.Int64
			var stop context.CancelFunc
			d := pausing(&made, &stop, len(pauses))
			id := launch(t, s)
			for _, pause := range pauses {
				begin(t, s, d, id, &stop)
				time.Sleep(pause)
			}
			if r := attend(t, s, d, id); r.Status != run.Success || made.Load() != 1 || len(r.Steps) != 3 {
				t.Errorf("%v: it ended %s in %d steps, the first ran %d times", pauses, r.Status, len(r.Steps), made.Load())
			}
			time.Sleep(90*day - time.Minute)
			if fold, _, err := s.Fold(t.Context(), id); err != nil || fold.Expired {
				t.Errorf("%v: 90 days after its end: expired %t, %v", pauses, fold.Expired, err)
			}
			time.Sleep(4 * day)
			if fold, _, err := s.Fold(t.Context(), id); err != nil || !fold.Expired {
				t.Errorf("%v: 94 days after its end: expired %t, %v", pauses, fold.Expired, err)
			}
		})
	}
}

func TestWhereWritesArePaidBySizeARunAtWhichNobodyLookedForMonthsFailsAndSaysWhy(t *testing.T) {
	t.Parallel()
	for _, half := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			db := tabletest.New(t, nil)
			s := store.New(db, store.NewBlobs(memblob.OpenBucket(nil)), &store.Options{PaidBySize: true})
			var made atomic.Int64
			var stop context.CancelFunc
			d := pausing(&made, &stop, 1)
			id := launch(t, s)
			begin(t, s, d, id, &stop)
			if half { // of its log is told its end, and the other half is not: whoever was at it died
				item, err := db.Get(t.Context(), driver.Key{Partition: "RUN#" + string(id), Sort: "LOG#00000001"})
				if item.Expires = (time.Time{}); err == nil {
					err = db.Put(t.Context(), item, driver.Any)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(100 * day)
			if fold, _, err := s.Fold(t.Context(), id); err != nil || !fold.Expired || fold.Record.Status != run.Started {
				t.Errorf("before anybody looks: %+v, %v", fold.Record, err)
			}
			if r := attend(t, s, d, id); r.Status != run.Failure || !strings.Contains(r.Error, "its log has expired") || made.Load() != 1 {
				t.Errorf("it ended %s, %q; the first step ran %d times", r.Status, r.Error, made.Load())
			}
			if fold, _, err := s.Fold(t.Context(), id); err != nil || fold.Expired != half || fold.Record.Status != run.Failure {
				t.Errorf("afterwards: %+v, %v", fold.Record, err)
			}
			if isSettled, _, err := s.Standing(t.Context(), id); err != nil || !isSettled {
				t.Errorf("settled %t, %v", isSettled, err)
			}
		})
	}
}

func TestWhereWritesArePaidBySizeTheLogOfARunThatWaitsInTheQueueStays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, _ := paid(t)
		d := onePlus(new(atomic.Int64), plusOne)
		request := run.Request{Job: "job", Limits: []run.Limit{{Name: "job:job", Max: 1}}}
		var ids [2]run.ID
		for i := range ids {
			var err error
			if ids[i], err = s.Launch(t.Context(), request); err != nil {
				t.Fatal(err)
			}
		}
		var stop context.CancelFunc
		begin(t, s, pausing(new(atomic.Int64), &stop, 1), ids[0], &stop) // and holds its slot
		for range 8 {
			if out, err := engine.New(s, d, nil).Run(t.Context(), ids[1], nil); err != nil || out.End != engine.Parked {
				t.Fatalf("%s: %v", out.End, err)
			}
			time.Sleep(30 * day)
		}
		if fold, _, err := s.Fold(t.Context(), ids[1]); err != nil || fold.Expired || fold.Record.Status != run.Queued {
			t.Errorf("after eight months: %+v, %v", fold.Record, err)
		}
	})
}

func TestANoteIsKeptUntilItsRunIsSettledAndThenExpires(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := over(t, tabletest.New(t, nil))
		id := launch(t, s)
		if err := s.RequestCancel(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		time.Sleep(200 * day)
		if r := attend(t, s, onePlus(new(atomic.Int64), plusOne), id); r.Status != run.Canceled {
			t.Errorf("canceled 200 days ago, it ended %s", r.Status)
		}
		time.Sleep(91 * day)
		if asked, err := s.CancelRequested(t.Context(), id); err != nil || asked {
			t.Errorf("the note is still there: %t, %v", asked, err)
		}
	})
}

func TestANegativeRetentionKeepsLogsForEver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := store.New(tabletest.New(t, nil), store.NewBlobs(memblob.OpenBucket(nil)), &store.Options{Retention: -1})
		id := launch(t, s)
		attend(t, s, onePlus(new(atomic.Int64), plusOne), id)
		time.Sleep(10_000 * day)
		if fold, _, err := s.Fold(t.Context(), id); err != nil || fold.Expired || len(fold.Record.Steps) != 3 {
			t.Errorf("%+v, %v", fold.Record, err)
		}
		if r, err := s.GC(t.Context(), 0, false); err != nil || r.Logs != 0 {
			t.Errorf("gc: %+v, %v", r, err)
		}
	})
}

func TestALogThatWasNotToldItsEndIsWholeOrExpiredAndGoesWithTheNextGC(t *testing.T) {
	t.Parallel()
	for name, told := range map[string]bool{"none of its chunks was told": false, "all but the last were": true} {
		synctest.Test(t, func(t *testing.T) {
			db := tabletest.New(t, &tabletest.Options{Hook: func(c memorydriver.Call) error {
				if c.Op == memorydriver.PutAll && strings.HasPrefix(c.Keys[0].Sort, "LOG#") {
					return errors.New("died")
				}
				return nil
			}})
			s := store.New(db, store.NewBlobs(memblob.OpenBucket(nil)), nil)
			id := launch(t, s)
			whole := attend(t, s, onePlus(new(atomic.Int64), func(c *asset.Context, n int) (int, error) {
				time.Sleep(time.Second) // so that there are several chunks
				return n, nil
			}), id)
			chunks := logged(t, s, id)
			if chunks < 2 {
				t.Fatalf("%s: %d chunks", name, chunks)
			}
			for n := range chunks - 1 {
				key := driver.Key{Partition: "RUN#" + string(id), Sort: fmt.Sprintf("LOG#%08d", n)}
				item, err := db.Get(t.Context(), key)
				if item.Expires = whole.Ended.Add(90 * day); told && err == nil {
					err = db.Put(t.Context(), item, driver.Any)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(91 * day)
			fold, _, err := s.Fold(t.Context(), id)
			if err != nil || fold.Expired != told || fold.Record.Status != run.Success {
				t.Errorf("%s: expired %t, %s: %v", name, fold.Expired, fold.Record.Status, err)
			}
			for _, dry := range []bool{true, false} {
				if r, err := s.GC(t.Context(), store.MinBlobAge, dry); err != nil || r.Logs != 1 {
					t.Errorf("%s: gc %+v, %v", name, r, err)
				}
			}
			if n := logged(t, s, id); n != 0 {
				t.Errorf("%s: %d chunks are left", name, n)
			}
			if r, err := s.GC(t.Context(), store.MinBlobAge, false); err != nil || r.Logs != 0 {
				t.Errorf("%s: the second gc %+v, %v", name, r, err)
			}
		})
	}
}

func TestSweepDeletesWhatHasExpiredFromAFile(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	db, err := sqlitedriver.Open(t.Context(), filepath.Join(t.TempDir(), "waggle.db"), &sqlitedriver.Options{Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	s := store.New(db, store.NewBlobs(memblob.OpenBucket(nil)), &store.Options{Now: clock, Retention: time.Hour})
	t.Cleanup(func() { _ = s.Close() })
	ids := []run.ID{launch(t, s), launch(t, s)}
	for _, id := range ids {
		if err := s.RequestCancel(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := s.LetExpire(t.Context(), ids[0], now); err != nil {
			t.Fatal(err)
		}
	}
	now = now.Add(59 * time.Minute)
	if n, err := s.Sweep(t.Context(), 10); err != nil || n != 0 {
		t.Errorf("%d swept before their time, %v", n, err)
	}
	now = now.Add(time.Minute)
	if n, err := s.Sweep(t.Context(), 10); err != nil || n != 1 {
		t.Errorf("%d swept, want the note of the first run: %v", n, err)
	}
	if asked, err := s.CancelRequested(t.Context(), ids[1]); err != nil || !asked {
		t.Errorf("the note of the other run is gone: %v", err)
	}
	if _, err := s.Summary(t.Context(), ids[0]); errors.Is(err, fault.NotFound) {
		t.Errorf("the run itself is gone")
	}
	if n, err := over(t, tabletest.New(t, nil)).Sweep(t.Context(), 10); err != nil || n != 0 {
		t.Errorf("a driver that sweeps by itself: %d, %v", n, err)
	}
}
