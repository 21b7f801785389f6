package workload

import (
	"context"
	"testing"

	"gocloud.dev/blob/memblob"

	"waggle/shared/engine"
	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/store"
	"waggle/shared/store/memorydriver"
)

// ran runs a workload in memory.
func ran(t *testing.T, w Workload) (*store.Store, run.ID) {
	t.Helper()
	s := store.New(memorydriver.New(nil), store.NewBlobs(memblob.OpenBucket(nil)), nil)
	t.Cleanup(func() { _ = s.Close() })
	id, err := s.Launch(t.Context(), run.Request{Job: JobName})
	if err != nil {
		t.Fatal(err)
	}
	out, err := engine.New(s, w.Definitions(), nil).Run(context.Background(), id, nil)
	if err != nil || out.Record.Status != run.Success {
		t.Fatal(out, err)
	}
	return s, id
}

func TestAWholeRecordIsVerified(t *testing.T) {
	t.Parallel()
	for _, form := range Shapes() {
		w := Workload{form, 40}
		s, id := ran(t, w)
		v, err := w.Inspect(t.Context(), s, id)
		if err != nil || v.Events != 40*6+3 || v.LogBytes == 0 {
			t.Errorf("%s: %+v %v", form, v, err)
		}
	}
}

func TestARecordOfOtherStepsIsNotVerified(t *testing.T) {
	t.Parallel()
	s, id := ran(t, Workload{Chain, 40})
	for _, other := range []Workload{{Chain, 39}, {Chain, 41}, {Wide, 40}} {
		if _, err := other.Inspect(t.Context(), s, id); err == nil {
			t.Errorf("it passes for %+v", other)
		}
	}
}

func TestARowThatDiffersFromTheLogIsNotVerified(t *testing.T) {
	t.Parallel()
	w := Workload{Wide, 3}
	s, id := ran(t, w)
	m, err := s.Latest(t.Context(), w.facts(2).key)
	if err != nil {
		t.Fatal(err)
	}
	m.Value = &run.Value{Codec: "json", Inline: []byte("0"), Size: 1}
	if err := s.PutRows(t.Context(), runlog.Rows{Materializations: []run.Materialization{m}}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Inspect(t.Context(), s, id); err == nil {
		t.Error("it passes with a changed row")
	}
	m.Seq++
	if err := s.PutRows(t.Context(), runlog.Rows{Materializations: []run.Materialization{m}}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Inspect(t.Context(), s, id); err == nil {
		t.Error("it passes with a row too many")
	}
}

func TestEveryEventIsCompared(t *testing.T) {
	t.Parallel()
	w := Workload{Chain, 2}
	s, id := ran(t, w)
	var events []runlog.Event
	if err := s.ReadLog(t.Context(), id, 0, func(c store.Stored) error {
		list, err := s.Unpack(c.Chunk)
		events = append(events, list...)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	passes := func(events []runlog.Event) bool {
		r := newReader(w)
		for i := range events {
			if r.read(&events[i]) != nil {
				return false
			}
		}
		return r.end() == nil
	}
	if !passes(events) {
		t.Fatal("the whole log does not pass")
	}
	for i := range events {
		if without := append(append([]runlog.Event(nil), events[:i]...), events[i+1:]...); passes(without) {
			t.Errorf("it passes without event %d (%s)", i+1, events[i].Type)
		}
		changed := append([]runlog.Event(nil), events...)
		changed[i].Message += "!"
		if changed[i].Step != "" && passes(changed) {
			t.Errorf("it passes with another message in event %d (%s)", i+1, events[i].Type)
		}
	}
}
