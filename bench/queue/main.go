// Command queue has many processes launch runs of one job with a limit, all at once on one home, and counts what must not be: runs
// over the limit, runs that are stuck, runs that were overtaken.
//
//	go run ./bench/queue -runs 1000 -limit 10
//	go run ./bench/queue -runs 1000 -limit 10 -kill
package main

import (
	"context"
	"errors"
	"flag"
	"math/rand/v2"
	"os"
	"time"

	"waggle/bench/figures"
)

// figure is the line of output. README.md says how to read it.
type figure struct {
	Runs            int     `json:"runs"`
	Limit           int     `json:"limit"`
	Processes       int     `json:"processes"`
	OverLimit       int     `json:"over_limit"`
	Stuck           int     `json:"stuck"`
	OrderViolations int     `json:"order_violations"`
	LaunchesPerS    float64 `json:"launches_per_s"`
	MostAtOnce      int     `json:"most_at_once"`
	MostWaiting     int     `json:"most_waiting"`
	StepsRerun      int     `json:"steps_rerun"`
	Kills           int     `json:"kills,omitempty"`
	KilledWaiting   int     `json:"killed_waiting,omitempty"`
	KilledRunning   int     `json:"killed_running,omitempty"`
	Seed            uint64  `json:"seed,omitempty"`
}

func main() { figures.Main("queue", command) }

func command(ctx context.Context) (err error) {
	b := bench{}
	flag.IntVar(&b.runs, "runs", 1000, "number of runs")
	flag.IntVar(&b.limit, "limit", 10, "how many of them may run at once")
	flag.IntVar(&b.processes, "processes", 16, "number of processes")
	flag.BoolVar(&b.kill, "kill", false, "kill processes whose runs wait or run, and have the monitor resume these")
	seed := flag.Uint64("seed", 0, "chooses whom to kill and when; 0: a random one, which is printed")
	timeout := flag.Duration("timeout", 10*time.Minute, "give up after this time")
	child := flag.String("child", "", "what this process is, to itself: worker or monitor")
	var w worker
	flag.StringVar(&w.dir, "dir", "", "the child's folder")
	flag.IntVar(&w.from, "from", 0, "the first run of the worker")
	flag.IntVar(&w.to, "to", 0, "the run after its last")
	flag.Parse()
	if b.runs < 1 || b.limit < 1 || b.processes < 1 || flag.NArg() > 0 {
		flag.Usage()
		return errors.New("-runs, -limit and -processes are 1 or more")
	}
	ctx, cancel := context.WithTimeout(ctx, *timeout)
	defer cancel()
	w.limit, w.kill = b.limit, b.kill
	switch *child {
	case "worker":
		return w.work(ctx)
	case "monitor":
		return w.monitor(ctx)
	}
	if b.kill && *seed == 0 {
		*seed = rand.Uint64()
	}
	b.random = rand.New(rand.NewPCG(*seed, 0))
	if b.dir, err = os.MkdirTemp("", "waggle-queue-"); err != nil {
		return err
	}
	defer func() {
		if err == nil {
			_ = os.RemoveAll(b.dir)
		} else {
			figures.Say("what was stored is kept in %s", b.dir)
		}
	}()
	f, err := b.measure(ctx)
	if err != nil {
		return err
	}
	f.Seed = *seed
	return errors.Join(figures.Print(f), f.violation(b.kill))
}

func (f figure) violation(kill bool) error {
	switch {
	case f.OverLimit > 0 || f.Stuck > 0 || f.OrderViolations > 0:
		return errors.New("the queue did not keep its word")
	case kill && (f.KilledWaiting == 0 || f.KilledRunning == 0):
		return errors.New("nothing was killed while it waited, or while it ran; give it more runs")
	}
	return nil
}
