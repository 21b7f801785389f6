package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"waggle/bench/figures"
	"waggle/shared/run"
)

// killer starts workers and kills them.
type killer struct {
	dir    string
	random *rand.Rand
	lives  []time.Duration // from a worker's first chunk to the end of its run, of those that were left alone
	starts []time.Duration // from a worker's start to its first chunk

	number  int
	current run.ID // the run of the worker before; empty: not known, or over
	pending int    // kills since somebody looked at what they left

	kills   int
	byLast  map[string]int // kills by the last stored event
	between int            // kills between RUN_START and the end
}

// Who is killed when, out of 100.
const (
	earlyShare    = 12 // of kills at any time since the process started; while there are enough others
	recoveryShare = 40 // of recoveries that are killed too
	targetShare   = 88 // of kills that should fall between the start and the end of a run
	spareShare    = 8  // of fresh runs that are left alone, to know how long one takes by now
)

// loop kills until it has killed often enough, then lets the last run end.
func (k *killer) loop(ctx context.Context, kills int) error {
	for k.kills < kills {
		if err := k.one(ctx, true, true); err != nil {
			return err
		}
		if k.kills%20 == 0 && k.pending > 0 {
			figures.Say("%d kills, %d of them between start and end", k.kills, k.between)
		}
	}
	return k.one(ctx, false, false)
}

// one starts a worker, which may launch a run, and kills it or lets it go on.
func (k *killer) one(ctx context.Context, launch, kill bool) error {
	k.number++
	args := []string{"-child", "-dir", k.dir, "-number", strconv.Itoa(k.number), "-expect", string(k.current)}
	if launch {
		args = append(args, "-launch")
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return err
	}
	marks := make(chan mark, 16)
	go func() {
		defer close(marks)
		for in := bufio.NewScanner(out); in.Scan(); {
			var m mark
			if json.Unmarshal(in.Bytes(), &m) == nil { // a killed worker may leave half a line
				marks <- m
			}
		}
	}()
	k.watch(cmd, marks, began, kill)
	err = cmd.Wait()
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() && ctx.Err() == nil {
		k.pending++
		k.kills++
		return nil
	}
	k.current = ""
	if err != nil {
		return fmt.Errorf("worker %d: %w", k.number, err)
	}
	return nil
}

// watch follows the marks of a worker to its end, and kills it on the way at a random time.
func (k *killer) watch(cmd *exec.Cmd, marks <-chan mark, began time.Time, kill bool) {
	var timer <-chan time.Time
	early := kill && k.random.IntN(100) < earlyShare && k.onTarget()
	if early {
		timer = time.After(k.within(k.starts))
	}
	recovers := false
	var owned time.Time
	for {
		select {
		case <-timer:
			timer = nil
			_ = cmd.Process.Kill() // it may have ended by itself; Wait tells
		case m, more := <-marks:
			if !more {
				return
			}
			switch m.Kind {
			case found:
				k.count(string(m.Last), m.Started && !m.Ended)
			case launched, recovering:
				k.count("NO_RUN", false)
				k.current, recovers = m.Run, m.Kind == recovering
			case owning:
				owned = time.Now()
				if !recovers {
					k.starts = append(k.starts, owned.Sub(began))
				}
				if kill && !early && k.chosen(recovers) {
					timer = time.After(k.aim())
				}
			case over:
				k.count("NO_RUN", false)
				if !recovers && timer == nil && !early {
					k.lives = append(k.lives, time.Since(owned))
				}
			}
		}
	}
}

// chosen says whether a worker that has come to own a run is killed.
func (k *killer) chosen(recovers bool) bool {
	if recovers {
		return k.random.IntN(100) < recoveryShare
	}
	return k.random.IntN(100) >= spareShare
}

// count takes what a worker found of the run whose worker was killed before.
func (k *killer) count(last string, between bool) {
	if last == "" {
		last = "NO_EVENT"
	}
	if k.pending > 0 {
		k.byLast[last] += k.pending
	}
	if between {
		k.between += k.pending
	}
	k.pending = 0
}

// onTarget says whether enough of the kills fell between the start and the end of a run to aim some elsewhere.
func (k *killer) onTarget() bool { return 100*k.between >= targetShare*k.kills }

// aim is when to kill a worker, from its first chunk on: at any time of a run's life. Once too many kills came
// after the end, on a machine whose speed changes, only in the first part of it.
func (k *killer) aim() time.Duration {
	if k.onTarget() {
		return k.within(k.lives)
	}
	return k.within(k.lives) * 4 / 5
}

// within is a random part of what a thing has usually taken of late.
func (k *killer) within(times []time.Duration) time.Duration {
	return time.Duration(k.random.Float64() * float64(figures.Median(times[max(0, len(times)-15):])))
}
