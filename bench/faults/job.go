package main

import (
	"errors"
	"strings"
	"time"

	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/job"
	"waggle/shared/metadata"
	"waggle/shared/run"
	"waggle/shared/waggle"
)

const jobName = "faults"

// request is the one of every run. Every third run needs a slot.
func request(number int) run.Request {
	req := run.Request{Job: jobName, Tags: map[string]string{"team": "a"}}
	if number%3 == 0 {
		req.Limits = []run.Limit{limit}
	}
	return req
}

var limit = run.Limit{Name: "job:" + jobName, Max: 2}

// definitions is a job of seven steps and two checks: small and large values, metadata, log records, a step that fails once.
func definitions() waggle.Definitions {
	numbers := asset.New("numbers", func(ctx *asset.Context) ([]int64, error) {
		ctx.Log.Info("read", "rows", 3)
		ctx.AddMetadata(metadata.Map{"rows": 3, "share": 0.25, "source": "part-1.csv"})
		return []int64{1, 2, 1 << 60}, nil
	}, nil)
	long := asset.New1("long", func(ctx *asset.Context, n []int64) (string, error) {
		ctx.Log.Debug("long")
		return strings.Repeat("x", 10_000*len(n)), nil
	}, numbers, nil)
	flaky := asset.New1("flaky", func(ctx *asset.Context, n []int64) (int, error) {
		if ctx.Attempt() == 1 {
			return 0, errors.New("not the first time")
		}
		return len(n), nil
	}, numbers, &asset.Options{Retry: asset.Retry{Max: 5, Delay: time.Millisecond}})
	assets := asset.List{numbers, long, flaky}
	before := flaky
	for _, key := range []string{"chain_1", "chain_2", "chain_3"} {
		before = asset.New1(key, func(ctx *asset.Context, n int) (int, error) {
			ctx.AddMetadata(metadata.Map{"n": n})
			return n*7 + 1, nil
		}, before, nil)
		assets = append(assets, before)
	}
	assets = append(assets, asset.New2("last", func(_ *asset.Context, s string, n int) (int, error) { return len(s) + n, nil }, long, before, nil))
	return waggle.Definitions{Assets: assets, Jobs: job.List{job.New(jobName, assets, nil)}, Checks: check.List{
		check.New1("some", func(_ *asset.Context, n []int64) (check.Result, error) {
			return check.Result{Passed: len(n) == 3, Metadata: metadata.Map{"n": len(n)}}, nil
		}, numbers, check.Blocking),
		check.New1("short", func(_ *asset.Context, s string) (check.Result, error) {
			return check.Result{Passed: len(s) < 10, Severity: check.Warn, Description: "it is long"}, nil
		}, long, nil),
	}}
}
