package main

import (
	"context"
	"strings"
	"testing"

	"gocloud.dev/blob/memblob"

	"waggle/shared/run"
	"waggle/shared/store"
	"waggle/shared/store/driver"
	"waggle/shared/store/memorydriver"
)

// stage runs a few runs in memory and returns a judge of them.
func stage(t *testing.T) (*memorydriver.Driver, *judge, *promises) {
	t.Helper()
	db, bucket := memorydriver.New(nil), memblob.OpenBucket(nil)
	w := newWork(db, bucket, 4, 1)
	if err := w.do(t.Context()); err != nil {
		t.Fatal(err)
	}
	j, err := newJudge(t.Context(), db, store.NewBlobs(bucket))
	if err != nil {
		t.Fatal(err)
	}
	return db, j, w.promises
}

func TestTheJudgeFindsNothingInAnUndisturbedRecord(t *testing.T) {
	t.Parallel()
	_, j, p := stage(t)
	if err := j.all(t.Context(), p); err != nil || j.lost != 0 || j.wrong != 0 || j.owners < 4 {
		t.Fatalf("lost %d, wrong %d, owners %d, %v", j.lost, j.wrong, j.owners, err)
	}
}

func TestTheJudgeFindsEveryDamage(t *testing.T) {
	t.Parallel()
	// each finds the first item with a prefix in its partition, and changes it.
	type change func(ctx context.Context, db driver.Driver, item driver.Item) error
	remove := func(ctx context.Context, db driver.Driver, item driver.Item) error {
		return db.Delete(ctx, item.Key, driver.Any)
	}
	edit := func(old, new string) change {
		return func(ctx context.Context, db driver.Driver, item driver.Item) error {
			item.Data = []byte(strings.Replace(string(item.Data), old, new, 1))
			return db.Put(ctx, item, driver.Any)
		}
	}
	entries := func(keep int) change {
		return func(ctx context.Context, db driver.Driver, item driver.Item) error {
			item.Entries = item.Entries[:keep]
			return db.Put(ctx, item, driver.Any)
		}
	}
	again := func(sort string) change {
		return func(ctx context.Context, db driver.Driver, item driver.Item) error {
			item.Sort += sort
			return db.Put(ctx, item, driver.Any)
		}
	}
	due := func(ctx context.Context, db driver.Driver, item driver.Item) error {
		item.Entries = append(item.Entries, driver.Entry{Index: "due", Partition: "0", Sort: "x"})
		return db.Put(ctx, item, driver.Any)
	}
	for name, c := range map[string]struct {
		partition, prefix string
		damage            change
		lost              bool
	}{
		"a run is gone":                {"RUN#", "META", remove, true},
		"its first chunk is gone":      {"RUN#", "LOG#", remove, true},
		"its summary differs":          {"RUN#", "META", edit(`"done":9`, `"done":8`), false},
		"it is not settled":            {"RUN#", "META", edit(`"settled":`, `"settled":9`), false},
		"it is owned":                  {"RUN#", "META", edit(`"epoch":`, `"owner":"x","epoch":`), true},
		"it is in no list":             {"RUN#", "META", entries(0), true},
		"it is in two lists of four":   {"RUN#", "META", entries(2), true},
		"it is still due":              {"RUN#", "META", due, false},
		"a row is gone":                {"ASSET#chain_1#", "MAT#", remove, true},
		"a row differs":                {"ASSET#chain_2#", "MAT#", edit(`22`, `23`), true},
		"a row is there twice":         {"ASSET#numbers#", "MAT#", again("1"), false},
		"a check's row is gone":        {"ASSET#numbers#", "CHECK#some#", remove, true},
		"a check's row differs":        {"ASSET#long#", "CHECK#short#", edit(`"passed":false`, `"passed":true`), true},
		"a check's row is there twice": {"ASSET#long#", "CHECK#short#", again("1"), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			db, j, p := stage(t)
			partition := c.partition
			if partition == "RUN#" {
				for id := range p.runs {
					partition = "RUN#" + string(id)
				}
			}
			page, err := db.Query(ctx, driver.Query{Partition: partition, From: c.prefix, Limit: 1})
			if err != nil || len(page.Items) != 1 || !strings.HasPrefix(page.Items[0].Sort, c.prefix) {
				t.Fatalf("found %v, %v", page.Items, err)
			}
			before := string(page.Items[0].Data)
			if err := c.damage(ctx, db, page.Items[0]); err != nil {
				t.Fatal(err)
			}
			if err := j.all(ctx, p); err != nil {
				t.Fatal(err)
			}
			if j.lost+j.wrong == 0 || c.lost && j.lost == 0 {
				t.Fatalf("lost %d, wrong %d; it was %s", j.lost, j.wrong, before)
			}
		})
	}
}

func TestTheJudgeFindsARunThatNobodyLaunchedAndASlotThatNobodyHas(t *testing.T) {
	t.Parallel()
	db, j, p := stage(t)
	if _, err := j.store.Launch(t.Context(), run.Request{Job: jobName}); err != nil {
		t.Fatal(err)
	}
	item := driver.Item{Key: driver.Key{Partition: "LIMIT#" + limit.Name, Sort: "META"}, Version: 99, Data: []byte(`{"holders":["x"]}`)}
	if err := db.Put(t.Context(), item, driver.Any); err != nil {
		t.Fatal(err)
	}
	if err := j.all(t.Context(), p); err != nil || j.wrong != 4 { // in two lists, due, and the slot
		t.Fatalf("wrong %d, %v", j.wrong, err)
	}
}
