package engine_test

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"weak"

	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/run"
	"waggle/shared/waggle"
)

func TestAValueIsDroppedAfterItsLastReader(t *testing.T) {
	t.Parallel()
	type Big struct{ Bytes []byte }
	var made weak.Pointer[Big]
	a := asset.New("a", func(*asset.Context) (*Big, error) {
		big := &Big{make([]byte, 1<<20)}
		made = weak.Make(big)
		return big, nil
	}, nil)
	held := false
	b := asset.New1("b", func(_ *asset.Context, big *Big) (int, error) {
		runtime.GC()
		held = made.Value() == big
		return len(big.Bytes), nil
	}, a, nil)
	dropped := false
	c := asset.New1("c", func(*asset.Context, int) (int, error) {
		for range 100 { // b's goroutine may just be ending
			if runtime.GC(); made.Value() == nil {
				dropped = true
				break
			}
			runtime.Gosched()
		}
		return 0, nil
	}, b, nil)
	w := setup(t, definitions(asset.List{a, b, c}), nil)
	want(t, w.job(), "SUCCESS a SUCCEEDED, b SUCCEEDED, c SUCCEEDED")
	if !held || !dropped {
		t.Errorf("from memory for b: %t, dropped before c ends: %t", held, dropped)
	}
}

func TestASliceIsClonedForEachReader(t *testing.T) {
	t.Parallel()
	a := asset.New("a", func(*asset.Context) ([]int, error) { return []int{3, 1, 2}, nil }, nil)
	sorted := make(chan struct{})
	b := asset.New1("b", func(_ *asset.Context, n []int) ([]int, error) {
		slices.Sort(n)
		close(sorted)
		return n, nil
	}, a, nil)
	c := asset.New1("c", func(_ *asset.Context, n []int) ([]int, error) {
		<-sorted
		return n, nil
	}, a, nil)
	w := setup(t, definitions(asset.List{a, b, c}), nil)
	want(t, w.job(), "SUCCESS a SUCCEEDED, b SUCCEEDED, c SUCCEEDED")
	if w.value("b") != "[1,2,3]" || w.value("c") != "[3,1,2]" {
		t.Errorf("b %s, c %s", w.value("b"), w.value("c"))
	}
}

func TestARetryFindsItsSliceAsItWas(t *testing.T) {
	t.Parallel()
	a := asset.New("a", func(*asset.Context) ([]int, error) { return []int{3, 1, 2}, nil }, nil)
	b := asset.New1("b", func(ctx *asset.Context, n []int) ([]int, error) {
		if ctx.Attempt() == 1 {
			slices.Sort(n)
			return nil, errors.New("no")
		}
		return n, nil
	}, a, &asset.Options{Retry: asset.Retry{Max: 1}})
	w := setup(t, definitions(asset.List{a, b}), nil)
	want(t, w.job(), "SUCCESS a SUCCEEDED, b SUCCEEDED")
	if w.value("b") != "[3,1,2]" {
		t.Errorf("the second attempt got %s", w.value("b"))
	}
}

func TestAnUpstreamThatIsNotInTheRunIsLoadedFromItsNewestGoodMaterialization(t *testing.T) {
	t.Parallel()
	n, good := 0, true
	a := asset.New("a", func(*asset.Context) (int, error) { n++; return n, nil }, nil)
	b := plus("b", a, nil)
	c := check.New1("c", func(*asset.Context, int) (check.Result, error) { return check.Result{Passed: good}, nil }, a, check.Blocking)
	w := setup(t, definitions(asset.List{a, b}, c), nil)
	if r := w.selection("b"); r.Status != run.Failure || !strings.Contains(r.Error, "no materialization that can be used (materialize it first, or add it to the run)") {
		t.Fatal(r.Error)
	}
	want(t, w.selection("a"), "SUCCESS a SUCCEEDED, a:c SUCCEEDED")
	good = false
	want(t, w.selection("a"), "FAILURE a SUCCEEDED, a:c SUCCEEDED")
	w = w.with(waggle.Definitions{Assets: asset.List{a, b}}, nil)
	want(t, w.selection("b"), "SUCCESS b SUCCEEDED")
	if w.value("b") != "2" {
		t.Errorf("b is %s: made from the value that was blocked", w.value("b"))
	}
	if history, err := w.store.History(t.Context(), "a", 10); err != nil || len(history) != 2 || history[0].Verdict != run.Bad || history[1].Verdict != run.Good {
		t.Errorf("%+v, %v", history, err)
	}
}

func TestAValueWhoseStructHasChangedSaysWhatToDo(t *testing.T) {
	t.Parallel()
	type Old struct{ ID int64 }
	type New struct {
		ID    int64
		Title string
	}
	before := asset.New("rows", func(*asset.Context) ([]Old, error) { return []Old{{1}}, nil }, nil)
	w := setup(t, definitions(asset.List{before}), nil)
	want(t, w.job(), "SUCCESS rows SUCCEEDED")
	after := asset.New("rows", func(*asset.Context) ([]New, error) { return nil, nil }, nil)
	count := asset.New1("count", func(_ *asset.Context, rows []New) (int, error) { return len(rows), nil }, after, nil)
	r := w.with(definitions(asset.List{after, count}), nil).selection("count")
	if wanted := `count: rows was stored without column "title"; materialize it again`; r.Error != wanted {
		t.Errorf("%q, want %q", r.Error, wanted)
	}
}

func TestAValueThatIsNotWholeSaysWhoseItIsAndWhatToDo(t *testing.T) {
	t.Parallel()
	type Row struct{ ID int64 }
	rows := asset.New("rows", func(*asset.Context) ([]Row, error) {
		list := make([]Row, 20_000) // too many to stay in the log
		for i := range list {
			list[i].ID = rand.Int64()
		}
		return list, nil
	}, nil)
	count := asset.New1("count", func(_ *asset.Context, rows []Row) (int, error) { return len(rows), nil }, rows, nil)
	w := setup(t, definitions(asset.List{rows, count}), nil)
	want(t, w.selection("rows"), "SUCCESS rows SUCCEEDED")
	m, err := w.store.Latest(t.Context(), "rows")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.store.PutBlob(t.Context(), m.Value.Blob, []byte("junk")); err != nil {
		t.Fatal(err)
	}
	r := w.selection("count")
	if !strings.HasPrefix(r.Error, "count: the value of rows cannot be read: no whole Parquet file: ") || !strings.HasSuffix(r.Error, " (materialize it again)") {
		t.Errorf("%q", r.Error)
	}
}

// shaky is a codec that panics the first time it decodes.
type shaky struct{ tries *int }

func (shaky) Name() string                     { return "shaky" }
func (shaky) Encode(value any) ([]byte, error) { return asset.JSON.Encode(value) }
func (s shaky) Decode(data []byte, t reflect.Type) (any, error) {
	if *s.tries++; *s.tries == 1 {
		panic("the codec is shaky")
	}
	return asset.JSON.Decode(data, t)
}

func TestALoadThatPanickedIsNotTakenForAValue(t *testing.T) {
	t.Parallel()
	tries := 0
	a := number("a", 7, &asset.Options{Codec: shaky{&tries}})
	once := &asset.Options{Retry: asset.Retry{Max: 1}}
	b, c := plus("b", a, once), plus("c", a, once)
	w := setup(t, definitions(asset.List{a, b, c}), nil)
	want(t, w.selection("a"), "SUCCESS a SUCCEEDED")
	want(t, w.selection("b", "c"), "SUCCESS b SUCCEEDED, c SUCCEEDED")
	if w.value("b") != "8" || w.value("c") != "8" {
		t.Errorf("b %s, c %s", w.value("b"), w.value("c"))
	}
}

func TestAValueOfAnUnknownCodecSaysWhatToDo(t *testing.T) {
	t.Parallel()
	tries := 1
	w := setup(t, definitions(asset.List{number("a", 7, &asset.Options{Codec: shaky{&tries}})}), nil)
	want(t, w.job(), "SUCCESS a SUCCEEDED")
	a := number("a", 7, nil)
	r := w.with(definitions(asset.List{a, plus("b", a, nil)}), nil).selection("b")
	if wanted := "a was stored as shaky, now it is json (materialize it again)"; !strings.Contains(r.Error, wanted) {
		t.Errorf("%q, want %q", r.Error, wanted)
	}
}
