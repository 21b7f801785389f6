//go:build duckdb

// Command sql measures what an SQL asset costs: opening DuckDB, and a join of many rows with their way in and out.
//
//	CGO_ENABLED=1 go run -tags duckdb ./bench/sql -rows 1000000
package main

import (
	"context"
	"errors"
	"flag"
	"runtime/debug"
	"time"

	"waggle/bench/figures"
	"waggle/shared/asset"
	"waggle/shared/sqlasset"
	"waggle/shared/table"
)

func main() { figures.Main("sql", command) }

func command(ctx context.Context) error {
	rows := flag.Int("rows", 1_000_000, "sales to join with a tenth as many artworks")
	runs := flag.Int("runs", 5, "how many times; figures are medians")
	limit := flag.Duration("limit", 10*time.Minute, "give up after this time")
	flag.Parse()
	if *rows < 100 || *runs < 1 || flag.NArg() > 0 {
		flag.Usage()
		return errors.New("-rows is 100 or more, -runs 1 or more")
	}
	ctx, cancel := context.WithTimeout(ctx, *limit)
	defer cancel()

	var open, join []float64
	for range *runs {
		took, err := timed(ctx, smallest, nil)
		if err != nil {
			return err
		}
		open = append(open, took)
	}
	w := newWorkload(*rows)
	for range *runs {
		debug.FreeOSMemory()
		took, err := timed(ctx, joined, func(t *table.Table) error { return w.verify(t) }, w.sales, w.artworks)
		if err != nil {
			return err
		}
		join = append(join, took)
	}
	if err := figures.Print(map[string]any{"what": "open", "ms": figures.Round(figures.Median(open)), "runs": *runs, "verified": true}); err != nil {
		return err
	}
	return figures.Print(map[string]any{"what": "join", "rows": *rows, "artworks": len(w.artworks), "ms": figures.Round(figures.Median(join)),
		"runs": *runs, "verified": true})
}

// timed runs an asset's query once, from Go's values to Go's table, and returns the milliseconds that took.
func timed(ctx context.Context, a *asset.Asset[*table.Table], verify func(*table.Table) error, inputs ...any) (float64, error) {
	started := time.Now()
	v, err := a.Definition().Call(asset.NewContext(ctx, quiet{}), inputs)
	took := float64(time.Since(started)) / float64(time.Millisecond)
	if err != nil {
		return 0, err
	}
	if verify == nil {
		return took, nil
	}
	return took, verify(v.(*table.Table))
}

var smallest = sqlasset.New("smallest", `SELECT 1 AS one`, nil, nil)
