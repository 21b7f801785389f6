// Package sqlitedriver keeps the table in one SQLite file: the store of a laptop and
// of a single server. It is pure Go, and several processes may use the file at once.
//
// What survives: a killed process loses nothing that a call had returned for. The file
// is in WAL mode with synchronous=NORMAL, so a power cut or a crash of the operating
// system can lose the transactions committed since the last checkpoint (at most about
// 8 MB of writes), newest first; it never leaves a torn transaction or a file that does
// not open. The disk must not be a network file system: WAL shares memory between
// processes.
//
// A call looks at its context before it starts and while it waits for another process,
// not in the middle of a statement.
//
// It holds no rule of Waggle's, and imports driver and fault of ours.
package sqlitedriver

import (
	"context"
	"time"

	"waggle/shared/fault"
	"waggle/shared/store/driver"
)

var (
	_ driver.Driver  = (*Driver)(nil)
	_ driver.Sweeper = (*Driver)(nil)
)

// Options of Open. The zero value works.
type Options struct {
	// Clock says what time it is, for Expires. Defaults to time.Now.
	Clock func() time.Time
	// BusyTimeout is how long a call waits for a lock of another process before
	// it gives fault.Unavailable. Defaults to 5 s.
	BusyTimeout time.Duration
}

// readers is how many connections read at once; each may hold up to readerCache.
const readers = 2

// Driver is a table in a SQLite file. Make one with Open.
type Driver struct {
	path    string
	clock   func() time.Time
	timeout time.Duration
	writer  *pool // of one: SQLite has one writer
	readers *pool
}

// Open opens the file at path, and creates it where there is none; its folder must
// exist. A file that something else, or a newer version, wrote is fault.Incompatible;
// one that is not SQLite, or damaged, fault.Corrupt; one that may not be written
// fault.Denied.
func Open(ctx context.Context, path string, opts *Options) (*Driver, error) {
	if opts == nil {
		opts = &Options{}
	}
	d := &Driver{path: path, clock: opts.Clock, timeout: opts.BusyTimeout}
	if d.clock == nil {
		d.clock = time.Now
	}
	if d.timeout <= 0 {
		d.timeout = 5 * time.Second
	}
	if err := checkPath(path); err != nil {
		return nil, err
	}
	d.writer = newPool(1, func() (*conn, error) { return connect(path, d.timeout, writerCache) })
	d.readers = newPool(readers, func() (*conn, error) { return connect(path, d.timeout, readerCache) })
	err := d.with(ctx, d.writer, "open "+path, prepareFile)
	if err != nil {
		d.writer.close()
		return nil, err
	}
	return d, nil
}

// Features implements driver.Driver.
func (d *Driver) Features() driver.Features {
	return driver.Features{ConsistentIndexes: true, MultiProcess: true, Durable: true}
}

// Close waits for the calls under way. The last process that closes the file moves
// the WAL into it and removes the WAL. Closing twice does nothing.
func (d *Driver) Close() error {
	// Readers first: the last connection checkpoints, and it must be the writer.
	return translate(d.path, "close "+d.path, firstError(d.readers.close(), d.writer.close()))
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// with runs f on a connection of the pool, again while another process holds a lock.
// f must leave nothing behind when it fails, so it can run again.
func (d *Driver) with(ctx context.Context, p *pool, op string, f func(*conn) error) error {
	if err := driver.CheckContext(ctx); err != nil {
		return fault.Wrap(fault.Canceled, op, err)
	}
	var c *conn
	// A connection that is new reads the file, which another process may hold alone for a moment.
	if err := d.untilFree(ctx, func() (err error) { c, err = p.take(ctx); return err }); err != nil {
		return translate(d.path, op, err)
	}
	defer p.give(c)
	return translate(d.path, op, d.untilFree(ctx, func() error { return f(c) }))
}
