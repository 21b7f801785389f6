package engine_test

import (
	"context"
	"testing"

	"gocloud.dev/blob"

	"waggle/shared/engine"
	"waggle/shared/event"
	"waggle/shared/run"
	"waggle/shared/store"
	"waggle/shared/store/driver"
	"waggle/shared/waggle"
)

// client is one process's connection to a table that others use too. around is called before and after each call; an error of
// it is the call's: before, the call is not made, and after, its answer is lost.
type client struct {
	driver.Driver
	around func(op string, key driver.Key, done bool, err error) error
}

func (c *client) call(op string, key driver.Key, act func() error) error {
	if err := c.around(op, key, false, nil); err != nil {
		return err
	}
	err := act()
	if lost := c.around(op, key, true, err); lost != nil {
		return lost
	}
	return err
}

func (c *client) Get(ctx context.Context, key driver.Key) (item driver.Item, err error) {
	err = c.call("get", key, func() (err error) { item, err = c.Driver.Get(ctx, key); return err })
	return item, err
}

func (c *client) Query(ctx context.Context, q driver.Query) (page driver.Page, err error) {
	err = c.call("query", driver.Key{Partition: q.Partition, Sort: q.From}, func() (err error) { page, err = c.Driver.Query(ctx, q); return err })
	return page, err
}

func (c *client) Put(ctx context.Context, item driver.Item, cond driver.Condition) error {
	return c.call("put", item.Key, func() error { return c.Driver.Put(ctx, item, cond) })
}

func (c *client) Delete(ctx context.Context, key driver.Key, cond driver.Condition) error {
	return c.call("delete", key, func() error { return c.Driver.Delete(ctx, key, cond) })
}

func (c *client) PutAll(ctx context.Context, items []driver.Item) error {
	return c.call("put all", items[0].Key, func() error { return c.Driver.PutAll(ctx, items) })
}

func (c *client) Write(ctx context.Context, ops []driver.Op) error {
	return c.call("write", ops[0].Key(), func() error { return c.Driver.Write(ctx, ops) })
}

// listener is a sensor that wants every event.
const listener = "listener"

// heard has the events stored for the listener, as the embedded bus does.
func heard(s *store.Store, opts *engine.Options) *engine.Options {
	var o engine.Options
	if opts != nil {
		o = *opts
	}
	o.Publish = func(ctx context.Context, events []event.Event) error { return s.PutEvents(ctx, listener, events) }
	return &o
}

// process is an engine of its own over a table and blobs that it shares.
type process struct {
	store  *store.Store
	engine *engine.Engine
}

func newProcess(db driver.Driver, bucket *blob.Bucket, defs waggle.Definitions, storeOpts *store.Options, opts *engine.Options) process {
	s := store.New(db, store.NewBlobs(bucket), storeOpts)
	return process{s, engine.New(s, defs, heard(s, opts))}
}

func (p process) launch(t testing.TB) run.ID {
	t.Helper()
	id, err := p.store.Launch(t.Context(), run.Request{Job: "job"})
	if err != nil {
		t.Fatal(err)
	}
	return id
}
