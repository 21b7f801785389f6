package main

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"waggle/bench/home"
	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/store"
	"waggle/shared/store/driver"
)

// lease is short, so that a recovery does not wait for the usual five seconds.
const lease = 300 * time.Millisecond

// open opens the home in a folder, and notes each chunk that is acknowledged; first is told of the first.
func open(ctx context.Context, dir string, first func()) (*store.Store, *chunks, error) {
	c := &chunks{promises: promises(dir), first: sync.OnceFunc(first), codec: runlog.NewCodec(), starts: map[start]bool{}}
	s, err := home.Open(ctx, homeOf(dir), &store.Options{Lease: lease}, func(db driver.Driver) driver.Driver {
		return &home.Chunks{Driver: db, Seen: c.seen}
	})
	return s, c, err
}

// chunks writes down, outside the store, which chunks of logs are acknowledged, and knows the starts in them.
type chunks struct {
	promises ledger[promise]
	first    func()
	codec    *runlog.Codec

	mu     sync.Mutex
	starts map[start]bool
}

// start is an attempt at a step.
type start struct {
	run     run.ID
	step    run.StepKey
	attempt int
}

// stored tells whether this process has stored the start of an attempt.
func (c *chunks) stored(id run.ID, step run.StepKey, attempt int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.starts[start{id, step, attempt}]
}

// seen notes a chunk: when this returns, its writer is told that it is stored.
func (c *chunks) seen(item driver.Item) error {
	id, n, chunk, err := home.Chunk(item)
	if err != nil {
		return err
	}
	p, err := promised(id, n, chunk)
	if err != nil {
		return err
	}
	if err := c.promises.add(p); err != nil {
		return err
	}
	events, err := c.codec.Unpack(chunk)
	if err != nil {
		return err
	}
	c.mu.Lock()
	for _, e := range events {
		if e.Type == runlog.StepStart {
			c.starts[start{id, e.Step, e.Attempt}] = true
		}
	}
	c.mu.Unlock()
	c.first()
	return nil
}

func promised(id run.ID, n int64, c runlog.Chunk) (promise, error) {
	header, err := json.Marshal(c.Header)
	return promise{Run: id, N: n, Sum: sum(header, c.Body), Events: c.Header.To - c.Header.From + 1}, err
}
