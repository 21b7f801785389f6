package events_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gocloud.dev/blob/memblob"

	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/engine"
	"waggle/shared/event"
	"waggle/shared/job"
	"waggle/shared/run"
	"waggle/shared/store"
	"waggle/shared/store/memorydriver"
	"waggle/shared/waggle"
)

// pipeline is two jobs that come to every status: one that fails by its checks and is retried, one that waits for its slot.
func pipeline(hold func(*asset.Context) error) waggle.Definitions {
	good := asset.New("good", func(*asset.Context) (int, error) { return 1, nil }, nil)
	refused := asset.New1("reports/refused", func(_ *asset.Context, n int) (int, error) { return n, nil }, good, nil)
	after := asset.New1("after", func(_ *asset.Context, n int) (int, error) { return n, nil }, refused, nil)
	waits := asset.Do("waits", hold, nil)
	says := func(name string, a *asset.Asset[int], passed bool, err error, opts *check.Options) *check.Check {
		return check.New1(name, func(*asset.Context, int) (check.Result, error) { return check.Result{Passed: passed}, err }, a, opts)
	}
	return waggle.Definitions{
		Assets: asset.List{good, refused, after, waits},
		Checks: check.List{
			says("passes", good, true, nil, &check.Options{Blocking: true}),
			says("warns", good, false, nil, &check.Options{Severity: check.Warn}),
			says("breaks", good, false, errors.New("no answer"), nil),
			says("refuses", refused, false, nil, &check.Options{Blocking: true}),
		},
		Jobs: job.List{
			job.New("failing", asset.List{good, refused, after}, &job.Options{Retry: job.Retry{Max: 1}}),
			job.New("waiting", asset.List{waits}, &job.Options{MaxRuns: 1}),
		},
	}
}

// published runs the pipeline to its end and returns what the engine published, in JSON and as it was.
func published(t *testing.T) (details [][]byte, events []event.Event) {
	t.Helper()
	var mu sync.Mutex
	publish := func(_ context.Context, list []event.Event) error {
		mu.Lock()
		defer mu.Unlock()
		for _, e := range list {
			detail, err := json.Marshal(e)
			if err != nil {
				return err
			}
			details, events = append(details, detail), append(events, e)
		}
		return nil
	}
	s := store.New(memorydriver.New(nil), store.NewBlobs(memblob.OpenBucket(nil)), nil)
	defer func() { _ = s.Close() }()
	ctx := t.Context()
	canceled, began := make(chan struct{}), make(chan struct{}, 2)
	defs := pipeline(func(ctx *asset.Context) error {
		began <- struct{}{}
		select {
		case <-canceled:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	if err := defs.Validate(); err != nil {
		t.Fatal(err)
	}
	e := engine.New(s, defs, &engine.Options{Publish: publish, Worker: "test"})
	launch := func(name string) run.ID {
		t.Helper()
		req, _, err := defs.Request(run.Request{Job: name})
		if err != nil {
			t.Fatal(err)
		}
		id, err := s.Launch(ctx, req)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	finish := func(id run.ID) engine.Outcome {
		t.Helper()
		out, err := e.Run(ctx, id, nil)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	if out := finish(launch("failing")); out.Retry == "" {
		t.Fatalf("%s and no retry", out.Record.Status)
	} else {
		finish(out.Retry)
	}
	first, second := launch("waiting"), launch("waiting")
	ended := make(chan engine.Outcome)
	go func() {
		out, err := e.Run(ctx, first, nil)
		if err != nil {
			t.Error(err)
		}
		ended <- out
	}()
	<-began
	finish(second) // it has no slot and is given up
	if err := s.RequestCancel(ctx, first); err != nil {
		t.Error(err)
	}
	<-ended
	close(canceled)
	for range 100 {
		if out := finish(second); out.Record.Status.Terminal() {
			return details, events
		}
	}
	t.Fatal("the run that waited does not end")
	return nil, nil
}

// TestWhatAPipelinePublishesKeepsTheContract runs a pipeline, and holds each event against its schema, its rule and the others.
func TestWhatAPipelinePublishesKeepsTheContract(t *testing.T) {
	t.Parallel()
	contracts := setup(t)
	details, events := published(t)
	seen := map[string]bool{}
	for i, detail := range details {
		e := events[i]
		conforms(t, contracts, detail, e)
		words := strings.Join([]string{string(e.Status), string(e.Reason), string(e.Verdict), string(e.CheckStatus), string(e.Severity)}, " ")
		seen[strings.Join(strings.Fields(string(e.Type)+" "+words), " ")] = true
	}
	want := []string{
		"Asset Check Evaluated EXECUTION_FAILED ERROR", "Asset Check Evaluated FAILED ERROR", "Asset Check Evaluated FAILED WARN", "Asset Check Evaluated SUCCEEDED ERROR",
		"Asset Materialized BLOCKED", "Asset Materialized GOOD",
		"Run Status Change CANCELED", "Run Status Change CANCELING", "Run Status Change FAILURE STEP_FAILURE", "Run Status Change NOT_STARTED",
		"Run Status Change QUEUED", "Run Status Change STARTED", "Run Status Change SUCCESS",
	}
	if got := slices.Sorted(maps.Keys(seen)); !slices.Equal(got, want) {
		t.Errorf("the pipeline published\n%q, want\n%q", got, want)
	}
}

// conforms holds an event that was published against its schema, its rule and the rules of the others.
func conforms(t *testing.T, contracts []contract, detail []byte, e event.Event) {
	t.Helper()
	var c contract
	for _, one := range contracts {
		if one.today && one.title() == e.Type {
			c = one
		}
	}
	if c.dir == "" {
		t.Fatalf("no contract for %s", detail)
	}
	if err := c.validate(detail); err != nil {
		t.Errorf("%s does not fit %s/schema.json: %v", detail, c.dir, err)
	}
	known := properties(t, c.written)
	for field := range object(t, detail) {
		if _, ok := known[field]; !ok {
			t.Errorf("%s/schema.json does not have %s of %s", c.dir, field, detail)
		}
	}
	whole := map[string]any{"source": "waggle", "detail-type": string(e.Type), "detail": object(t, detail)}
	for _, other := range contracts {
		ok, err := matches(object(t, read(t, other.dir+"/rule.json")), whole)
		if err != nil || other.today && ok != (other.dir == c.dir) {
			t.Errorf("%s/rule.json matches %s: %t, %v", other.dir, detail, ok, err)
		}
	}
}

// TestTheLargestEventHasLessThanFourKilobytes gives an event all the fields of its schema, as long as keys and names may be.
func TestTheLargestEventHasLessThanFourKilobytes(t *testing.T) {
	t.Parallel()
	name := strings.Repeat("x", 200)
	longest := map[string]string{"id": "schedule/" + name + "/" + name, "step": name + ":" + name, "event_id": name, "run_id": strings.Repeat("x", 36), "delivery_id": "0123456789ab"}
	for _, c := range setup(t) {
		detail := map[string]any{}
		for field, p := range properties(t, c.written) {
			switch shape := p.shape(); {
			case len(p.Enum) > 0:
				detail[field] = slices.MaxFunc(p.Enum, func(a, b string) int { return len(a) - len(b) })
			case p.Const != nil:
				detail[field] = p.Const
			case shape == "time":
				detail[field] = time.Date(2026, 7, 1, 1, 0, 0, 123_456_000, time.UTC)
			case shape == "integer":
				detail[field] = int64(math.MaxInt64)
			default:
				detail[field] = cmp.Or(longest[field], name)
			}
		}
		data, err := json.Marshal(detail)
		var e event.Event
		if err != nil || strict(data, &e) != nil || len(data) > 4<<10 {
			t.Errorf("%s: %d bytes, %v", c.dir, len(data), err)
		}
	}
}
