package alerts

import (
	"errors"
	"fmt"
	"time"

	"waggle/bench/workload"
	"waggle/shared/asset"
	"waggle/shared/job"
	"waggle/shared/notify"
	"waggle/shared/sensor"
	"waggle/shared/waggle"
)

// jobName is that of a run: each has one of its own, so that each failure is a message of its own.
func jobName(run int) string { return fmt.Sprintf("job_%04d", run) }

// fails reports whether a run is one that fails. The others succeed, unless an invocation is cut off while a step of theirs runs alone.
func fails(run int) bool { return run%5 != 4 }

// definitions are the jobs of so many runs, and who is told. A job that succeeds has a step in a function of its own.
func definitions(runs int) waggle.Definitions {
	slack, onRunFailure := workload.Alarm()
	source := asset.New("source", func(ctx *asset.Context) (int, error) {
		time.Sleep(2 * time.Millisecond)
		ctx.Log.Info("counted", "rows", 42)
		return 42, nil
	}, nil)
	broken := asset.New1("broken", func(ctx *asset.Context, n int) (int, error) {
		ctx.Log.Error("a row has no price", "row", n)
		return 0, errors.New("a row has no price")
	}, source, nil)
	apart := asset.New1("apart", func(_ *asset.Context, n int) (int, error) {
		time.Sleep(5 * time.Millisecond)
		return n + 1, nil
	}, source, &asset.Options{Isolated: true})
	last := asset.New1("last", func(_ *asset.Context, n int) (int, error) { return n + 1, nil }, apart, nil)
	defs := waggle.Definitions{Assets: asset.List{source, broken, apart, last}, Channels: notify.List{slack}, Sensors: sensor.List{onRunFailure}}
	for n := range runs {
		assets := asset.List{source, apart, last}
		if fails(n) {
			assets = asset.List{source, broken}
		}
		defs.Jobs = append(defs.Jobs, job.New(jobName(n), assets, nil))
	}
	return defs
}
