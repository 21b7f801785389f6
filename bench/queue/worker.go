package main

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"sync"
	"time"

	"waggle/bench/figures"
	"waggle/bench/home"
	"waggle/shared/asset"
	"waggle/shared/engine"
	"waggle/shared/fault"
	"waggle/shared/job"
	"waggle/shared/monitor"
	"waggle/shared/run"
	"waggle/shared/store"
	"waggle/shared/store/driver"
	"waggle/shared/waggle"
)

const (
	jobName = "limited"
	atOnce  = 4 // runs that a worker attends at once
)

// worker is a process that launches runs and attends each until it has ended.
type worker struct {
	dir      string
	from, to int // its runs
	limit    int
	kill     bool // workers are killed
}

// open opens the home. Where workers are killed, leases and waits are short, so that what they leave is soon taken up.
func (w worker) open(ctx context.Context) (*store.Store, *engine.Engine, error) {
	opts, lookAgain := &store.Options{}, time.Duration(0)
	if w.kill {
		opts.Lease, lookAgain = time.Second, time.Second
	}
	s, err := home.Open(ctx, homeOf(w.dir), opts, func(db driver.Driver) driver.Driver {
		return &witness{Driver: db, ledger: ledgerOf(w.dir), walks: map[context.Context]int64{}}
	})
	if err != nil {
		return nil, nil, err
	}
	return s, engine.New(s, w.definitions(), &engine.Options{Worker: fmt.Sprint(os.Getpid()), LookAgain: lookAgain}), nil
}

// definitions is a job of one step that writes down when it runs, outside the store.
func (w worker) definitions() waggle.Definitions {
	takes := 10 * time.Millisecond
	if w.kill {
		takes = 50 * time.Millisecond // so that some are killed in it
	}
	step := asset.New("step", func(ctx *asset.Context) (int, error) {
		err := ledgerOf(w.dir).add(line{Kind: starts, Run: ctx.RunID()})
		time.Sleep(takes)
		return 1, errors.Join(err, ledgerOf(w.dir).add(line{Kind: ends, Run: ctx.RunID()}))
	}, nil)
	list := asset.List{step}
	return waggle.Definitions{Assets: list, Jobs: job.List{job.New(jobName, list, &job.Options{MaxRuns: w.limit})}}
}

// work launches and attends the runs of the worker that are not launched yet.
func (w worker) work(ctx context.Context) (err error) {
	before, err := ledgerOf(w.dir).all()
	if err != nil {
		return err
	}
	there := map[string]bool{}
	for _, what := range before {
		there[what.Key] = there[what.Key] || what.Kind == launched
	}
	s, e, err := w.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	keys := make(chan string)
	failed := make([]error, atOnce)
	var all sync.WaitGroup
	for i := range atOnce {
		all.Go(func() {
			for key := range keys {
				if failed[i] == nil {
					failed[i] = w.one(ctx, s, e, key)
				}
			}
		})
	}
	for n := w.from; n < w.to; n++ {
		if key := fmt.Sprintf("run-%06d", n); !there[key] {
			keys <- key
		}
	}
	close(keys)
	all.Wait()
	return errors.Join(failed...)
}

// one launches a run and attends it to its end. The key makes it one run, also where a worker before was killed in between.
func (w worker) one(ctx context.Context, s *store.Store, e *engine.Engine, key string) error {
	ctx, done := context.WithCancel(ctx) // of its own: the witness tells walks apart by it
	defer done()
	req, _, err := w.definitions().Request(run.Request{Job: jobName, Priority: priority(key)})
	if err != nil {
		return err
	}
	id, _, err := s.LaunchOnce(ctx, req, key)
	for try := 1; fault.Retryable(err) && try < 5; try++ {
		id, _, err = s.LaunchOnce(ctx, req, key)
	}
	if err != nil {
		return err
	}
	if err := ledgerOf(w.dir).add(line{Kind: launched, Run: id, Key: key, Priority: req.Priority}); err != nil {
		return err
	}
	for {
		out, err := monitor.Attend(ctx, s, e, id, nil)
		switch {
		case err == nil:
			return w.ended(out, id)
		case !errors.Is(err, fault.Lost) && !errors.Is(err, fault.Conflict) && !fault.Retryable(err):
			return err
		case w.kill:
			return nil // the monitor has it, or will
		}
		figures.Say("run %s is attended again: %v", id, err) // a disk that stands still for seconds
		select {
		case <-time.After(s.Lease()):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (w worker) ended(out engine.Outcome, id run.ID) error {
	if !w.kill && out.Record.Status != run.Success { // one whose step was killed twice fails, and names it
		return fmt.Errorf("run %s ended %s: %s", id, out.Record.Status, out.Record.Error)
	}
	return ledgerOf(w.dir).add(line{Kind: over, Run: id})
}

// priority is one of five, by the key.
func priority(key string) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(key))
	return int(h.Sum32()%5) - 2
}

// monitor resumes what is due, again and again, until standard input is closed.
func (w worker) monitor(ctx context.Context) (err error) {
	ctx = untilClosed(ctx)
	s, e, err := w.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	for {
		var broken error
		err := monitor.Once(ctx, s, e, func(store.Summary) {}, func(r monitor.Resumed) {
			if r.Err == nil && r.End == engine.Ended {
				broken = errors.Join(broken, w.ended(r.Outcome, r.ID))
			}
		})
		if ctx.Err() != nil {
			return broken
		}
		if err = errors.Join(broken, err); err != nil && !fault.Retryable(err) && !errors.Is(err, fault.Lost) {
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
}
