package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"waggle/shared/run"
	"waggle/shared/store/driver"
	"waggle/shared/store/sqlitedriver"
)

// undisturbed runs the job once in a new folder and returns it with what the job comes to.
func undisturbed(t *testing.T) (dir string, want results) {
	t.Helper()
	dir = t.TempDir()
	w := worker{dir: dir, number: 1, launch: true, tell: func(any) error { return nil }}
	if err := w.work(t.Context()); err != nil {
		t.Fatal(err)
	}
	want, err := reference(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return dir, want
}

// change changes a row of the home behind the store's back; nil deletes it.
func change(t *testing.T, dir, partition, prefix string, to func(driver.Item) *driver.Item) {
	t.Helper()
	db, err := sqlitedriver.Open(t.Context(), filepath.Join(homeOf(dir), "waggle.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	page, err := db.Query(t.Context(), driver.Query{Partition: partition, From: prefix, Limit: 1})
	if err != nil || len(page.Items) != 1 || !strings.HasPrefix(page.Items[0].Sort, prefix) {
		t.Fatalf("%s in %s: %+v %v", prefix, partition, page, err)
	}
	item := page.Items[0]
	if next := to(item); next != nil {
		err = db.Put(t.Context(), *next, driver.Any)
	} else {
		err = db.Delete(t.Context(), item.Key, driver.Any)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func gone(driver.Item) *driver.Item { return nil }

func TestAnUndisturbedHomeIsJudgedWhole(t *testing.T) {
	t.Parallel()
	dir, want := undisturbed(t)
	v, err := sentence(t.Context(), dir, want)
	if err != nil || v != (verdict{runs: 1}) {
		t.Fatalf("%+v %v", v, err)
	}
}

func TestTheJudgeSeesEveryKindOfDamage(t *testing.T) {
	t.Parallel()
	runOf := func(t *testing.T, dir string) string {
		list, err := executions(dir).all()
		if err != nil {
			t.Fatal(err)
		}
		return "RUN#" + string(list[0].Run)
	}
	again := func(t *testing.T, dir string, edit func(*execution)) {
		list, err := executions(dir).all()
		if err != nil {
			t.Fatal(err)
		}
		x := list[0]
		edit(&x)
		if err := executions(dir).add(x); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		damage func(t *testing.T, dir string)
		seen   func(verdict) bool
	}{
		"a run that is gone": {
			func(t *testing.T, dir string) { change(t, dir, runOf(t, dir), "META", gone) },
			func(v verdict) bool { return v.lostRuns == 1 && v.lostEvents > 0 },
		},
		"an acknowledged launch that is gone": {
			func(t *testing.T, dir string) { _ = promises(dir).add(promise{Run: "0199f3c2"}) },
			func(v verdict) bool { return v.lostRuns == 1 },
		},
		"a chunk that was acknowledged and is not there": {
			func(t *testing.T, dir string) {
				_ = promises(dir).add(promise{Run: run.ID(strings.TrimPrefix(runOf(t, dir), "RUN#")), N: 1 << 20, Sum: "x", Events: 7})
			},
			func(v verdict) bool { return v.lostEvents == 7 },
		},
		"a row that is gone": {
			func(t *testing.T, dir string) { change(t, dir, "ASSET#rows#", "MAT#", gone) },
			func(v verdict) bool { return v.wrong > 0 },
		},
		"a row that says something else": {
			func(t *testing.T, dir string) {
				change(t, dir, "ASSET#chain_3#", "MAT#", func(item driver.Item) *driver.Item {
					item.Body = []byte("1")
					return &item
				})
			},
			func(v verdict) bool { return v.wrong > 0 },
		},
		"a blob that is gone": {
			func(t *testing.T, dir string) {
				if err := os.RemoveAll(filepath.Join(homeOf(dir), "blobs", "assets", "fan_3")); err != nil {
					t.Fatal(err)
				}
			},
			func(v verdict) bool { return v.wrong > 0 },
		},
		"a step that did its work twice": {
			func(t *testing.T, dir string) { again(t, dir, func(*execution) {}) },
			func(v verdict) bool { return v.again == 1 && v.wrong == 0 },
		},
		"a worker that ran a step of a run it never owned": {
			func(t *testing.T, dir string) { again(t, dir, func(x *execution) { x.Worker = "2:99" }) },
			func(v verdict) bool { return v.again == 1 && v.wrong > 0 },
		},
		"a value that the function did not return": {
			func(t *testing.T, dir string) { again(t, dir, func(x *execution) { x.Output = "other" }) },
			func(v verdict) bool { return v.wrong > 0 },
		},
		"an effect before its start was stored": {
			func(t *testing.T, dir string) {
				again(t, dir, func(x *execution) { x.Step, x.Output, x.Stored = effectsStep, "", false })
			},
			func(v verdict) bool { return v.wrong > 0 },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, want := undisturbed(t)
			c.damage(t, dir)
			v, err := sentence(context.WithoutCancel(t.Context()), dir, want)
			if err != nil || !c.seen(v) {
				t.Fatalf("%+v %v", v, err)
			}
		})
	}
}
