package runlog_test

import (
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"waggle/shared/fault"
	"waggle/shared/run"
	"waggle/shared/runlog"
)

// TestAnOwnerThatReadsTheLogKnowsWhatTheOneBeforeKnew folds a log as it was made, and again a part from chunks and the rest after it.
func TestAnOwnerThatReadsTheLogKnowsWhatTheOneBeforeKnew(t *testing.T) {
	t.Parallel()
	codec := runlog.NewCodec()
	rapid.Check(t, func(r *rapid.T) {
		events := history().Draw(r, "events")
		whole := fold(r, events)
		read := rapid.IntRange(0, len(events)).Draw(r, "read")
		again := runlog.NewFold(id, request, launched)
		apply := func(e *runlog.Event) {
			if err := again.Apply(e); err != nil {
				r.Fatal(err)
			}
		}
		for _, c := range chunks(r, codec, events[:read]) {
			unpacked, err := codec.Unpack(c)
			if err != nil {
				r.Fatal(err)
			}
			for i := range unpacked {
				apply(&unpacked[i])
			}
		}
		for i := range events[read:] {
			apply(&events[read+i])
		}
		if diff := cmp.Diff(whole, again, alike); diff != "" {
			r.Fatal(diff)
		}
		for _, s := range whole.Record.Steps {
			if known, progress := whole.Step(s.Key); known == nil || known.Key != s.Key || progress == nil {
				r.Fatalf("step %s is not found", s.Key)
			}
		}
	})
}

func TestWhatTheStateMachineDoesNotAllowIsRefusedAndChangesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		events := history().Draw(r, "events")
		f, same := fold(r, events), fold(r, events)
		kind := rapid.SampledFrom(slices.Sorted(maps.Keys(after))).Draw(r, "type")
		e := runlog.Event{Seq: f.Seq + 1, Time: f.Time.Add(time.Second), Type: kind, Data: dataFor(r, kind)}
		allowed := f.Record.Status.May(after[kind])
		if rapid.Bool().Draw(r, "out of order") {
			e.Seq += rapid.SampledFrom([]int64{-1, 1, 100}).Draw(r, "by")
			allowed = false
		}
		err := f.Apply(&e)
		if (err == nil) != allowed || err != nil && !errors.Is(err, fault.Corrupt) {
			r.Fatalf("%s at %s: %v", kind, same.Record.Status, err)
		}
		if err == nil {
			return
		}
		if diff := cmp.Diff(same, f, alike); diff != "" {
			r.Fatal(diff)
		}
	})
}

func TestATerminalStatusRefusesEveryOther(t *testing.T) {
	t.Parallel()
	ends := []runlog.Type{runlog.RunSuccess, runlog.RunFailure, runlog.RunCanceled}
	for _, end := range ends {
		f := fold(t, numbered(runlog.Event{Type: runlog.RunStart, Data: &runlog.Start{}}, runlog.Event{Type: end}))
		for _, next := range append(slices.Clone(ends), runlog.RunStart, runlog.RunCanceling) {
			if next == end {
				continue
			}
			if err := f.Apply(&runlog.Event{Seq: 3, Time: f.Time, Type: next}); !errors.Is(err, fault.Corrupt) {
				t.Errorf("%s after %s: %v", next, end, err)
			}
		}
	}
}

func owned(died bool) runlog.Event {
	return runlog.Event{Type: runlog.Owner, Data: &runlog.Ownership{Died: died}}
}

func started(step run.StepKey, careful bool) runlog.Event {
	e := runlog.Event{Type: runlog.StepStart, Step: step, Attempt: 1}
	if careful {
		e.Data = &runlog.Begun{Careful: true}
	}
	return e
}

func ended(kind runlog.Type, step run.StepKey) runlog.Event {
	return runlog.Event{Type: kind, Step: step, Attempt: 1, Data: &runlog.Outcome{}}
}

func TestStepsThatRanWhenTheirOwnerDiedAreSuspectUntilTheyHaveAResult(t *testing.T) {
	t.Parallel()
	f := fold(t, numbered(owned(false), started("a", false), started("b", false), started("c", false), ended(runlog.StepSuccess, "c"), owned(true)))
	suspects := func() (s []run.StepKey) {
		for _, step := range f.Record.Steps {
			if _, p := f.Step(step.Key); p.Suspect {
				s = append(s, step.Key)
			}
		}
		return s
	}
	if got := suspects(); !slices.Equal(got, []run.StepKey{"a", "b"}) || f.Barren != 1 {
		t.Fatalf("suspects %v, %d barren owners", got, f.Barren)
	}
	for i, e := range []runlog.Event{started("a", true), ended(runlog.StepSuccess, "a")} {
		e.Seq = f.Seq + 1
		if err := f.Apply(&e); err != nil {
			t.Fatal(err)
		}
		if want := [][]run.StepKey{{"a", "b"}, {"b"}}[i]; !slices.Equal(suspects(), want) {
			t.Errorf("after %s: %v", e.Type, suspects())
		}
	}
	if f.Barren != 0 {
		t.Errorf("%d barren owners after a result", f.Barren)
	}
}

func TestADeathCountsOnlyAgainstAStepThatRanAlone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		events []runlog.Event
		deaths int
		barren int
	}{
		{"ran among others", numbered(owned(false), started("a", false), owned(true)), 0, 1},
		{"ran alone", numbered(owned(true), started("a", true), owned(true)), 1, 2},
		{"ran alone and ended", numbered(owned(true), started("a", true), ended(runlog.StepSuccess, "a"), owned(true)), 0, 1},
		{"ran alone, owner handed over", numbered(owned(true), started("a", true), owned(false)), 0, 1},
		{"ran alone, interrupted", numbered(owned(true), started("a", true), ended(runlog.StepInterrupted, "a"), owned(true)), 0, 1},
		{"ran alone twice", numbered(owned(true), started("a", true), owned(true), started("a", true), owned(true)), 2, 3},
	} {
		f := fold(t, c.events)
		if _, p := f.Step("a"); p.Deaths != c.deaths || f.Barren != c.barren {
			t.Errorf("%s: %d deaths and %d barren owners, want %d and %d", c.name, p.Deaths, f.Barren, c.deaths, c.barren)
		}
	}
}

func TestALeanFoldLeavesTheBytesOfValuesOut(t *testing.T) {
	t.Parallel()
	f := runlog.NewFold(id, run.Request{}, launched)
	f.Lean = true
	e := numbered(runlog.Event{Type: runlog.Materialization, Step: "a", Data: &runlog.Materialized{Value: &run.Value{Codec: "json", Inline: []byte("1"), Size: 1}}})
	if err := f.Apply(&e[0]); err != nil {
		t.Fatal(err)
	}
	if v := f.Record.Materializations[0].Value; v.Inline != nil || v.Codec != "json" || v.Size != 1 {
		t.Errorf("%+v", v)
	}
	if data := e[0].Data.(*runlog.Materialized); data.Value.Inline == nil {
		t.Error("the event itself has lost its value")
	}
}
