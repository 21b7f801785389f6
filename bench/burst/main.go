// Command burst has thousands of runs fail at once while the server that takes the messages allows one a second and is away for a part of
// the time, and counts which failures people were told of: none may be lost.
//
//	go run ./bench/burst -failures 10000
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"waggle/bench/figures"
)

// figure is the line of output. README.md says how to read it.
type figure struct {
	Failures  int     `json:"failures"`
	Jobs      int     `json:"jobs"`
	Seconds   float64 `json:"seconds"`
	Messages  int     `json:"messages"`
	Reported  int     `json:"failures_reported"`
	Twice     int     `json:"failures_reported_twice"`
	Ambiguous int     `json:"ambiguous_sends"`
	Lost      int     `json:"lost"`
	Refused   int     `json:"refused_429"`
	FailingS  float64 `json:"failing_s"`
	AwayS     float64 `json:"away_s"`
}

func main() { figures.Main("burst", command) }

func command(ctx context.Context) error {
	failures := flag.Int("failures", 10_000, "how many runs fail")
	jobs := flag.Int("jobs", 100, "of how many jobs")
	limit := flag.Duration("limit", 8*time.Minute, "give up after this time")
	flag.Parse()
	if *failures < 1 || *jobs < 1 || flag.NArg() > 0 {
		flag.Usage()
		return errors.New("-failures and -jobs are 1 or more")
	}
	dir, err := os.MkdirTemp("", "waggle-burst-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	ctx, stop := context.WithTimeout(ctx, *limit)
	defer stop()
	f, err := bench(ctx, dir, *failures, *jobs)
	if err != nil {
		return err
	}
	if err := figures.Print(f); err != nil {
		return err
	}
	return f.violation()
}

func (f figure) violation() error {
	switch {
	case f.Lost > 0 || f.Reported != f.Failures:
		return fmt.Errorf("people were told of %d of %d failures", f.Reported, f.Failures)
	case f.Twice > f.Ambiguous:
		return fmt.Errorf("%d failures were reported twice, and only %d were in a message without an answer", f.Twice, f.Ambiguous)
	}
	return nil
}
