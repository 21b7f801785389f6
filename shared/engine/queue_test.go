package engine_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/engine"
	"waggle/shared/fault"
	"waggle/shared/job"
	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/store"
	"waggle/shared/store/memorydriver"
	"waggle/shared/waggle"
)

// request is what a launch of the job asks for.
func request(t *testing.T, d waggle.Definitions) run.Request {
	t.Helper()
	req, _, err := d.Request(run.Request{Job: d.Jobs[0].Name})
	if err != nil {
		t.Fatal(err)
	}
	return req
}

func types(events []runlog.Event) []runlog.Type {
	var list []runlog.Type
	for _, e := range events {
		if e.Type != runlog.Log {
			list = append(list, e.Type)
		}
	}
	return list
}

func TestARunWithoutASlotParksAndSaysWhyAndStartsWhenOneIsFree(t *testing.T) {
	t.Parallel()
	one := asset.New("one", func(*asset.Context) (int, error) { return 1, nil }, nil)
	d := waggle.Definitions{Assets: asset.List{one}, Jobs: job.List{job.New("job", asset.List{one}, &job.Options{MaxRuns: 1})}}
	w := setup(t, d, nil)
	req := request(t, d)
	first, second := w.launch(req), w.launch(req)
	if err := w.store.Enqueue(t.Context(), first, req); err != nil { // the first has the slot, and is not run yet
		t.Fatal(err)
	}
	if ids, err := w.store.Admit(t.Context()); err != nil || !slices.Equal(ids, []run.ID{first}) {
		t.Fatal(ids, err)
	}

	out := w.run(second, nil)
	summary, err := w.store.Summary(t.Context(), second)
	if err != nil || out.End != engine.Parked || out.Due.IsZero() || summary.Status != run.Queued {
		t.Fatalf("%+v %+v %v", out, summary, err)
	}
	if want := "limit job:job is full: 1 of 1 slots taken by " + first.Short(); summary.Waiting != want {
		t.Errorf("it waits for %q, want %q", summary.Waiting, want)
	}
	if list, _, err := w.store.Runs(t.Context(), store.Filter{Status: run.Queued}, 10, ""); err != nil || len(list) != 1 {
		t.Errorf("queued runs: %v %v", list, err)
	}

	if out := w.run(first, nil); out.Record.Status != run.Success || !slices.Equal(out.Woken, []run.ID{second}) {
		t.Fatalf("%+v", out)
	}
	w.events = nil
	if out := w.run(second, nil); out.Record.Status != run.Success {
		t.Fatalf("%+v", out)
	}
	if got := types(w.events)[:2]; !slices.Equal(got, []runlog.Type{runlog.RunDequeued, runlog.RunStart}) {
		t.Errorf("events %v", got)
	}
	if summary, err := w.store.Summary(t.Context(), second); err != nil || summary.Waiting != "" {
		t.Errorf("%+v %v", summary, err)
	}
}

// atLimit is a job of which one run may run at once, one that has the slot, and one that waits for it, as its first owner left it.
func atLimit(t *testing.T, opts *engine.Options) (w *world, req run.Request, holder, waits run.ID) {
	t.Helper()
	one := asset.New("one", func(*asset.Context) (int, error) { return 1, nil }, nil)
	d := waggle.Definitions{Assets: asset.List{one}, Jobs: job.List{job.New("job", asset.List{one}, &job.Options{MaxRuns: 1})}}
	w = setup(t, d, opts)
	req = request(t, d)
	holder, waits = w.launch(req), w.launch(req)
	if err := w.store.Enqueue(t.Context(), holder, req); err != nil {
		t.Fatal(err)
	}
	if _, err := w.store.Admit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if out := w.run(waits, nil); out.End != engine.Parked {
		t.Fatalf("%+v", out)
	}
	return w, req, holder, waits
}

func TestALookAtARunThatWaitsIsOneWriteAndNoLineInItsLog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, _, holder, id := atLimit(t, impatient)
		before := w.stored(id)
		var writes []string
		w.onCall(func(c memorydriver.Call) error {
			if c.Op.Writes() && !c.Done {
				writes = append(writes, c.String())
			}
			return nil
		})
		for range 5 {
			time.Sleep(31 * time.Second)
			if due, err := w.store.Due(t.Context(), 5); err != nil || !slices.Contains(due, id) {
				t.Fatalf("due are %v, %v", due, err)
			}
			out := w.run(id, nil)
			if out.End != engine.Parked || time.Until(out.Due) != 30*time.Second || out.Record.Status != run.Queued || out.Record.ID != id {
				t.Fatalf("%+v", out)
			}
		}
		w.onCall(nil)
		if len(writes) != 5 || writes[0] != "put RUN#"+string(id)+"/META" {
			t.Errorf("five looks wrote %v", writes)
		}
		if after := w.stored(id); after.Seq != before.Seq || after.Epoch != before.Epoch {
			t.Errorf("the log has event %d of owner %d, before it had %d of %d", after.Seq, after.Epoch, before.Seq, before.Epoch)
		}
		if s, err := w.store.Summary(t.Context(), id); err != nil || !strings.Contains(s.Waiting, holder.Short()) {
			t.Errorf("it waits for %q, %v", s.Waiting, err)
		}
		if out := w.run(holder, nil); !slices.Equal(out.Woken, []run.ID{id}) {
			t.Fatalf("%+v", out)
		}
		want(t, w.run(id, nil).Record, "SUCCESS one SUCCEEDED")
	})
}

func TestARunThatWaitsLearnsOfASlotWhoseHolderDiedWithoutGivingItBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, _, holder, id := atLimit(t, impatient)
		lease, err := w.store.Acquire(t.Context(), holder, "before")
		if err != nil {
			t.Fatal(err)
		}
		lease.Update(func(s *store.Summary) { s.Status = run.Failure })
		if err := lease.Renew(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * time.Second)
		want(t, w.run(id, nil).Record, "SUCCESS one SUCCEEDED")
	})
}

func TestARunThatGotItsSlotWhileNobodyAttendsItIsDueInTwoSeconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, _, holder, id := atLimit(t, impatient)
		time.Sleep(time.Second)
		w.run(holder, nil) // whoever it tells has died
		for _, c := range []struct {
			after time.Duration
			due   bool
		}{{1900 * time.Millisecond, false}, {200 * time.Millisecond, true}} {
			time.Sleep(c.after)
			if due, err := w.store.Due(t.Context(), 5); err != nil || slices.Contains(due, id) != c.due {
				t.Errorf("%s later due are %v, %v", c.after, due, err)
			}
		}
		want(t, w.run(id, nil).Record, "SUCCESS one SUCCEEDED")
	})
}

func TestARunThatWaitsAndWhoseLastOwnerDiedGetsAnOwner(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, _, _, id := atLimit(t, impatient)
		if _, err := w.store.Acquire(t.Context(), id, "before"); err != nil {
			t.Fatal(err)
		}
		if _, err := w.try(t.Context(), id, nil); !errors.Is(err, fault.Conflict) {
			t.Errorf("while it is owned: %v", err)
		}
		time.Sleep(w.store.Lease())
		before := w.stored(id)
		if out := w.run(id, nil); out.End != engine.Parked || w.stored(id).Epoch <= before.Epoch {
			t.Errorf("%+v, owner %d", out, w.stored(id).Epoch)
		}
	})
}

func TestAQueuedRunThatIsCanceledGivesItsPlaceUp(t *testing.T) {
	t.Parallel()
	one := asset.New("one", func(*asset.Context) (int, error) { return 1, nil }, nil)
	d := waggle.Definitions{Assets: asset.List{one}, Jobs: job.List{job.New("job", asset.List{one}, &job.Options{MaxRuns: 1})}}
	w := setup(t, d, nil)
	req := request(t, d)
	first, second, third := w.launch(req), w.launch(req), w.launch(req)
	if err := errors.Join(w.store.Enqueue(t.Context(), first, req)); err != nil {
		t.Fatal(err)
	}
	w.run(second, nil)
	w.run(third, nil)
	if err := w.store.RequestCancel(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	if out := w.run(second, nil); out.Record.Status != run.Canceled {
		t.Fatalf("%+v", out.Record)
	}
	if out := w.run(first, nil); !slices.Equal(out.Woken, []run.ID{third}) {
		t.Errorf("woken %v, want the third", out.Woken)
	}
}

func TestAFailedRunIsRetriedFromFailureAsOftenAsItsJobSays(t *testing.T) {
	t.Parallel()
	made := 0
	one := asset.New("one", func(*asset.Context) (int, error) { made++; return 1, nil }, nil)
	two := asset.New1("two", func(*asset.Context, int) (int, error) { return 0, errors.New("no luck") }, one, nil)
	three := asset.New1("three", func(*asset.Context, int) (int, error) { return 3, nil }, two, nil)
	assets := asset.List{one, two, three}
	d := waggle.Definitions{Assets: assets, Jobs: job.List{job.New("job", assets, &job.Options{Retry: job.Retry{Max: 2}})}}
	w := setup(t, d, nil)
	root := w.launch(request(t, d))
	id, parents := root, []run.ID{}
	for {
		out := w.run(id, nil)
		if out.Record.Status != run.Failure || out.Record.WillRetry != (out.Retry != "") {
			t.Fatalf("%+v", out)
		}
		if again := w.run(id, nil); again.Retry != out.Retry { // settled twice, launched once
			t.Errorf("settled again: %s, first %s", again.Retry, out.Retry)
		}
		if out.Retry == "" {
			break
		}
		parents = append(parents, id)
		id = out.Retry
	}
	summary, err := w.store.Summary(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	req := summary.Request
	if len(parents) != 2 || req.Parent != parents[1] || req.Root != root || req.Retries != 2 {
		t.Errorf("%d retries; the last: %+v", len(parents), req)
	}
	if !slices.Equal(req.Selection, []run.StepKey{"two", "three"}) || made != 1 {
		t.Errorf("it ran %v; one was made %d times", req.Selection, made)
	}
}

func TestARetryMakesWhatABlockingCheckRefusedAgain(t *testing.T) {
	t.Parallel()
	value := 0
	one := asset.New("one", func(*asset.Context) (int, error) { value++; return value, nil }, nil)
	two := asset.New1("two", func(_ *asset.Context, n int) (int, error) { return n, nil }, one, nil)
	big := check.New1("big", func(_ *asset.Context, n int) (check.Result, error) { return check.Result{Passed: n > 1}, nil }, one, check.Blocking)
	assets := asset.List{one, two}
	d := waggle.Definitions{Assets: assets, Checks: check.List{big}, Jobs: job.List{job.New("job", assets, &job.Options{Retry: job.Retry{Max: 1}})}}
	w := setup(t, d, nil)
	first := w.run(w.launch(request(t, d)), nil)
	if first.Record.Status != run.Failure || !strings.Contains(first.Record.Error, "blocking check big") {
		t.Fatalf("%+v", first.Record)
	}
	if out := w.run(first.Retry, nil); out.Record.Status != run.Success || len(out.Record.Materializations) != 2 {
		t.Errorf("%+v", out.Record)
	}
}

func TestARunThatItsCodeCannotRunIsNotRetried(t *testing.T) {
	t.Parallel()
	one := asset.New("one", func(*asset.Context) (int, error) { return 1, nil }, nil)
	d := waggle.Definitions{Assets: asset.List{one}, Jobs: job.List{job.New("job", asset.List{one}, &job.Options{Retry: job.Retry{Max: 5}})}}
	w := setup(t, d, nil)
	out := w.run(w.launch(run.Request{Job: "job", Config: run.Config{"no_such": 1}}), nil)
	if out.Record.Status != run.Failure || out.Record.Reason != run.BadConfig || out.Record.WillRetry || out.Retry != "" {
		t.Errorf("%+v", out)
	}
}
