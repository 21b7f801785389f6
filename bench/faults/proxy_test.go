package main

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestEachFaultIsDrawnAndTheSeedRepeatsThem(t *testing.T) {
	t.Parallel()
	drawn := func(seed uint64) (list []kind) {
		p := &proxy{seed: seed, kinds: map[kind]int64{}}
		for range 3000 {
			k, _ := p.draw("BatchWriteItem")
			p.back = time.Time{} // how long an outage lasts is time, not chance
			list = append(list, k)
			k, _ = p.draw("TransactWriteItems")
			p.back = time.Time{}
			list = append(list, k)
		}
		for _, o := range odds {
			if p.kinds[o.kind] == 0 {
				t.Errorf("%s was never drawn", o.kind)
			}
		}
		if p.requests() != 6000 {
			t.Errorf("%d requests", p.requests())
		}
		return list
	}
	if a, b := drawn(1), drawn(1); !slices.Equal(a, b) {
		t.Error("the same seed draws others")
	}
	if a, b := drawn(1), drawn(2); slices.Equal(a, b) {
		t.Error("another seed draws the same")
	}
}

func TestAPartOfABatchIsDoneAndTheRestHandedBack(t *testing.T) {
	t.Parallel()
	for seed := range uint64(50) {
		part, answer := split([]byte(`{"RequestItems":{"t":[1,2,3]},"X":1}`), rand.New(rand.NewPCG(seed, 0)))
		var done struct{ RequestItems map[string][]int }
		var rest struct{ UnprocessedItems map[string][]int }
		if err := json.Unmarshal(answer, &rest); err != nil {
			t.Fatal(err)
		}
		if part != nil {
			if err := json.Unmarshal(part, &done); err != nil || len(done.RequestItems["t"]) == 0 {
				t.Fatalf("%s, %v", part, err)
			}
		}
		seen := map[int]bool{}
		for _, n := range append(done.RequestItems["t"], rest.UnprocessedItems["t"]...) {
			seen[n] = true
		}
		if len(seen) != 3 || len(rest.UnprocessedItems["t"]) == 0 {
			t.Fatalf("%s and %s", part, answer)
		}
	}
}
