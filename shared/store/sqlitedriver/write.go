package sqlitedriver

import (
	"context"

	"waggle/shared/store/driver"
)

// Write implements driver.Driver.
func (d *Driver) Write(ctx context.Context, ops []driver.Op) error {
	if err := driver.CheckWrite(ops); err != nil {
		return err
	}
	if len(ops) == 0 {
		return driver.CheckContext(ctx)
	}
	op := driver.Several("write", ops[0].Key(), len(ops))
	return d.with(ctx, d.writer, op, func(c *conn) error {
		return c.write(func() error {
			now := d.clock().Unix()
			for _, op := range ops {
				var err error
				if op.Put != nil {
					err = c.put(op.Put, op.If, now)
				} else {
					err = c.replace(*op.Delete, nil, op.If, now)
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
	})
}
