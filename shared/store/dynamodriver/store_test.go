//go:build dynamodb

package dynamodriver_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"gocloud.dev/blob/memblob"

	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/engine"
	"waggle/shared/fault"
	"waggle/shared/job"
	"waggle/shared/metadata"
	"waggle/shared/run"
	"waggle/shared/store"
	"waggle/shared/store/driver"
	"waggle/shared/store/dynamodriver"
	"waggle/shared/store/memorydriver"
	"waggle/shared/waggle"
)

// pipeline has small and large values, metadata, checks that pass, warn and block, a step that fails once and one that fails.
func pipeline() waggle.Definitions {
	numbers := asset.New("numbers", func(ctx *asset.Context) ([]int64, error) {
		ctx.Log.Info("read", "rows", 3)
		ctx.AddMetadata(metadata.Map{"rows": 3, "share": 0.25, "source": "a.csv", "nothing": ""})
		return []int64{1, 2, 1 << 60}, nil
	}, nil)
	long := asset.New1("long", func(_ *asset.Context, n []int64) (string, error) {
		return strings.Repeat("x", 40_000*len(n)), nil
	}, numbers, nil)
	flaky := asset.New1("flaky", func(ctx *asset.Context, n []int64) (int, error) {
		if ctx.Attempt() == 1 {
			return 0, errors.New("not the first time")
		}
		return len(n), nil
	}, numbers, &asset.Options{Retry: asset.Retry{Max: 2, Delay: time.Millisecond}})
	broken := asset.New1("broken", func(*asset.Context, int) (int, error) { return 0, errors.New("never") }, flaky, nil)
	after := asset.New1("after", func(_ *asset.Context, n int) (int, error) { return n, nil }, broken, nil)
	bad := asset.New1("bad", func(_ *asset.Context, n []int64) (int, error) { return -len(n), nil }, numbers, nil)
	held := asset.New1("held", func(_ *asset.Context, n int) (int, error) { return n, nil }, bad, nil)
	all := asset.List{numbers, long, flaky, broken, after, bad, held}
	return waggle.Definitions{Assets: all, Jobs: job.List{job.New("small", all, nil)}, Checks: check.List{
		check.New1("some", func(_ *asset.Context, n []int64) (check.Result, error) {
			return check.Result{Passed: len(n) > 0, Metadata: metadata.Map{"n": len(n)}}, nil
		}, numbers, check.Blocking),
		check.New1("short", func(_ *asset.Context, s string) (check.Result, error) {
			return check.Result{Passed: len(s) < 10, Severity: check.Warn, Description: "it is long"}, nil
		}, long, nil),
		check.New1("positive", func(_ *asset.Context, n int) (check.Result, error) {
			return check.Result{Passed: n > 0}, nil
		}, bad, check.Blocking),
	}}
}

// outcome is all that the store knows of a run, times and ids aside.
type outcome struct {
	Status  run.Status
	Steps   map[run.StepKey]run.StepStatus
	Rows    map[run.AssetKey][]run.Materialization
	Values  map[run.AssetKey]string
	Checks  map[string][]run.CheckResult
	Summary store.Summary
	Listed  map[string]int
	Due     int
}

// runOn runs the pipeline over a driver, twice with one run key and a limit, and tells what came of it.
func runOn(t *testing.T, db driver.Driver) outcome {
	t.Helper()
	ctx := t.Context()
	s := store.New(db, store.NewBlobs(memblob.OpenBucket(nil)), &store.Options{Lease: time.Minute})
	defs := pipeline()
	req := run.Request{Job: "small", Tags: map[string]string{"team": "a"}, Limits: []run.Limit{{Name: "job:small", Max: 1}}}
	id, launched, err := s.LaunchOnce(ctx, req, "once")
	if err != nil || !launched {
		t.Fatal(launched, err)
	}
	if again, launched, err := s.LaunchOnce(ctx, req, "once"); err != nil || launched || again != id {
		t.Fatal(again, launched, err)
	}
	if _, err := engine.New(s, defs, nil).Run(ctx, id, nil); err != nil {
		t.Fatal(err)
	}
	fold, _, err := s.Fold(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	o := outcome{Status: fold.Record.Status, Steps: map[run.StepKey]run.StepStatus{}, Rows: map[run.AssetKey][]run.Materialization{},
		Values: map[run.AssetKey]string{}, Checks: map[string][]run.CheckResult{}, Listed: map[string]int{}}
	for _, step := range fold.Record.Steps {
		o.Steps[step.Key] = step.Status
	}
	must := func(err error) {
		t.Helper()
		if err != nil && !errors.Is(err, fault.NotFound) {
			t.Fatal(err)
		}
	}
	for _, a := range defs.Assets {
		key := a.Definition().Key
		rows, err := s.History(ctx, key, 10)
		must(err)
		for _, m := range rows {
			if m.Value != nil {
				value := m.Value.Inline
				if m.Value.Blob != "" {
					value, err = s.GetBlob(ctx, m.Value.Blob)
					must(err)
				}
				o.Values[key] = string(value)
			}
			m.Run, m.Seq, m.Time, m.Duration, m.Value = "", 0, time.Time{}, 0, nil
			o.Rows[key] = append(o.Rows[key], m)
		}
		for _, name := range []string{"some", "short", "positive"} {
			results, err := s.CheckHistory(ctx, key, name, 10)
			must(err)
			for _, c := range results {
				c.Run, c.Seq, c.Time = "", 0, time.Time{}
				o.Checks[name] = append(o.Checks[name], c)
			}
		}
	}
	o.Summary, err = s.Summary(ctx, id)
	must(err)
	o.Summary.Error = "" // of the two branches that fail, whichever does so first
	o.Summary.ID, o.Summary.Launched, o.Summary.Started, o.Summary.Ended, o.Summary.Settled = "", time.Time{}, time.Time{}, time.Time{}, 0
	for name, f := range map[string]store.Filter{
		"all": {}, "job": {Job: "small"}, "status": {Status: run.Failure}, "job and status": {Job: "small", Status: run.Failure},
		"active": {Status: run.Started}, "another": {Status: run.Success},
	} {
		list, _, err := s.Runs(ctx, f, 5, "")
		must(err)
		o.Listed[name] = len(list)
	}
	due, err := s.Due(ctx, 10)
	must(err)
	o.Due = len(due)
	if found, err := s.Find(ctx, "LAST"); err != nil || found != id {
		t.Errorf("LAST is %s, %v", found, err)
	}
	return o
}

func TestARunComesToTheSameOverDynamoDBAsInMemory(t *testing.T) {
	t.Parallel()
	for _, name := range []string{dynamoDBLocal, dynoxide, miniStack} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := create(t, name, &dynamodriver.Options{})
			want, got := runOn(t, memorydriver.New(nil)), runOn(t, db)
			if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(metadata.Value{})); diff != "" {
				t.Errorf("memory (-) and DynamoDB (+):\n%s", diff)
			}
			if want.Status != run.Failure || len(want.Rows) != 4 || len(want.Checks) != 3 || want.Listed["job and status"] != 1 {
				t.Errorf("the pipeline does not do what it is for: %+v", want)
			}
			t.Logf("%s: %+v", name, db.Usage())
		})
	}
}

// TestAWorkerWhoseClockIsTwoMinutesOffTakesNoRunThatIsHeld lets another machine, ahead or behind, look at a run that an owner holds.
func TestAWorkerWhoseClockIsTwoMinutesOffTakesNoRunThatIsHeld(t *testing.T) {
	t.Parallel()
	for _, name := range []string{dynamoDBLocal, dynoxide, miniStack} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			opts := &dynamodriver.Options{}
			first := create(t, name, opts)
			s := store.New(first, store.NewBlobs(memblob.OpenBucket(nil)), &store.Options{Lease: time.Minute, Now: first.Now})
			id, err := s.Launch(t.Context(), run.Request{Job: "small"})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Acquire(t.Context(), id, "first"); err != nil {
				t.Fatal(err)
			}
			for _, off := range []time.Duration{2 * time.Minute, -2 * time.Minute} {
				second, err := dynamodriver.Open(t.Context(), tableOf(t), opts)
				if err != nil {
					t.Fatal(err)
				}
				second.At(func() time.Time { return time.Now().Add(off) })
				other := store.New(second, store.NewBlobs(memblob.OpenBucket(nil)), &store.Options{Lease: time.Minute, Now: second.Now})
				if _, err := other.Acquire(t.Context(), id, "second"); !errors.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "is owned by first for another ") {
					t.Errorf("with a clock that is %s off: %v", off, err)
				}
				if due, err := other.Due(t.Context(), 5); err != nil || len(due) != 0 {
					t.Errorf("with a clock that is %s off %v is due, %v", off, due, err)
				}
			}
		})
	}
}
