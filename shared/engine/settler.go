package engine

import (
	"context"
	"sync"
	"time"

	"waggle/shared/event"
	"waggle/shared/fault"
	"waggle/shared/runlog"
	"waggle/shared/store"
)

// settler follows the log: it writes the rows of stored chunks, in order, publishes the events that follow from them, and tells the
// lease how far it is.
type settler struct {
	store   *store.Store
	lease   *store.Lease
	events  func(runlog.Rows) []event.Event            // that follow from rows
	publish func(context.Context, []event.Event) error // nil: nobody wants them

	mu    sync.Mutex
	rows  runlog.Rows
	upTo  int64 // number of the newest chunk whose rows are in rows or written
	ended bool
	wake  chan struct{}
	done  chan struct{}
	err   error
	owed  []event.Event // whose rows are written, and which are not published
}

func newSettler(s *store.Store, lease *store.Lease) *settler {
	return &settler{store: s, lease: lease, upTo: -1, wake: make(chan struct{}, 1), done: make(chan struct{})}
}

// Add hands over the rows of a stored chunk.
func (s *settler) Add(n int64, rows runlog.Rows) {
	s.mu.Lock()
	s.rows.Add(rows)
	s.upTo = n
	s.mu.Unlock()
	s.signal()
}

// Close writes what is left and ends the settler. It returns why something could not be written or published.
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
			if s.publish != nil {
				s.owed = append(s.owed, s.events(rows)...)
			}
		}
		unheard := s.tell(ctx, ended && rows.Empty())
		if upTo >= 0 && unheard == nil {
			s.lease.Update(func(state *store.Summary) { state.Settled = upTo })
		}
		if !rows.Empty() {
			continue
		}
		if ended {
			s.err = unheard
			return
		}
		<-s.wake
	}
}

const (
	// busPatience is how long the end of a run waits for those who publish its events, for each part of them. What they have not taken by
	// then is published by the next owner: the run stays due.
	busPatience = 2 * time.Second
	// eventsAtOnce is how many events are a part. What was taken counts, so that a bus that is slow is not one that is down.
	eventsAtOnce = 25
)

// tell publishes what is owed. Should that fail, the run goes on: it is tried again with the next chunk, and with patience at the end.
func (s *settler) tell(ctx context.Context, last bool) error {
	for len(s.owed) > 0 {
		part := s.owed[:min(eventsAtOnce, len(s.owed))]
		if err := s.tellPart(ctx, part, last); err != nil {
			return err
		}
		s.owed = s.owed[len(part):]
	}
	return nil
}

func (s *settler) tellPart(ctx context.Context, events []event.Event, last bool) error {
	ctx, stop := context.WithTimeout(ctx, busPatience)
	defer stop()
	for wait := 5 * time.Millisecond; ; wait = min(2*wait, 500*time.Millisecond) {
		err := s.publish(ctx, events)
		if err == nil {
			return nil
		}
		err = fault.Wrap(fault.CodeOf(err), "publish the events of the run", err)
		if !last || !fault.Retryable(err) {
			return err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return err
		}
	}
}
