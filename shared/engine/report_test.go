package engine_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gocloud.dev/blob/memblob"
	"pgregory.net/rapid"

	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/engine"
	"waggle/shared/metadata"
	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/store"
	"waggle/shared/store/driver"
	"waggle/shared/waggle"
)

func TestALabelSetTwiceHasItsLastValue(t *testing.T) {
	t.Parallel()
	a := asset.Do("a", func(ctx *asset.Context) error {
		ctx.AddMetadata(metadata.Map{"n": 1, "other": "x"}, metadata.Map{"n": 2})
		ctx.AddMetadata(metadata.Map{"n": 3})
		return nil
	}, nil)
	w := setup(t, definitions(asset.List{a}), nil)
	r := w.job()
	if m := r.Materializations[0].Metadata; m["n"].Any() != int64(3) || m["other"].Any() != "x" {
		t.Errorf("%+v", m)
	}
}

func TestMetadataThatCannotBeEncodedFailsTheStepAtItsEndByName(t *testing.T) {
	t.Parallel()
	ended := false
	a := asset.Do("a", func(ctx *asset.Context) error {
		ctx.AddMetadata(metadata.Map{"good": 1, "ratio": math.NaN()})
		ctx.AddMetadata(metadata.Map{"channel": make(chan int)})
		ended = true
		return nil
	}, nil)
	own := asset.Do("own", func(ctx *asset.Context) error {
		ctx.AddMetadata(metadata.Map{"raw": metadata.Value{Type: metadata.TypeJSON, Value: []byte("{not json")}})
		return nil
	}, nil)
	w := setup(t, definitions(asset.List{a, own}), nil)
	r := w.job()
	want(t, r, "FAILURE a FAILED, own FAILED")
	e := r.Step("a")
	if !ended || !strings.Contains(e.Error.Message, `"ratio"`) || !strings.Contains(e.Error.Message, `"channel"`) || e.Metadata["good"].Any() != int64(1) {
		t.Errorf("ended %t: %+v, %v", ended, e.Error, e.Metadata)
	}
	if e := r.Step("own").Error; !strings.Contains(e.Message, `"raw"`) {
		t.Errorf("%+v", e)
	}
}

func TestMetadataOfAFailedStepIsInItsFailure(t *testing.T) {
	t.Parallel()
	a := asset.Do("a", func(ctx *asset.Context) error {
		ctx.AddMetadata(metadata.Map{"rows": 5})
		return errors.New("no")
	}, &asset.Options{Retry: asset.Retry{Max: 1}})
	w := setup(t, definitions(asset.List{a}), nil)
	id := w.launch(run.Request{Job: "job"})
	w.run(id, nil)
	for _, kind := range []runlog.Type{runlog.StepUpForRetry, runlog.StepFailure} {
		if o := w.logged(kind)[0].Data.(*runlog.Outcome); o.Metadata["rows"].Any() != int64(5) {
			t.Errorf("%s: %+v", kind, o)
		}
	}
	if m := w.stored(id).Record.Step("a").Metadata; m["rows"].Any() != int64(5) {
		t.Errorf("%+v", m)
	}
}

func TestALargeMetadataValueIsInABlob(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("0123456789", 5<<20)
	label := strings.Repeat("ä/..", 200) // no name for a file
	a := asset.Do("a", func(ctx *asset.Context) error {
		ctx.AddMetadata(metadata.Map{"large": large, "small": 1, label: strings.Repeat("x", 50<<10)})
		return nil
	}, nil)
	w := setup(t, definitions(asset.List{a}), nil)
	want(t, w.job(), "SUCCESS a SUCCEEDED")
	m, err := w.store.Latest(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	v := m.Metadata["large"]
	data, err := w.store.GetBlob(t.Context(), v.Blob)
	var got string
	if err != nil || json.Unmarshal(data, &got) != nil || got != large || v.Type != metadata.TypeText || v.Size != int64(len(data)) || m.Metadata["small"].Any() != int64(1) {
		t.Errorf("%s of %d bytes, %v", v.Type, v.Size, err)
	}
	if other := m.Metadata[label]; other.Blob == "" || len(other.Blob) > 200 {
		t.Errorf("%+v", other)
	}
}

// overPaid is a world over a store where writes are paid by size, or are not.
func overPaid(t *testing.T, defs waggle.Definitions, paid bool) *world {
	w := setup(t, defs, nil)
	w.store = store.New(w.db, store.NewBlobs(memblob.OpenBucket(nil)), &store.Options{PaidBySize: paid})
	w.engine = engine.New(w.store, defs, heard(w.store, nil))
	return w
}

// noisy is a picture that does not pack.
func noisy(seed byte) metadata.Value {
	noise := make([]byte, 8<<10)
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(noise)
	return metadata.Image(append([]byte("\x89PNG\r\n\x1a\n"), noise...), "noise")
}

func TestWhereWritesArePaidBySizeTheNamesOfBlobsHaveTheirRoomToo(t *testing.T) {
	t.Parallel()
	a := asset.Do("a", func(ctx *asset.Context) error {
		m := metadata.Map{}
		for i := range 500 {
			m[fmt.Sprint("picture", i)] = noisy(byte(i))
		}
		ctx.AddMetadata(m)
		return nil
	}, nil)
	r := overPaid(t, definitions(asset.List{a}), true).job()
	if wanted := "its 500 labels of metadata alone have"; !strings.Contains(r.Error, wanted) {
		t.Errorf("%s %q, want %q", r.Status, r.Error, wanted)
	}
}

func TestWhereWritesArePaidBySizeWhatDoesNotPackIsInABlob(t *testing.T) {
	t.Parallel()
	picture := noisy(0)
	a := asset.Do("a", func(ctx *asset.Context) error {
		ctx.AddMetadata(metadata.Map{"picture": picture, "text": strings.Repeat("again and ", 1000), "small": 1})
		return nil
	}, nil)
	for _, paid := range []bool{false, true} {
		w := overPaid(t, definitions(asset.List{a}), paid)
		want(t, w.job(), "SUCCESS a SUCCEEDED")
		m, err := w.store.Latest(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		v := m.Metadata["picture"]
		if (v.Blob != "") != paid || m.Metadata["text"].Blob != "" || m.Metadata["small"].Any() != int64(1) {
			t.Errorf("paid by size %t: %s, %s", paid, v.Blob, m.Metadata["text"].Blob)
		}
		if !paid {
			continue
		}
		if data, err := w.store.GetBlob(t.Context(), v.Blob); err != nil || string(data) != string(picture.Value) || v.Size != int64(len(data)) || v.Type != metadata.TypeImage {
			t.Errorf("%s of %d bytes, %v", v.Type, v.Size, err)
		}
	}
}

func TestOneLabelTooManyFailsTheStep(t *testing.T) {
	t.Parallel()
	a := asset.Do("a", func(ctx *asset.Context) error {
		m := metadata.Map{}
		for i := range 2000 {
			m[fmt.Sprint("label", i)] = i
		}
		ctx.AddMetadata(m)
		return nil
	}, nil)
	w := setup(t, definitions(asset.List{a}), nil)
	r := w.job()
	if wanted := "its 2000 labels of metadata alone have"; !strings.Contains(r.Error, wanted) || r.Step("a").Metadata != nil {
		t.Errorf("%q, want %q", r.Error, wanted)
	}
}

func TestALongErrorIsCutAndTheWholeOfItIsInABlob(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é and more\n", 500<<10)
	a := asset.Do("a", func(ctx *asset.Context) error {
		ctx.AddMetadata(metadata.Map{"rows": strings.Repeat("x", 39<<10)})
		return errors.New(long)
	}, nil)
	w := setup(t, definitions(asset.List{a}), nil)
	id := w.launch(run.Request{Job: "job"})
	w.run(id, nil)
	r := w.stored(id).Record
	want(t, r, "FAILURE a FAILED")
	message := r.Step("a").Error.Message
	name := message[strings.LastIndex(message, "blob ")+5 : len(message)-1]
	if data, err := w.store.GetBlob(t.Context(), name); err != nil || string(data) != long || !strings.HasPrefix(long, message[:5000]) {
		t.Errorf("%.50s ... %s, %v", message, message[len(message)-150:], err)
	}
	if r.Step("a").Metadata["rows"].Any() == nil {
		t.Error("its metadata is gone")
	}
	if s, err := w.store.Summary(t.Context(), id); err != nil || len(s.Error) > 400 {
		t.Errorf("the summary has an error of %d bytes, %v", len(s.Error), err)
	}
}

func TestALongLogLineIsCutAndTheWholeOfItIsInABlob(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("0123456789abcdef", 64<<10)
	a := asset.Do("a", func(ctx *asset.Context) error {
		ctx.Log.Warn(long, "attr", long)
		return nil
	}, nil)
	w := setup(t, definitions(asset.List{a}), nil)
	want(t, w.job(), "SUCCESS a SUCCEEDED")
	e := w.logged(runlog.Log)[0]
	name := e.Message[strings.LastIndex(e.Message, "blob ")+5 : len(e.Message)-1]
	if data, err := w.store.GetBlob(t.Context(), name); err != nil || string(data) != long || e.Level != slog.LevelWarn {
		t.Errorf("%s, %v", name, err)
	}
	var attrs struct{ Attrs string }
	if err := json.Unmarshal(e.Data.(*runlog.Logged).Attrs, &attrs); err != nil || !strings.HasPrefix(attrs.Attrs, `{"attr":"0123`) {
		t.Errorf("%.100s, %v", attrs.Attrs, err)
	}
	name = attrs.Attrs[strings.LastIndex(attrs.Attrs, "blob ")+5 : len(attrs.Attrs)-1]
	if data, err := w.store.GetBlob(t.Context(), name); err != nil || !json.Valid(data) || !bytes.Contains(data, []byte(long)) {
		t.Errorf("%s, %v", name, err)
	}
}

// TestNothingAUserSaysIsTooLargeForAnEvent draws what escapes to six times its size, and what is not UTF-8, for everything at once.
func TestNothingAUserSaysIsTooLargeForAnEvent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		text := rapid.Custom(func(r *rapid.T) string {
			unit := rapid.SampledFrom([]string{"x", "<", "\x00", "\n", "\xff", "\u2028", "\"", "🐝", "\ufffd"}).Draw(r, "unit")
			return strings.Repeat(unit, rapid.SampledFrom([]int{1, 1000, 5 << 10, 7 << 10, 8 << 10, 9 << 10, 45 << 10}).Draw(r, "times"))
		})
		value, message, fails, panics := text.Draw(r, "value"), text.Draw(r, "message"), rapid.Bool().Draw(r, "fails"), rapid.Bool().Draw(r, "panics")
		values := metadata.Map{}
		for range rapid.IntRange(0, 3).Draw(r, "values") {
			label := text.Draw(r, "label")
			values[label[:min(len(label), 3000)]] = text.Draw(r, "metadata")
		}
		a := asset.New("a", func(ctx *asset.Context) (string, error) {
			ctx.AddMetadata(values)
			ctx.Log.Info(message, message, message, "raw", json.RawMessage(`"<<<"`))
			switch {
			case panics:
				panic(message)
			case fails:
				return "", errors.New(message)
			}
			return value, nil
		}, nil)
		c := check.New1("c", func(ctx *asset.Context, s string) (check.Result, error) {
			if s != value {
				r.Errorf("the check got another value")
			}
			if fails {
				return check.Result{}, errors.New(message)
			}
			return check.Result{Description: message, Metadata: values}, nil
		}, a, check.Blocking)
		w := setup(t, definitions(asset.List{a}, c), nil)
		id := w.launch(run.Request{Job: "job"})
		w.run(id, nil)
		live, stored := w.events, w.stored(id)
		if int64(len(live))+1 != stored.Seq || !stored.Record.Status.Terminal() {
			r.Fatalf("%d of %d events are stored", stored.Seq, len(live)+1)
		}
		for _, s := range stored.Record.Steps { // what the owner saw is what a reader sees
			if s.Error != nil && s.Error.Message != w.logged(runlog.StepFailure)[0].Data.(*runlog.Outcome).Error.Message {
				r.Fatalf("an error changed on its way")
			}
		}
		for _, item := range w.db.Snapshot() {
			if size := driver.Size(&item); size > 100<<10 && !strings.HasPrefix(item.Sort, "LOG#") {
				r.Fatalf("row %s has %d bytes", item.Key, size)
			}
		}
	})
}

func TestEveryLevelIsStoredWithItsAttributesAndGroups(t *testing.T) {
	t.Parallel()
	a := asset.Do("a", func(ctx *asset.Context) error {
		ctx.Log.Debug("d")
		ctx.Log.Info("i", "n", 1)
		ctx.Log.Warn("w", slog.Group("g", "a", 1))
		ctx.Log.With("who", "ada").WithGroup("db").With("host", "x").Error("e", "port", 5, slog.Group("", "inline", true), slog.Attr{})
		ctx.Log.Log(ctx, asset.LevelCritical, "c")
		return nil
	}, nil)
	w := setup(t, definitions(asset.List{a}), nil)
	id := w.launch(run.Request{Job: "job"})
	w.run(id, nil)
	var got []string
	err := w.store.ReadLog(t.Context(), id, 0, func(c store.Stored) error {
		events, err := w.store.Unpack(c.Chunk)
		for _, e := range events {
			if e.Type == runlog.Log {
				line := runlog.LevelName(e.Level) + " " + e.Message
				if e.Data != nil {
					line += " " + string(e.Data.(*runlog.Logged).Attrs)
				}
				got = append(got, line)
			}
		}
		return err
	})
	wanted := []string{"DEBUG d", `INFO i {"n":1}`, `WARNING w {"g":{"a":1}}`, `ERROR e {"who":"ada","db.host":"x","db.port":5,"db.inline":true}`, "CRITICAL c"}
	if err != nil || !slices.Equal(got, wanted) {
		t.Errorf("%q, %v", got, err)
	}
}

func TestALogWriterLogsLines(t *testing.T) {
	t.Parallel()
	a := asset.Do("a", func(ctx *asset.Context) error {
		out := ctx.LogWriter(slog.LevelWarn)
		for _, part := range []string{"one\r\ntw", "o\n\nthree"} {
			if n, err := out.Write([]byte(part)); n != len(part) || err != nil {
				return fmt.Errorf("%d, %w", n, err)
			}
		}
		return out.Close()
	}, nil)
	w := setup(t, definitions(asset.List{a}), nil)
	want(t, w.job(), "SUCCESS a SUCCEEDED")
	var got []string
	for _, e := range w.logged(runlog.Log) {
		got = append(got, e.Message)
	}
	if !slices.Equal(got, []string{"one", "two", "", "three"}) {
		t.Errorf("%q", got)
	}
}

func TestTimingsAddUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := asset.Do("a", func(ctx *asset.Context) error {
			for range 2 {
				timer := ctx.Time("work")
				time.Sleep(12340 * time.Microsecond)
				if d := timer.Stop(); d != 12340*time.Microsecond {
					return fmt.Errorf("it took %s", d)
				}
			}
			return nil
		}, nil)
		w := setup(t, definitions(asset.List{a}), impatient)
		r := w.job()
		want(t, r, "SUCCESS a SUCCEEDED")
		if ms := r.Materializations[0].Metadata["processing_time_ms"].Any(); ms != 24.68 {
			t.Errorf("%v", ms)
		}
		if e := w.logged(runlog.Log); len(e) != 2 || e[0].Message != "Completed work in 12.3 ms" {
			t.Errorf("%+v", e)
		}
		if d := r.Step("a").Duration; d != 24680*time.Microsecond {
			t.Errorf("the step took %s", d)
		}
	})
}

func TestWhatIsLoggedOrAddedAfterAStepsEndIsDropped(t *testing.T) {
	t.Parallel()
	var kept *asset.Context
	a := asset.Do("a", func(ctx *asset.Context) error { kept = ctx; return nil }, nil)
	b := asset.Do("b", func(*asset.Context) error {
		kept.Log.Error("too late")
		kept.AddMetadata(metadata.Map{"too": "late"})
		return nil
	}, &asset.Options{Deps: asset.List{a}})
	w := setup(t, definitions(asset.List{a, b}), nil)
	r := w.job()
	want(t, r, "SUCCESS a SUCCEEDED, b SUCCEEDED")
	if len(w.logged(runlog.Log)) != 0 || r.Materializations[0].Metadata != nil {
		t.Errorf("%+v", r.Materializations[0])
	}
}

func TestAValueOfEscapesBesideMuchMetadataFitsItsEvent(t *testing.T) {
	t.Parallel()
	a := asset.New("a", func(ctx *asset.Context) ([]string, error) {
		ctx.AddMetadata(metadata.Map{"x": strings.Repeat("x", 39<<10)})
		return []string{strings.Repeat("<", 8<<10-10)}, nil
	}, nil)
	w := setup(t, definitions(asset.List{a}), nil)
	want(t, w.job(), "SUCCESS a SUCCEEDED")
	if m, err := w.store.Latest(t.Context(), "a"); err != nil || m.Value.Blob == "" {
		t.Errorf("%+v, %v", m.Value, err)
	}
}
