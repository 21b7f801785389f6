package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"waggle/bench/figures"
	"waggle/shared/run"
)

// bench is the process that starts the others.
type bench struct {
	dir                    string
	runs, limit, processes int
	kill                   bool
	random                 *rand.Rand

	mu      sync.Mutex
	workers map[int]*exec.Cmd // by place
	kills   int
}

const (
	monitors    = 2 // with -kill
	runsAKill   = 20
	mostSettled = time.Minute // that what was killed may take to be resumed
)

// measure has the processes do their work, and judges what they left.
func (b *bench) measure(ctx context.Context) (figure, error) {
	b.workers = map[int]*exec.Cmd{}
	var stops []func() error
	if b.kill {
		for range monitors {
			stop, err := b.startMonitor(ctx)
			if err != nil {
				return figure{}, err
			}
			stops = append(stops, stop)
		}
	}
	err := b.attend(ctx)
	if err == nil {
		err = b.settle(ctx)
	}
	for _, stop := range stops {
		err = errors.Join(err, stop())
	}
	if err != nil {
		return figure{}, err
	}
	lines, err := ledgerOf(b.dir).all()
	if err != nil {
		return figure{}, err
	}
	f := judge(lines, b.limit)
	stuck, err := stuck(ctx, b.dir, lines, b.runs)
	f.Runs, f.Limit, f.Processes, f.Stuck, f.Kills = b.runs, b.limit, b.processes, stuck, b.kills
	return f, err
}

// attend runs the workers to their ends, and kills some on the way.
func (b *bench) attend(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	failed := make([]error, b.processes)
	var all sync.WaitGroup
	for i := range b.processes {
		all.Go(func() {
			from, to := i*b.runs/b.processes, (i+1)*b.runs/b.processes
			for again := true; again && failed[i] == nil; {
				again, failed[i] = b.worker(ctx, i, from, to)
			}
		})
	}
	over := make(chan struct{})
	go func() { all.Wait(); close(over) }()
	for b.kill && b.kills < max(3, b.runs/runsAKill) {
		select {
		case <-over:
			return errors.Join(failed...)
		case <-time.After(time.Duration(50+b.random.IntN(300)) * time.Millisecond):
		}
		b.killOne()
	}
	<-over
	return errors.Join(failed...)
}

// killOne kills a random worker, every other time the one whose step has just started.
func (b *bench) killOne() {
	place, last := b.random.IntN(b.processes), 0
	if b.random.IntN(2) == 0 {
		lines, err := ledgerOf(b.dir).all()
		if err == nil && len(lines) > 0 {
			last = newestRunning(lines)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for at, cmd := range b.workers {
		if cmd.Process.Pid == last {
			place = at
		}
	}
	if cmd := b.workers[place]; cmd != nil {
		_ = cmd.Process.Kill() // it may have ended by itself
	}
}

// newestRunning is the process whose step started last and has not ended; 0: none.
func newestRunning(lines []line) int {
	ended := map[run.ID]bool{}
	for _, what := range slices.Backward(lines) {
		switch {
		case what.Kind == ends:
			ended[what.Run] = true
		case what.Kind == starts && !ended[what.Run]:
			return what.PID
		}
	}
	return 0
}

// worker runs one worker, and reports whether it was killed.
func (b *bench) worker(ctx context.Context, place, from, to int) (killed bool, err error) {
	cmd, err := b.command(ctx, "worker", "-from", strconv.Itoa(from), "-to", strconv.Itoa(to))
	if err != nil {
		return false, err
	}
	b.mu.Lock()
	if err = cmd.Start(); err == nil {
		b.workers[place] = cmd
	}
	b.mu.Unlock()
	if err != nil {
		return false, err
	}
	err = cmd.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.workers, place)
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() && ctx.Err() == nil {
		b.kills++
		return true, ledgerOf(b.dir).add(line{Kind: killed_, PID: cmd.Process.Pid})
	}
	if err != nil {
		err = fmt.Errorf("worker %d: %w", place, err)
	}
	return false, err
}

func (b *bench) startMonitor(ctx context.Context) (stop func() error, err error) {
	cmd, err := b.command(ctx, "monitor")
	if err != nil {
		return nil, err
	}
	in, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	return func() error { return errors.Join(in.Close(), cmd.Wait()) }, err
}

func (b *bench) command(ctx context.Context, child string, args ...string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	args = append(args, "-child", child, "-dir", b.dir, "-limit", strconv.Itoa(b.limit))
	if b.kill {
		args = append(args, "-kill")
	}
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Stderr = os.Stderr
	return cmd, nil
}

// settle waits until every run that was launched is settled, or for as long as that may take.
func (b *bench) settle(ctx context.Context) error {
	if !b.kill {
		return nil
	}
	for until := time.Now().Add(mostSettled); time.Now().Before(until); {
		lines, err := ledgerOf(b.dir).all()
		if err != nil {
			return err
		}
		left, err := unsettled(ctx, b.dir, lines)
		if err != nil || len(left) == 0 {
			return err
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	figures.Say("%s after the last worker there are runs that are not over", mostSettled)
	return nil
}

// untilClosed ends the context when standard input does.
func untilClosed(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	return ctx
}
