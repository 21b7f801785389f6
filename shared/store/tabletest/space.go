//go:build dynamodb

package tabletest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"waggle/shared/fault"
	"waggle/shared/store/driver"
	"waggle/shared/store/dynamodriver"
	"waggle/shared/store/memorydriver"
)

// space is a table within the process's one table: all its partitions, those of indexes too, begin with its prefix.
type space struct {
	server *shared
	prefix string
	opts   Options
	db     *dynamodriver.Driver
	now    atomic.Int64 // the clock of the test, in nanoseconds, as of the newest call
	closed atomic.Bool

	mu         sync.Mutex
	partitions map[string]bool // that were written to
}

func (s *shared) space(opts *Options) *space {
	s.mu.Lock()
	s.spaces++
	n := &space{server: s, prefix: fmt.Sprintf("%d ", s.spaces), partitions: map[string]bool{}}
	s.mu.Unlock()
	if opts != nil {
		n.opts = *opts
	}
	if n.opts.Clock == nil {
		n.opts.Clock = time.Now
	}
	err := outside(func() (err error) {
		n.db, err = dynamodriver.Open(context.Background(), s.name, s.options(func() time.Time { return time.Unix(0, n.now.Load()) }))
		return err
	})
	if err != nil {
		panic(err) // the options are our own
	}
	return n
}

// Features implements driver.Driver. The emulators' indexes never lag.
func (n *space) Features() driver.Features {
	return driver.Features{ConsistentIndexes: true, MultiProcess: true, Durable: true}
}

// Close implements driver.Driver. Snapshot and Clone still work.
func (n *space) Close() error {
	n.closed.Store(true)
	return nil
}

// call makes a call between the hooks, as memorydriver does.
func (n *space) call(ctx context.Context, c memorydriver.Call, act func(context.Context) error) error {
	if err := driver.CheckContext(ctx); err != nil {
		return fault.Wrap(fault.Canceled, c.String(), err)
	}
	if n.opts.Hook != nil {
		if err := n.opts.Hook(c); err != nil {
			return err
		}
	}
	err := n.reach(c, act)
	if n.opts.Hook != nil {
		c.Done, c.Err = true, err
		if err := n.opts.Hook(c); err != nil {
			return err
		}
	}
	return err
}

func (n *space) reach(c memorydriver.Call, act func(context.Context) error) error {
	if n.closed.Load() {
		return &fault.Error{Op: c.String(), Code: fault.Unavailable, Err: errors.New("the store is closed")}
	}
	n.now.Store(n.opts.Clock().UnixNano())
	if c.Op.Writes() {
		n.mu.Lock()
		for _, k := range c.Keys {
			n.partitions[k.Partition] = true
		}
		n.mu.Unlock()
	}
	// The caller's context may belong to a bubble, whose channels nobody outside may touch. A call is short.
	err := outside(func() error { return act(context.Background()) })
	var conflict *driver.ConflictError
	var known *fault.Error
	switch {
	case errors.As(err, &conflict):
		conflict.Key.Partition = n.short(conflict.Key.Partition)
		if conflict.Stored != nil {
			n.strip(conflict.Stored)
		}
	case errors.As(err, &known) && known.Op != "":
		known.Op = c.String()
	}
	return err
}

func (n *space) short(partition string) string { return strings.TrimPrefix(partition, n.prefix) }

func (n *space) key(k driver.Key) driver.Key {
	return driver.Key{Partition: n.prefix + k.Partition, Sort: k.Sort}
}

// item is the item as it is stored.
func (n *space) item(i driver.Item) driver.Item {
	i.Key = n.key(i.Key)
	i.Entries = slices.Clone(i.Entries)
	for e := range i.Entries {
		i.Entries[e].Partition = n.prefix + i.Entries[e].Partition
	}
	return i
}

// strip undoes item.
func (n *space) strip(i *driver.Item) {
	i.Partition = n.short(i.Partition)
	for e := range i.Entries {
		i.Entries[e].Partition = n.short(i.Entries[e].Partition)
	}
}

// Get implements driver.Driver.
func (n *space) Get(ctx context.Context, key driver.Key) (item driver.Item, err error) {
	err = n.call(ctx, memorydriver.Call{Op: memorydriver.Get, Keys: []driver.Key{key}}, func(ctx context.Context) (err error) {
		item, err = n.db.Get(ctx, n.key(key))
		return err
	})
	if err != nil {
		return driver.Item{}, err
	}
	n.strip(&item)
	return item, nil
}

// Query implements driver.Driver.
func (n *space) Query(ctx context.Context, q driver.Query) (page driver.Page, err error) {
	err = n.call(ctx, memorydriver.Call{Op: memorydriver.Query, Query: q}, func(ctx context.Context) (err error) {
		page, err = n.query(ctx, q)
		return err
	})
	return page, err
}

func (n *space) query(ctx context.Context, q driver.Query) (driver.Page, error) {
	q.Partition = n.prefix + q.Partition
	page, err := n.db.Query(ctx, q)
	for i := range page.Items {
		n.strip(&page.Items[i])
	}
	return page, err
}

// Put implements driver.Driver.
func (n *space) Put(ctx context.Context, item driver.Item, cond driver.Condition) error {
	return n.call(ctx, memorydriver.Call{Op: memorydriver.Put, Keys: []driver.Key{item.Key}}, func(ctx context.Context) error {
		return n.db.Put(ctx, n.item(item), cond)
	})
}

// Delete implements driver.Driver.
func (n *space) Delete(ctx context.Context, key driver.Key, cond driver.Condition) error {
	return n.call(ctx, memorydriver.Call{Op: memorydriver.Delete, Keys: []driver.Key{key}}, func(ctx context.Context) error {
		return n.db.Delete(ctx, n.key(key), cond)
	})
}

// PutAll implements driver.Driver.
func (n *space) PutAll(ctx context.Context, items []driver.Item) error {
	keys, stored := make([]driver.Key, len(items)), make([]driver.Item, len(items))
	for i, item := range items {
		keys[i], stored[i] = item.Key, n.item(item)
	}
	return n.call(ctx, memorydriver.Call{Op: memorydriver.PutAll, Keys: keys}, func(ctx context.Context) error {
		return n.db.PutAll(ctx, stored)
	})
}

// Write implements driver.Driver.
func (n *space) Write(ctx context.Context, ops []driver.Op) error {
	keys, stored := make([]driver.Key, len(ops)), make([]driver.Op, len(ops))
	for i, op := range ops {
		keys[i], stored[i] = op.Key(), op
		if op.Put != nil {
			item := n.item(*op.Put)
			stored[i].Put = &item
		} else {
			key := n.key(*op.Delete)
			stored[i].Delete = &key
		}
	}
	return n.call(ctx, memorydriver.Call{Op: memorydriver.Write, Keys: keys}, func(ctx context.Context) error {
		return n.db.Write(ctx, stored)
	})
}

// Snapshot implements Table. Expired items are not there.
func (n *space) Snapshot() []driver.Item {
	n.mu.Lock()
	var partitions []string
	for p := range n.partitions {
		partitions = append(partitions, p)
	}
	n.mu.Unlock()
	slices.Sort(partitions)
	n.now.Store(n.opts.Clock().UnixNano())
	var items []driver.Item
	err := outside(func() error {
		for _, p := range partitions {
			q := driver.Query{Partition: p}
			for {
				page, err := n.query(context.Background(), q)
				if err != nil {
					return err
				}
				items = append(items, page.Items...)
				if q.Cursor = page.Cursor; q.Cursor == "" {
					break
				}
			}
		}
		return nil
	})
	if err != nil {
		panic(err)
	}
	return items
}

// Clone implements Table.
func (n *space) Clone(opts *Options) Table {
	c := n.server.space(opts)
	items := n.Snapshot()
	for i, item := range items {
		c.partitions[item.Partition] = true
		items[i] = c.item(item)
	}
	if err := outside(func() error { return c.db.PutAll(context.Background(), items) }); err != nil {
		panic(err)
	}
	return c
}
