package sqlitedriver

import (
	"context"
	sqldriver "database/sql/driver"

	"waggle/shared/store/driver"
)

const selectExpired = "SELECT partition, sort, entries FROM items WHERE expires > 0 AND expires <= ? ORDER BY expires LIMIT ?"

// Sweep implements driver.Sweeper. It deletes up to limit expired items and returns how many. Reads hide them
// without it; it gives their space to later writes (the file does not shrink).
// Call it now and then with a few hundred, until it returns fewer than limit.
func (d *Driver) Sweep(ctx context.Context, limit int) (int, error) {
	type row struct {
		key     driver.Key
		entries []driver.Entry
	}
	var found []row
	err := d.with(ctx, d.writer, "sweep", func(c *conn) error {
		found = nil
		return c.write(func() error {
			err := c.rows(selectExpired, []any{d.clock().Unix(), int64(limit)}, func(columns []sqldriver.Value) (bool, error) {
				partition, ok1 := columns[0].(string)
				sort, ok2 := columns[1].(string)
				entries, err := decodeEntries(columns[2])
				if !ok1 || !ok2 {
					err = errRow
				}
				found = append(found, row{driver.Key{Partition: partition, Sort: sort}, entries})
				return true, err
			})
			if err != nil {
				return err
			}
			for _, r := range found {
				if err := c.moveEntries(r.key, r.entries, nil); err != nil {
					return err
				}
				if _, err := c.exec(deleteItem, r.key.Partition, r.key.Sort); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err != nil {
		return 0, err
	}
	return len(found), nil
}
