package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/cli"
	"waggle/shared/embedded"
	"waggle/shared/job"
	"waggle/shared/metadata"
	"waggle/shared/notify"
	"waggle/shared/notify/senders"
	"waggle/shared/sensor"
	"waggle/shared/store"
	"waggle/shared/waggle"
)

// What the program tells, and to whom.
var (
	slack = notify.Slack("slack", nil)
	team  = notify.Mail("team", nil)

	onRunFailure = sensor.OnRunFailure("on_run_failure", func(ctx *sensor.Context, r sensor.Run) error {
		ctx.Log.Info("run failed", "run", r.ID, "job", r.Job, "error", r.Error)
		return ctx.Notify(r.Report(), slack, team)
	}, nil)
	onRunSuccess = sensor.OnRunSuccess("on_run_success", func(ctx *sensor.Context, r sensor.Run) error {
		return ctx.Notify(r.Report(), team)
	}, nil)
)

type settings struct {
	Broken bool `help:"the source has a row that the transform does not understand"`
}

var config = asset.NewConfig(settings{})

type sale struct {
	ID      int64
	Country string
	Price   *float64
}

var harvest = asset.New1("harvest", func(ctx *asset.Context, cfg settings) ([]sale, error) {
	var rows []sale
	for i := range int64(100) {
		price := float64(i) / 4
		rows = append(rows, sale{ID: i, Country: []string{"Brazil", "Kenya", "Norway"}[i%3], Price: &price})
	}
	if cfg.Broken {
		rows[42].Price = nil
	}
	ctx.Log.Info("harvested", "rows", len(rows))
	ctx.AddMetadata(metadata.Map{"record_count": len(rows)})
	return rows, nil
}, config, nil)

var totals = asset.New1("totals", func(ctx *asset.Context, rows []sale) (map[string]float64, error) {
	sums := map[string]float64{}
	for _, row := range rows {
		if row.Price == nil {
			ctx.Log.Error("a sale has no price", "sale", row.ID, "country", row.Country)
			return nil, fmt.Errorf("sale %d of %s has no price", row.ID, row.Country)
		}
		sums[row.Country] += *row.Price
	}
	ctx.AddMetadata(metadata.Map{"countries": len(sums)})
	return sums, nil
}, harvest, nil)

var checkTotals = check.New1("check_totals", func(_ *asset.Context, sums map[string]float64) (check.Result, error) {
	return check.Result{Passed: len(sums) == 3, Metadata: metadata.Map{"countries": len(sums)}}, nil
}, totals, check.Blocking)

var published = asset.New1("published", func(ctx *asset.Context, sums map[string]float64) (int, error) {
	ctx.Log.Info("published", "countries", len(sums))
	return len(sums), nil
}, totals, nil)

// jobName is that of one of the program's jobs: each fails once, so that no message follows another.
func jobName(n int) string { return fmt.Sprintf("nightly_%04d", n) }

func definitions(jobs int) waggle.Definitions {
	assets := asset.List{harvest, totals, published}
	defs := waggle.Definitions{Assets: assets, Checks: check.List{checkTotals}, Channels: notify.List{slack, team}, Sensors: sensor.List{onRunFailure, onRunSuccess}}
	for n := range jobs {
		defs.Jobs = append(defs.Jobs, job.New(jobName(n), assets, nil))
	}
	return defs
}

// commandLine is a program as a user builds it, wired as cmd/waggle is.
func commandLine(ctx context.Context, jobs int, args []string) error {
	status := cli.Main(ctx, cli.App{
		Definitions: definitions(jobs),
		Open:        func(ctx context.Context, home string) (*store.Store, error) { return embedded.Open(ctx, home, nil) },
		Senders: func(ctx context.Context, home string, channels notify.List) (func(*notify.Definition) (notify.Sender, error), error) {
			opened, err := senders.Open(ctx, channels, senders.Options{Lookup: os.LookupEnv, Outbox: filepath.Join(home, "outbox")})
			if err != nil {
				return nil, err
			}
			return opened.Of, nil
		},
		Worker:  embedded.Worker(),
		Program: os.Args[0],
	}, args, cli.Streams{})
	if status != 0 {
		os.Exit(status)
	}
	return nil
}

// errNotRun says that the program did not do what it was started for.
var errNotRun = errors.New("the program did not run the job as it should")
