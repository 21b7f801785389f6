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

// jobName is that of the job that a worker runs: each has one of its own, so that each failure is a message of its own.
func jobName(worker int) string { return fmt.Sprintf("job_%05d", worker) }

// definitions are the jobs of the workers up to one, all of the same two assets, the second of which fails, and who is told.
func definitions(worker int) waggle.Definitions {
	slack, onRunFailure := workload.Alarm()
	source := asset.New("source", func(ctx *asset.Context) (int, error) {
		time.Sleep(2 * time.Millisecond)
		ctx.Log.Info("counted", "rows", 42)
		return 42, nil
	}, nil)
	broken := asset.New1("broken", func(ctx *asset.Context, n int) (int, error) {
		time.Sleep(2 * time.Millisecond)
		ctx.Log.Error("a row has no price", "row", n)
		return 0, errors.New("a row has no price")
	}, source, nil)
	assets := asset.List{source, broken}
	defs := waggle.Definitions{Assets: assets, Channels: notify.List{slack}, Sensors: sensor.List{onRunFailure}}
	for n := range worker + 1 {
		defs.Jobs = append(defs.Jobs, job.New(jobName(n), assets, nil))
	}
	return defs
}
