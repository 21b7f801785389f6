package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"waggle/bench/figures"
	"waggle/shared/asset"
	"waggle/shared/courier"
	"waggle/shared/embedded"
	"waggle/shared/engine"
	"waggle/shared/job"
	"waggle/shared/notify"
	"waggle/shared/notify/slackwebhook"
	"waggle/shared/run"
	"waggle/shared/secret"
	"waggle/shared/sensor"
	"waggle/shared/store"
	"waggle/shared/waggle"
)

var slack = notify.Slack("slack", nil)

// definitions has one failing asset in many jobs, and a sensor that reports every failure.
func definitions(jobs int) waggle.Definitions {
	broken := asset.New("orders", func(ctx *asset.Context) (int, error) {
		ctx.Log.Info("connecting", "host", "db.example.com")
		return 0, errors.New("connect to db.example.com:5432: connection refused")
	}, nil)
	defs := waggle.Definitions{Assets: asset.List{broken}, Channels: notify.List{slack}, Sensors: sensor.List{
		sensor.OnRunFailure("on_run_failure", func(ctx *sensor.Context, r sensor.Run) error { return ctx.Notify(r.Report(), slack) }, nil)}}
	for i := range jobs {
		defs.Jobs = append(defs.Jobs, job.New(fmt.Sprintf("job_%03d", i), asset.List{broken}, nil))
	}
	return defs
}

// workers is how many runs go on at once.
const workers = 4

// takenBeforeDeath is how many messages the server takes before it dies in the middle of an answer: a few hundred failures that come faster
// than messages leave are not many more.
func takenBeforeDeath(failures int) int {
	if failures < 1000 {
		return 3
	}
	return 8
}

func bench(ctx context.Context, dir string, failures, jobs int) (f figure, err error) {
	f = figure{Failures: failures, Jobs: jobs}
	st, err := embedded.Open(ctx, dir, nil)
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	server, err := newServer(takenBeforeDeath(failures))
	if err != nil {
		return f, err
	}
	defer server.down()
	defs := definitions(jobs)
	if err := defs.Validate(); err != nil {
		return f, err
	}
	sender := slackwebhook.New(secret.New("http://"+server.address+"/services/T0/B0/x"), nil)
	c := courier.New(st, defs, &courier.Options{Sender: func(*notify.Definition) (notify.Sender, error) { return sender, nil }, Worker: embedded.Worker()})
	keeping, rest := context.WithCancel(ctx)
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		c.Keep(keeping, func(err error) { figures.Say("%v", err) })
	}()
	defer func() {
		rest()
		<-kept
	}()

	began := time.Now()
	ids, err := fail(ctx, st, defs, c, failures, jobs)
	if err != nil {
		return f, err
	}
	f.FailingS = figures.Round(time.Since(began).Seconds())
	figures.Say("%d runs have failed", len(ids))
	select {
	case <-server.away:
	case <-ctx.Done():
		return f, errors.New("the server did not get enough messages to die of")
	}
	left := time.Now()
	if err := until(ctx, func() (bool, error) {
		due, err := st.DueEvents(ctx, 1, nil)
		return len(due) == 0, err
	}); err != nil {
		return f, err
	}
	f.AwayS = figures.Round(time.Since(left).Seconds())
	figures.Say("each failure waits in the channel; the server comes back")
	back := time.Now()
	if err := server.up(); err != nil {
		return f, err
	}
	err = until(ctx, func() (bool, error) {
		outs, _, err := st.Waiting(ctx, "slack", 1, "")
		return len(outs) == 0, err
	})
	f.Seconds = figures.Round(time.Since(back).Seconds())
	server.mu.Lock()
	defer server.mu.Unlock()
	f.Messages, f.Refused = len(server.bodies), server.refused
	f.Reported, f.Twice = told(ids, server.bodies)
	f.Ambiguous, _ = told(ids, server.ambiguous)
	f.Lost = len(ids) - f.Reported
	return f, err
}

// fail has runs fail, some at once, and returns their ids in order. They are launched a millisecond apart, so that the 13 characters by which
// a message names a run are its own.
func fail(ctx context.Context, st *store.Store, defs waggle.Definitions, c *courier.Courier, failures, jobs int) ([]run.ID, error) {
	e := engine.New(st, defs, &engine.Options{Publish: c.Publish()})
	launched := make(chan run.ID, workers)
	var failed atomic.Pointer[error]
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for id := range launched {
				out, err := e.Run(ctx, id, nil)
				if err == nil && out.Record.Status != run.Failure {
					err = fmt.Errorf("run %s is %s", id, out.Record.Status)
				}
				if err != nil {
					failed.Store(&err)
				}
			}
		})
	}
	var ids []run.ID
	var err error
	for i := 0; i < failures && err == nil && failed.Load() == nil; i++ {
		for ms := time.Now().UnixMilli(); time.Now().UnixMilli() == ms; {
			time.Sleep(100 * time.Microsecond)
		}
		var id run.ID
		if id, err = st.Launch(ctx, run.Request{Job: defs.Jobs[i%jobs].Name}); err == nil {
			ids = append(ids, id)
			launched <- id
		}
	}
	close(launched)
	wg.Wait()
	if failure := failed.Load(); failure != nil {
		err = errors.Join(err, *failure)
	}
	slices.Sort(ids)
	return ids, err
}

// until looks again and again until something is so.
func until(ctx context.Context, so func() (bool, error)) error {
	for {
		done, err := so()
		if done || err != nil {
			return err
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("it took too long: %w", ctx.Err())
		}
	}
}
