package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"waggle/bench/figures"
	"waggle/bench/receiver"
	"waggle/shared/embedded"
	"waggle/shared/run"
)

// measure has each job succeed once, then fail once. The runs that succeed are processes of their own; those that fail are too, or
// run in one process that looks after everything.
func measure(ctx context.Context, dir, program string, runs int, pace time.Duration) (f figure, err error) {
	inbox, err := receiver.Open(dir, nil)
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, inbox.Close()) }()
	p := process{home: filepath.Join(dir, "home"), jobs: runs, env: append(os.Environ(), inbox.Environment("/services/bench")...)}
	for n := range runs {
		if _, err := p.run(ctx, run.Success, jobName(n)); err != nil {
			return f, err
		}
	}
	figures.Say("%d jobs have succeeded once; now they fail in `%s`", runs, program)
	fail := failByRun
	if program == "dev" {
		fail = failInDev
	}
	failed, err := fail(ctx, p, inbox, pace)
	if err != nil {
		return f, err
	}
	times, err := judge(ctx, p.home, failed, inbox)
	if err != nil {
		return f, err
	}
	f = figureOf(times)
	f.Program, f.PaceS = program, pace.Seconds()
	return f, nil
}

// failByRun starts each run by a command, as a person or cron does: the process has never sent anything.
func failByRun(ctx context.Context, p process, _ *receiver.Receiver, pace time.Duration) (failed []run.ID, err error) {
	for n := range p.jobs {
		next := time.After(pace)
		id, err := p.run(ctx, run.Failure, jobName(n), "--config", "broken=true")
		if err != nil {
			return nil, err
		}
		failed = append(failed, id)
		select {
		case <-next:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	return failed, nil
}

// taken is when a run is taken up that was launched and that nobody has started.
const taken = 30 * time.Second

// failInDev launches the runs for a process that looks after everything, as schedules do.
func failInDev(ctx context.Context, p process, inbox *receiver.Receiver, pace time.Duration) (failed []run.ID, err error) {
	stop, err := p.dev(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, stop()) }()
	s, err := embedded.Open(ctx, p.home, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	for n := range p.jobs {
		req, _, err := definitions(p.jobs).Request(run.Request{Job: jobName(n), Config: map[string]any{"broken": true}})
		if err != nil {
			return nil, err
		}
		id, err := s.Launch(ctx, req)
		if err != nil {
			return nil, err
		}
		failed = append(failed, id)
		select {
		case <-time.After(pace):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	if !inbox.Await(ctx, p.jobs, 2*p.jobs, taken+time.Minute) {
		return nil, fmt.Errorf("%w: not every failure of %d was told", errNotRun, p.jobs)
	}
	return failed, nil
}
