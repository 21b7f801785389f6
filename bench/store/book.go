package main

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/store"
)

// book knows what runs there are, so that each page can be checked.
type book struct {
	random *rand.Rand
	runs   []entry // newest first
	lists  map[list][]int
}

// entry is a run of the book.
type entry struct {
	id     run.ID
	job    int
	status run.Status
}

// list names the runs of a job, of a status, or of both; -1 and "" are any.
type list struct {
	job    int
	status run.Status
}

const (
	jobs    = 100
	writers = 4 // at once: SQLite writes one at a time, the others encode meanwhile
)

func jobName(n int) string { return fmt.Sprintf("job_%02d", n) }

// draw chooses a run: of a hundred 80 succeed, 15 fail, 5 are canceled.
func (b *book) draw() entry {
	e := entry{job: b.random.IntN(jobs), status: run.Success}
	switch n := b.random.IntN(100); {
	case n < 5:
		e.status = run.Canceled
	case n < 20:
		e.status = run.Failure
	}
	return e
}

// fill launches and ends runs until there are n.
func (b *book) fill(ctx context.Context, s *store.Store, n int) error {
	todo := make(chan entry, 1000)
	ended := make([][]entry, writers)
	failed := make(chan error, writers)
	var all sync.WaitGroup
	for i := range writers {
		all.Go(func() {
			for e := range todo {
				if err := write(ctx, s, &e); err != nil {
					failed <- err
					return
				}
				ended[i] = append(ended[i], e)
			}
		})
	}
	var err error
	for k := len(b.runs); k < n && err == nil; k++ {
		select {
		case todo <- b.draw():
		case err = <-failed:
		}
	}
	close(todo)
	all.Wait()
	select {
	case err = <-failed:
	default:
	}
	for _, more := range ended {
		b.runs = append(b.runs, more...)
	}
	slices.SortFunc(b.runs, func(x, y entry) int { return cmp.Compare(y.id, x.id) })
	b.lists = map[list][]int{}
	for i, e := range b.runs {
		for _, l := range []list{{-1, ""}, {e.job, ""}, {-1, e.status}, {e.job, e.status}} {
			b.lists[l] = append(b.lists[l], i)
		}
	}
	return err
}

// write launches a run and ends it, by the calls that a command and the engine make. Every tenth has a key, as those of schedules have.
func write(ctx context.Context, s *store.Store, e *entry) (err error) {
	req := run.Request{Job: jobName(e.job), CodeVersion: "4f2a9c1", Tags: map[string]string{"team": "data", "customer": fmt.Sprint(e.job % 7)}}
	now := s.Now()
	if now.Nanosecond()/1000%10 == 0 {
		e.id, _, err = s.LaunchOnce(ctx, req, "schedule/nightly/"+now.Format(time.RFC3339Nano))
	} else {
		e.id, err = s.Launch(ctx, req)
	}
	if err != nil {
		return err
	}
	lease, err := s.Acquire(ctx, e.id, "bench:1")
	if err != nil {
		return err
	}
	lease.Update(func(summary *store.Summary) {
		summary.Tell(outcome(e, summary))
		summary.Settled = 3
	})
	return lease.Release(ctx, time.Time{})
}

// outcome is what the log of the run would say.
func outcome(e *entry, s *store.Summary) *runlog.Fold {
	f := runlog.NewFold(e.id, s.Request, s.Launched)
	r := &f.Record
	r.Status, r.Started, r.Ended, r.StepCount = e.status, s.Launched.Add(3*time.Millisecond), s.Launched.Add(1234*time.Millisecond), 12
	for i := range 12 {
		r.Steps = append(r.Steps, run.Step{Key: run.StepKey(fmt.Sprint("asset_", i)), Status: run.StepSucceeded})
	}
	if e.status == run.Failure {
		r.Reason, r.Error = run.StepFailure, "asset_7: the server answered 503 Service Unavailable after 3 attempts"
		r.Steps[7].Status = run.StepFailed
	}
	return f
}
