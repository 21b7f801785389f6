package store_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"waggle/shared/fault"
	"waggle/shared/run"
	"waggle/shared/store"
)

func TestKeysOfEventsSortByTimeThenRunThenNumberAndReadBack(t *testing.T) {
	t.Parallel()
	type event struct {
		at  time.Time
		id  run.ID
		seq int64
	}
	draw := rapid.Custom(func(r *rapid.T) event {
		return event{
			at: time.UnixMicro(rapid.SampledFrom([]int64{0, 1, 999_999, 1_000_000, 1_782_000_000_000_000}).Draw(r, "base") + rapid.Int64Range(0, 3).Draw(r, "µs")).
				In(rapid.SampledFrom([]*time.Location{time.UTC, time.FixedZone("", 7200)}).Draw(r, "zone")),
			id:  run.FirstID(time.UnixMilli(rapid.Int64Range(0, 2).Draw(r, "run"))),
			seq: rapid.SampledFrom([]int64{0, 1, 9, 10, 99, 100, 9_999_999, 10_000_000, 99_999_999}).Draw(r, "seq"),
		}
	})
	rapid.Check(t, func(r *rapid.T) {
		a, b := draw.Draw(r, "a"), draw.Draw(r, "b")
		x, y := store.EventSort("MAT#", a.at, a.id, a.seq), store.EventSort("MAT#", b.at, b.id, b.seq)
		order := a.at.Compare(b.at)
		if order == 0 {
			order = strings.Compare(string(a.id), string(b.id))
		}
		if order == 0 {
			order = int(a.seq - b.seq)
		}
		if (order < 0) != (x < y) || (order == 0) != (x == y) {
			r.Fatalf("%s and %s", x, y)
		}
		for _, prefix := range []string{"MAT#", "CHECK#name#"} {
			at, id, seq, err := store.ParseEventSort(store.EventSort(prefix, a.at, a.id, a.seq))
			if err != nil || !at.Equal(a.at) || id != a.id || seq != a.seq {
				r.Fatalf("%s: %s, %s, %d, %v", x, at, id, seq, err)
			}
		}
	})
}

func TestKeysOfChunksSortByNumber(t *testing.T) {
	t.Parallel()
	var sorts []string
	for _, n := range []int64{0, 1, 9, 10, 12345, 99_999_999} {
		sorts = append(sorts, store.LogKey("x", n).Sort)
	}
	if !slices.IsSorted(sorts) || sorts[0] != "LOG#00000000" {
		t.Errorf("%q", sorts)
	}
}

func TestRunsAreSpreadOverTheShardsOfWhatIsDue(t *testing.T) {
	t.Parallel()
	counts := map[string]int{}
	for i := range 8000 {
		counts[store.DueShard(run.FirstID(time.UnixMilli(int64(i))))]++
	}
	for shard := range store.Shards {
		if n := counts[store.ShardName(shard)]; n < 500 || n > 1500 {
			t.Errorf("shard %d has %d of 8000 runs", shard, n)
		}
	}
}

func FuzzParseEventSort(f *testing.F) {
	f.Add("MAT#2026-07-01T12:00:00.000000Z#0199f3c2-0000-7000-8000-000000000000#00000001")
	f.Add("CHECK#a#x#y#z")
	f.Fuzz(func(t *testing.T, sort string) {
		if _, _, _, err := store.ParseEventSort(sort); err != nil && !errors.Is(err, fault.Corrupt) {
			t.Fatal(err)
		}
	})
}
