package main

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gocloud.dev/blob/memblob"

	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/store"
	"waggle/shared/store/memorydriver"
)

func TestAFigureIsTheMedianRunAndTheKeysThatAllShare(t *testing.T) {
	t.Parallel()
	one := func(asset string, units float64) cost {
		return cost{writes: 10 + units, reads: 4, blobs: 2, keys: map[key]float64{{"", "RUN#id"}: 6, {"all", "RUN"}: 4, {"", asset}: units}}
	}
	got := figureOf("x", []cost{one("a", 90), one("b", 10), one("c", 30)})
	want := figure{Case: "x", WriteUnits: 40, ReadUnits: 4, USD: 0.0255, Blobs: 2, BlobUSD: 0.01, LargestKey: "c", LargestPercent: 75,
		SharedKey: "RUN#id", SharedPercent: 11.25, Runs: 3, Verified: true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAnAccountThatDoesNotAddUpIsAnError(t *testing.T) {
	t.Parallel()
	if err := (cost{writes: 3, keys: map[key]float64{{"", "a"}: 3}}).check(); err != nil {
		t.Error(err)
	}
	for _, c := range []cost{{writes: 3, keys: map[key]float64{{"", "a"}: 2}}, {}} {
		if c.check() == nil {
			t.Errorf("%+v passes", c)
		}
	}
}

func TestOverItsBudgetACaseSaysSo(t *testing.T) {
	t.Parallel()
	if err := chain().budget(cost{writes: 200}); err != nil {
		t.Error(err)
	}
	if err := sample().budget(cost{writes: 159}); err != nil {
		t.Error(err)
	}
	if chain().budget(cost{writes: 201}) == nil || sample().budget(cost{writes: 161}) == nil {
		t.Error("what is over its budget passes")
	}
}

func TestAChangedRecordOfTheGalleryIsNotVerified(t *testing.T) {
	t.Parallel()
	c := sample()
	s := store.New(memorydriver.New(nil), store.NewBlobs(memblob.OpenBucket(nil)), nil)
	t.Cleanup(func() { _ = s.Close() })
	id, err := c.run(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	verify := func() error { return c.verify(context.Background(), s, id) }
	if err := verify(); err != nil {
		t.Fatalf("a whole record: %v", err)
	}
	m, err := s.Latest(t.Context(), "sales_output")
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*run.Materialization){
		"value":   func(m *run.Materialization) { m.Value = &run.Value{Codec: "json", Inline: []byte("0"), Size: 1} },
		"label":   func(m *run.Materialization) { m.Metadata = nil },
		"verdict": func(m *run.Materialization) { m.Verdict = run.Bad },
	} {
		other := m
		change(&other)
		put := func(m run.Materialization) {
			if err := s.PutRows(t.Context(), runlog.Rows{Materializations: []run.Materialization{m}}); err != nil {
				t.Fatal(err)
			}
		}
		put(other)
		if verify() == nil {
			t.Errorf("it passes with another %s", name)
		}
		put(m)
	}
	m.Seq++
	if err := s.PutRows(t.Context(), runlog.Rows{Materializations: []run.Materialization{m}}); err != nil {
		t.Fatal(err)
	}
	if verify() == nil {
		t.Error("it passes with a row too many")
	}
}
