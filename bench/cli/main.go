// Command cli measures how long a person waits: for a built program that runs one asset, and for a run to start.
//
//	go run ./bench/cli
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"waggle/bench/figures"
)

// figure is the line of output. README.md says how to read it.
type figure struct {
	ProcessMS         float64 `json:"process_ms"`
	ProcessNewHomeMS  float64 `json:"process_new_home_ms"`
	LaunchToStartedMS float64 `json:"launch_to_started_ms"`
	BinaryMB          float64 `json:"binary_mb"`
	Runs              int     `json:"runs"`
	Launches          int     `json:"launches"`
}

func main() { figures.Main("cli", command) }

func command(ctx context.Context) error {
	runs := flag.Int("runs", 20, "how many processes to time, in each kind of home")
	launches := flag.Int("launches", 50, "how many launches to time")
	limit := flag.Duration("limit", 5*time.Minute, "give up after this time")
	flag.Parse()
	if *runs < 1 || *launches < 1 || flag.NArg() > 0 {
		flag.Usage()
		return errors.New("-runs and -launches are 1 or more")
	}
	ctx, cancel := context.WithTimeout(ctx, *limit)
	defer cancel()
	dir, err := os.MkdirTemp("", "waggle-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	f, err := measure(ctx, dir, *runs, *launches)
	if err != nil {
		return err
	}
	return figures.Print(f)
}

func measure(ctx context.Context, dir string, runs, launches int) (f figure, err error) {
	f.Runs, f.Launches = runs, launches
	p := program{file: filepath.Join(dir, "onejob")}
	if err := p.build(ctx); err != nil {
		return f, err
	}
	info, err := os.Stat(p.file)
	if err != nil {
		return f, err
	}
	f.BinaryMB = figures.Round(float64(info.Size()) / (1 << 20))
	same := filepath.Join(dir, "home")
	if _, err := p.run(ctx, same); err != nil { // makes the home, and warms the file cache
		return f, err
	}
	if f.ProcessMS, err = median(runs, func(int) (time.Duration, error) { return p.run(ctx, same) }); err != nil {
		return f, err
	}
	f.ProcessNewHomeMS, err = median(runs, func(i int) (time.Duration, error) {
		return p.run(ctx, filepath.Join(dir, fmt.Sprintf("home-%d", i)))
	})
	if err != nil {
		return f, err
	}
	l, err := newLauncher(ctx, filepath.Join(dir, "launches"))
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, l.store.Close()) }()
	f.LaunchToStartedMS, err = median(launches, func(int) (time.Duration, error) { return l.launch(ctx) })
	return f, err
}

// median times something n times and returns the middle one, in milliseconds.
func median(n int, timed func(i int) (time.Duration, error)) (float64, error) {
	var times []time.Duration
	for i := range n {
		took, err := timed(i)
		if err != nil {
			return 0, err
		}
		times = append(times, took)
	}
	return figures.Round(float64(figures.Median(times)) / float64(time.Millisecond)), nil
}
