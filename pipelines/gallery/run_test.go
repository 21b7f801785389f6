package gallery

import (
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/metadata"
	"waggle/shared/run"
)

// report is what a step said of itself.
type report struct {
	asset.Step // nil: what a step may not ask for here
	mu         sync.Mutex
	values     metadata.Values
	lines      strings.Builder
	now        time.Time
}

// step returns a context to call an asset's function with, and what the function reports. Its
// clock goes on by 1.5 ms a look.
func step(t *testing.T) (*asset.Context, *report) {
	r := &report{values: metadata.Values{}, now: time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)}
	return asset.NewContext(t.Context(), r), r
}

func (r *report) Handler() slog.Handler {
	return slog.NewTextHandler(&r.lines, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})
}

func (r *report) AddMetadata(values metadata.Values, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.Copy(r.values, values)
	if err != nil {
		panic(err)
	}
}

func (r *report) Now() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = r.now.Add(1500 * time.Microsecond)
	return r.now
}

// want fails the test for metadata that is not as it should be, written as people see it.
func (r *report) want(t *testing.T, want map[string]string) {
	t.Helper()
	for _, label := range slices.Sorted(maps.Keys(want)) {
		value, ok := r.values[label]
		if !ok {
			t.Errorf("no metadata %q; there is %v", label, r.values.Labels())
		} else if got := string(value.Value); got != want[label] {
			t.Errorf("metadata %q is %s, want %s", label, got, want[label])
		}
	}
}

// wantLabels fails the test unless exactly these labels were set, given in order.
func (r *report) wantLabels(t *testing.T, labels string) {
	t.Helper()
	if got := strings.Join(r.values.Labels(), " "); got != labels {
		t.Errorf("labels\n%s\nwant\n%s", got, labels)
	}
}

// results are what a run of the job made.
type results struct {
	values  map[asset.Key]any
	reports map[run.StepKey]*report
	checks  map[string]check.Result
}

// runGallery runs the job step by step. As between functions in the cloud, values go through
// their codec.
func runGallery(t *testing.T, config map[string]any) results {
	t.Helper()
	p, err := Definitions.Plan(run.Request{Job: "gallery"})
	if err != nil {
		t.Fatal(err)
	}
	r := results{map[asset.Key]any{}, map[run.StepKey]*report{}, map[string]check.Result{}}
	for _, s := range p.Steps {
		var inputs []any
		for _, in := range s.Inputs() {
			if in.Asset != nil {
				inputs = append(inputs, r.values[in.Asset.Key])
				continue
			}
			settings, err := in.Config.Build(config)
			if err != nil {
				t.Fatal(err)
			}
			inputs = append(inputs, settings)
		}
		ctx, report := step(t)
		r.reports[s.Key] = report
		if s.Check != nil {
			if r.checks[s.Check.Name], err = s.Check.Call(ctx, inputs); err != nil {
				t.Fatalf("%s: %v", s.Key, err)
			}
			continue
		}
		value, err := s.Asset.Call(ctx, inputs)
		if err != nil {
			t.Fatalf("%s: %v", s.Key, err)
		}
		data, err := s.Asset.Codec.Encode(value)
		if err != nil {
			t.Fatalf("%s: %v", s.Key, err)
		}
		if r.values[s.Asset.Key], err = s.Asset.Codec.Decode(data, s.Asset.Type); err != nil {
			t.Fatalf("%s: %v", s.Key, err)
		}
	}
	return r
}

// harvest calls the function of an input asset for its error.
func harvest[R any](t *testing.T, read func(*asset.Context, Config) ([]R, error), cfg Config) error {
	ctx, _ := step(t)
	_, err := read(ctx, cfg)
	return err
}
