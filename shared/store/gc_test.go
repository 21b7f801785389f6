package store_test

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

	"gocloud.dev/blob"
	"gocloud.dev/blob/memblob"

	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/engine"
	"waggle/shared/fault"
	"waggle/shared/job"
	"waggle/shared/metadata"
	"waggle/shared/run"
	"waggle/shared/store"
	"waggle/shared/store/memorydriver"
	"waggle/shared/store/tabletest"
	"waggle/shared/waggle"
)

// large is more than fits a row, of a text and of metadata.
var large = strings.Repeat("large & <long> ", 4000)

// spilling is a job that leaves a blob of every kind: values, metadata, kept data and a description that rows name; a log line, an error,
// kept data and metadata of a failed attempt that only the log names.
func spilling() waggle.Definitions {
	one := asset.New("some/one", func(ctx *asset.Context) (string, error) {
		ctx.Log.Info(large)
		ctx.AddMetadata(metadata.Map{"all & everything": large})
		kept, err := ctx.Keep("rows & reasons.parquet", []byte("12345"))
		if err != nil {
			return "", err
		}
		ctx.AddMetadata(metadata.Map{"kept": metadata.Path(kept)})
		if ctx.Attempt() == 1 {
			return "", errors.New(large)
		}
		return large, nil
	}, &asset.Options{Retry: asset.Retry{Max: 1, Delay: time.Millisecond}})
	two := asset.New1("two", func(_ *asset.Context, s string) (string, error) { return s + "!", nil }, one, nil)
	described := check.New1("described", func(*asset.Context, string) (check.Result, error) {
		return check.Result{Passed: true, Description: large, Metadata: metadata.Map{"proof": large}}, nil
	}, one, nil)
	broken := check.New1("broken", func(*asset.Context, string) (check.Result, error) { return check.Result{}, errors.New(large) }, two, &check.Options{Severity: check.Warn})
	list := asset.List{one, two}
	return waggle.Definitions{Assets: list, Checks: check.List{described, broken}, Jobs: job.List{job.New("job", list, nil)}}
}

func names(t *testing.T, bucket *blob.Bucket) (all []string) {
	t.Helper()
	for list := bucket.List(nil); ; {
		object, err := list.Next(context.Background())
		if err != nil {
			return all
		}
		all = append(all, object.Key)
	}
}

func gc(t *testing.T, s *store.Store, olderThan time.Duration, dry bool) store.Report {
	t.Helper()
	r, err := s.GC(context.Background(), olderThan, dry)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestGCDeletesWhatNoRowNamesAndNothingElse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bucket := memblob.OpenBucket(nil)
		s := store.New(tabletest.New(t, nil), store.NewBlobs(bucket), nil)
		d := spilling()
		id := launch(t, s)
		if r := attend(t, s, d, id); r.Status != run.Failure {
			t.Fatalf("%s %s", r.Status, r.Error)
		}
		var named, logs []string
		for _, name := range names(t, bucket) {
			switch {
			case strings.HasPrefix(name, "assets/"), strings.Contains(name, "1-2/metadata"), strings.Contains(name, "1-2/rows"), strings.Contains(name, "described"), strings.Contains(name, "two:broken"):
				named = append(named, name)
			default:
				logs = append(logs, name)
			}
		}
		if len(named) != 7 || len(logs) != 5 {
			t.Fatalf("named by rows %v\nonly in the log %v", named, logs)
		}
		waiting := launch(t, s)
		others := map[string]store.Fate{
			store.BlobPath("assets", "some/one", string(id), "1-1.json"):                                store.Unnamed,
			store.BlobPath("assets", "some/one", string(id), "1-2.json.17f0.tmp"):                       store.Unnamed,
			store.BlobPath("assets", "two", "0199f3c2-1a2b-7000-8000-000000000000", "1-1.json"):         store.RunGone,
			store.BlobPath("runs", "0199f3c2-1a2b-7000-8000-000000000000", "two", "1-1", "error-1.txt"): store.RunGone,
			store.BlobPath("assets", "two", string(waiting), "1-1.json"):                                store.Unsettled,
			store.BlobPath("runs", string(waiting), "two:broken", "1-1", "metadata/x.json"):             store.Unsettled,
			"notes.txt": store.Foreign, "assets/two/notes.txt": store.Foreign, "assets/two/%zz/1-1.json": store.Foreign, "runs/" + string(id) + "/two/x/y": store.Foreign,
		}
		for name := range others {
			if err := s.PutBlob(t.Context(), name, []byte("12345")); err != nil {
				t.Fatal(err)
			}
		}
		want := map[store.Fate]int64{store.Logged: int64(len(logs) + 5), store.Named: 2} // while the log is there nobody asks the rows about texts
		for _, fate := range others {
			want[fate]++
		}
		check := func(what string, r store.Report, want map[store.Fate]int64) {
			t.Helper()
			got := map[store.Fate]int64{}
			for fate, tally := range r.Blobs {
				got[fate] = tally.Count
			}
			if !maps.Equal(got, want) {
				t.Errorf("%s: %v, want %v", what, got, want)
			}
		}

		young := maps.Clone(want)
		maps.DeleteFunc(young, func(fate store.Fate, _ int64) bool { return fate != store.Foreign })
		young[store.Young] = int64(len(named) + len(logs) + len(others) - 4)
		check("at once", gc(t, s, store.MinBlobAge, false), young)

		time.Sleep(store.MinBlobAge)
		before := names(t, bucket)
		dry := gc(t, s, store.MinBlobAge, true)
		check("dry", dry, want)
		if d := dry.Deleted(); d != (store.Tally{Count: 4, Bytes: 20}) || !slices.Equal(names(t, bucket), before) {
			t.Errorf("a dry run deletes %+v", d)
		}
		if r := gc(t, s, store.MinBlobAge, false); r.Deleted() != dry.Deleted() || r.Kept() != dry.Kept() {
			t.Errorf("deleted %+v, the dry run %+v", r, dry)
		}
		maps.DeleteFunc(want, func(fate store.Fate, _ int64) bool { return fate.Deleted() })
		check("again", gc(t, s, 0, false), want)

		time.Sleep(91 * day)
		delete(want, store.Logged)
		want[store.Named], want[store.LogExpired] = int64(len(named)), int64(len(logs))
		check("after the log has expired", gc(t, s, store.MinBlobAge, false), want)
		left := names(t, bucket)
		for _, name := range named {
			if !slices.Contains(left, name) {
				t.Errorf("%s is gone", name)
			}
		}
		for _, name := range logs {
			if slices.Contains(left, name) {
				t.Errorf("%s is still there", name)
			}
		}
		if _, err := s.GC(t.Context(), -time.Second, true); !errors.Is(err, fault.Invalid) {
			t.Errorf("a negative age: %v", err)
		}
	})
}

// GC runs at every call that a run makes of its driver, before and after, through a handover, too; no blob may be younger than it allows.
func TestGCAtEveryPointOfARunLosesNothing(t *testing.T) {
	t.Parallel()
	t.Run("each blob alone", func(t *testing.T) { collectAtEveryPoint(t, false) })
	t.Run("small blobs together", func(t *testing.T) { collectAtEveryPoint(t, true) })
}

func collectAtEveryPoint(t *testing.T, together bool) {
	t.Parallel()
	var s *store.Store
	var mu sync.Mutex
	var busy bool
	points := 0
	collect := func(call memorydriver.Call) error {
		mu.Lock()
		if busy { // this is a call of the collector, or of a step beside it
			mu.Unlock()
			return nil
		}
		busy = true
		points++
		mu.Unlock()
		r, err := s.GC(context.Background(), 0, false)
		if err != nil || r.Deleted().Count > 0 {
			t.Errorf("gc at %s: %+v, %v", call, r, err)
		}
		mu.Lock()
		busy = false
		mu.Unlock()
		return nil
	}
	db := tabletest.New(t, &tabletest.Options{Hook: collect})
	bucket := memblob.OpenBucket(nil)
	s = store.New(db, store.NewBlobs(bucket), &store.Options{PaidBySize: together})
	d := spilling()
	interrupt, stop := context.WithCancel(context.Background())
	slow := asset.New("slow", func(ctx *asset.Context) (string, error) {
		if ctx.Attempt() == 1 {
			stop()
			<-ctx.Done()
			return "", errors.New(large)
		}
		return large, nil
	}, nil)
	d.Assets = append(d.Assets, slow)
	d.Jobs = job.List{job.New("job", d.Assets, nil)}
	id := launch(t, s)
	if out, err := engine.New(s, d, nil).Run(interrupt, id, nil); err != nil || out.End != engine.HandedOver {
		t.Fatalf("%s, %v", out.End, err)
	}
	record := attend(t, s, d, id)
	if points < 40 {
		t.Errorf("only %d points", points)
	}
	wanted := 0
	read := func(name string) {
		if name == "" {
			return
		}
		wanted++
		if _, err := s.GetBlob(t.Context(), name); err != nil {
			t.Error(err)
		}
	}
	text := func(text string) {
		if _, name, ok := strings.Cut(text, "the whole text is in blob "); ok {
			read(strings.TrimSuffix(name, ")"))
		}
	}
	for _, m := range record.Materializations {
		read(m.Value.Blob)
		for _, v := range m.Metadata {
			read(v.Blob)
		}
	}
	for _, c := range record.Checks {
		text(c.Description)
		text(c.Error)
		for _, v := range c.Metadata {
			read(v.Blob)
		}
	}
	err := s.ReadLog(t.Context(), id, 0, func(c store.Stored) error {
		events, err := s.Unpack(c.Chunk)
		for _, e := range events {
			text(e.Message)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if all := len(names(t, bucket)); wanted < 9 || (all < wanted) != together {
		t.Errorf("%d objects for %d blobs", all, wanted)
	}
	if len(record.Materializations) != 3 {
		t.Errorf("%+v", record.Materializations)
	}
}

// spread is a job that logs a text and makes a value.
func spread(text, value string) waggle.Definitions {
	one := asset.New("one", func(ctx *asset.Context) (string, error) {
		if text != "" {
			ctx.Log.Info(text)
		}
		return value, nil
	}, nil)
	list := asset.List{one}
	return waggle.Definitions{Assets: list, Jobs: job.List{job.New("job", list, nil)}}
}

func TestGCKeepsAPackWhileARowNamesSomethingInIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bucket := memblob.OpenBucket(nil)
		s := store.New(tabletest.New(t, nil), store.NewBlobs(bucket), &store.Options{PaidBySize: true})
		packs := map[string]bool{} // whether a row names something in it
		for text, value := range map[string]string{large: large, "": large, large + "only": "small"} {
			if r := attend(t, s, spread(text, value), launch(t, s)); r.Status != run.Success {
				t.Fatalf("%s %s", r.Status, r.Error)
			}
		}
		for _, name := range names(t, bucket) {
			packs[name] = false
		}
		made, err := s.History(t.Context(), "one", 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range made {
			if pack, _, within := strings.Cut(m.Value.Blob, "#"); within {
				packs[pack] = true
			}
		}
		gone := "runs/0199f3c2-1a2b-7000-8000-000000000000/1-1.tar"
		for _, name := range []string{gone, "runs/0199f3c2-1a2b-7000-8000-000000000000/other.tar"} {
			if err := s.PutBlob(t.Context(), name, nil); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(store.MinBlobAge)
		r := gc(t, s, store.MinBlobAge, false)
		if r.Blobs[store.Logged].Count != int64(len(packs)) || r.Blobs[store.RunGone].Count != 1 || r.Blobs[store.Foreign].Count != 1 || r.Deleted().Count != 1 {
			t.Errorf("%+v for %d packs", r.Blobs, len(packs))
		}
		time.Sleep(100 * day) // the logs have expired
		gc(t, s, store.MinBlobAge, false)
		left := names(t, bucket)
		kept, deleted := 0, 0
		for name, named := range packs {
			if slices.Contains(left, name) != named {
				t.Errorf("%s is kept: %t, and named: %t", name, !named, named)
			}
			if named {
				kept++
			} else {
				deleted++
			}
		}
		if kept < 2 || deleted == 0 {
			t.Errorf("%d packs are named, %d are not", kept, deleted)
		}
		for _, m := range made {
			if data, err := s.GetBlob(t.Context(), m.Value.Blob); m.Value.Blob != "" && (err != nil || int64(len(data)) != m.Value.Size) {
				t.Errorf("%d bytes, %v", len(data), err)
			}
		}
	})
}
