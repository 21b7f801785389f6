package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"time"

	"waggle/bench/figures"
	"waggle/bench/workload"
	"waggle/shared/embedded"
	"waggle/shared/engine"
	"waggle/shared/run"
)

// timing is what the timed process tells.
type timing struct {
	Run     run.ID  `json:"run"`
	Seconds float64 `json:"seconds"`
	CPU     float64 `json:"cpu"` // seconds of all cores
}

// profiles are the files that the timed process writes; empty: none.
type profiles struct{ cpu, memory string }

// timed runs the workload in a new home. Only the run is timed, from before its launch until all that follows from
// it is stored.
func timed(ctx context.Context, w workload.Workload, home string, p profiles) (err error) {
	defs := w.Definitions()
	if err := defs.Validate(); err != nil {
		return err
	}
	s, err := embedded.Open(ctx, home, nil)
	if err != nil {
		return err
	}
	defer func() {
		if closing := s.Close(); err == nil {
			err = closing
		}
	}()
	if p.memory != "" {
		runtime.MemProfileRate = 4 << 10
	}
	stop, err := p.start()
	if err != nil {
		return err
	}
	started, busy := time.Now(), figures.CPU()
	id, err := s.Launch(ctx, run.Request{Job: workload.JobName})
	if err != nil {
		return err
	}
	out, err := engine.New(s, defs, &engine.Options{Worker: embedded.Worker()}).Run(ctx, id, nil)
	took, used := time.Since(started), figures.CPU()-busy
	if err != nil {
		return err
	}
	if out.Record.Status != run.Success {
		return fmt.Errorf("the run ended %s: %s", out.Record.Status, out.Record.Error)
	}
	if err := stop(); err != nil {
		return err
	}
	return figures.Print(timing{Run: id, Seconds: took.Seconds(), CPU: used.Seconds()})
}

// start begins the CPU profile; the returned function ends it and writes the other.
func (p profiles) start() (stop func() error, err error) {
	var cpu *os.File
	if p.cpu != "" {
		if cpu, err = os.Create(p.cpu); err != nil {
			return nil, err
		}
		// The usual 100 Hz would see a run of half a second fifty times. pprof then says on stderr that it
		// cannot set its own rate.
		runtime.SetCPUProfileRate(1000)
		if err := pprof.StartCPUProfile(cpu); err != nil {
			return nil, err
		}
	}
	return func() error {
		if cpu != nil {
			pprof.StopCPUProfile()
			if err := cpu.Close(); err != nil {
				return err
			}
		}
		if p.memory == "" {
			return nil
		}
		f, err := os.Create(p.memory)
		if err != nil {
			return err
		}
		if err := pprof.Lookup("allocs").WriteTo(f, 0); err != nil {
			return err
		}
		return f.Close()
	}, nil
}
