package waggletest

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"waggle/shared/asset"
	"waggle/shared/fault"
	"waggle/shared/metadata"
	"waggle/shared/notify"
	"waggle/shared/run"
)

// Report is what a function reported to its context.
type Report struct {
	t    testing.TB
	step *step
}

// Context returns a context for calling an asset's or check's plain function, and what it reports. Load finds the
// given values; the clock is the real one until SetNow.
func Context(t testing.TB, given ...Value) (*asset.Context, *Report) {
	t.Helper()
	s := &step{t: t, given: given, metadata: metadata.Values{}, now: time.Now}
	return asset.NewContext(t.Context(), s), &Report{t: t, step: s}
}

// Metadata returns the value of a label as Go has it after JSON, and nil where it was not added: int64, float64, bool,
// string, or maps and slices. A label that could not be encoded fails the test.
func (r *Report) Metadata(label string) any {
	r.t.Helper()
	r.step.mu.Lock()
	defer r.step.mu.Unlock()
	if r.step.err != nil {
		r.t.Errorf("waggletest: %v", r.step.err)
	}
	v, ok := r.step.metadata[label]
	if !ok {
		return nil
	}
	return v.Any()
}

// Labels lists the metadata labels, in order.
func (r *Report) Labels() []string {
	r.step.mu.Lock()
	defer r.step.mu.Unlock()
	return r.step.metadata.Labels()
}

// Logs returns the log records so far.
func (r *Report) Logs() []slog.Record {
	r.step.mu.Lock()
	defer r.step.mu.Unlock()
	return append([]slog.Record(nil), r.step.logs...)
}

// Sent lists the messages so far, in order.
func (r *Report) Sent() []Sent {
	r.step.mu.Lock()
	defer r.step.mu.Unlock()
	return append([]Sent(nil), r.step.sent...)
}

// SetNow sets the context's clock to a fixed time.
func (r *Report) SetNow(now time.Time) {
	r.step.mu.Lock()
	defer r.step.mu.Unlock()
	r.step.now = func() time.Time { return now }
}

// step is an asset.Step without an engine.
type step struct {
	t     testing.TB
	given []Value

	mu       sync.Mutex
	now      func() time.Time
	metadata metadata.Values
	err      error
	logs     []slog.Record
	sent     []Sent
	kept     map[string][]byte
}

func (s *step) Handler() slog.Handler { return &handler{step: s} }

func (s *step) AddMetadata(values metadata.Values, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.Copy(s.metadata, values)
	if err != nil && s.err == nil {
		s.err = err
	}
}

func (s *step) Load(_ context.Context, def *asset.Definition) (any, error) {
	for _, v := range s.given {
		if v.def == def {
			return v.passed(s.t), nil
		}
	}
	return nil, fault.New(fault.NotFound, "the test gives no value for %q", string(def.Key)).WithHint("pass waggletest.Given to Context")
}

func (s *step) Previous(context.Context) (any, error) {
	return nil, fault.New(fault.NotFound, "there is no earlier run in this test")
}

func (s *step) Before(context.Context) (run.Materialization, error) {
	return run.Materialization{}, fault.New(fault.NotFound, "there is no earlier run in this test")
}

func (s *step) Materialization(ctx context.Context, def *asset.Definition) (run.Materialization, error) {
	return s.Latest(ctx, def.Key)
}

func (s *step) Latest(_ context.Context, key asset.Key) (run.Materialization, error) {
	for _, v := range s.given {
		if v.def.Key == key {
			return v.materialization(s.t, s.Now(), "given"), nil
		}
	}
	return run.Materialization{}, fault.New(fault.NotFound, "the test gives no value for %q", string(key))
}

func (s *step) Run(_ context.Context, id run.ID) (run.Record, error) {
	return run.Record{}, fault.New(fault.NotFound, "there is no run %q in this test", string(id))
}

func (s *step) Keep(_ context.Context, name string, data []byte) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	blob := fmt.Sprintf("kept/%d-%s", len(s.kept)+1, name)
	if s.kept == nil {
		s.kept = map[string][]byte{}
	}
	s.kept[blob] = slices.Clone(data)
	return blob, nil
}

func (s *step) Kept(_ context.Context, blob string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	data, ok := s.kept[blob]
	if !ok {
		return nil, fault.New(fault.NotFound, "nothing was kept as %q in this test", blob)
	}
	return data, nil
}

func (s *step) Notify(_ context.Context, message notify.Sendable, channels []*notify.Channel) error {
	content, err := message.Content(notify.Full)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range channels {
		s.sent = append(s.sent, Sent{c.Definition().Name, content})
	}
	return nil
}

func (s *step) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now()
}

func (s *step) Info() asset.Info {
	return asset.Info{Run: "test", Job: "test", Step: "test", Attempt: 1}
}

// handler keeps log records for Report.Logs and shows them with the test's output.
type handler struct {
	step  *step
	attrs []slog.Attr
}

func (h *handler) Enabled(context.Context, slog.Level) bool { return true }

func (h *handler) Handle(_ context.Context, r slog.Record) error {
	r = r.Clone()
	r.AddAttrs(h.attrs...)
	h.step.mu.Lock()
	defer h.step.mu.Unlock()
	h.step.logs = append(h.step.logs, r)
	h.step.t.Logf("%s %s", r.Level, r.Message)
	return nil
}

func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &handler{step: h.step, attrs: append(append([]slog.Attr(nil), h.attrs...), attrs...)}
}

func (h *handler) WithGroup(string) slog.Handler { return h }
