package main

import (
	"context"
	"fmt"
	"time"

	"gocloud.dev/blob/memblob"

	"waggle/bench/figures"
	"waggle/bench/workload"
	"waggle/shared/cloud"
	"waggle/shared/cloud/cloudtest"
	"waggle/shared/run"
	"waggle/shared/store"
)

// crowd is a line of output: runs that were all started at once.
type crowd struct {
	Case        string  `json:"case"`
	Emulator    string  `json:"emulator"`
	Runs        int     `json:"runs"`
	Steps       int     `json:"steps"`
	Succeeded   int     `json:"succeeded"`
	Seconds     float64 `json:"seconds"` // from the first start until all are settled
	Invocations int     `json:"invocations"`
	WriteUnits  float64 `json:"write_units"` // of all, launches included
}

// crowdSteps is how long the chain of each run is.
const crowdSteps = 10

// atOnce launches runs, starts all of them at the same moment, each in an invocation of its own, and looks at each when nothing goes on
// any more. All must have succeeded, by the first invocation.
func atOnce(ctx context.Context, emulator, endpoint string, runs int) (crowd, error) {
	db, err := newTable(ctx, endpoint, "waggle-at-once")
	if err != nil {
		return crowd{}, err
	}
	bucket := memblob.OpenBucket(nil)
	defer func() { _, _ = db.Close(), bucket.Close() }()
	w := workload.Workload{Shape: workload.Chain, Steps: crowdSteps}
	p := cloudtest.New(ctx, w.Definitions(), db, store.NewBlobs(bucket), &cloudtest.Options{Lease: lease, Longest: 15 * time.Minute})
	defer p.Close()
	var ids []run.ID
	for range runs {
		id, err := p.Launch(ctx, run.Request{Job: workload.JobName})
		if err != nil {
			return crowd{}, err
		}
		ids = append(ids, id)
	}
	began := time.Now()
	for _, id := range ids {
		if err := p.Run(ctx, "", cloud.RunCall{Run: id}); err != nil {
			return crowd{}, err
		}
	}
	p.Wait()
	f := crowd{Case: "at_once", Emulator: emulator, Runs: runs, Steps: crowdSteps, Seconds: figures.Round(time.Since(began).Seconds()), WriteUnits: db.Usage().WriteUnits}
	for _, n := range p.Tally().Invocations {
		f.Invocations += n.Count
	}
	for _, id := range ids {
		left, err := owed(ctx, p.Store(), id)
		if err != nil {
			return f, err
		}
		if left != "" {
			figures.Say("%s", left)
			continue
		}
		fold, _, err := p.Store().Fold(ctx, id)
		if err != nil {
			return f, err
		}
		if len(fold.Record.Materializations) != crowdSteps {
			figures.Say("run %s made %d assets", id, len(fold.Record.Materializations))
			continue
		}
		f.Succeeded++
	}
	return f, context.Cause(ctx)
}

func (f crowd) check() error {
	if f.Succeeded < f.Runs || f.Invocations != f.Runs {
		return fmt.Errorf("%d of %d runs that were started at once succeeded, in %d invocations", f.Succeeded, f.Runs, f.Invocations)
	}
	return nil
}
