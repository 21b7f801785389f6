package sqlitedriver

import (
	"context"
	"time"

	"waggle/shared/fault"
)

// untilFree calls f until no other process holds a lock in its way, the context ends,
// or the timeout has passed. SQLite waits too, but not for every kind of lock, and it
// does not know the context.
func (d *Driver) untilFree(ctx context.Context, f func() error) error {
	err := f()
	if !busy(err) {
		return err
	}
	deadline := time.Now().Add(d.timeout)
	pause := time.NewTicker(2 * time.Millisecond)
	defer pause.Stop()
	for busy(err) && time.Now().Before(deadline) {
		select {
		case <-ctx.Done():
			return fault.Wrap(fault.Canceled, "", ctx.Err())
		case <-pause.C:
		}
		err = f()
	}
	return err
}
