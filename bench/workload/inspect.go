package workload

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"waggle/shared/metadata"
	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/store"
)

// Verified is what Inspect has read.
type Verified struct {
	Events   int64 `json:"events"`
	Chunks   int64 `json:"chunks"`
	LogBytes int64 `json:"log_bytes"` // headers and bodies of the chunks
}

// Inspect compares the whole record of a run of the job with what it must hold: events, then rows, then the summary.
func (w Workload) Inspect(ctx context.Context, s *store.Store, id run.ID) (Verified, error) {
	summary, err := s.Summary(ctx, id)
	if err != nil {
		return Verified{}, err
	}
	v, r := Verified{}, newReader(w)
	fold := runlog.NewFold(id, summary.Request, summary.Launched)
	err = s.ReadLog(ctx, id, 0, func(c store.Stored) error {
		if c.N != v.Chunks {
			return fmt.Errorf("chunk %d follows %d chunks", c.N, v.Chunks)
		}
		v.Chunks++
		header, err := json.Marshal(c.Chunk.Header)
		if err != nil {
			return err
		}
		v.LogBytes += int64(len(header) + len(c.Chunk.Body))
		events, err := s.Unpack(c.Chunk)
		if err != nil {
			return err
		}
		for i := range events {
			if err := fold.Apply(&events[i]); err != nil {
				return err
			}
			if err := r.read(&events[i]); err != nil {
				return fmt.Errorf("event %d: %w", events[i].Seq, err)
			}
		}
		v.Events += int64(len(events))
		return nil
	})
	if err != nil {
		return v, err
	}
	if err := r.end(); err != nil {
		return v, err
	}
	if len(fold.Record.Materializations) != w.Steps {
		return v, fmt.Errorf("%d materializations of %d steps", len(fold.Record.Materializations), w.Steps)
	}
	for _, m := range fold.Record.Materializations {
		if err := sameRow(ctx, s, m); err != nil {
			return v, fmt.Errorf("rows of %s: %w", m.Asset, err)
		}
	}
	return v, settled(ctx, s, summary, id, v.Chunks-1)
}

// settled compares the run's summary with a run that has ended and owes nothing.
func settled(ctx context.Context, s *store.Store, summary store.Summary, id run.ID, lastChunk int64) error {
	if summary.Status != run.Success || summary.Settled != lastChunk {
		return fmt.Errorf("the summary says %s, settled up to chunk %d of %d", summary.Status, summary.Settled, lastChunk)
	}
	o, err := s.Owner(ctx, id)
	if err == nil && (o.Token != "" || !o.Due.IsZero() || o.Epoch != 1) {
		return fmt.Errorf("the run is owned by %q or due %s in epoch %d", o.Worker, o.Due, o.Epoch)
	}
	return err
}

// sameRow compares the rows of an asset with the materialization that the log tells.
func sameRow(ctx context.Context, s *store.Store, m run.Materialization) error {
	history, err := s.History(ctx, m.Asset, 10)
	if err != nil {
		return err
	}
	latest, err := s.Latest(ctx, m.Asset)
	if err != nil {
		return err
	}
	rows := slices.DeleteFunc(slices.Clone(history), func(row run.Materialization) bool { return row.Run != m.Run })
	if len(rows) != 1 || !reflect.DeepEqual(history[0], latest) || latest.Run != m.Run {
		return fmt.Errorf("%d rows of the run, or the newest is not the latest", len(rows))
	}
	if err := sameMetadata(latest.Metadata, m.Metadata); err != nil {
		return err
	}
	if err := sameValue(latest.Value, m.Value); err != nil {
		return err
	}
	if latest.Run != m.Run || latest.Seq != m.Seq || !latest.Time.Equal(m.Time) || latest.Duration != m.Duration || latest.Verdict != run.Good {
		return fmt.Errorf("the row says %+v, the log %+v", latest, m)
	}
	return nil
}

// reader compares events with those that the workload must leave, step by step.
type reader struct {
	w     Workload
	steps []seen
	place map[run.StepKey]int
	run   []runlog.Type
}

type seen struct {
	want []runlog.Event // what is left of them
}

func newReader(w Workload) *reader {
	r := &reader{w: w, steps: make([]seen, w.Steps), place: make(map[run.StepKey]int, w.Steps)}
	values := make([]int64, w.Steps)
	for i := range w.Steps {
		f, before := w.facts(i), int64(0)
		if from := w.before(i); from >= 0 {
			before = values[from]
		}
		values[i] = f.value(before)
		r.steps[i].want = f.events(before)
		r.place[run.StepKey(f.key)] = i
	}
	return r
}

func (r *reader) read(e *runlog.Event) error {
	if e.Step == "" {
		r.run = append(r.run, e.Type)
		return nil
	}
	i, ok := r.place[e.Step]
	if !ok {
		return fmt.Errorf("unknown step %q", e.Step)
	}
	s := &r.steps[i]
	if len(s.want) == 0 {
		return fmt.Errorf("%s of %s is one too many", e.Type, e.Step)
	}
	want := s.want[0]
	s.want = s.want[1:]
	if from := r.w.before(i); from >= 0 && len(r.steps[from].want) > 0 {
		return fmt.Errorf("%s of %s before the step it reads has ended", e.Type, e.Step)
	}
	if e.Type != want.Type || e.Level != want.Level || e.Message != want.Message || e.Attempt != 1 || e.Time.IsZero() {
		return fmt.Errorf("%s %s %q, attempt %d of %s; want %s %s %q", e.Type, e.Level, e.Message, e.Attempt, e.Step, want.Type, want.Level, want.Message)
	}
	return sameData(e.Data, want.Data)
}

// end reports what is missing.
func (r *reader) end() error {
	if want := []runlog.Type{runlog.Owner, runlog.RunStart, runlog.RunSuccess}; !reflect.DeepEqual(r.run, want) {
		return fmt.Errorf("events of the run are %v, want %v", r.run, want)
	}
	for i, s := range r.steps {
		if len(s.want) > 0 {
			return fmt.Errorf("step %d has no %s", i, s.want[0].Type)
		}
	}
	return nil
}

// sameData compares the data of an event, durations aside.
func sameData(got, want any) error {
	switch want := want.(type) {
	case *runlog.Logged:
		if got, ok := got.(*runlog.Logged); ok && bytes.Equal(got.Attrs, want.Attrs) && got.Blob == "" {
			return nil
		}
	case *runlog.Outcome:
		if got, ok := got.(*runlog.Outcome); ok && got.Error == nil && got.Metadata == nil && got.DurationMS > 0 {
			return nil
		}
	case *runlog.Materialized:
		got, ok := got.(*runlog.Materialized)
		if !ok || got.DurationMS <= 0 || len(got.Blocking) > 0 {
			break
		}
		if err := sameMetadata(got.Metadata, want.Metadata); err != nil {
			return err
		}
		return sameValue(got.Value, want.Value)
	default:
		if got == nil {
			return nil
		}
	}
	return fmt.Errorf("its data is %+v, want %+v", got, want)
}

func sameMetadata(got, want metadata.Values) error {
	if len(got) != len(want) {
		return fmt.Errorf("%d metadata values, want %d", len(got), len(want))
	}
	for label, w := range want {
		if g := got[label]; g.Type != w.Type || !bytes.Equal(g.Value, w.Value) || g.Blob != w.Blob {
			return fmt.Errorf("metadata %q is %s %s, want %s %s", label, g.Type, g.Value, w.Type, w.Value)
		}
	}
	return nil
}

func sameValue(got, want *run.Value) error {
	if got == nil || want == nil || got.Codec != want.Codec || got.Size != want.Size || got.Blob != "" || !bytes.Equal(got.Inline, want.Inline) {
		return fmt.Errorf("its value is %+v, want %+v", got, want)
	}
	return nil
}
