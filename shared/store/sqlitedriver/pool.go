package sqlitedriver

import (
	"context"
	"sync"

	"waggle/shared/fault"
)

var errClosed = fault.New(fault.Unavailable, "the store is closed")

// pool hands out connections to one goroutine each, and opens them when first wanted.
type pool struct {
	open   func() (*conn, error)
	slots  chan *conn // nil: not open yet
	closed chan struct{}
	once   sync.Once
}

func newPool(size int, open func() (*conn, error)) *pool {
	p := &pool{open: open, slots: make(chan *conn, size), closed: make(chan struct{})}
	for range size {
		p.slots <- nil
	}
	return p
}

// take waits for a connection. It gives fault.Unavailable once the pool is closed.
func (p *pool) take(ctx context.Context) (*conn, error) {
	select {
	case <-p.closed:
		return nil, errClosed
	default:
	}
	select {
	case c := <-p.slots:
		if c != nil {
			return c, nil
		}
		c, err := p.open()
		if err != nil {
			p.slots <- nil
			return nil, err
		}
		return c, nil
	case <-p.closed:
		return nil, errClosed
	case <-ctx.Done():
		return nil, fault.Wrap(fault.Canceled, "", ctx.Err())
	}
}

func (p *pool) give(c *conn) { p.slots <- c }

// close waits until every connection is back and closes them.
func (p *pool) close() error {
	var first error
	p.once.Do(func() {
		close(p.closed)
		for range cap(p.slots) {
			if c := <-p.slots; c != nil {
				if err := c.close(); err != nil && first == nil {
					first = err
				}
			}
		}
	})
	return first
}
