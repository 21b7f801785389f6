// Package workload is the steps that benches run, and what a record of them must hold.
package workload

import (
	"fmt"
	"log/slog"

	"waggle/shared/asset"
	"waggle/shared/job"
	"waggle/shared/metadata"
	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/waggle"
)

// A Shape is how the steps hang together.
type Shape string

const (
	Chain Shape = "chain" // each step takes the value of the one before
	Wide  Shape = "wide"  // all take the value of the first
)

// Shapes are all of them.
func Shapes() []Shape { return []Shape{Chain, Wide} }

// Workload is the steps to run and, for each, what a record of them must hold.
type Workload struct {
	Shape Shape
	Steps int
}

// JobName is the name of the job of all steps.
const JobName = "bench"

// Definitions declares the steps as a user would.
func (w Workload) Definitions() waggle.Definitions {
	assets := make([]*asset.Asset[int64], w.Steps)
	list := make(asset.List, w.Steps)
	for i := range assets {
		facts := w.facts(i)
		if before := w.before(i); before < 0 {
			assets[i] = asset.New(string(facts.key), func(ctx *asset.Context) (int64, error) {
				return facts.step(ctx, 0)
			}, nil)
		} else {
			assets[i] = asset.New1(string(facts.key), facts.step, assets[before], nil)
		}
		list[i] = assets[i]
	}
	return waggle.Definitions{Assets: list, Jobs: job.List{job.New(JobName, list, nil)}}
}

// before is the step that step i takes its value from; -1: it takes none.
func (w Workload) before(i int) int {
	if w.Shape == Chain {
		return i - 1
	}
	return min(i, 1) - 1
}

// facts is what one step reports. All of it differs from step to step and does not follow a sequence, so that
// it compresses as data does and not as a counter.
type facts struct {
	key     run.AssetKey
	rows    int64   // 0 to 999,999
	seconds float64 // 0 to 99.999
	file    string
	batch   int64 // 0 to 9,999
}

func (w Workload) facts(i int) facts {
	x := mixed(uint64(i))
	return facts{
		key:     run.AssetKey(fmt.Sprintf("asset_%05d", i)),
		rows:    int64(x % 1_000_000),
		seconds: float64(x>>20%100_000) / 1000,
		file:    fmt.Sprintf("part-%06x.parquet", x>>40),
		batch:   int64(mixed(x) % 10_000),
	}
}

// mixed is a step of splitmix64: neighbours give values that look unrelated.
func mixed(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// step is the function of every step: three log records, three metadata values, a number that depends
// on the input.
func (f facts) step(ctx *asset.Context, before int64) (int64, error) {
	ctx.Log.Debug("opened " + f.file)
	ctx.Log.Info("read", "rows", f.rows, "batch", f.batch)
	ctx.Log.Info("done", "seconds", f.seconds)
	ctx.AddMetadata(metadata.Map{"record_count": f.rows, "seconds": f.seconds, "source": f.file})
	return f.value(before), nil
}

func (f facts) value(before int64) int64 { return (before + f.rows) % 1_000_000 }

// events is what the log must hold of the step, in order: type, level, message and data. Durations are left
// out, they are not known before.
func (f facts) events(before int64) []runlog.Event {
	value := fmt.Appendf(nil, "%d", f.value(before))
	return []runlog.Event{
		{Type: runlog.StepStart},
		{Type: runlog.Log, Level: slog.LevelDebug, Message: "opened " + f.file},
		{Type: runlog.Log, Message: "read", Data: &runlog.Logged{Attrs: fmt.Appendf(nil, `{"rows":%d,"batch":%d}`, f.rows, f.batch)}},
		{Type: runlog.Log, Message: "done", Data: &runlog.Logged{Attrs: fmt.Appendf(nil, `{"seconds":%v}`, f.seconds)}},
		{Type: runlog.Materialization, Data: &runlog.Materialized{Metadata: f.metadata(), Value: &run.Value{Codec: "json", Inline: value, Size: int64(len(value))}}},
		{Type: runlog.StepSuccess, Data: &runlog.Outcome{}},
	}
}

func (f facts) metadata() metadata.Values {
	return metadata.Values{
		"record_count": {Type: metadata.TypeInt, Value: fmt.Appendf(nil, "%d", f.rows)},
		"seconds":      {Type: metadata.TypeFloat, Value: fmt.Appendf(nil, "%v", f.seconds)},
		"source":       {Type: metadata.TypeText, Value: fmt.Appendf(nil, "%q", f.file)},
	}
}
