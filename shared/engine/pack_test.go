package engine_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gocloud.dev/blob"
	blobdriver "gocloud.dev/blob/driver"
	"gocloud.dev/blob/memblob"
	"gocloud.dev/gcerrors"

	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/engine"
	"waggle/shared/fault"
	"waggle/shared/metadata"
	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/store"
	"waggle/shared/waggle"
)

// guarded is a bucket that asks before it takes an object. It only takes: what is read, is read from the bucket behind it.
type guarded struct {
	blobdriver.Bucket
	behind *blob.Bucket
	ask    func(name string) error
}

func (g guarded) NewTypedWriter(ctx context.Context, key, contentType string, _ *blobdriver.WriterOptions) (blobdriver.Writer, error) {
	if err := g.ask(key); err != nil {
		return nil, err
	}
	return g.behind.NewWriter(ctx, key, &blob.WriterOptions{ContentType: contentType})
}

func (g guarded) NewRangeReader(ctx context.Context, key string, offset, length int64, _ *blobdriver.ReaderOptions) (blobdriver.Reader, error) {
	r, err := g.behind.NewRangeReader(ctx, key, offset, length, nil)
	return reader{r}, err
}

type reader struct{ *blob.Reader }

func (r reader) Attributes() *blobdriver.ReaderAttributes {
	return &blobdriver.ReaderAttributes{ContentType: r.ContentType(), ModTime: r.ModTime(), Size: r.Size()}
}

func (guarded) ErrorAs(error, any) bool { return false }
func (guarded) Close() error            { return nil }

func (guarded) ErrorCode(err error) gcerrors.ErrorCode {
	if errors.Is(err, fs.ErrPermission) {
		return gcerrors.PermissionDenied
	}
	return gcerrors.Code(err)
}

// objects are what is in a bucket, by name.
func objects(t *testing.T, bucket *blob.Bucket) map[string][]byte {
	t.Helper()
	found := map[string][]byte{}
	for list := bucket.List(nil); ; {
		object, err := list.Next(context.Background())
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		if found[object.Key], err = bucket.ReadAll(context.Background(), object.Key); err != nil {
			t.Fatal(err)
		}
	}
}

// entries are what is in a tar file, by name.
func entries(t *testing.T, data []byte) map[string][]byte {
	t.Helper()
	found := map[string][]byte{}
	for r := tar.NewReader(bytes.NewReader(data)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		if found[h.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
}

// overBucket is a world whose blobs are in a bucket, and whose writes are paid by size. Its events wait that long, to be stored together.
func overBucket(t *testing.T, defs waggle.Definitions, bucket *blob.Bucket, pace time.Duration) *world {
	w := setup(t, defs, nil)
	w.store = store.New(w.db, store.NewBlobs(bucket), &store.Options{PaidBySize: true})
	w.engine = engine.New(w.store, defs, heard(w.store, &engine.Options{Pace: pace, Flush: pace}))
	return w
}

// warm writes a blob, so that the next ones are taken to be taken.
func (w *world) warm() {
	w.t.Helper()
	if err := w.store.PutBlob(context.Background(), "first", nil); err != nil {
		w.t.Fatal(err)
	}
}

// scattered is a job with small blobs of every kind, and one that is large.
func scattered() waggle.Definitions {
	long := strings.Repeat("long ", 2000)
	a := asset.New("a", func(ctx *asset.Context) (string, error) {
		ctx.Log.Info(long + "line")
		ctx.AddMetadata(metadata.Map{"picture": noisy(0)})
		kept, err := ctx.Keep("rows.csv", []byte("1,2,3"))
		ctx.AddMetadata(metadata.Map{"kept": metadata.Path(kept)})
		return long + "a", err
	}, nil)
	b := asset.New1("b", func(ctx *asset.Context, a string) (string, error) { return a + "b", nil }, a, nil)
	c := asset.New1("c", func(ctx *asset.Context, a string) (string, error) { return strings.Repeat(a, 30), nil }, a, nil)
	described := check.New1("described", func(*asset.Context, string) (check.Result, error) {
		return check.Result{Passed: true, Description: long + "description"}, nil
	}, a, nil)
	return definitions(asset.List{a, b, c}, described)
}

func TestWhereObjectsArePaidSmallBlobsAreStoredTogether(t *testing.T) {
	t.Parallel()
	for _, warm := range []bool{false, true} {
		bucket := memblob.OpenBucket(nil)
		pace := 10 * time.Millisecond
		if warm {
			pace = time.Hour // all is stored when the run has ended
		}
		w := overBucket(t, scattered(), bucket, pace)
		if warm {
			w.warm()
		}
		r := w.job()
		want(t, r, "SUCCESS a SUCCEEDED, a:described SUCCEEDED, b SUCCEEDED, c SUCCEEDED")
		var packed []string
		single := 0
		all := objects(t, bucket)
		delete(all, "first")
		for name, data := range all {
			if !strings.HasSuffix(name, ".tar") {
				single++
				continue
			}
			for name := range entries(t, data) {
				packed = append(packed, strings.ReplaceAll(name, string(r.ID), "RUN"))
			}
		}
		slices.Sort(packed)
		wanted := []string{"assets/a/RUN/1-1.json", "assets/b/RUN/1-1.json", "runs/RUN/a/1-1/log-1.txt", "runs/RUN/a/1-1/metadata/picture.json", "runs/RUN/a/1-1/rows-2.csv", "runs/RUN/a:described/1-1/description-1.txt"}
		if !slices.Equal(packed, wanted) || single != 1 {
			t.Errorf("warm %t: packed %q, %d objects besides", warm, packed, single)
		}
		if n := len(all); warm && n > 3 { // the first write waits for nothing
			t.Errorf("%d objects", n)
		}
		// A new process reads what this one has stored.
		again := store.New(w.db, store.NewBlobs(bucket), nil)
		fold, _, err := again.Fold(t.Context(), r.ID)
		if err != nil {
			t.Fatal(err)
		}
		sizes := map[run.AssetKey]int{}
		read := func(name string) string {
			data, err := again.GetBlob(t.Context(), name)
			if err != nil {
				t.Errorf("warm %t: %v", warm, err)
			}
			return string(data)
		}
		for _, m := range fold.Record.Materializations {
			sizes[m.Asset] = len(read(m.Value.Blob))
			if m.Asset == "a" {
				if got := read(m.Metadata["picture"].Blob); got != string(noisy(0).Value) {
					t.Errorf("a picture of %d bytes", len(got))
				}
				if got := read(m.Metadata["kept"].Any().(string)); got != "1,2,3" {
					t.Errorf("kept %q", got)
				}
			}
		}
		if sizes["a"] != 10_003 || sizes["b"] != 10_004 || sizes["c"] != 300_032 {
			t.Errorf("%v", sizes)
		}
		_, name, _ := strings.Cut(fold.Record.Checks[0].Description, "the whole text is in blob ")
		if got := read(strings.TrimSuffix(name, ")")); !strings.HasSuffix(got, "description") {
			t.Errorf("%.20q", got)
		}
	}
}

func TestASmallValueGoesWithOthersThatAreStored(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("large ", 1000)
	var w *world
	a := asset.New("a", func(ctx *asset.Context) (string, error) {
		for w.stored(ctx.RunID()).Seq < 2 && ctx.Err() == nil { // the first write waits for nothing, the others for an hour
			time.Sleep(time.Millisecond)
		}
		return large, nil
	}, &asset.Options{Timeout: time.Minute})
	b := asset.New1("b", func(_ *asset.Context, a string) (string, error) { return a[:2000], nil }, a, nil)
	c := asset.New1("c", func(_ *asset.Context, b string) (string, error) { return b[:1000], nil }, b, nil)
	alone := asset.New("alone", func(*asset.Context) (string, error) { return large[:2000], nil }, nil)
	w = overBucket(t, definitions(asset.List{a, b, c, alone}), memblob.OpenBucket(nil), time.Hour)
	w.warm()
	inline := map[run.AssetKey]bool{}
	for _, selected := range [][]run.StepKey{{"a", "b", "c"}, {"alone"}} {
		for _, m := range w.selection(selected...).Materializations {
			inline[m.Asset] = m.Value.Blob == ""
		}
	}
	if inline["a"] || inline["b"] || !inline["c"] || !inline["alone"] {
		t.Errorf("in their rows: %v", inline)
	}
}

func TestBlobsWaitForTheEventsThatNameThem(t *testing.T) {
	t.Parallel()
	var w *world
	a := asset.New("a", func(ctx *asset.Context) (string, error) {
		ctx.Log.Info("before")
		_, err := ctx.Keep("rows.csv", []byte("1,2,3"))
		for w.stored(ctx.RunID()).Seq < 4 && ctx.Err() == nil { // until the line is stored
			time.Sleep(time.Millisecond)
		}
		return strings.Repeat("a", 5000), err
	}, &asset.Options{Timeout: time.Minute})
	bucket := memblob.OpenBucket(nil)
	w = overBucket(t, definitions(asset.List{a}), bucket, 100*time.Millisecond)
	w.warm()
	want(t, w.job(), "SUCCESS a SUCCEEDED")
	if all := objects(t, bucket); len(all) != 2 { // with the first
		t.Errorf("%d objects", len(all))
	}
}

func TestAStepKeepsMoreThanWaitsInMemory(t *testing.T) {
	t.Parallel()
	piece := bytes.Repeat([]byte("x"), 200<<10)
	a := asset.Do("a", func(ctx *asset.Context) error {
		for range 100 {
			if _, err := ctx.Keep("piece.txt", piece); err != nil {
				return err
			}
		}
		return nil
	}, &asset.Options{Timeout: 10 * time.Second})
	bucket := memblob.OpenBucket(nil)
	w := overBucket(t, definitions(asset.List{a}), bucket, time.Hour)
	w.warm()
	want(t, w.job(), "SUCCESS a SUCCEEDED")
	size, all := 0, objects(t, bucket)
	for _, data := range all {
		size += len(data)
	}
	if size < 100*len(piece) || len(all) > 30 {
		t.Errorf("%d objects, %d bytes", len(all), size)
	}
}

func TestWhatIsNotStoredYetCanBeRead(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	bucket := blob.NewBucket(guarded{behind: memblob.OpenBucket(nil), ask: func(name string) error {
		if name != "first" {
			<-release
		}
		return nil
	}})
	var name atomic.Value
	a := asset.New("a", func(ctx *asset.Context) (string, error) {
		kept, err := ctx.Keep("rows.csv", []byte("1,2,3"))
		name.Store(kept)
		return strings.Repeat("a", 5000), err
	}, nil)
	b := asset.New1("b", func(ctx *asset.Context, a string) (int, error) {
		data, err := ctx.Kept(name.Load().(string))
		if string(data) != "1,2,3" {
			t.Errorf("%q, %v", data, err)
		}
		clear(data) // it is the caller's
		close(release)
		return len(a), err
	}, a, nil)
	w := overBucket(t, definitions(asset.List{a, b}), bucket, 10*time.Millisecond)
	w.warm()
	want(t, w.job(), "SUCCESS a SUCCEEDED, b SUCCEEDED")
	if data, err := w.store.GetBlob(t.Context(), name.Load().(string)); err != nil || string(data) != "1,2,3" {
		t.Errorf("%q, %v", data, err)
	}
}

func TestABucketThatRefusesIsTheErrorOfASteps(t *testing.T) {
	t.Parallel()
	var refuses atomic.Bool
	bucket := blob.NewBucket(guarded{behind: memblob.OpenBucket(nil), ask: func(string) error {
		if refuses.Load() {
			return fs.ErrPermission
		}
		return nil
	}})
	var w *world
	from := ""
	a := asset.New("a", func(*asset.Context) (string, error) {
		refuses.Store(from == "a")
		return strings.Repeat("a", 5000), nil
	}, nil)
	b := asset.New1("b", func(_ *asset.Context, a string) (int, error) { return len(a), nil }, a, nil)
	w = overBucket(t, definitions(asset.List{a, b}), bucket, 10*time.Millisecond)

	from = "a"
	r := w.job() // none of this process was taken so far
	want(t, r, "FAILURE a FAILED, b SKIPPED")
	if text := r.Step("a").Error.Message; !strings.Contains(text, "write blob runs/") || !strings.Contains(text, "permission") {
		t.Errorf("%s", text)
	}

	from = ""
	want(t, w.job(), "SUCCESS a SUCCEEDED, b SUCCEEDED")

	from = "a" // the bucket refuses from now on, and nobody waits for it
	id := w.launch(run.Request{Job: "job"})
	out, err := w.try(context.Background(), id, nil)
	if !errors.Is(err, fault.Denied) || out.Due.IsZero() {
		t.Fatalf("%+v, %v", out, err)
	}
	for _, s := range w.stored(id).Record.Steps {
		if s.Status == run.StepSucceeded {
			t.Errorf("the log says that %s succeeded, and its value is lost", s.Key)
		}
	}
	if rows := w.logged(runlog.RunFailure); len(rows) != 1 {
		t.Errorf("%d failures are told of", len(rows))
	}
	want(t, w.run(id, nil).Record, "FAILURE a FAILED, b SKIPPED") // whoever takes it up waits, and knows whose the error is
}
