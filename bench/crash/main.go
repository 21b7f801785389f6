// Command crash kills the processes that run a job, at random times, has the next one go on, and counts what was
// lost or came out wrong: nothing may be.
//
//	go run ./bench/crash -kills 200 -seed 7
//	go run ./bench/crash -alerts -kills 200
//
// The second kills on the way from a failure to the message that tells of it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"waggle/bench/crash/alerts"
	"waggle/bench/figures"
	"waggle/shared/run"
)

// figure is the line of output. README.md says how to read it.
type figure struct {
	Kills              int            `json:"kills"`
	LostRuns           int            `json:"lost_runs"`
	LostEvents         int64          `json:"lost_events"`
	WrongResults       int            `json:"wrong_results"`
	StepsRerun         int            `json:"steps_rerun"`
	KillsByLastEvent   map[string]int `json:"kills_by_last_event"`
	BetweenStartAndEnd float64        `json:"between_start_and_end_pct"`
	Runs               int            `json:"runs"`
	RunsBlamed         int            `json:"runs_blamed"`
	RunsCrashed        int            `json:"runs_crashed"`
	Seed               uint64         `json:"seed"`
}

func main() { figures.Main("crash", command) }

func command(ctx context.Context) (err error) {
	kills := flag.Int("kills", 200, "how many processes to kill")
	seed := flag.Uint64("seed", 0, "chooses the times; 0: a random one, which is printed")
	alerting := flag.Bool("alerts", false, "kill between the failure of a run and its message")
	limit := flag.Duration("limit", 15*time.Minute, "give up after this time")
	child := flag.Bool("child", false, "this process is a worker")
	w := worker{tell: figures.Print}
	after := flag.Duration("after", 0, "with -alerts: when the worker launches its run; negative: never")
	flag.StringVar(&w.dir, "dir", "", "the worker's folder")
	flag.IntVar(&w.number, "number", 0, "the worker's number")
	flag.BoolVar(&w.launch, "launch", false, "the worker launches a run where nothing is left to do")
	expect := flag.String("expect", "", "the run of the worker before")
	flag.Parse()
	if *kills < 1 || flag.NArg() > 0 {
		flag.Usage()
		return errors.New("-kills is 1 or more")
	}
	if *child && *alerting {
		return alerts.Worker{Home: w.dir, Number: w.number, After: *after, Tell: w.tell}.Work(ctx)
	}
	if *child {
		w.expect = run.ID(*expect)
		ctx, cancel := context.WithTimeoutCause(ctx, 30*time.Second, errors.New("a run does not end"))
		defer cancel()
		return w.work(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, *limit)
	defer cancel()
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	dir, err := os.MkdirTemp("", "waggle-crash-")
	if err != nil {
		return err
	}
	defer func() {
		if err == nil {
			_ = os.RemoveAll(dir)
		} else {
			figures.Say("what was stored is kept in %s", dir)
		}
	}()
	if *alerting {
		f, err := alerts.Bench(ctx, dir, *kills, *seed)
		if err != nil {
			return err
		}
		return errors.Join(figures.Print(f), f.Violation())
	}
	f, err := bench(ctx, dir, *kills, *seed)
	if err != nil {
		return err
	}
	if err := figures.Print(f); err != nil {
		return err
	}
	return f.violation()
}

// bench runs the job undisturbed, then under kills, and compares.
func bench(ctx context.Context, dir string, kills int, seed uint64) (figure, error) {
	random := rand.New(rand.NewPCG(seed, 0))
	calm := killer{dir: filepath.Join(dir, "calm"), random: random}
	for range 5 {
		if err := calm.one(ctx, true, false); err != nil {
			return figure{}, fmt.Errorf("run the job undisturbed: %w", err)
		}
	}
	want, err := reference(ctx, calm.dir)
	if err != nil {
		return figure{}, err
	}
	k := killer{dir: filepath.Join(dir, "killed"), random: random, lives: calm.lives, starts: calm.starts, byLast: map[string]int{}}
	if err := k.loop(ctx, kills); err != nil {
		return figure{}, err
	}
	v, err := sentence(ctx, k.dir, want)
	return figure{Kills: k.kills, LostRuns: v.lostRuns, LostEvents: v.lostEvents, WrongResults: v.wrong, StepsRerun: v.again, KillsByLastEvent: k.byLast,
		BetweenStartAndEnd: figures.Round(100 * float64(k.between) / float64(k.kills)), Runs: v.runs, RunsBlamed: v.blamed, RunsCrashed: v.crashed, Seed: seed}, err
}

// leastBetween is the share of kills that must fall between RUN_START and the end of a run, in percent.
const leastBetween = 80

func (f figure) violation() error {
	switch {
	case f.LostRuns > 0 || f.LostEvents > 0 || f.WrongResults > 0:
		return errors.New("something was lost or came out wrong")
	case f.BetweenStartAndEnd < leastBetween:
		return fmt.Errorf("only %v %% of the kills fell between start and end of a run, %d must", f.BetweenStartAndEnd, leastBetween)
	}
	return nil
}
