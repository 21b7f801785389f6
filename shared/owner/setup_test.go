package owner_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"waggle/shared/fault"
	"waggle/shared/owner"
	"waggle/shared/store/driver"
	"waggle/shared/store/memorydriver"
	"waggle/shared/store/tabletest"
)

const (
	thing = "THING#1"
	lease = 10 * time.Second
)

// state is what the things of these tests hold.
type state struct{ N int }

// world is one thing in a table that can fail, and a clock that only the test moves.
type world struct {
	t     *testing.T
	class *owner.Class[state]
	db    tabletest.Table

	mu   sync.Mutex
	now  time.Time
	hook func(memorydriver.Call) error
}

func setup(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)}
	w.db = tabletest.New(t, &tabletest.Options{Clock: w.clock, Hook: func(c memorydriver.Call) error {
		if w.hook == nil {
			return nil
		}
		return w.hook(c)
	}})
	tokens := 0
	w.class = &owner.Class[state]{DB: w.db, Lease: lease, Now: w.clock,
		Token:   func() (string, error) { tokens++; return strconv.Itoa(tokens), nil },
		Entries: func(*state, owner.Ownership) []driver.Entry { return nil }}
	item, err := w.class.New(thing, state{}, w.now)
	w.ok(err)
	w.ok(w.db.Put(t.Context(), item, driver.IfAbsent))
	return w
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) ok(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) wantCode(code fault.Code, err error) {
	w.t.Helper()
	if fault.CodeOf(err) != code {
		w.t.Fatalf("error is %q (%v), want %q", fault.CodeOf(err), err, code)
	}
}

func (w *world) acquire(worker string) *owner.Lease[state] {
	w.t.Helper()
	l, err := w.class.Acquire(w.t.Context(), thing, worker)
	w.ok(err)
	return l
}

func (w *world) stored() owner.Meta[state] {
	w.t.Helper()
	m, err := w.class.Get(w.t.Context(), thing)
	w.ok(err)
	return m
}

// loseAnswers lets the next n puts happen and loses their answers.
func (w *world) loseAnswers(n int) {
	w.hook = func(c memorydriver.Call) error {
		if c.Op == memorydriver.Put && c.Done && c.Err == nil && n > 0 {
			n--
			return fault.New(fault.Unavailable, "the answer was lost")
		}
		return nil
	}
}

// again calls act until it does not fail in a way that may pass.
func again(act func() error) error {
	for try := 1; ; try++ {
		if err := act(); !fault.Retryable(err) {
			return err
		} else if try == 20 {
			return fmt.Errorf("20 tries: %w", err)
		}
	}
}

func isLost(err error) bool { return errors.Is(err, fault.Lost) }

var background = context.Background()

// beforePut calls do once, before the put number n from now on.
func (w *world) beforePut(n int, do func()) {
	w.hook = func(c memorydriver.Call) error {
		if c.Op == memorydriver.Put && !c.Done {
			if n--; n == 0 {
				w.hook = nil
				do()
			}
		}
		return nil
	}
}
