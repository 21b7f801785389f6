// Command validate measures how long it takes to find every bad row of a table and to take the valid and the invalid
// rows apart.
//
//	go run ./bench/validate -rows 10000000 -bad 1 -source memory
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"waggle/bench/figures"
)

func main() { figures.Main("validate", command) }

// options are what is measured.
type options struct {
	rows       int
	bad        float64
	source     string
	cache      string
	cpuProfile string
	lean       bool
	stream     bool
	outputs    bool
}

func command(ctx context.Context) error {
	var o options
	flag.IntVar(&o.rows, "rows", 10_000_000, "number of rows")
	flag.Float64Var(&o.bad, "bad", 1, "percent of bad rows: 0 to 100")
	flag.StringVar(&o.source, "source", "memory", "memory: a table that is there; parquet: a file; structs: a slice of structs")
	flag.StringVar(&o.cache, "cache", filepath.Join(os.TempDir(), "waggle-validate"), "folder that keeps the tables")
	flag.StringVar(&o.cpuProfile, "cpuprofile", "", "write a CPU profile of a timed run")
	runs := flag.Int("runs", 5, "how often; the figures are medians")
	limit := flag.Duration("limit", 30*time.Minute, "give up after this time")
	flag.BoolVar(&o.lean, "lean", false, "give memory that is free back to the system before the clock starts")
	flag.BoolVar(&o.stream, "stream", false, "with -source parquet: a row group at a time, to files")
	flag.BoolVar(&o.outputs, "outputs", true, "with -stream: write the valid and the invalid rows")
	child := flag.Bool("child", false, "one run in this process, for the program itself")
	flag.Parse()
	if o.rows < 0 || o.bad < 0 || o.bad > 100 || *runs < 1 || flag.NArg() > 0 {
		flag.Usage()
		return errors.New("-rows is 0 or more, -bad 0 to 100, -runs 1 or more")
	}
	if o.stream && o.source != "parquet" {
		return errors.New("-stream reads a file: add -source parquet")
	}
	ctx, cancel := context.WithTimeout(ctx, *limit)
	defer cancel()
	if *child {
		m, err := measure(ctx, o)
		if err != nil {
			return err
		}
		return figures.Print(m)
	}
	return bench(ctx, o, *runs)
}

// figure is a line.
type figure struct {
	Rows       int     `json:"rows"`
	BadPercent float64 `json:"bad_percent"`
	Source     string  `json:"source"`
	Stream     bool    `json:"stream,omitempty"`
	Seconds    float64 `json:"seconds"`
	CPU        float64 `json:"cpu_seconds"`
	RowsPerS   int     `json:"rows_per_second"`
	verdict
	PeakRSSMB float64 `json:"peak_rss_mb"`
	TablesMB  float64 `json:"tables_mb,omitempty"`
	AboveMB   float64 `json:"above_tables_mb,omitempty"`
	Runs      int     `json:"runs"`
}

// verified is up to how many rows every run is compared with the reference; larger tables are compared at this size.
const verified = 1_000_000

func bench(ctx context.Context, o options, runs int) error {
	small := o
	small.rows, small.cpuProfile = min(o.rows, verified), ""
	want := naive(small.rows, o.bad, !o.stream || o.outputs)
	f := figure{Rows: o.rows, BadPercent: o.bad, Source: o.source, Stream: o.stream, Runs: runs}
	if o.rows > verified {
		if _, err := run(ctx, small, want); err != nil {
			return err
		}
		want = verdict{}
	}
	var seconds, cpu, peaks, above []float64
	for i := range runs {
		if i > 0 {
			o.cpuProfile = ""
		}
		m, err := run(ctx, o, want)
		if err != nil {
			return err
		}
		want = m.verdict // of larger tables: equal in all runs
		seconds, cpu, peaks, above = append(seconds, m.Seconds), append(cpu, m.CPU), append(peaks, m.PeakMB), append(above, m.AboveMB)
		f.TablesMB = m.TablesMB
	}
	f.verdict = want
	f.Seconds, f.CPU, f.PeakRSSMB = thousandths(figures.Median(seconds)), thousandths(figures.Median(cpu)), figures.Median(peaks)
	f.RowsPerS = int(float64(o.rows) / figures.Median(seconds))
	if o.lean && f.TablesMB > 0 {
		f.AboveMB = figures.Round(figures.Median(above))
	}
	return figures.Print(f)
}

func thousandths(f float64) float64 { return float64(int64(f*1000+0.5)) / 1000 }

// run measures in a process of its own and compares, unless want is the zero verdict.
func run(ctx context.Context, o options, want verdict) (m measured, err error) {
	_, err = figures.Child(ctx, &m, "-child", "-rows", strconv.Itoa(o.rows), "-bad", strconv.FormatFloat(o.bad, 'g', -1, 64), "-source", o.source, "-cache", o.cache, "-cpuprofile", o.cpuProfile,
		fmt.Sprintf("-lean=%t", o.lean), fmt.Sprintf("-stream=%t", o.stream), fmt.Sprintf("-outputs=%t", o.outputs))
	if err == nil && want != (verdict{}) && m.verdict != want {
		err = fmt.Errorf("%w: at %d rows %+v, not %+v", errDiffers, o.rows, m.verdict, want)
	}
	return m, err
}
