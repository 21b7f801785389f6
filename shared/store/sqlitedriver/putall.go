package sqlitedriver

import (
	"context"

	"waggle/shared/store/driver"
)

// A transaction of PutAll ends after this much, so that other processes get a turn
// and the page cache does not overflow into the WAL.
const (
	batchRows  = 1000
	batchBytes = 1 << 20
)

// PutAll implements driver.Driver.
func (d *Driver) PutAll(ctx context.Context, items []driver.Item) error {
	if err := driver.CheckItems(items); err != nil {
		return err
	}
	for len(items) > 0 {
		n, bytes := 0, 0
		for n < len(items) && n < batchRows && bytes < batchBytes {
			bytes += driver.Size(&items[n])
			n++
		}
		if err := d.putBatch(ctx, items[:n]); err != nil {
			return err
		}
		items = items[n:]
	}
	return nil
}

func (d *Driver) putBatch(ctx context.Context, items []driver.Item) error {
	op := driver.Several("put", items[0].Key, len(items))
	return d.with(ctx, d.writer, op, func(c *conn) error {
		return c.write(func() error {
			now := d.clock().Unix()
			for i := range items {
				if err := c.put(&items[i], driver.Any, now); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// put writes one item inside a transaction, by the cheapest way.
func (c *conn) put(item *driver.Item, cond driver.Condition, now int64) error {
	if done, err := c.putQuickly(item, cond); done || err != nil {
		return err
	}
	return c.replace(item.Key, item, cond, now)
}
