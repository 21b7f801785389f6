package memorydriver

import (
	"context"
	"time"

	"waggle/shared/fault"
	"waggle/shared/store/driver"
)

// Faults are what goes wrong, by chance from a seed: with one goroutine, the same calls
// give the same faults. Probabilities are from 0 (never, the default) to 1 (always), a
// call; of those that fit a call, the first in the order below strikes.
type Faults struct {
	// Seed starts the chances. Print it when a test fails.
	Seed uint64

	// Throttle refuses a write: fault.Throttled, not done.
	Throttle float64
	// ThrottleReads refuses a Get or Query: fault.Throttled.
	ThrottleReads float64
	// Unavailable fails any call: fault.Unavailable, not done.
	Unavailable float64
	// Conflict refuses a Write as DynamoDB does when another transaction touches one
	// of its items: fault.Throttled, not done.
	Conflict float64
	// PartialPutAll writes some of a PutAll's items, at random, perhaps none, never
	// all: fault.Unavailable.
	PartialPutAll float64
	// ApplyThenFail does a write and loses the answer: fault.Unavailable, done. Where a
	// condition failed, that answer is lost too, and nothing is done.
	ApplyThenFail float64

	// IndexLag is how many calls later an index shows a write, at most; each write
	// draws its own. Writes of one item stay in order, those of several may overtake.
	IndexLag int
	// IndexDelay is how much later by the clock an index shows a write, at most.
	IndexDelay time.Duration
}

// strikes draws one chance. One that never strikes draws nothing, so that it does not
// change what the others do.
func (d *Driver) strikes(probability float64) bool {
	return probability > 0 && d.random.Float64() < probability
}

// refusal is the fault that keeps a call from being done, if any strikes.
func (d *Driver) refusal(op Op) error {
	switch {
	case op.Writes() && d.strikes(d.faults.Throttle), !op.Writes() && d.strikes(d.faults.ThrottleReads):
		return fault.New(fault.Throttled, "injected: throttled")
	case d.strikes(d.faults.Unavailable):
		return fault.New(fault.Unavailable, "injected: no answer")
	case op == Write && d.strikes(d.faults.Conflict):
		return fault.New(fault.Throttled, "injected: another transaction holds an item")
	}
	return nil
}

// lag draws when the indexes show a write of now.
func (d *Driver) lag(now time.Time) moment {
	due := moment{calls: d.calls, time: now}
	if d.faults.IndexLag > 0 {
		due.calls += d.random.Int64N(int64(d.faults.IndexLag) + 1)
	}
	if d.faults.IndexDelay > 0 {
		due.time = due.time.Add(time.Duration(d.random.Int64N(int64(d.faults.IndexDelay) + 1)))
	}
	return due
}

// call runs f under the lock, between the hooks and with the faults.
func (d *Driver) call(ctx context.Context, c Call, f func(now time.Time) error) error {
	if err := driver.CheckContext(ctx); err != nil {
		return fault.Wrap(fault.Canceled, c.String(), err)
	}
	if d.hook != nil {
		if err := d.hook(c); err != nil {
			return err
		}
	}
	err := d.locked(c, f)
	if d.hook != nil {
		c.Done, c.Err = true, err
		if err := d.hook(c); err != nil {
			return err
		}
	}
	return err
}

func (d *Driver) locked(c Call, f func(now time.Time) error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return named(c, fault.New(fault.Unavailable, "the store is closed"))
	}
	now := d.clock()
	d.calls++
	d.index.settle(d.calls, now)
	if err := d.refusal(c.Op); err != nil {
		return named(c, err)
	}
	err := f(now)
	d.index.settle(d.calls, now)
	if c.Op.Writes() && d.strikes(d.faults.ApplyThenFail) {
		return named(c, fault.New(fault.Unavailable, "injected: the answer was lost"))
	}
	return named(c, err)
}

// named adds the call to a fault. A *driver.ConflictError names its item itself.
func named(c Call, err error) error {
	if f, ok := err.(*fault.Error); ok {
		f.Op = c.String()
	}
	return err
}
