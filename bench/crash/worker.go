package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"waggle/shared/engine"
	"waggle/shared/fault"
	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/store"
)

// A mark is a line that a worker writes on standard output when it comes to a point.
type mark struct {
	Kind string `json:"kind"`
	Run  run.ID `json:"run,omitempty"`
	// Of found: the last stored event (empty: none), and what is stored of the run's life.
	Last    runlog.Type `json:"last,omitempty"`
	Started bool        `json:"started,omitempty"`
	Ended   bool        `json:"ended,omitempty"`
}

// The kinds of marks.
const (
	found      = "found"      // what the worker before left of a run
	recovering = "recovering" // takes over what it found
	launched   = "launched"   // a new run is stored
	owning     = "owning"     // the first chunk of this worker is stored
	over       = "over"       // the run has ended and is settled
)

// worker is a process that does what a command does: it goes on with what another left, or else launches a run.
type worker struct {
	dir    string
	number int
	launch bool
	expect run.ID // the run that the worker before had; empty: none that we know
	tell   func(mark any) error
}

func (w worker) name() string { return fmt.Sprintf("%d:%d", w.number, os.Getpid()) }

func (w worker) work(ctx context.Context) (err error) {
	s, chunks, err := open(ctx, w.dir, func() { _ = w.tell(mark{Kind: owning}) })
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	defs := definitions(&witness{executions: executions(w.dir), worker: w.name(), stored: chunks.stored})
	if err := defs.Validate(); err != nil {
		return err
	}
	e := engine.New(s, defs, &engine.Options{Worker: w.name()})
	left, err := w.unfinished(ctx, s)
	if err != nil {
		return err
	}
	if len(left) == 0 && w.launch {
		id, err := s.Launch(ctx, run.Request{Job: jobName})
		if err != nil {
			return err
		}
		if err := promises(w.dir).add(promise{Run: id}); err != nil {
			return err
		}
		left = []run.ID{id}
		if err := w.tell(mark{Kind: launched, Run: id}); err != nil {
			return err
		}
	} else if len(left) > 0 {
		if err := w.tell(mark{Kind: recovering, Run: left[0]}); err != nil {
			return err
		}
	}
	for len(left) > 0 {
		if left, err = w.goOn(ctx, s, e, left); err != nil {
			return err
		}
		select {
		case <-time.After(2 * time.Millisecond):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return w.tell(mark{Kind: over})
}

// goOn runs what is due, and returns what is not over.
func (w worker) goOn(ctx context.Context, s *store.Store, e *engine.Engine, left []run.ID) ([]run.ID, error) {
	due, err := s.Due(ctx, 100)
	if err != nil {
		return nil, err
	}
	for _, id := range left {
		// What nobody has ever owned would be due after half a minute: whoever launches also runs it.
		if o, err := s.Owner(ctx, id); err == nil && o.Epoch == 0 && !slices.Contains(due, id) {
			due = append(due, id)
		}
	}
	for _, id := range due {
		// A lease that was lost, or is still held, is one more round.
		if _, err := e.Run(ctx, id, nil); err != nil && !errors.Is(err, fault.Lost) && !errors.Is(err, fault.Conflict) {
			return nil, err
		}
	}
	var still []run.ID
	for _, id := range left {
		o, err := s.Owner(ctx, id)
		if err != nil {
			return nil, err
		}
		if !o.Due.IsZero() {
			still = append(still, id)
		}
	}
	return still, nil
}

// unfinished lists the runs that somebody must look at, and marks how far each has come.
func (w worker) unfinished(ctx context.Context, s *store.Store) ([]run.ID, error) {
	var ids []run.ID
	if w.expect != "" {
		ids = append(ids, w.expect)
	}
	for _, status := range run.Statuses() {
		if status.Terminal() {
			continue
		}
		list, _, err := s.Runs(ctx, store.Filter{Status: status}, 0, "")
		if err != nil {
			return nil, err
		}
		for _, summary := range list {
			if !slices.Contains(ids, summary.ID) {
				ids = append(ids, summary.ID)
			}
		}
	}
	var left []run.ID
	for _, id := range ids {
		m, err := whatIsStored(ctx, s, id)
		if err != nil {
			return nil, err
		}
		if err := w.tell(m); err != nil {
			return nil, err
		}
		o, err := s.Owner(ctx, id)
		if err != nil {
			return nil, err
		}
		if !o.Due.IsZero() {
			left = append(left, id)
		}
	}
	return left, nil
}

func whatIsStored(ctx context.Context, s *store.Store, id run.ID) (mark, error) {
	m := mark{Kind: found, Run: id}
	err := s.ReadLog(ctx, id, 0, func(c store.Stored) error {
		events, err := s.Unpack(c.Chunk)
		for _, e := range events {
			m.Last = e.Type
			m.Started = m.Started || e.Type == runlog.RunStart
			m.Ended = m.Ended || e.Type == runlog.RunSuccess || e.Type == runlog.RunFailure || e.Type == runlog.RunCanceled
		}
		return err
	})
	return m, err
}
