package asset

import (
	"math"
	"sync"
	"time"

	"waggle/shared/duration"
	"waggle/shared/metadata"
)

// processingTime is the label that Timer.Stop sets.
const processingTime = "processing_time_ms"

// timings adds up the timers of one attempt.
type timings struct {
	mu    sync.Mutex
	total time.Duration
}

// Timer measures a part of a step.
type Timer struct {
	ctx     *Context
	label   string
	started time.Time
}

// Time starts a timer. Write defer ctx.Time("transformation").Stop().
func (c *Context) Time(label string) *Timer {
	return &Timer{ctx: c, label: label, started: c.Now()}
}

// Stop logs "Completed transformation in 12.3 ms", adds the time to the metadata
// processing_time_ms (milliseconds, two decimals; several timers add up) and returns it.
func (t *Timer) Stop() time.Duration {
	d := max(0, t.ctx.Now().Sub(t.started))
	t.ctx.timed.mu.Lock()
	t.ctx.timed.total += d
	ms := math.Round(float64(t.ctx.timed.total)/float64(time.Millisecond)*100) / 100
	t.ctx.step.AddMetadata(metadata.Map{processingTime: ms}.Encode())
	t.ctx.timed.mu.Unlock()
	t.ctx.Log.Info("Completed " + t.label + " in " + duration.Text(d))
	return d
}
