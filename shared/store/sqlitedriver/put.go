package sqlitedriver

import (
	"context"
	"slices"

	"waggle/shared/store/driver"
)

// Rows without index entries, the most common, are written by one statement. Each
// changes nothing where more is to be done: where the stored row has entries, or for
// insertAbsent where there is one at all. Then replace does it.
//
// They write one row each because a statement that writes several, or runs a trigger,
// keeps a journal of its own: 10 times the cost of the row.
const (
	insertAbsent = "INSERT INTO items (partition, sort, version, expires, data, body) VALUES (?, ?, ?, ?, ?, ?)" +
		" ON CONFLICT DO NOTHING"
	putPlain = "INSERT INTO items (partition, sort, version, expires, data, body) VALUES (?, ?, ?, ?, ?, ?)" +
		" ON CONFLICT (partition, sort) DO UPDATE SET version = excluded.version, expires = excluded.expires," +
		" data = excluded.data, body = excluded.body WHERE items.entries IS NULL"
	putWhole = "INSERT INTO items (partition, sort, version, expires, data, body, entries) VALUES (?, ?, ?, ?, ?, ?, ?)" +
		" ON CONFLICT (partition, sort) DO UPDATE SET version = excluded.version, expires = excluded.expires," +
		" data = excluded.data, body = excluded.body, entries = excluded.entries"
	insertEntry = "INSERT INTO entries (idx, ipart, isort, partition, sort) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
	deleteEntry = "DELETE FROM entries WHERE idx = ? AND ipart = ? AND isort = ? AND partition = ? AND sort = ?"
	deleteItem  = "DELETE FROM items WHERE partition = ? AND sort = ?"
)

// Put implements driver.Driver.
func (d *Driver) Put(ctx context.Context, item driver.Item, cond driver.Condition) error {
	if err := driver.CheckItem(&item); err != nil {
		return err
	}
	return d.with(ctx, d.writer, "put "+item.Key.String(), func(c *conn) error {
		if done, err := c.putQuickly(&item, cond); done || err != nil {
			return err
		}
		return c.write(func() error { return c.replace(item.Key, &item, cond, d.clock().Unix()) })
	})
}

// Delete implements driver.Driver.
func (d *Driver) Delete(ctx context.Context, key driver.Key, cond driver.Condition) error {
	if err := driver.CheckKey(key); err != nil {
		return err
	}
	return d.with(ctx, d.writer, "delete "+key.String(), func(c *conn) error {
		return c.write(func() error { return c.replace(key, nil, cond, d.clock().Unix()) })
	})
}

// putQuickly writes the item where one statement can; if not, nothing is done.
func (c *conn) putQuickly(item *driver.Item, cond driver.Condition) (done bool, err error) {
	if len(item.Entries) > 0 {
		return false, nil
	}
	var statement string
	switch cond {
	case driver.Any:
		statement = putPlain
	case driver.IfAbsent:
		statement = insertAbsent
	default:
		return false, nil
	}
	n, err := c.exec(statement, item.Partition, item.Sort, item.Version,
		driver.ExpirySeconds(item.Expires), dataText(item.Data), bodyValue(item.Body))
	return n > 0, err
}

// replace writes next in the place of what is stored at key, or deletes that where next
// is nil. It must run inside a transaction.
func (c *conn) replace(key driver.Key, next *driver.Item, cond driver.Condition, now int64) error {
	old, err := c.stored(key)
	if err != nil {
		return err
	}
	visible := old
	if old != nil && !old.Expires.IsZero() && old.Expires.Unix() <= now {
		visible = nil
	}
	if !cond.Holds(visible) {
		return &driver.ConflictError{Key: key, Stored: visible}
	}
	var before, after []driver.Entry
	if old != nil {
		before = old.Entries
	}
	if next != nil {
		after = next.Entries
	}
	if err := c.moveEntries(key, before, after); err != nil {
		return err
	}
	switch {
	case next != nil:
		_, err = c.exec(putWhole, key.Partition, key.Sort, next.Version, driver.ExpirySeconds(next.Expires),
			dataText(next.Data), bodyValue(next.Body), encodeEntries(after))
	case old != nil:
		_, err = c.exec(deleteItem, key.Partition, key.Sort)
	}
	return err
}

// moveEntries changes the item's rows in the table entries from before to after.
func (c *conn) moveEntries(key driver.Key, before, after []driver.Entry) error {
	for _, e := range before {
		if !slices.Contains(after, e) {
			if _, err := c.exec(deleteEntry, e.Index, e.Partition, e.Sort, key.Partition, key.Sort); err != nil {
				return err
			}
		}
	}
	for _, e := range after {
		if !slices.Contains(before, e) {
			if _, err := c.exec(insertEntry, e.Index, e.Partition, e.Sort, key.Partition, key.Sort); err != nil {
				return err
			}
		}
	}
	return nil
}
