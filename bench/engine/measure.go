package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"waggle/bench/figures"
	"waggle/bench/workload"
)

// figure is a line of output. README.md says how to read it.
type figure struct {
	Steps             int            `json:"steps"`
	Shape             workload.Shape `json:"shape"`
	USPerStep         float64        `json:"us_per_step"`
	LogBytesPerStep   float64        `json:"log_bytes_per_step"`
	StoreBytesPerStep float64        `json:"store_bytes_per_step"`
	PeakRSSMB         float64        `json:"peak_rss_mb"`
	Verified          bool           `json:"verified"`
	CPUUSPerStep      float64        `json:"cpu_us_per_step"`
	Runs              int            `json:"runs"`
	Growth            float64        `json:"growth,omitempty"`
}

// measure runs a workload in a child, and has another child verify what the home then holds.
func measure(ctx context.Context, w workload.Workload, p profiles) (figure, error) {
	home, err := os.MkdirTemp("", "waggle-bench-")
	if err != nil {
		return figure{}, err
	}
	defer func() { _ = os.RemoveAll(home) }()
	common := []string{"-home", home, "-steps", strconv.Itoa(w.Steps), "-shape", string(w.Shape)}
	var t timing
	peak, err := figures.Child(ctx, &t, append(common, "-child", "timed", "-cpuprofile", p.cpu, "-memprofile", p.memory)...)
	if err != nil {
		return figure{}, err
	}
	stored, err := storeBytes(home)
	if err != nil {
		return figure{}, err
	}
	var v workload.Verified
	if _, err := figures.Child(ctx, &v, append(common, "-child", "verify", "-run", string(t.Run))...); err != nil {
		return figure{}, err
	}
	steps := float64(w.Steps)
	f := figure{Steps: w.Steps, Shape: w.Shape, USPerStep: figures.Round(t.Seconds * 1e6 / steps), LogBytesPerStep: figures.Round(float64(v.LogBytes) / steps),
		StoreBytesPerStep: figures.Round(float64(stored) / steps), PeakRSSMB: figures.Round(peak), Verified: true,
		CPUUSPerStep: figures.Round(t.CPU * 1e6 / steps), Runs: 1}
	figures.Say("%d %s: %.1f us (%.1f us of CPU), %.1f B of log in %d chunks, %.1f B in all, %.0f MB", f.Steps, f.Shape, f.USPerStep, f.CPUUSPerStep, f.LogBytesPerStep, v.Chunks, f.StoreBytesPerStep, f.PeakRSSMB)
	return f, nil
}

// storeBytes adds up the files of a home. The process before has closed it, which moves the WAL into
// the database; one that is left would hide bytes.
func storeBytes(home string) (total int64, err error) {
	err = filepath.WalkDir(home, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if strings.HasSuffix(path, "-wal") && info.Size() > 0 {
			return fmt.Errorf("%s has %d bytes that are not in the database yet", path, info.Size())
		}
		total += info.Size()
		return nil
	})
	if err == nil && total == 0 {
		err = errors.New("the home is empty")
	}
	return total, err
}

// median takes each field's median, of runs of one workload.
func median(runs []figure) figure {
	m := runs[0]
	of := func(field func(figure) float64) float64 {
		var values []float64
		for _, f := range runs {
			values = append(values, field(f))
		}
		return figures.Median(values)
	}
	m.Runs = len(runs)
	m.USPerStep = of(func(f figure) float64 { return f.USPerStep })
	m.CPUUSPerStep = of(func(f figure) float64 { return f.CPUUSPerStep })
	m.LogBytesPerStep = of(func(f figure) float64 { return f.LogBytesPerStep })
	m.StoreBytesPerStep = of(func(f figure) float64 { return f.StoreBytesPerStep })
	m.PeakRSSMB = of(func(f figure) float64 { return f.PeakRSSMB })
	return m
}
