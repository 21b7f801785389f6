package store

import (
	"context"
	"errors"
	"time"

	"waggle/shared/fault"
	"waggle/shared/owner"
	"waggle/shared/run"
	"waggle/shared/store/driver"
)

// startWithin is how long a launched run may wait for its first owner before the clock looks after it.
const startWithin = 30 * time.Second

// maxLaunched is how many bytes the item of a new run may have. It must not reach the limit of an item later: its owners add what the summary
// says, in ten thousand bytes at most.
const maxLaunched = driver.MaxItem - 50<<10

// Launch stores a new run, due within 30 seconds, and returns its id. The caller wakes an owner. A request that is too large
// for an item is fault.TooLarge.
func (s *Store) Launch(ctx context.Context, req run.Request) (run.ID, error) {
	id, item, err := s.newRun(req)
	if err != nil {
		return "", err
	}
	err = s.db.Put(ctx, item, driver.IfAbsent)
	if errors.Is(err, fault.Conflict) { // the id is random: what is stored is ours, and an answer was lost
		return id, nil
	}
	return id, err
}

// newRun makes the item of a run that nobody owns.
func (s *Store) newRun(req run.Request) (run.ID, driver.Item, error) {
	now := s.now()
	id, err := run.NewID(now, s.rand)
	if err != nil {
		return "", driver.Item{}, err
	}
	summary := Summary{ID: id, Request: req, Status: run.NotStarted, Launched: now.UTC().Truncate(time.Microsecond), Settled: -1}
	item, err := s.runs.New(runPartition(id), summary, now.Add(startWithin))
	if size := driver.Size(&item); err == nil && size > maxLaunched {
		return "", driver.Item{}, fault.New(fault.TooLarge, "what is asked of the run has %d bytes, %d are allowed", size, maxLaunched).
			WithHint("configuration, tags and selection are stored with the run: give the address of what is large")
	}
	return id, item, err
}

// Lease is the ownership of a run.
type Lease = owner.Lease[Summary]

// Acquire makes the caller the owner of a run: fault.Conflict while another owns it, fault.NotFound for an unknown one.
// worker is its host and process, for people.
func (s *Store) Acquire(ctx context.Context, id run.ID, worker string) (*Lease, error) {
	if err := s.keepLog(ctx, id); err != nil {
		return nil, err
	}
	return s.runs.Acquire(ctx, runPartition(id), worker)
}

// EndLease ends the lease that a worker holds of a run, where the platform said that the worker is dead, and reports whether it held one.
func (s *Store) EndLease(ctx context.Context, id run.ID, worker string) (bool, error) {
	return s.runs.EndLease(ctx, runPartition(id), worker)
}

// noteCancel asks a run's owner to cancel it.
const noteCancel = "cancel"

// RequestCancel leaves a note for a run's owner, who acts on it at its next heartbeat.
func (s *Store) RequestCancel(ctx context.Context, id run.ID) error {
	return s.runs.Leave(ctx, runPartition(id), owner.Note{Key: noteCancel})
}

// CancelRequested reports whether somebody asked to cancel a run.
func (s *Store) CancelRequested(ctx context.Context, id run.ID) (bool, error) {
	notes, err := s.runs.Notes(ctx, runPartition(id))
	for _, n := range notes {
		if n.Key == noteCancel {
			return true, err
		}
	}
	return false, err
}
