package alerts

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"waggle/bench/home"
	"waggle/shared/courier"
	"waggle/shared/engine"
	"waggle/shared/fault"
	"waggle/shared/monitor"
	"waggle/shared/notify"
	"waggle/shared/notify/senders"
	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/store"
	"waggle/shared/store/driver"
)

// What is short here, so that what a dead worker left is soon taken up.
const (
	lease   = 300 * time.Millisecond
	handler = time.Second // that a sensor's function may take; an event is due again ten seconds later
	look    = 20 * time.Millisecond
	most    = time.Minute // that a worker may take
)

// Worker is a process that does what a command does: it takes up what is due, runs a job that fails, and sends what its sensor says.
type Worker struct {
	Home   string
	Number int
	After  time.Duration // before it launches its run; negative: it launches none, and ends when nothing waits any more
	Tell   func(mark any) error
}

// Work does that, until its own message is sent.
func (w Worker) Work(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, most, errors.New("what is due does not end"))
	defer cancel()
	s, err := home.Open(ctx, w.Home, &store.Options{Lease: lease}, func(db driver.Driver) driver.Driver {
		return &marker{Driver: db, codec: runlog.NewCodec(), tell: w.Tell}
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	defs := definitions(w.Number)
	if err := defs.Validate(); err != nil {
		return err
	}
	opened, err := senders.Open(ctx, defs.Channels, senders.Options{Lookup: os.LookupEnv})
	if err != nil {
		return err
	}
	name := fmt.Sprintf("%d:%d", w.Number, os.Getpid())
	c := courier.New(s, defs, &courier.Options{Sender: func(d *notify.Definition) (notify.Sender, error) { return opened.Of(d) }, Look: look, Handler: handler, Worker: name})
	e := engine.New(s, defs, &engine.Options{Publish: c.Publish(), Worker: name})

	keeping, stop := context.WithCancel(ctx)
	kept := make(chan error, 2)
	go func() { c.Keep(keeping, func(error) {}); kept <- nil }()
	go func() { kept <- resume(keeping, s, e) }()
	err = w.alert(ctx, s, e, c)
	stop()
	return errors.Join(err, <-kept, <-kept)
}

// alert runs the worker's job until its failure has been told, or waits until nothing waits.
func (w Worker) alert(ctx context.Context, s *store.Store, e *engine.Engine, c *courier.Courier) error {
	if w.After < 0 {
		return untilNothingWaits(ctx, s)
	}
	if err := pause(ctx, w.After); err != nil {
		return err
	}
	id, err := s.Launch(ctx, run.Request{Job: jobName(w.Number)})
	if err != nil {
		return err
	}
	if err := w.Tell(mark{launched, id}); err != nil {
		return err
	}
	for {
		_, err := monitor.Attend(ctx, s, e, id, nil)
		if err == nil {
			break
		}
		if !passing(err) {
			return err
		}
		if err := pause(ctx, lease); err != nil { // the machine stood still for longer than the lease, and resume has the run
			return err
		}
	}
	list, err := c.Settle(ctx, id, time.Time{}, most)
	if err != nil {
		return err
	}
	for _, d := range list {
		if d.State != courier.Sent {
			return fmt.Errorf("run %s: the message is %s: %s", id, d.State, d.Error)
		}
	}
	return nil
}

// resume takes up the runs that are due, until the context ends.
func resume(ctx context.Context, s *store.Store, e *engine.Engine) error {
	for ctx.Err() == nil {
		err := monitor.Once(ctx, s, e, func(store.Summary) {}, func(monitor.Resumed) {})
		if err != nil && ctx.Err() == nil && !passing(err) {
			return err
		}
		_ = pause(ctx, look)
	}
	return nil
}

// passing says whether an error is one round more.
func passing(err error) bool {
	return fault.Retryable(err) || errors.Is(err, fault.Lost) || errors.Is(err, fault.Conflict)
}

// untilNothingWaits ends when every run has ended and is settled, every event is evaluated and every message sent.
func untilNothingWaits(ctx context.Context, s *store.Store) error {
	for {
		waits, err := unsettled(ctx, s)
		if err != nil {
			return err
		}
		next, err := s.NextAlert(ctx, nil) // after that: a run leaves its events before it is settled
		if err != nil {
			return err
		}
		if next.IsZero() && !waits {
			return nil
		}
		if err := pause(ctx, look); err != nil {
			return err
		}
	}
}

// unsettled says whether a run has still an owner to come.
func unsettled(ctx context.Context, s *store.Store) (bool, error) {
	ids, err := runs(ctx, s)
	if err != nil {
		return false, err
	}
	for _, id := range ids {
		o, err := s.Owner(ctx, id)
		if err != nil {
			return false, err
		}
		if !o.Due.IsZero() {
			return true, nil
		}
	}
	return false, nil
}

// runs are the ids of all that are stored.
func runs(ctx context.Context, s *store.Store) (ids []run.ID, err error) {
	for cursor := ""; ; {
		page, next, err := s.Runs(ctx, store.Filter{}, 100, cursor)
		if err != nil {
			return nil, err
		}
		for _, summary := range page {
			ids = append(ids, summary.ID)
		}
		if cursor = next; cursor == "" {
			return ids, nil
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
