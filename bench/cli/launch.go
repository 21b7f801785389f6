package main

import (
	"context"
	"errors"
	"time"

	"waggle/bench/home"
	"waggle/shared/asset"
	"waggle/shared/engine"
	"waggle/shared/job"
	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/store"
	"waggle/shared/store/driver"
	"waggle/shared/waggle"
)

// launcher launches runs and sees when the start of each is stored.
type launcher struct {
	store   *store.Store
	engine  *engine.Engine
	started chan time.Time
}

func newLauncher(ctx context.Context, dir string) (*launcher, error) {
	l := &launcher{started: make(chan time.Time, 1)}
	var err error
	l.store, err = home.Open(ctx, dir, nil, func(db driver.Driver) driver.Driver { return &home.Chunks{Driver: db, Seen: l.seen} })
	if err != nil {
		return nil, err
	}
	one := asset.New("one", func(*asset.Context) (int, error) { return 1, nil }, nil)
	assets := asset.List{one}
	defs := waggle.Definitions{Assets: assets, Jobs: job.List{job.New("only", assets, nil)}}
	l.engine = engine.New(l.store, defs, nil)
	return l, defs.Validate()
}

func (l *launcher) seen(item driver.Item) error {
	_, _, chunk, err := home.Chunk(item)
	if chunk.Header.Types[runlog.RunStart] > 0 {
		l.started <- time.Now()
	}
	return err
}

// launch returns the time from before a launch until RUN_START is stored.
func (l *launcher) launch(ctx context.Context) (time.Duration, error) {
	began := time.Now()
	id, err := l.store.Launch(ctx, run.Request{Job: "only"})
	if err != nil {
		return 0, err
	}
	out, err := l.engine.Run(ctx, id, nil)
	if err != nil {
		return 0, err
	}
	if out.Record.Status != run.Success {
		return 0, errors.New("the run ended " + string(out.Record.Status) + ": " + out.Record.Error)
	}
	return (<-l.started).Sub(began), nil
}
