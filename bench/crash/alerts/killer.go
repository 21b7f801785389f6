package alerts

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
	"waggle/bench/receiver"
	"waggle/shared/run"
)

// killer starts workers and kills them at a random time of a random phase.
type killer struct {
	home   string
	random *rand.Rand
	inbox  *receiver.Receiver
	heard  chan mark // what the server has received, from the worker that lives

	number int
	calm   bool // the worker before was left alone
	took   map[point][]time.Duration

	kills    int
	byState  map[state]int
	promised []run.ID            // whose launch a worker told
	windows  map[run.ID]exposure // messages that a killed worker had sent and not stored as sent
	waiting  map[run.ID]bool     // runs whose message is not stored as sent, as of the last look
}

// exposure is the workers that died in the window.
type exposure map[int]bool

const (
	spareShare = 8 // of workers that are left alone, of a hundred, to know how long a phase takes by now
	calmFirst  = 5
	rest       = lease + 100*time.Millisecond // after a kill: what the dead worker owned is free again
)

// loop kills until it has killed often enough, then has a worker do all that waits.
func (k *killer) loop(ctx context.Context, kills int) error {
	for k.kills < kills {
		before := k.kills
		if err := k.one(ctx, k.number >= calmFirst && k.random.IntN(100) >= spareShare); err != nil {
			return err
		}
		if k.kills > before && k.kills%20 == 0 {
			figures.Say("%d kills: %v", k.kills, k.byState)
		}
	}
	return k.end(ctx)
}

// one starts a worker that runs a job of its own, and kills it or leaves it alone.
func (k *killer) one(ctx context.Context, kill bool) error {
	after := rest
	if k.calm {
		after = 0
	}
	w, err := k.start(ctx, after)
	if err != nil {
		return err
	}
	if kill {
		w.aim = points[k.random.IntN(len(points)-1)]
	}
	k.watch(w)
	err = w.cmd.Wait()
	status, ok := w.cmd.ProcessState.Sys().(syscall.WaitStatus)
	killed := ok && status.Signaled() && ctx.Err() == nil
	if err != nil && !killed {
		return fmt.Errorf("worker %d: %w", k.number, err)
	}
	if w.id != "" {
		k.promised = append(k.promised, w.id)
		k.waiting[w.id] = true
	}
	if k.calm = !killed; !killed {
		return nil
	}
	k.kills++
	return k.look(ctx, w.id)
}

// end starts a worker that takes up all that waits, and launches nothing.
func (k *killer) end(ctx context.Context) error {
	w, err := k.start(ctx, -1)
	if err != nil {
		return err
	}
	k.watch(w)
	if err := w.cmd.Wait(); err != nil {
		return fmt.Errorf("the last worker: %w", err)
	}
	return nil
}

// life is a worker that lives.
type life struct {
	cmd   *exec.Cmd
	marks chan mark
	aim   point // where the phase begins in which it is killed; empty: it is left alone
	id    run.ID
}

func (k *killer) start(ctx context.Context, after time.Duration) (*life, error) {
	k.number++
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	w := &life{marks: make(chan mark, 16)}
	w.cmd = exec.CommandContext(ctx, self, "-alerts", "-child", "-dir", k.home, "-number", strconv.Itoa(k.number), "-after", after.String())
	// Without the system's certificates: reading them takes longer than all the rest.
	w.cmd.Env = append(append(os.Environ(), k.inbox.Environment(path(k.number))...), "SSL_CERT_DIR="+k.home)
	w.cmd.Stderr = os.Stderr
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := w.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(w.marks)
		for in := bufio.NewScanner(out); in.Scan(); {
			var m mark
			if json.Unmarshal(in.Bytes(), &m) == nil { // a killed worker may leave half a line
				w.marks <- m
			}
		}
	}()
	return w, nil
}

// watch follows the marks of a worker's own run to its end, and kills it on the way.
func (k *killer) watch(w *life) {
	times := map[point]time.Time{}
	var timer <-chan time.Time
	came := func(m mark) {
		if m.Kind == launched {
			w.id = m.Run
		}
		if m.Run != w.id || !times[m.Kind].IsZero() {
			return
		}
		times[m.Kind] = time.Now()
		if m.Kind == w.aim {
			timer = time.After(k.within(w.aim))
		}
	}
	for alive := true; alive; {
		select {
		case <-timer:
			timer = nil
			_ = w.cmd.Process.Kill() // it may have ended by itself; Wait tells
		case m := <-k.heard:
			came(m)
		case m, more := <-w.marks:
			if alive = more; more {
				came(m)
			}
		}
	}
	for i, begin := range points[:len(points)-1] {
		if from, to := times[begin], times[points[i+1]]; !from.IsZero() && !to.IsZero() {
			k.took[begin] = append(k.took[begin], max(0, to.Sub(from)))
		}
	}
}

// within is a random part of what a phase has usually taken of late.
func (k *killer) within(phase point) time.Duration {
	list := k.took[phase]
	if len(list) == 0 {
		return 0
	}
	return time.Duration(k.random.Float64() * float64(figures.Median(list[max(0, len(list)-15):])))
}
