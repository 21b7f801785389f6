package sqlitedriver

import (
	"context"

	"waggle/shared/fault"
	"waggle/shared/store/driver"
)

// Get implements driver.Driver.
func (d *Driver) Get(ctx context.Context, key driver.Key) (driver.Item, error) {
	if err := driver.CheckKey(key); err != nil {
		return driver.Item{}, err
	}
	var item *driver.Item
	err := d.with(ctx, d.readers, "get "+key.String(), func(c *conn) error {
		var err error
		if item, err = c.stored(key); err != nil {
			return err
		}
		if item == nil || driver.Expired(item.Expires, d.clock()) {
			return fault.New(fault.NotFound, "nothing is stored")
		}
		return nil
	})
	if err != nil {
		return driver.Item{}, err
	}
	return *item, nil
}
