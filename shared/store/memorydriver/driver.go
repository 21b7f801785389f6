// Package memorydriver keeps the table in memory: for tests, and for runs whose record
// may go with the process. It can misbehave as a service does (Faults), stop at every
// call (Options.Hook), and be copied at any moment (Clone), so that a test can try what
// happens when an owner dies or two of them interleave.
//
// It holds no rule of Waggle's, and imports driver and fault of ours.
package memorydriver

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"waggle/shared/fault"
	"waggle/shared/store/driver"
)

var _ driver.Driver = (*Driver)(nil)

// Options of New. The zero value works.
type Options struct {
	// Clock says what time it is, for Expires and Faults.IndexDelay. Defaults to time.Now.
	Clock func() time.Time
	// Faults are what goes wrong. Defaults to nothing.
	Faults Faults
	// Hook is called before and after each call. Defaults to none.
	Hook Hook
}

// Driver is a table in memory. Make one with New.
type Driver struct {
	clock  func() time.Time
	faults Faults
	hook   Hook

	mu     sync.Mutex
	closed bool
	random *rand.Rand
	calls  int64 // so far, for the index lag
	table  *tree
	index  *view
}

// New returns an empty table.
func New(opts *Options) *Driver {
	d := &Driver{table: newTree(), index: newView()}
	d.configure(opts)
	return d
}

func (d *Driver) configure(opts *Options) {
	if opts == nil {
		opts = &Options{}
	}
	d.clock, d.faults, d.hook = opts.Clock, opts.Faults, opts.Hook
	if d.clock == nil {
		d.clock = time.Now
	}
	d.random = rand.New(rand.NewPCG(opts.Faults.Seed, 0))
}

// Features implements driver.Driver.
func (d *Driver) Features() driver.Features {
	return driver.Features{ConsistentIndexes: d.faults.IndexLag == 0 && d.faults.IndexDelay == 0}
}

// Close implements driver.Driver. Snapshot and Clone still work.
func (d *Driver) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	return nil
}

// Get implements driver.Driver.
func (d *Driver) Get(ctx context.Context, key driver.Key) (item driver.Item, err error) {
	if err := driver.CheckKey(key); err != nil {
		return driver.Item{}, err
	}
	err = d.call(ctx, Call{Op: Get, Keys: []driver.Key{key}}, func(now time.Time) error {
		stored := d.visible(key, now)
		if stored == nil {
			return fault.New(fault.NotFound, "nothing is stored")
		}
		item = clone(stored)
		return nil
	})
	if err != nil {
		return driver.Item{}, err
	}
	return item, nil
}

// Put implements driver.Driver.
func (d *Driver) Put(ctx context.Context, item driver.Item, cond driver.Condition) error {
	if err := driver.CheckItem(&item); err != nil {
		return err
	}
	return d.call(ctx, Call{Op: Put, Keys: []driver.Key{item.Key}}, func(now time.Time) error {
		return d.change([]driver.Op{{Put: &item, If: cond}}, now)
	})
}

// Delete implements driver.Driver.
func (d *Driver) Delete(ctx context.Context, key driver.Key, cond driver.Condition) error {
	if err := driver.CheckKey(key); err != nil {
		return err
	}
	return d.call(ctx, Call{Op: Delete, Keys: []driver.Key{key}}, func(now time.Time) error {
		return d.change([]driver.Op{{Delete: &key, If: cond}}, now)
	})
}

// PutAll implements driver.Driver. The order is random, by Faults.Seed.
func (d *Driver) PutAll(ctx context.Context, items []driver.Item) error {
	if err := driver.CheckItems(items); err != nil {
		return err
	}
	keys := make([]driver.Key, len(items))
	for i := range items {
		keys[i] = items[i].Key
	}
	return d.call(ctx, Call{Op: PutAll, Keys: keys}, func(now time.Time) error {
		order, written := d.random.Perm(len(items)), len(items)
		partial := d.strikes(d.faults.PartialPutAll) && len(items) > 0
		if partial {
			written = d.random.IntN(len(items))
		}
		for _, i := range order[:written] {
			if err := d.change([]driver.Op{{Put: &items[i]}}, now); err != nil {
				return err
			}
		}
		if partial {
			return fault.New(fault.Unavailable, "injected: %d of %d items are written", written, len(items))
		}
		return nil
	})
}

// Write implements driver.Driver.
func (d *Driver) Write(ctx context.Context, ops []driver.Op) error {
	if err := driver.CheckWrite(ops); err != nil {
		return err
	}
	keys := make([]driver.Key, len(ops))
	for i := range ops {
		keys[i] = ops[i].Key()
	}
	return d.call(ctx, Call{Op: Write, Keys: keys}, func(now time.Time) error {
		return d.change(ops, now)
	})
}

// change does all ops or none. The caller holds the lock.
func (d *Driver) change(ops []driver.Op, now time.Time) error {
	for _, op := range ops {
		if stored := d.visible(op.Key(), now); !op.If.Holds(stored) {
			if stored != nil {
				copied := clone(stored)
				stored = &copied
			}
			return &driver.ConflictError{Key: op.Key(), Stored: stored}
		}
	}
	for _, op := range ops {
		var next *driver.Item
		if op.Put != nil {
			kept := normal(op.Put)
			next = &kept
			d.table.put(next)
		} else if !d.table.remove(op.Key()) {
			continue
		}
		d.index.push(op.Key(), next, d.lag(now))
	}
	return nil
}

// visible returns the stored item, or nil where there is none or an expired one.
func (d *Driver) visible(key driver.Key, now time.Time) *driver.Item {
	item := d.table.get(key)
	if item == nil || driver.Expired(item.Expires, now) {
		return nil
	}
	return item
}

// clone copies what a caller could write to.
func clone(item *driver.Item) driver.Item {
	c := *item
	c.Data, c.Body, c.Entries = slices.Clone(c.Data), slices.Clone(c.Body), slices.Clone(c.Entries)
	return c
}

// normal is a copy of a given item as reads show it.
func normal(item *driver.Item) driver.Item {
	c := clone(item)
	c.Expires = driver.ExpiryTime(driver.ExpirySeconds(c.Expires))
	if len(c.Data) == 0 {
		c.Data = []byte("{}")
	}
	if len(c.Body) == 0 {
		c.Body = nil
	}
	if len(c.Entries) == 0 {
		c.Entries = nil
	}
	return c
}
