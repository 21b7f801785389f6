package store_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gocloud.dev/blob/memblob"

	"waggle/shared/fault"
	"waggle/shared/metadata"
	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/store"
	"waggle/shared/store/driver"
	"waggle/shared/store/memorydriver"
	"waggle/shared/store/sqlitedriver"
	"waggle/shared/store/tabletest"
)

// backend is a store on one of the drivers, with a clock that only the test moves.
type backend struct {
	*testing.T
	*store.Store
	db driver.Driver

	mu  sync.Mutex
	now time.Time
}

// onEach runs a test on SQLite and a table for tests, also on one whose indexes lag.
func onEach(t *testing.T, test func(b *backend)) {
	t.Helper()
	t.Parallel()
	drivers := map[string]func(*testing.T, func() time.Time) (driver.Driver, error){
		"sqlite": func(t *testing.T, clock func() time.Time) (driver.Driver, error) {
			return sqlitedriver.Open(t.Context(), filepath.Join(t.TempDir(), "waggle.db"), &sqlitedriver.Options{Clock: clock})
		},
		"a table for tests": func(t *testing.T, clock func() time.Time) (driver.Driver, error) {
			return tabletest.New(t, &tabletest.Options{Clock: clock}), nil
		},
		"memory with lag": func(_ *testing.T, clock func() time.Time) (driver.Driver, error) {
			return memorydriver.New(&memorydriver.Options{Clock: clock, Faults: memorydriver.Faults{Seed: 1, IndexLag: 20}}), nil
		},
	}
	for name, open := range drivers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &backend{T: t, now: time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)}
			db, err := open(t, b.clock)
			if err != nil {
				t.Fatal(err)
			}
			b.db = db
			b.Store = store.New(db, store.NewBlobs(memblob.OpenBucket(nil)), &store.Options{Now: b.clock, PaidBySize: name != "sqlite"})
			t.Cleanup(func() { b.ok(b.Close()) })
			test(b)
		})
	}
}

func (b *backend) clock() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

func (b *backend) advance(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = b.now.Add(d)
}

func (b *backend) ok(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *backend) wantCode(code fault.Code, err error) {
	b.Helper()
	if fault.CodeOf(err) != code {
		b.Fatalf("error is %q (%v), want %q", fault.CodeOf(err), err, code)
	}
}

// soon checks that problem returns "" at once, or at last where the indexes lag.
func (b *backend) soon(problem func() string) {
	b.Helper()
	text := problem()
	for n := 0; text != "" && n < 200 && !b.db.Features().ConsistentIndexes; n++ {
		text = problem()
	}
	if text != "" {
		b.Fatal(text)
	}
}

func (b *backend) launched(job string) run.ID {
	b.Helper()
	id, err := b.Launch(b.Context(), run.Request{Job: job})
	b.ok(err)
	return id
}

// ends gives a run its end, as an owner does.
func (b *backend) ends(id run.ID, status run.Status) {
	b.Helper()
	lease, err := b.Acquire(b.Context(), id, "test")
	b.ok(err)
	lease.Update(func(s *store.Summary) { s.Status, s.Settled = status, 0 })
	b.ok(lease.Release(b.Context(), time.Time{}))
}

// wantRuns checks what all pages of a filter list, newest first.
func (b *backend) wantRuns(f store.Filter, limit int, want ...run.ID) {
	b.Helper()
	b.soon(func() string {
		var got []run.ID
		for cursor, pages := "", 0; ; pages++ {
			list, next, err := b.Runs(b.Context(), f, limit, cursor)
			b.ok(err)
			if limit > 0 && len(list) > limit || pages > 100 {
				b.Fatalf("a page of %d runs, %d pages", len(list), pages)
			}
			for _, s := range list {
				got = append(got, s.ID)
			}
			if cursor = next; cursor == "" {
				break
			}
		}
		if !slices.Equal(got, want) {
			return fmt.Sprintf("%+v: %v, want %v", f, got, want)
		}
		return ""
	})
}

func TestALaunchedRunIsStoredDueAndFound(t *testing.T) {
	onEach(t, func(b *backend) {
		req := run.Request{Job: "job", Selection: []run.StepKey{"a"}, Config: run.Config{"n": 1}, Tags: map[string]string{"k": "v"}, CodeVersion: "abc"}
		id, err := b.Launch(b.Context(), req)
		b.ok(err)
		s, err := b.Summary(b.Context(), id)
		if err != nil || s.ID != id || s.Status != run.NotStarted || !s.Launched.Equal(b.clock()) || s.Settled != -1 || s.Request.Tags["k"] != "v" || fmt.Sprint(s.Request.Config["n"]) != "1" {
			b.Errorf("%+v, %v", s, err)
		}
		if o, err := b.Owner(b.Context(), id); err != nil || o.Epoch != 0 || o.Token != "" || !o.Due.Equal(b.clock().Add(30*time.Second)) {
			b.Errorf("%+v, %v", o, err)
		}
		_, err = b.Summary(b.Context(), "0199f3c2-0000-7000-8000-000000000000")
		b.wantCode(fault.NotFound, err)
	})
}

func TestARunIsFoundByItsFirstCharactersOrAsTheLast(t *testing.T) {
	onEach(t, func(b *backend) {
		_, err := b.Find(b.Context(), "LAST")
		b.wantCode(fault.NotFound, err)
		var ids []run.ID
		for range 7 {
			ids = append(ids, b.launched("job"))
			b.advance(time.Millisecond)
		}
		first, last := ids[0], ids[6]
		for name, want := range map[string]run.ID{"LAST": last, "last": last, "latest": last, string(first): first, strings.ToUpper(string(first)): first, string(first[:35]): first, first.Short(): first} {
			b.soon(func() string {
				if got, err := b.Find(b.Context(), name); err != nil || got != want {
					return fmt.Sprintf("%s: %s, %v, want %s", name, got, err, want)
				}
				return ""
			})
		}
		b.soon(func() string {
			_, err := b.Find(b.Context(), string(first[:10]))
			if !errors.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "the start of several runs") || !strings.Contains(err.Error(), first.Short()) {
				return fmt.Sprint(err)
			}
			return ""
		})
		for name, code := range map[string]fault.Code{"019": fault.Invalid, "": fault.Invalid, "nope": fault.Invalid, "ffff": fault.NotFound, string(first) + "0": fault.Invalid} {
			_, err := b.Find(b.Context(), name)
			b.wantCode(code, err)
		}
	})
}

func TestPagesListRunsNewestFirstByJobStatusAndTime(t *testing.T) {
	onEach(t, func(b *backend) {
		var all, failed, gallery, galleryFailed, late []run.ID
		half := b.clock().Add(6 * time.Minute)
		for i := range 12 {
			job, status := []string{"gallery", "other"}[i%2], []run.Status{run.Success, run.Failure, run.Failure}[i%3]
			id := b.launched(job)
			b.ends(id, status)
			all = append(all, id)
			if status == run.Failure {
				failed = append(failed, id)
			}
			if job == "gallery" {
				gallery = append(gallery, id)
			}
			if status == run.Failure && job == "gallery" {
				galleryFailed = append(galleryFailed, id)
			}
			if !b.clock().Before(half) {
				late = append(late, id)
			}
			b.advance(time.Minute)
		}
		for _, list := range [][]run.ID{all, failed, gallery, galleryFailed, late} {
			slices.Reverse(list)
		}
		for _, limit := range []int{0, 1, 3, 12, 100} {
			b.wantRuns(store.Filter{}, limit, all...)
			b.wantRuns(store.Filter{Status: run.Failure}, limit, failed...)
			b.wantRuns(store.Filter{Job: "gallery"}, limit, gallery...)
			b.wantRuns(store.Filter{Job: "gallery", Status: run.Failure}, limit, galleryFailed...)
			b.wantRuns(store.Filter{Since: half}, limit, late...)
			b.wantRuns(store.Filter{Job: "nobody"}, limit)
		}
		b.wantRuns(store.Filter{Since: time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)}, 5, all...)
		b.wantRuns(store.Filter{Since: b.clock()}, 5)
		_, _, err := b.Runs(b.Context(), store.Filter{}, 5, "nonsense")
		b.wantCode(fault.Invalid, err)
	})
}

func TestRunsThatHaveNotEndedAreListedByWhereTheyStand(t *testing.T) {
	onEach(t, func(b *backend) {
		waiting := b.launched("job")
		b.advance(time.Millisecond)
		taken := b.launched("job")
		_, err := b.Acquire(b.Context(), taken, "test")
		b.ok(err)
		b.advance(time.Millisecond)
		started := b.launched("other")
		lease, err := b.Acquire(b.Context(), started, "test")
		b.ok(err)
		lease.Update(func(s *store.Summary) { s.Status = run.Started })
		b.ok(lease.Renew(b.Context()))
		b.ends(b.launched("job"), run.Success)

		b.wantRuns(store.Filter{Status: run.NotStarted}, 5, waiting)
		b.wantRuns(store.Filter{Status: run.Starting}, 5, taken)
		b.wantRuns(store.Filter{Status: run.Started}, 5, started)
		b.wantRuns(store.Filter{Status: run.Started, Job: "job"}, 5)
		b.wantRuns(store.Filter{Status: run.Queued}, 5)
		if s, err := b.Summary(b.Context(), taken); err != nil || s.Status != run.Starting {
			b.Errorf("%s, %v", s.Status, err)
		}
		b.advance(b.Lease()) // its owner died before it wrote anything
		if s, err := b.Summary(b.Context(), taken); err != nil || s.Status != run.NotStarted {
			b.Errorf("%s, %v", s.Status, err)
		}
	})
}

func TestWhatIsDueLongestComesFirstAndNoShardStarves(t *testing.T) {
	onEach(t, func(b *backend) {
		var ids []run.ID
		for range 40 {
			ids = append(ids, b.launched("job"))
			b.advance(time.Millisecond)
		}
		due := func(limit int, want ...run.ID) {
			b.Helper()
			b.soon(func() string {
				got, err := b.Due(b.Context(), limit)
				b.ok(err)
				if !slices.Equal(got, want) {
					return fmt.Sprintf("due %v, want %v", got, want)
				}
				return ""
			})
		}
		due(100)
		b.advance(31 * time.Second)
		due(100, ids...)
		due(10, ids[:10]...)
		b.ends(ids[0], run.Success)
		lease, err := b.Acquire(b.Context(), ids[1], "test") // due when its lease ends
		b.ok(err)
		due(3, ids[2:5]...)
		b.advance(b.Lease() + time.Second)
		due(100, append(slices.Clone(ids[2:]), ids[1])...)
		b.ok(lease.Release(b.Context(), b.clock().Add(time.Hour)))
		due(100, ids[2:]...)
	})
}

func TestHistoryLatestAndChecksReadTheNewestFirst(t *testing.T) {
	onEach(t, func(b *backend) {
		verdicts := []run.Verdict{run.Good, run.Good, run.Bad, run.Unchecked, run.Bad, run.Bad, run.Bad}
		var rows runlog.Rows
		for i, verdict := range verdicts {
			at, id := b.clock().Add(time.Duration(i)*time.Second), run.FirstID(b.clock().Add(time.Duration(i)*time.Second))
			rows.Materializations = append(rows.Materializations, run.Materialization{Asset: "group/a", Run: id, Seq: 5, Time: at, Duration: 1500 * time.Microsecond,
				Metadata: metadata.Values{"n": metadata.Int(int64(i))}, Value: &run.Value{Codec: "json", Inline: []byte(fmt.Sprint(i)), Size: 1}, Verdict: verdict})
			rows.Checks = append(rows.Checks, run.CheckResult{Asset: "group/a", Check: "c", Run: id, Seq: 6, Time: at, Status: run.CheckFailed, Blocking: true,
				Severity: run.SeverityWarn, Description: "d", Metadata: metadata.Values{"n": metadata.Int(int64(i))}, Error: "e"})
		}
		rows.Checks = append(rows.Checks, run.CheckResult{Asset: "group/a", Check: "c2", Run: rows.Checks[0].Run, Seq: 7, Time: b.clock(), Status: run.CheckSucceeded, Passed: true, Severity: run.SeverityError})
		b.ok(b.PutRows(b.Context(), rows))
		b.ok(b.PutRows(b.Context(), rows)) // twice is the same as once
		b.ok(b.PutRows(b.Context(), runlog.Rows{}))

		history, err := b.History(b.Context(), "group/a", 100)
		b.ok(err)
		if len(history) != len(verdicts) || history[0].Metadata["n"].Any() != int64(6) || history[6].Duration != 1500*time.Microsecond || string(history[6].Value.Inline) != "0" || !history[6].Time.Equal(b.clock()) {
			b.Errorf("%+v", history)
		}
		if history, err = b.History(b.Context(), "group/a", 2); err != nil || len(history) != 2 {
			b.Errorf("%+v, %v", history, err)
		}
		if m, err := b.Latest(b.Context(), "group/a"); err != nil || string(m.Value.Inline) != "1" || m.Verdict != run.Good {
			b.Errorf("%+v, %v", m, err)
		}
		if m, err := b.Before(b.Context(), "group/a", rows.Materializations[1].Run); err != nil || string(m.Value.Inline) != "0" {
			b.Errorf("%+v, %v", m, err)
		}
		_, err = b.Latest(b.Context(), "group")
		b.wantCode(fault.NotFound, err)
		checks, err := b.CheckHistory(b.Context(), "group/a", "c", 3)
		b.ok(err)
		if len(checks) != 3 || checks[0].Metadata["n"].Any() != int64(6) || checks[0].Description != "d" || checks[0].Error != "e" || checks[0].Severity != run.SeverityWarn || !checks[0].Blocking {
			b.Errorf("%+v", checks)
		}
		if checks, err = b.CheckHistory(b.Context(), "group/a", "c2", 3); err != nil || len(checks) != 1 || !checks[0].Passed {
			b.Errorf("%+v, %v", checks, err)
		}
	})
}

func asJSON(b *backend, v any) string {
	text, err := json.Marshal(v)
	b.ok(err)
	return string(text)
}

// TestLongMetadataReadBackWhoeverReadsThem writes rows by stores to which writes cost differently, and reads each by both.
func TestLongMetadataReadBackWhoeverReadsThem(t *testing.T) {
	onEach(t, func(b *backend) {
		blobs := store.NewBlobs(memblob.OpenBucket(nil))
		stores := []*store.Store{store.New(b.db, blobs, &store.Options{Now: b.clock}), store.New(b.db, blobs, &store.Options{Now: b.clock, PaidBySize: true})}
		for w, writer := range stores {
			for _, size := range []int{0, 1, 511, 512, 513, 40_000} {
				for _, value := range []*run.Value{nil, {Codec: "json", Inline: []byte(`"a value"`), Size: 9}} {
					b.advance(time.Second)
					text := strings.Repeat("a,b ", size/4+1)[:size]
					m := run.Materialization{Asset: "a", Run: run.FirstID(b.clock()), Seq: 5, Time: b.clock(), Verdict: run.Good, Value: value, Metadata: metadata.Values{"text": metadata.Text(text)}}
					c := run.CheckResult{Asset: "a", Check: "c", Run: m.Run, Seq: 6, Time: m.Time, Status: run.CheckSucceeded, Passed: true, Severity: run.SeverityError, Metadata: m.Metadata}
					b.ok(writer.PutRows(b.Context(), runlog.Rows{Materializations: []run.Materialization{m}, Checks: []run.CheckResult{c}}))
					if len(m.Metadata) != 1 {
						b.Fatal("what was written has changed")
					}
					for r, reader := range stores {
						got, err := reader.Latest(b.Context(), "a")
						b.ok(err)
						if diff := cmp.Diff(asJSON(b, m), asJSON(b, got)); diff != "" {
							b.Errorf("store %d reads %d bytes of store %d: %s", r, size, w, diff)
						}
						results, err := reader.CheckHistory(b.Context(), "a", "c", 1)
						b.ok(err)
						if diff := cmp.Diff(asJSON(b, c), asJSON(b, results[0])); diff != "" {
							b.Errorf("store %d reads %d bytes of store %d: %s", r, size, w, diff)
						}
					}
				}
			}
		}
		page, err := b.db.Query(b.Context(), driver.Query{Partition: "ASSET#a#", From: "MAT#", Descending: true, Limit: 1})
		b.ok(err)
		item := page.Items[0]
		if len(item.Data)+len(item.Body) > 1000 {
			b.Errorf("metadata of 40,000 bytes take %d and %d", len(item.Data), len(item.Body))
		}
		item.Body = item.Body[:1]
		b.ok(b.db.Put(b.Context(), item, driver.Any))
		_, err = b.Latest(b.Context(), "a")
		b.wantCode(fault.Corrupt, err)
	})
}

func TestALogIsReadInOrderFromAnyNumber(t *testing.T) {
	onEach(t, func(b *backend) {
		id := b.launched("job")
		seq := int64(1)
		chunk := func(epoch int64) runlog.Chunk {
			builder := runlog.NewBuilder(epoch)
			e := runlog.Event{Seq: seq, Time: b.clock(), Type: runlog.Log, Message: strings.Repeat("x", 1000)}
			b.ok(builder.Add(&e, nil))
			seq++
			return b.Pack(builder)
		}
		for n := range int64(12) {
			b.ok(b.PutChunk(b.Context(), id, n, chunk(1)))
		}
		for _, from := range []int64{0, 5, 11, 12} {
			var got []int64
			b.ok(b.ReadLog(b.Context(), id, from, func(c store.Stored) error { got = append(got, c.N); return nil }))
			if int64(len(got)) != 12-from || len(got) > 0 && (got[0] != from || !slices.IsSorted(got)) {
				b.Errorf("from %d: %v", from, got)
			}
		}
		stop := errors.New("stop")
		if err := b.ReadLog(b.Context(), id, 0, func(store.Stored) error { return stop }); !errors.Is(err, stop) {
			b.Error(err)
		}
		fold, next, err := b.Fold(b.Context(), id)
		if err != nil || next != 12 || fold.Seq != 12 {
			b.Errorf("next %d, %v", next, err)
		}

		again := chunk(1)
		b.ok(b.PutChunk(b.Context(), id, 12, again))
		b.ok(b.PutChunk(b.Context(), id, 12, again)) // an answer was lost
		err = b.PutChunk(b.Context(), id, 12, chunk(2))
		var taken *store.TakenError
		if !errors.As(err, &taken) || taken.Stored.N != 12 || taken.Stored.Chunk.Header.Epoch != 1 || !errors.Is(err, fault.Lost) {
			b.Errorf("%v", err)
		}
	})
}

func TestBlobsHaveAnyNameAndAreRead(t *testing.T) {
	onEach(t, func(b *backend) {
		for _, parts := range [][]string{{"a", "b"}, {"grüße", "50 % <x>.json"}, {"a/b", "c"}, {"..", "x"}} {
			name := store.BlobPath(parts...)
			b.ok(b.PutBlob(b.Context(), name, []byte(name)))
			if data, err := b.GetBlob(b.Context(), name); err != nil || string(data) != name {
				b.Errorf("%s: %q, %v", name, data, err)
			}
		}
		_, err := b.GetBlob(b.Context(), "none")
		b.wantCode(fault.NotFound, err)
	})
}
