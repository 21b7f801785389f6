package courier_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/courier"
	"waggle/shared/run"
	"waggle/shared/sensor"
	"waggle/shared/store/memorydriver"
)

// TestASensorThatIsCalledLateIsToldOfTheRunAsItWas has a run end before its sensor hears that it started.
func TestASensorThatIsCalledLateIsToldOfTheRunAsItWas(t *testing.T) {
	t.Parallel()
	var told []run.Status
	w := setup(t, nil, sensor.OnRunStatus("all", []run.Status{run.Started, run.Failure}, func(_ *sensor.Context, r sensor.Run) error {
		told = append(told, r.Status)
		if r.Status == run.Started && (!r.Ended.IsZero() || len(r.FailedSteps) > 0) {
			t.Errorf("at the start %+v was known", r)
		}
		return nil
	}, nil))
	w.run()
	w.once()
	if slices.Sort(told); !slices.Equal(told, []run.Status{run.Failure, run.Started}) {
		t.Errorf("told of %v", told)
	}
}

// TestTheEventsOfOneRunReadItsLogOnce counts how often the log of a run is read for the checks that failed in it.
func TestTheEventsOfOneRunReadItsLogOnce(t *testing.T) {
	t.Parallel()
	const n = 50
	var called atomic.Int64
	w := setup(t, nil)
	orders := asset.New("orders", func(*asset.Context) (int, error) { return 1, nil }, nil)
	w.defs.Assets = append(w.defs.Assets, orders)
	for i := range n {
		w.defs.Checks = append(w.defs.Checks, check.New1(fmt.Sprintf("check_%02d", i), func(*asset.Context, int) (check.Result, error) { return check.Result{}, nil }, orders, nil))
	}
	w.defs.Sensors = sensor.List{sensor.OnCheckFailed("alarm", func(*sensor.Context, run.CheckResult) error { called.Add(1); return nil }, nil)}
	w.open(nil)
	w.runRequest(run.Request{Selection: []run.StepKey{"orders"}}, w.courier.Publish())
	var reads atomic.Int64
	w.db = w.db.Clone(&memorydriver.Options{Hook: func(c memorydriver.Call) error {
		if !c.Done && c.Op == memorydriver.Query && strings.HasPrefix(c.Query.Partition, "RUN#") {
			reads.Add(1)
		}
		return nil
	}})
	w.open(&courier.Options{Sender: w.server.sender})
	if err := w.courier.Once(context.Background()); err != nil {
		t.Fatal(err)
	}
	if called.Load() != n || reads.Load() > 3 {
		t.Errorf("%d calls read the log %d times", called.Load(), reads.Load())
	}
}
