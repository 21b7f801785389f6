// Command store measures how long a page of runs takes, and whether that depends on how many there are.
//
//	go run ./bench/store -runs 1000000
package main

import (
	"context"
	"errors"
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"waggle/bench/figures"
	"waggle/shared/embedded"
)

func main() { figures.Main("store", command) }

func command(ctx context.Context) error {
	runs := flag.Int("runs", 1_000_000, "number of runs")
	samples := flag.Int("samples", 300, "how many pages of each kind are read")
	seed := flag.Uint64("seed", 1, "chooses the runs and the pages")
	limit := flag.Duration("limit", 30*time.Minute, "give up after this time")
	flag.Parse()
	if *runs < 100 || *samples < 1 || flag.NArg() > 0 {
		flag.Usage()
		return errors.New("-runs is 100 or more, -samples 1 or more")
	}
	ctx, cancel := context.WithTimeout(ctx, *limit)
	defer cancel()
	home, err := os.MkdirTemp("", "waggle-store-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(home) }()
	return bench(ctx, home, *runs, *samples, *seed)
}

// written is the line about the writing of the runs.
type written struct {
	Written  int     `json:"written"`
	Seconds  float64 `json:"seconds"`
	USPerRun float64 `json:"us_per_run"`
	StoreMB  float64 `json:"store_mb"`
}

// bench fills a home step by step and measures on the way.
func bench(ctx context.Context, home string, runs, samples int, seed uint64) error {
	b := &book{random: rand.New(rand.NewPCG(seed, 0))}
	var spent time.Duration
	var broken error
	first := map[kind]float64{}
	for _, n := range sizes(runs) {
		s, err := embedded.Open(ctx, home, nil)
		if err != nil {
			return err
		}
		began := time.Now()
		err = b.fill(ctx, s, n)
		spent += time.Since(began)
		if err == nil {
			figures.Say("%d runs after %s of writing", n, spent.Round(time.Millisecond))
			err = pages(ctx, s, b, samples, func(f figure) error {
				broken = errors.Join(broken, f.violation(first))
				return figures.Print(f)
			})
		}
		if err := errors.Join(err, s.Close()); err != nil {
			return err
		}
	}
	info, err := os.Stat(filepath.Join(home, "waggle.db"))
	if err != nil {
		return err
	}
	err = figures.Print(written{Written: runs, Seconds: figures.Round(spent.Seconds()), USPerRun: figures.Round(float64(spent.Microseconds()) / float64(runs)),
		StoreMB: figures.Round(float64(info.Size()) / (1 << 20))})
	return errors.Join(err, broken)
}

// sizes are the numbers of runs at which pages are measured: the powers of ten from 1,000, and the last.
func sizes(runs int) (list []int) {
	for n := 1000; n < runs; n *= 10 {
		list = append(list, n)
	}
	return append(list, runs)
}
