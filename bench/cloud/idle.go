package main

import (
	"context"
	"errors"
	"fmt"

	"gocloud.dev/blob/memblob"

	"waggle/bench/figures"
	"waggle/pipelines"
	"waggle/shared/cloud/cloudtest"
	"waggle/shared/metric"
	"waggle/shared/run"
	"waggle/shared/store"
)

// idle is what a deployment costs in a month in which nothing runs.
type idle struct {
	looks       float64 // of the monitor, in the month
	reads       float64 // units, a look
	writes      float64 // units, a look
	invocations float64 // of functions, a look
	gbSeconds   float64 // a look
}

const (
	// idleBudget is in dollars a month, what is free for every account aside.
	idleBudget = 0.50

	alarms = 10
	boards = 1

	// polls are the empty receives of a queue from which Lambda reads, reckoned: five at a time, each for 20 s, the longest that SQS knows.
	// https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
	polls = 5 * 3 * minutesAMonth

	// logBytes are those that Lambda itself writes of an invocation: START, END and REPORT. The monitor writes nothing when nothing is due.
	logBytes = 400
)

// looks is how often the monitor looks for the measure: the first finds schedules that nobody has seen yet.
const looks = 20

// measureIdle has the monitor of the deployment look after a table in which one run has ended.
func measureIdle(ctx context.Context, endpoint string) (idle, error) {
	db, err := newTable(ctx, endpoint, "waggle-idle")
	if err != nil {
		return idle{}, err
	}
	bucket := memblob.OpenBucket(nil)
	defer func() { _, _ = db.Close(), bucket.Close() }()
	if _, _, err := sample(0).run(ctx, db, bucket); err != nil {
		return idle{}, err
	}
	var troubles problems
	p := cloudtest.New(ctx, pipelines.Definitions, db, store.NewBlobs(bucket), &cloudtest.Options{Lease: lease, Trouble: troubles.add})
	defer p.Close()
	if err := p.Look(ctx); err != nil {
		return idle{}, err
	}
	p.Wait()
	used, did := db.Usage(), p.Tally()
	for range looks {
		if err := p.Look(ctx); err != nil {
			return idle{}, err
		}
		p.Wait()
	}
	now, done := db.Usage(), p.Tally()
	runs, _, err := p.Store().Runs(ctx, store.Filter{}, 2, "")
	if err == nil && (len(runs) != 1 || runs[0].Status != run.Success || done.Failed > 0) {
		err = errors.Join(fmt.Errorf("it was not idle: %+v", runs), troubles.all())
	}
	m := idle{looks: minutesAMonth, reads: (now.ReadUnits - used.ReadUnits) / looks, writes: (now.WriteUnits - used.WriteUnits) / looks, gbSeconds: (gbSeconds(done) - gbSeconds(did)) / looks}
	for name, n := range done.Invocations {
		m.invocations += float64(n.Count-did.Invocations[name].Count) / looks
	}
	return m, err
}

// item is one line of what a month costs.
type item struct {
	Case     string  `json:"case"`
	Emulator string  `json:"emulator"`
	Item     string  `json:"item"`
	Count    float64 `json:"count"`
	Unit     string  `json:"unit"`
	USD      float64 `json:"usd_per_month"`
	Prices   string  `json:"prices"`
}

// items are what a month costs, the sum last, and after it what metrics and each GB that is kept may add.
func (m idle) items(emulator string) (list []item, sum float64) {
	add := func(name string, count float64, unit string, usd float64) {
		list = append(list, item{"idle", emulator, name, figures.Round(count), unit, cents(usd), region + " " + priced})
		sum += usd
	}
	add("monitor: requests", m.looks*m.invocations, "invocations of functions", m.looks*m.invocations*lambdaRequest)
	add("monitor: compute", m.looks*m.gbSeconds, "GB-seconds", m.looks*m.gbSeconds*lambdaGBs)
	add("monitor: clock", m.looks, "invocations by Scheduler", m.looks*scheduled)
	add("monitor: reads", m.looks*m.reads, "read units", m.looks*m.reads*readUnit)
	add("monitor: writes", m.looks*m.writes, "write units", m.looks*m.writes*writeUnit)
	add("monitor: logs", m.looks*m.invocations*logBytes/1e9, "GB", m.looks*m.invocations*logBytes/1e9*logsGB)
	add("sensor: polls of its queue", polls, "requests", polls*queueRequest)
	add("alarms beyond ten", max(alarms-freeAlarms, 0), "alarms", max(alarms-freeAlarms, 0)*alarmMonth)
	add("dashboards beyond three", max(boards-freeBoards, 0), "dashboards", max(boards-freeBoards, 0)*boardMonth)
	add("parameters of SSM, standard", 1, "parameters", 0)
	total := sum
	add("sum", 1, "month", total)
	add("metrics, in each hour in which runs end, beyond an account's ten", float64(len(metric.Names())), "metrics", float64(len(metric.Names()))*metricMonth)
	for _, kept := range []struct {
		name string
		usd  float64
	}{{"rows", rowsGB}, {"rows, recovery to a point in time", backupGB}, {"objects", objectsGB}} {
		add("each GB of "+kept.name, 1, "GB", kept.usd)
	}
	return list, total
}

func (m idle) budget(sum float64) error {
	if sum > idleBudget {
		return fmt.Errorf("a month in which nothing runs costs $%.4f, its budget is $%.2f", sum, idleBudget)
	}
	return nil
}
