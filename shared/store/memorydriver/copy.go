package memorydriver

import (
	"context"

	"waggle/shared/store/driver"
)

// Snapshot returns what is stored, in key order, expired items included.
func (d *Driver) Snapshot() []driver.Item {
	d.mu.Lock()
	defer d.mu.Unlock()
	stored := d.table.all()
	items := make([]driver.Item, len(stored))
	for i, item := range stored {
		items[i] = clone(item)
	}
	return items
}

// Clone returns a driver of its own with the same items, and the same writes that the
// indexes do not show yet; opts are its own. It works after Close, too: what a process
// left behind is what the next one opens.
func (d *Driver) Clone(opts *Options) *Driver {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := &Driver{calls: d.calls, table: d.table.clone(), index: d.index.clone()}
	c.configure(opts)
	return c
}

// Sweep deletes up to limit expired items and returns how many. Until then they are
// stored, and hidden: expired items are always deleted late.
func (d *Driver) Sweep(ctx context.Context, limit int) (int, error) {
	if err := driver.CheckContext(ctx); err != nil {
		return 0, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	now, n := d.clock(), 0
	for _, item := range d.table.all() {
		if n < limit && driver.Expired(item.Expires, now) {
			d.table.remove(item.Key)
			d.index.push(item.Key, nil, d.lag(now))
			n++
		}
	}
	d.index.settle(d.calls, now)
	return n, nil
}
