package engine

import (
	"context"
	"sync"

	"waggle/shared/runlog"
	"waggle/shared/store"
)

// settler follows the log: it writes the rows of stored chunks, in order, and tells the lease how far it is.
type settler struct {
	store *store.Store
	lease *store.Lease

	mu    sync.Mutex
	rows  runlog.Rows
	upTo  int64 // number of the newest chunk whose rows are in rows or written
	ended bool
	wake  chan struct{}
	done  chan struct{}
	err   error
}

func newSettler(s *store.Store, lease *store.Lease) *settler {
	return &settler{store: s, lease: lease, upTo: -1, wake: make(chan struct{}, 1), done: make(chan struct{})}
}

// Add hands over the rows of a stored chunk.
func (s *settler) Add(n int64, rows runlog.Rows) {
	s.mu.Lock()
	s.rows.Materializations = append(s.rows.Materializations, rows.Materializations...)
	s.rows.Checks = append(s.rows.Checks, rows.Checks...)
	s.upTo = n
	s.mu.Unlock()
	s.signal()
}

// Close writes what is left and ends the settler. It returns why something could not be written.
func (s *settler) Close() error {
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	s.signal()
	<-s.done
	return s.err
}

func (s *settler) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// settle is the settler's loop. fail is told why it ended early.
func (s *settler) settle(ctx context.Context, retry func(context.Context, func() error) error, fail func(error)) {
	defer close(s.done)
	for {
		s.mu.Lock()
		rows, upTo, ended := s.rows, s.upTo, s.ended
		s.rows = runlog.Rows{}
		s.mu.Unlock()
		if !rows.Empty() {
			if s.err = retry(ctx, func() error { return s.store.PutRows(ctx, rows) }); s.err != nil {
				fail(s.err)
				return
			}
		}
		if upTo >= 0 {
			s.lease.Update(func(state *store.Summary) { state.Settled = upTo })
		}
		if !rows.Empty() {
			continue
		}
		if ended {
			return
		}
		<-s.wake
	}
}
