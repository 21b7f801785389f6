package engine_test

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/engine"
	"waggle/shared/fault"
	"waggle/shared/job"
	"waggle/shared/metadata"
	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/store"
)

func TestAChainOfTwoAssetsHandsTheValueOnAndRecordsEverything(t *testing.T) {
	t.Parallel()
	one := asset.New("one", func(ctx *asset.Context) (int, error) {
		ctx.AddMetadata(metadata.Map{"n": 1})
		ctx.Log.Info("made", "n", 1)
		return 1, nil
	}, nil)
	w := setup(t, definitions(asset.List{one, plus("two", one, nil)}), nil)
	id := w.launch(run.Request{Job: "job"})
	out := w.run(id, nil)
	want(t, out.Record, "SUCCESS one SUCCEEDED, two SUCCEEDED")
	if out.End != engine.Ended || !out.Due.IsZero() || out.Wake || out.LeftRunning != 0 {
		t.Errorf("%+v", out)
	}
	stored := w.stored(id)
	want(t, stored.Record, "SUCCESS one SUCCEEDED, two SUCCEEDED")
	var types []runlog.Type
	for _, e := range w.events {
		types = append(types, e.Type)
	}
	if wanted := []runlog.Type{runlog.RunStart, runlog.StepStart, runlog.Log, runlog.Materialization, runlog.StepSuccess,
		runlog.StepStart, runlog.Materialization, runlog.StepSuccess, runlog.RunSuccess}; !slices.Equal(types, wanted) {
		t.Errorf("%v", types)
	}
	if int64(len(w.events))+1 != stored.Seq { // and OWNER
		t.Errorf("%d events are stored", stored.Seq)
	}
	m, err := w.store.Latest(t.Context(), "one")
	if err != nil || m.Metadata["n"].Any() != int64(1) || m.Run != id || w.value("two") != "2" {
		t.Errorf("%+v, %v, %s", m, err, w.value("two"))
	}
	s, err := w.store.Summary(t.Context(), id)
	if err != nil || s.Status != run.Success || s.Steps != 2 || s.Done != 2 || s.Assets != 2 || s.Ended.IsZero() {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestARunThatHasEndedIsNotRunAgain(t *testing.T) {
	t.Parallel()
	calls := 0
	a := asset.New("a", func(*asset.Context) (int, error) { calls++; return calls, nil }, nil)
	w := setup(t, definitions(asset.List{a}), nil)
	id := w.launch(run.Request{Job: "job"})
	w.run(id, nil)
	if out := w.run(id, nil); out.End != engine.Ended || out.Record.Status != run.Success || calls != 1 {
		t.Errorf("%+v after %d calls", out, calls)
	}
}

func TestAnUnknownRunIsNotFound(t *testing.T) {
	t.Parallel()
	w := setup(t, definitions(asset.List{number("a", 1, nil)}), nil)
	_, err := w.try(t.Context(), "0199f3c2-0000-7000-8000-000000000000", nil)
	if !errors.Is(err, fault.NotFound) {
		t.Error(err)
	}
}

func TestADiamondRunsEachStepOnceAfterAllItReads(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	top := asset.New("top", func(*asset.Context) (int, error) { calls.Add(1); return 1, nil }, nil)
	left, right := plus("left", top, nil), plus("right", top, nil)
	bottom := asset.New2("bottom", func(_ *asset.Context, l, r int) (int, error) { calls.Add(1); return l * 10 * r, nil }, left, right, nil)
	w := setup(t, definitions(asset.List{bottom, right, left, top}), nil)
	want(t, w.job(), "SUCCESS bottom SUCCEEDED, left SUCCEEDED, right SUCCEEDED, top SUCCEEDED")
	if w.value("bottom") != "40" || calls.Load() != 2 {
		t.Errorf("%s after %d calls", w.value("bottom"), calls.Load())
	}
}

func TestAWideRunIsAsParallelAsItsJobSaysAndNoMore(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{1, 3, 0} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var running, most atomic.Int64
				var assets asset.List
				for i := range 2 * job.DefaultParallelism {
					assets = append(assets, asset.New(fmt.Sprintf("a%02d", i), func(*asset.Context) (int, error) {
						n := running.Add(1)
						for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
						}
						time.Sleep(time.Second)
						running.Add(-1)
						return i, nil
					}, nil))
				}
				w := setup(t, jobOf(&job.Options{Parallelism: limit}, assets), nil)
				began := time.Now()
				if r := w.job(); r.Status != run.Success || len(r.Materializations) != len(assets) {
					t.Fatal(outline(r))
				}
				if limit == 0 {
					limit = job.DefaultParallelism
				}
				rounds := time.Duration((len(assets) + limit - 1) / limit)
				if took := time.Since(began).Truncate(time.Second); most.Load() != int64(limit) || took != rounds*time.Second {
					t.Errorf("%d steps at once, %s in all", most.Load(), took)
				}
			})
		})
	}
}

func TestALongChainAndAWideFanCompleteWithASmallBacklog(t *testing.T) {
	t.Parallel()
	assets := asset.List{number("c000", 0, nil)}
	for i := range 300 {
		assets = append(assets, asset.New1(fmt.Sprintf("c%03d", i+1), func(ctx *asset.Context, n int) (int, error) {
			ctx.Log.Info(strings.Repeat("x", 4000)) // so that chunks fill and the writer must be waited for
			return n + 1, nil
		}, assets[i].(*asset.Asset[int]), nil), plus(fmt.Sprintf("w%03d", i), assets[0].(*asset.Asset[int]), nil))
		assets[i+1], assets[len(assets)-2] = assets[len(assets)-2], assets[i+1]
	}
	w := setup(t, definitions(assets), eager)
	if r := w.job(); r.Status != run.Success || w.value("c300") != "300" {
		t.Error(outline(r), w.value("c300"))
	}
}

// TestAValueAndItsStepsSuccessAreStoredTogether looks at the chunks: a crash must find both or neither.
func TestAValueAndItsStepsSuccessAreStoredTogether(t *testing.T) {
	t.Parallel()
	var assets asset.List
	for i := range 20 {
		assets = append(assets, number(fmt.Sprintf("a%d", i), i, nil))
	}
	w := setup(t, definitions(assets), eager)
	id := w.launch(run.Request{Job: "job"})
	// Whoever observes holds the log's lock: held for over a millisecond, the lock goes to the writer who waits for it next.
	_, err := w.engine.Run(t.Context(), id, &engine.RunOptions{Observe: func(e *runlog.Event) {
		for began := time.Now(); e.Type == runlog.Materialization && time.Since(began) < 3*time.Millisecond; {
			runtime.Gosched()
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.store.ReadLog(t.Context(), id, 0, func(c store.Stored) error {
		if types := c.Chunk.Header.Types; types[runlog.Materialization] != types[runlog.StepSuccess] {
			t.Errorf("chunk %d: %v", c.N, types)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func TestAnAssetWithoutAValueIsMaterialized(t *testing.T) {
	t.Parallel()
	done := false
	a := number("a", 1, nil)
	b := asset.Do("b", func(ctx *asset.Context) error {
		n, err := asset.Load(ctx, a)
		done = n == 1
		return err
	}, &asset.Options{Deps: asset.List{a}})
	w := setup(t, definitions(asset.List{a, b}), nil)
	want(t, w.job(), "SUCCESS a SUCCEEDED, b SUCCEEDED")
	if m, err := w.store.Latest(t.Context(), "b"); err != nil || m.Value != nil || !done {
		t.Errorf("%+v, %v, done %t", m, err, done)
	}
}

func TestLoadReadsWhatDepsNameAndNothingElse(t *testing.T) {
	t.Parallel()
	a, other := number("a", 1, nil), number("other", 2, nil)
	var undeclared error
	b := asset.New("b", func(ctx *asset.Context) (int, error) {
		_, undeclared = asset.Load(ctx, other)
		return asset.Load(ctx, a)
	}, &asset.Options{Deps: asset.List{a}})
	w := setup(t, definitions(asset.List{b, a, other}), nil)
	want(t, w.job(), "SUCCESS a SUCCEEDED, b SUCCEEDED, other SUCCEEDED")
	if w.value("b") != "1" || !errors.Is(undeclared, fault.Invalid) || !strings.Contains(undeclared.Error(), `loads "other", which it does not declare (add it to Deps)`) {
		t.Errorf("%s, %v", w.value("b"), undeclared)
	}
}

func TestPreviousLatestAndRunReadTheRecord(t *testing.T) {
	t.Parallel()
	type seen struct {
		Previous int
		Had      bool
		Latest   bool
		Steps    int
	}
	var before run.ID
	b := number("b", 5, nil)
	var got []seen
	a := asset.New("a", func(ctx *asset.Context) (int, error) {
		var s seen
		var err error
		if s.Previous, s.Had, err = asset.Previous[int](ctx); err != nil {
			return 0, err
		}
		if _, s.Latest, err = ctx.Latest(b); err != nil {
			return 0, err
		}
		if _, err := ctx.Run("0199f3c2-0000-7000-8000-000000000000"); !errors.Is(err, fault.NotFound) {
			return 0, fmt.Errorf("unknown run: %w", err)
		}
		if before != "" {
			r, err := ctx.Run(before)
			if err != nil {
				return 0, err
			}
			s.Steps = len(r.Materializations)
		}
		if r, err := ctx.Run(ctx.RunID()); err != nil || r.Status != run.Started {
			return 0, fmt.Errorf("own run: %+v, %w", r, err)
		}
		before = ctx.RunID()
		got = append(got, s)
		return s.Previous + 1, nil
	}, &asset.Options{Deps: asset.List{b}})
	w := setup(t, definitions(asset.List{a, b}), nil)
	w.selection("a")
	want(t, w.job(), "SUCCESS a SUCCEEDED, b SUCCEEDED")
	w.selection("a")
	wanted := []seen{{}, {1, true, false, 1}, {2, true, true, 2}}
	for i := range wanted {
		wanted[i].Latest = got[i].Latest // b may be settled before a looks
	}
	if !slices.Equal(got, wanted) || got[0].Latest || !got[2].Latest {
		t.Errorf("%+v, want %+v", got, wanted)
	}
}

func TestEffectsStartOnlyWhenAllTheyReadIsStored(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var plain, effect atomic.Bool
		a := number("a", 1, nil)
		b := asset.New1("b", func(*asset.Context, int) (int, error) { plain.Store(true); return 1, nil }, a, nil)
		c := asset.New1("c", func(*asset.Context, int) (int, error) { effect.Store(true); return 1, nil }, a, &asset.Options{Effects: true})
		w := setup(t, definitions(asset.List{a, b, c}), impatient)
		id := w.launch(run.Request{Job: "job"})
		release := w.holdChunks(2) // OWNER may pass
		done := make(chan run.Record)
		go func() { done <- w.run(id, nil).Record }()
		synctest.Wait()
		if !plain.Load() || effect.Load() {
			t.Errorf("while nothing is stored: plain step ran %t, step with effects ran %t", plain.Load(), effect.Load())
		}
		release()
		want(t, <-done, "SUCCESS a SUCCEEDED, b SUCCEEDED, c SUCCEEDED")
		if !effect.Load() {
			t.Error("the step with effects did not run")
		}
	})
}

func TestConfigReachesStepsAndChecks(t *testing.T) {
	t.Parallel()
	type Config struct {
		Big   int64
		Names []string
		Wait  time.Duration
	}
	config := asset.NewConfig(Config{Big: 1, Names: []string{"x"}, Wait: time.Second})
	a := asset.New1("a", func(_ *asset.Context, c Config) (string, error) { return fmt.Sprint(c), nil }, config, nil)
	var checked string
	c := check.New2("c", func(_ *asset.Context, _ string, c Config) (check.Result, error) {
		checked = fmt.Sprint(c)
		return check.Result{Passed: true}, nil
	}, a, config, nil)
	w := setup(t, jobOf(&job.Options{Config: map[string]any{"wait": "2m"}}, asset.List{a}, c), nil)
	r := w.run(w.launch(run.Request{Job: "job", Config: run.Config{"big": int64(9007199254740993), "names": "a,b"}}), nil).Record
	want(t, r, "SUCCESS a SUCCEEDED, a:c SUCCEEDED")
	if text := "{9007199254740993 [a b] 2m0s}"; w.value("a") != `"`+text+`"` || checked != text {
		t.Errorf("%s and %s", w.value("a"), checked)
	}
}

func TestAConfigThatDoesNotFitFailsTheRunWithTheReasonHoweverLongItIs(t *testing.T) {
	t.Parallel()
	a := asset.New1("a", func(_ *asset.Context, c struct{ N int64 }) (int, error) { return 1, nil }, asset.NewConfig(struct{ N int64 }{}), nil)
	for _, bad := range []string{"x", strings.Repeat("<", 50<<10)} {
		w := setup(t, definitions(asset.List{a}), nil)
		r := w.run(w.launch(run.Request{Job: "job", Config: run.Config{"n": bad}}), nil).Record
		if r.Status != run.Failure || r.Reason != run.BadConfig || !strings.HasPrefix(r.Error, "config n="+bad[:1]) {
			t.Errorf("%s %s: %.80s", r.Status, r.Reason, r.Error)
		}
	}
}

func TestAJobThatIsGoneOrChangedFailsTheRunWithWhatToDo(t *testing.T) {
	t.Parallel()
	a := number("a", 1, nil)
	w := setup(t, definitions(asset.List{a}), nil)
	gone := w.run(w.launch(run.Request{Job: "jub"}), nil).Record
	if gone.Status != run.Failure || gone.Reason != run.RunException || !strings.Contains(gone.Error, `unknown job "jub" (did you mean "job"?)`) {
		t.Errorf("%s %s: %s", gone.Status, gone.Reason, gone.Error)
	}

	failing := asset.New("a", func(*asset.Context) (int, error) { return 0, errors.New("no") }, &asset.Options{Retry: asset.Retry{Max: 1, Delay: time.Hour}})
	w = setup(t, definitions(asset.List{failing}), &engine.Options{Park: time.Nanosecond})
	id := w.launch(run.Request{Job: "job"})
	if out := w.run(id, nil); out.End != engine.Parked {
		t.Fatalf("%+v", out)
	}
	changed := w.with(definitions(asset.List{a, number("b", 1, nil)}), nil).run(id, nil).Record
	if changed.Status != run.Failure || changed.Reason != run.RunException || !strings.Contains(changed.Error, "launch it again") {
		t.Errorf("%s %s: %s", changed.Status, changed.Reason, changed.Error)
	}
}
