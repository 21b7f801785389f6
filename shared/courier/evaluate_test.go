package courier_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/courier"
	"waggle/shared/event"
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

// TestTheSensorsOfOneEventReadItsRunAndTheOneBeforeOnce counts the reads of runs and of lists of runs.
func TestTheSensorsOfOneEventReadItsRunAndTheOneBeforeOnce(t *testing.T) {
	t.Parallel()
	var sensors sensor.List
	var failures, successes int
	for i := range 5 {
		sensors = append(sensors, sensor.OnRunStatus(fmt.Sprintf("s%d", i), []run.Status{run.Success, run.Failure}, func(_ *sensor.Context, r sensor.Run) error {
			if r.LastSuccess == nil {
				t.Errorf("%s knows of no success", r.Status)
			}
			switch {
			case r.Status == run.Success && len(r.Materializations) == 1:
				successes++
			case r.Status == run.Failure && r.Failures > 0 && len(r.FailedSteps) == 1 && len(r.FailedSteps[0].Log) == 10:
				failures++
			}
			return nil
		}, nil))
	}
	w := setup(t, nil, sensors...)
	var reads []string
	w.db = w.db.Clone(&memorydriver.Options{Hook: func(c memorydriver.Call) error {
		switch {
		case c.Done:
		case c.Op == memorydriver.Get && strings.HasPrefix(c.Keys[0].Partition, "RUN#"):
			reads = append(reads, "summary")
		case c.Op == memorydriver.Query && strings.HasPrefix(c.Query.Partition, "RUN#"):
			reads = append(reads, "log")
		case c.Op == memorydriver.Query && c.Query.Index == "job_status":
			reads = append(reads, "list")
		}
		return nil
	}})
	w.open(nil)
	w.fails = false
	w.happens()
	for _, fails := range []bool{false, true} {
		w.fails = fails
		told := w.happens()
		reads = nil
		w.take(told...)
		w.once()
		want := []string{"summary", "log", "list", "summary", "log"} // the run, what came before it, the success of these
		if fails {
			want = append(want, "list", "log") // failures before it, and what its steps logged last
		}
		if !slices.Equal(reads, want) {
			t.Errorf("five sensors of a run that failed (%t) read %q, want %q", fails, reads, want)
		}
	}
	reads = nil
	w.take(w.happens()...)
	again := len(reads)
	reads = nil
	w.take(w.happens()...)
	reads = reads[again:]
	w.once()
	one := []string{"summary", "log", "list", "list", "log"}
	if want := slices.Insert(slices.Concat(one, one), 3, "summary", "log"); !slices.Equal(reads, want) { // the success before both is read once
		t.Errorf("the sensors of two runs read %q, want %q", reads, want)
	}
	if successes != 5 || failures != 15 {
		t.Errorf("%d were told of the success, and %d of the failures, all that there is", successes, failures)
	}
}

// TestEachRunIsToldWithItsOwnHistory has the events of several runs evaluated one after another, in their order and in the opposite one.
func TestEachRunIsToldWithItsOwnHistory(t *testing.T) {
	t.Parallel()
	want := []string{"1 STARTED 0 0 true", "1 SUCCESS 0 0 false", "2 STARTED 0 1 true", "2 FAILURE 1 1 false", "3 STARTED 0 1 true", "3 FAILURE 2 1 false",
		"4 STARTED 0 1 true", "4 SUCCESS 0 1 false", "5 STARTED 0 4 true", "5 FAILURE 1 4 false"}
	for _, backwards := range []bool{false, true} {
		var seen []string
		order := map[run.ID]int{}
		w := setup(t, nil, sensor.OnRunStatus("all", []run.Status{run.Started, run.Success, run.Failure}, func(_ *sensor.Context, r sensor.Run) error {
			last := 0
			if r.LastSuccess != nil {
				last = order[r.LastSuccess.Run]
			}
			seen = append(seen, fmt.Sprintf("%d %s %d %d %t", order[r.ID], r.Status, r.Failures, last, r.Ended.IsZero()))
			return nil
		}, nil))
		var told []event.Event
		for i, fails := range []bool{false, true, true, false, true} {
			w.fails = fails
			of := w.happens()
			order[of[0].Run] = i + 1
			told = append(told, of...)
		}
		if backwards { // the end of each run, then its start
			slices.Reverse(told)
			slices.Reverse(want)
		}
		w.take(told...)
		w.once()
		if !slices.Equal(seen, want) {
			t.Errorf("told\n%s\nwant\n%s", strings.Join(seen, "\n"), strings.Join(want, "\n"))
		}
	}
}

// TestFewRunsAreReadOfAJobThatHasHadMany reads of a job with a past no more of it than is needed, and all that is.
func TestFewRunsAreReadOfAJobThatHasHadMany(t *testing.T) {
	t.Parallel()
	var told sensor.Run
	w := setup(t, nil, sensor.OnRunStatus("all", []run.Status{run.Success, run.Failure}, func(_ *sensor.Context, r sensor.Run) error { told = r; return nil }, nil))
	read := 0
	w.db = w.db.Clone(&memorydriver.Options{Hook: func(c memorydriver.Call) error {
		if c.Done && c.Op == memorydriver.Query && c.Query.Index == "job_status" {
			read += c.Query.Limit
		}
		return nil
	}})
	w.open(nil)
	w.fails = false
	for range 20 {
		w.happens()
	}
	w.take(w.happens()...)
	w.once()
	if told.LastSuccess == nil || read > 4 {
		t.Errorf("up to %d runs were read for %+v", read, told.LastSuccess)
	}
	w.fails = true
	for range 100 {
		w.happens()
	}
	w.take(w.happens()...)
	w.once()
	if told.Failures != 101 || told.LastSuccess == nil {
		t.Errorf("%d failures were counted, after %+v", told.Failures, told.LastSuccess)
	}
}

// TestARunThatGoesOnIsReadAnew has a run end between the evaluations of two of its events.
func TestARunThatGoesOnIsReadAnew(t *testing.T) {
	t.Parallel()
	w := setup(t, nil)
	var told []event.Event
	var seen []run.Status
	made := 0
	ends := make(chan struct{})
	slow := asset.New("slow", func(*asset.Context) (int, error) { <-ends; return 1, nil }, nil)
	w.defs.Assets = append(w.defs.Assets, slow)
	started, ended := make(chan struct{}), make(chan struct{})
	w.defs.Sensors = sensor.List{sensor.OnRunStatus("all", []run.Status{run.Started, run.Success}, func(_ *sensor.Context, r sensor.Run) error {
		if seen = append(seen, r.Status); len(seen) == 1 {
			close(ends)
			<-ended
			var err error
			for _, e := range told { // what it made, and its end, are evaluated next
				err = errors.Join(err, w.courier.Take(t.Context(), e))
			}
			return err
		}
		if r.Ended.IsZero() || len(r.Materializations) != 1 {
			t.Errorf("at the end %+v was known", r)
		}
		return nil
	}, nil), sensor.OnAsset("made", func(*sensor.Context, run.Materialization) error { made++; return nil }, slow, nil)}
	w.open(nil)
	go func() {
		defer close(ended)
		w.runRequest(run.Request{Selection: []run.StepKey{"slow"}}, func(_ context.Context, events []event.Event) error {
			if first := len(told) == 0; first {
				defer close(started)
			}
			told = append(told, events...)
			return nil
		})
	}()
	<-started
	w.take(told...)
	w.once()
	if !slices.Equal(seen, []run.Status{run.Started, run.Success}) || made != 1 {
		t.Errorf("told of %v, and of %d values", seen, made)
	}
}

// TestWhatAFunctionDoesToWhatItIsToldIsNotToldToTheNext has the first function sort and cut what it is told.
func TestWhatAFunctionDoesToWhatItIsToldIsNotToldToTheNext(t *testing.T) {
	t.Parallel()
	var second sensor.Run
	w := setup(t, nil, sensor.OnRunSuccess("first", func(_ *sensor.Context, r sensor.Run) error {
		clear(r.Materializations)
		clear(r.Checks)
		return nil
	}, nil), sensor.OnRunSuccess("second", func(_ *sensor.Context, r sensor.Run) error { second = r; return nil }, nil))
	one := w.defs.Assets[0]
	w.defs.Checks = check.List{check.New1("fine", func(*asset.Context, int) (check.Result, error) { return check.Result{Passed: true}, nil }, one.(*asset.Asset[int]), nil)}
	w.fails = false
	w.open(nil)
	w.take(w.happens()...)
	w.once()
	if len(second.Materializations) != 1 || second.Materializations[0].Asset != "broken" || len(second.Checks) != 1 || second.Checks[0].Check != "fine" {
		t.Errorf("the second was told of %+v and %+v", second.Materializations, second.Checks)
	}
}
