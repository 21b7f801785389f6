// Command engine measures what Waggle adds to a step: time, log, store and memory, of a run of trivial steps on an
// embedded store. A line is printed only when another process has found the whole record as it must be.
//
//	go run ./bench/engine -steps 10000 -shape chain
//	go run ./bench/engine -all
package main

import (
	"context"
	"errors"
	"flag"
	"slices"
	"time"

	"waggle/bench/figures"
	"waggle/bench/workload"
	"waggle/shared/run"
)

func main() { figures.Main("engine", command) }

func command(ctx context.Context) error {
	steps := flag.Int("steps", 10_000, "number of steps")
	form := flag.String("shape", string(workload.Chain), "chain or wide")
	all := flag.Bool("all", false, "both shapes, 1,000 and 10,000 steps")
	runs := flag.Int("runs", 0, "measure so often and print the medians; 0: once, with -all five times")
	limit := flag.Duration("limit", 10*time.Minute, "give up after this time")
	var p profiles
	flag.StringVar(&p.cpu, "cpuprofile", "", "write the CPU profile of the timed process to `FILE`")
	flag.StringVar(&p.memory, "memprofile", "", "write the allocation profile of the timed process to `FILE`")
	child := flag.String("child", "", "what this process is, to itself: timed or verify")
	home := flag.String("home", "", "the child's home")
	id := flag.String("run", "", "the run that the child verifies")
	flag.Parse()
	w := workload.Workload{Shape: workload.Shape(*form), Steps: *steps}
	if !slices.Contains(workload.Shapes(), w.Shape) || w.Steps < 1 || *runs < 0 || flag.NArg() > 0 {
		flag.Usage()
		return errors.New("-shape is chain or wide, -steps 1 or more")
	}
	ctx, cancel := context.WithTimeout(ctx, *limit)
	defer cancel()
	switch *child {
	case "timed":
		return timed(ctx, w, *home, p)
	case "verify":
		return verify(ctx, w, *home, run.ID(*id))
	}
	if !*all {
		return print(ctx, []workload.Workload{w}, max(1, *runs), p)
	}
	if *runs == 0 {
		*runs = 5
	}
	var workloads []workload.Workload
	for _, s := range workload.Shapes() {
		workloads = append(workloads, workload.Workload{Shape: s, Steps: 1000}, workload.Workload{Shape: s, Steps: 10_000})
	}
	return print(ctx, workloads, *runs, p)
}

// print measures each workload several times, in turn, so that a busy moment of the machine falls on all of
// them, and prints a line for each.
func print(ctx context.Context, workloads []workload.Workload, runs int, p profiles) error {
	measured := make([][]figure, len(workloads))
	for range runs {
		for i, w := range workloads {
			f, err := measure(ctx, w, p)
			if err != nil {
				return err
			}
			measured[i] = append(measured[i], f)
		}
	}
	small := map[workload.Shape]float64{} // us_per_step of the workload before, which has fewer steps
	for i, w := range workloads {
		m := median(measured[i])
		if before, ok := small[w.Shape]; ok {
			m.Growth = figures.Round(m.USPerStep / before)
		}
		small[w.Shape] = m.USPerStep
		if err := figures.Print(m); err != nil {
			return err
		}
	}
	return nil
}
