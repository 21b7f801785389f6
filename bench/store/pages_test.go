package main

import (
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"waggle/shared/embedded"
	"waggle/shared/run"
	"waggle/shared/store/driver"
	"waggle/shared/store/sqlitedriver"
)

func TestEveryPageIsHeldAgainstTheRunsThatWereWritten(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(item *driver.Item){
		"nothing":                  nil,
		"runs that are gone":       func(item *driver.Item) { item.Entries = nil },
		"runs of another job":      func(item *driver.Item) { item.Entries[1].Partition = "job_other" },
		"runs with another status": func(item *driver.Item) { item.Entries[2].Partition = "LOST" },
		"runs in the wrong place":  func(item *driver.Item) { item.Entries[0].Sort = string(run.FirstID(time.Unix(0, 0))) },
		"runs that are hidden":     func(item *driver.Item) { item.Expires = time.Unix(1, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			home := t.TempDir()
			b := &book{random: rand.New(rand.NewPCG(1, 1))}
			s, err := embedded.Open(t.Context(), home, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := b.fill(t.Context(), s, 120); err != nil {
				t.Fatal(err)
			}
			if damage != nil { // a third of the runs: pages are chosen at random
				change(t, filepath.Join(home, "waggle.db"), b.runs[10:50], damage)
			}
			lines := 0
			err = pages(t.Context(), s, b, 60, func(f figure) error { lines++; return nil })
			if damage == nil && (err != nil || lines != 5) {
				t.Errorf("%d lines, %v", lines, err)
			}
			if damage != nil && err == nil {
				t.Error("nobody noticed")
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// change changes the items of runs behind the store's back.
func change(t *testing.T, path string, runs []entry, to func(*driver.Item)) {
	t.Helper()
	db, err := sqlitedriver.Open(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for _, e := range runs {
		item, err := db.Get(t.Context(), driver.Key{Partition: "RUN#" + string(e.id), Sort: "META"})
		if err != nil {
			t.Fatal(err)
		}
		to(&item)
		if err := db.Put(t.Context(), item, driver.Any); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAPageThatIsSlowOrGrowsIsAViolation(t *testing.T) {
	t.Parallel()
	first := map[kind]float64{}
	for i, c := range []struct {
		f  figure
		ok bool
	}{
		{figure{Page: newest, Runs: 1000, P50MS: 0.01}, true},
		{figure{Page: newest, Runs: 10_000, P50MS: 0.4}, true},
		{figure{Page: newest, Runs: 1_000_000, P50MS: 0.9}, true},
		{figure{Page: newest, Runs: 1_000_000, P50MS: 1.4}, false},
		{figure{Page: middle, Runs: 1_000_000, P50MS: 5.1}, false},
	} {
		if err := c.f.violation(first); (err == nil) != c.ok {
			t.Errorf("%d: %v", i, err)
		}
	}
}
