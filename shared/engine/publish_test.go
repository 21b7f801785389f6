package engine_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gocloud.dev/blob/memblob"

	"waggle/shared/asset"
	"waggle/shared/engine"
	"waggle/shared/event"
	"waggle/shared/fault"
	"waggle/shared/run"
	"waggle/shared/store"
	"waggle/shared/store/memorydriver"
)

// bus takes events, unless it is down.
type bus struct {
	mu    sync.Mutex
	down  error
	heard []string
}

func (b *bus) sofar() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.heard)
}

func (b *bus) publish(_ context.Context, events []event.Event) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.down != nil {
		return b.down
	}
	for _, e := range events {
		b.heard = append(b.heard, string(e.Type)+" "+string(e.Status)+string(e.Asset))
	}
	return nil
}

func onBus(b *bus) *engine.Options {
	o := *impatient
	o.Publish = b.publish
	return &o
}

// TestABusThatIsDownDelaysNoRunAndLosesNoEvent has the bus down while a run goes on and ends.
func TestABusThatIsDownDelaysNoRunAndLosesNoEvent(t *testing.T) {
	t.Parallel()
	for _, down := range []error{fault.New(fault.Unavailable, "no answer"), fault.New(fault.Denied, "not allowed")} {
		synctest.Test(t, func(t *testing.T) {
			s := store.New(memorydriver.New(nil), store.NewBlobs(memblob.OpenBucket(nil)), nil)
			defer func() { _ = s.Close() }()
			b := &bus{down: down}
			e := engine.New(s, definitions(asset.List{number("a", 1, nil)}), onBus(b))
			id := (process{s, e}).launch(t)
			began := time.Now()
			out, err := e.Run(t.Context(), id, nil)
			if !fault.Retryable(down) && fault.CodeOf(err) != fault.CodeOf(down) || err == nil {
				t.Errorf("got %v", err)
			}
			if took := time.Since(began); took > 3*time.Second {
				t.Errorf("the run took %s", took)
			}
			summary, err := s.Summary(t.Context(), id)
			if err != nil || summary.Status != run.Success || out.Record.Status != run.Success {
				t.Errorf("the run is %s, %v", summary.Status, err)
			}
			if m, err := s.Latest(t.Context(), "a"); err != nil || m.Run != id {
				t.Errorf("what the run made: %+v, %v", m, err)
			}
			if settled, _, err := s.Standing(t.Context(), id); err != nil || settled {
				t.Errorf("it counts as settled: %v", err)
			}
			b.down = nil
			time.Sleep(store.DefaultLease + time.Second)
			if due, err := s.Due(t.Context(), 1); err != nil || !slices.Contains(due, id) {
				t.Fatalf("due: %v, %v", due, err)
			}
			if _, err := e.Run(t.Context(), id, nil); err != nil {
				t.Fatal(err)
			}
			if want := []string{"Run Status Change STARTED", "Asset Materialized a", "Run Status Change SUCCESS"}; !slices.Equal(b.heard, want) {
				t.Errorf("heard %q, want %q", b.heard, want)
			}
			if settled, _, err := s.Standing(t.Context(), id); err != nil || !settled {
				t.Errorf("it does not count as settled: %v", err)
			}
		})
	}
}

// TestEventsAreHeardWhileARunGoesOn looks at what was published before the run ends.
func TestEventsAreHeardWhileARunGoesOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := store.New(memorydriver.New(nil), store.NewBlobs(memblob.OpenBucket(nil)), nil)
		defer func() { _ = s.Close() }()
		b := &bus{}
		a := number("a", 1, nil)
		var before []string
		slow := asset.New1("slow", func(*asset.Context, int) (int, error) {
			time.Sleep(time.Minute)
			before = b.sofar()
			return 1, nil
		}, a, nil)
		e := engine.New(s, definitions(asset.List{a, slow}), onBus(b))
		if _, err := e.Run(t.Context(), (process{s, e}).launch(t), nil); err != nil {
			t.Fatal(err)
		}
		if want := []string{"Run Status Change STARTED", "Asset Materialized a"}; !slices.Equal(before, want) {
			t.Errorf("heard %q before the end, want %q", before, want)
		}
	})
}

// TestABusThatIsSlowIsNotDown has a bus that takes its time for each event: longer for all of a run's than it may take for one part.
func TestABusThatIsSlowIsNotDown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := store.New(memorydriver.New(nil), store.NewBlobs(memblob.OpenBucket(nil)), nil)
		defer func() { _ = s.Close() }()
		b := &bus{}
		opts := onBus(b)
		opts.Publish = func(ctx context.Context, events []event.Event) error {
			for range events {
				select {
				case <-time.After(50 * time.Millisecond):
				case <-ctx.Done():
					return fault.Wrap(fault.Unavailable, "publish", ctx.Err())
				}
			}
			return b.publish(ctx, events)
		}
		var assets asset.List
		for i := range 100 {
			assets = append(assets, number(fmt.Sprintf("a%03d", i), i, nil))
		}
		e := engine.New(s, definitions(assets), opts)
		if _, err := e.Run(t.Context(), (process{s, e}).launch(t), nil); err != nil {
			t.Fatal(err)
		}
		if len(b.heard) != len(assets)+2 {
			t.Errorf("heard %d events", len(b.heard))
		}
	})
}
