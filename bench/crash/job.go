package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"strings"
	"time"

	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/job"
	"waggle/shared/metadata"
	"waggle/shared/run"
	"waggle/shared/waggle"
)

const jobName = "crash"

// The steps that the judge knows by name.
const (
	effectsStep = "published" // marked Effects
	flakyStep   = "flaky"     // its first attempt fails
)

// witness is what the steps of one worker report to, outside the store.
type witness struct {
	executions ledger[execution]
	worker     string
	// stored tells whether the start of an attempt is stored by now.
	stored func(id run.ID, step run.StepKey, attempt int) bool
}

// task is one execution of a step's function.
type task struct {
	*witness
	ctx  *asset.Context
	seen execution
	seed uint64
}

// begin begins a task: it notes whether the start is stored, takes one to four milliseconds, logs and adds metadata.
func (w *witness) begin(ctx *asset.Context, step run.StepKey) task {
	h := fnv.New64a()
	_, _ = h.Write([]byte(step))
	t := task{witness: w, ctx: ctx, seed: h.Sum64()}
	t.seen = execution{Run: ctx.RunID(), Step: step, Attempt: ctx.Attempt(), PID: os.Getpid(), Worker: w.worker, Stored: w.stored(ctx.RunID(), step, ctx.Attempt())}
	ctx.Log.Debug("started on " + string(step))
	time.Sleep(time.Duration(1000+t.seed%3000) * time.Microsecond)
	ctx.Log.Info("worked", "seed", t.seed%1000)
	ctx.AddMetadata(metadata.Map{"seed": int64(t.seed % 1000), "name": string(step)})
	return t
}

// end notes the task, as its last act.
func (t task) end() error { return t.executions.add(t.seen) }

// made notes a task that made a value, and returns it.
func made[T any](t task, codec asset.Codec, value T) (T, error) {
	encoded, err := codec.Encode(value)
	if err != nil {
		return value, err
	}
	t.seen.Output = sum(encoded)
	return value, t.end()
}

func sum(parts ...[]byte) string {
	h := sha256.New()
	for _, part := range parts {
		_, _ = h.Write(part)
	}
	return hex.EncodeToString(h.Sum(nil)[:12])
}

type record struct {
	ID    int64
	Name  string
	Score float64
}

// definitions is a job of some thirty steps: a chain with a blocking check in it, a fan with small and large values
// and a join, rows, a step that fails once, and one that acts on the world outside.
func definitions(w *witness) waggle.Definitions {
	var assets asset.List
	var checks check.List

	number := func(key string, in *asset.Asset[int64]) *asset.Asset[int64] {
		var a *asset.Asset[int64]
		step := func(ctx *asset.Context, n int64) (int64, error) {
			t := w.begin(ctx, run.StepKey(key))
			return made(t, asset.JSON, n*7%1_000_003+int64(t.seed%1000))
		}
		if in == nil {
			a = asset.New(key, func(ctx *asset.Context) (int64, error) { return step(ctx, 1) }, nil)
		} else {
			a = asset.New1(key, step, in, nil)
		}
		assets = append(assets, a)
		return a
	}
	links := make([]*asset.Asset[int64], 10)
	for i := range links {
		var before *asset.Asset[int64]
		if i > 0 {
			before = links[i-1]
		}
		links[i] = number(fmt.Sprintf("chain_%d", i), before)
	}
	checks = append(checks, check.New1("check_link", func(ctx *asset.Context, n int64) (check.Result, error) {
		t := w.begin(ctx, "chain_2:check_link")
		return check.Result{Passed: n > 0, Metadata: metadata.Map{"value": n}}, t.end()
	}, links[2], check.Blocking))

	rows := asset.New1("rows", func(ctx *asset.Context, n int64) ([]record, error) {
		t := w.begin(ctx, "rows")
		list := make([]record, 2000)
		for i := range list {
			x := n + int64(i)*int64(i)
			list[i] = record{ID: int64(i), Name: fmt.Sprintf("row %d", x%977), Score: float64(x%10_007) / 100}
		}
		ctx.AddMetadata(metadata.Map{"preview": metadata.Markdown(strings.Repeat("| a row | of a table |\n", 1000))})
		return made(t, asset.Parquet, list)
	}, links[4], nil)
	total := asset.New1("rows_total", func(ctx *asset.Context, list []record) (float64, error) {
		t, sum := w.begin(ctx, "rows_total"), 0.0
		for _, r := range list {
			sum += r.Score
		}
		return made(t, asset.JSON, sum)
	}, rows, nil)
	checks = append(checks, check.New1("check_rows", func(ctx *asset.Context, list []record) (check.Result, error) {
		t := w.begin(ctx, "rows:check_rows")
		return check.Result{Passed: len(list) == 2000, Description: "as many rows as there must be"}, t.end()
	}, rows, check.Blocking))

	root := number("fan_root", nil)
	fan := make([]*asset.Asset[string], 10)
	for i := range fan {
		key := fmt.Sprintf("fan_%d", i)
		fan[i] = asset.New1(key, func(ctx *asset.Context, n int64) (string, error) {
			t, text := w.begin(ctx, run.StepKey(key)), fmt.Sprintf("%s of %d", key, n)
			if i%4 == 3 { // too large for a row
				text = strings.Repeat(text+"; ", 3000)
			}
			return made(t, asset.JSON, text)
		}, root, nil)
	}
	var parts asset.List
	for _, a := range fan {
		parts = append(parts, a)
	}
	joined := asset.New("joined", func(ctx *asset.Context) (map[string]int, error) {
		t, lengths := w.begin(ctx, "joined"), map[string]int{}
		for _, a := range fan {
			text, err := asset.Load(ctx, a)
			if err != nil {
				return nil, err
			}
			lengths[string(a.Key())] = len(text)
		}
		return made(t, asset.JSON, lengths)
	}, &asset.Options{Deps: parts})
	checks = append(checks, check.New1("check_lengths", func(ctx *asset.Context, lengths map[string]int) (check.Result, error) {
		t := w.begin(ctx, "joined:check_lengths")
		result := check.Result{Severity: check.Warn, Description: "some are long", Metadata: metadata.Map{"parts": len(lengths)}}
		return result, t.end()
	}, joined, nil))

	flaky := asset.New1(flakyStep, func(ctx *asset.Context, n int64) (int64, error) {
		t := w.begin(ctx, flakyStep)
		if t.seen.Failed = ctx.Attempt() == 1; t.seen.Failed {
			return 0, errors.Join(errors.New("not the first time"), t.end())
		}
		return made(t, asset.JSON, n+1)
	}, links[1], &asset.Options{Retry: asset.Retry{Max: 3, Delay: 4 * time.Millisecond}})
	last := asset.New3("last", func(ctx *asset.Context, a, b int64, c float64) (float64, error) {
		return made(w.begin(ctx, "last"), asset.JSON, float64(a+b)+c)
	}, links[9], flaky, total, nil)
	published := asset.Do(effectsStep, func(ctx *asset.Context) error {
		return w.begin(ctx, effectsStep).end()
	}, &asset.Options{Effects: true, Deps: asset.List{joined, flaky}})

	assets = append(assets, rows, total)
	assets = append(assets, parts...)
	assets = append(assets, joined, flaky, last, published)
	return waggle.Definitions{Assets: assets, Checks: checks, Jobs: job.List{job.New(jobName, assets, nil)}}
}
