package main

import (
	"context"
	"strings"
	"sync"

	"waggle/shared/run"
	"waggle/shared/store/driver"
)

// queuePartition is where the store keeps the runs that wait: see shared/store/queue.go.
const queuePartition = "QUEUE"

// witness is a driver that writes down, outside the store, when runs are queued and admitted.
type witness struct {
	driver.Driver
	ledger ledger

	mu    sync.Mutex
	walks map[context.Context]int64 // the newest walk along the queue under a context: each run that is attended, and each execution, has one of its own
	last  int64
}

// Put implements driver.Driver.
func (w *witness) Put(ctx context.Context, item driver.Item, cond driver.Condition) error {
	err := w.Driver.Put(ctx, item, cond)
	if err == nil && item.Partition == queuePartition {
		return w.ledger.add(line{Kind: queued, Run: waiting(item.Key)})
	}
	return err
}

// Query implements driver.Driver.
func (w *witness) Query(ctx context.Context, q driver.Query) (driver.Page, error) {
	if q.Partition == queuePartition && q.Cursor == "" {
		w.mu.Lock()
		w.last++
		walk := w.last
		w.walks[ctx] = walk
		w.mu.Unlock()
		if err := w.ledger.add(line{Kind: looks, Walk: walk}); err != nil {
			return driver.Page{}, err
		}
	}
	return w.Driver.Query(ctx, q)
}

// Write implements driver.Driver.
func (w *witness) Write(ctx context.Context, ops []driver.Op) error {
	if len(ops) == 0 || ops[0].Delete == nil || ops[0].Delete.Partition != queuePartition {
		return w.Driver.Write(ctx, ops)
	}
	w.mu.Lock()
	what := line{Kind: admits, Run: waiting(*ops[0].Delete), Walk: w.walks[ctx]}
	w.mu.Unlock()
	if err := w.ledger.add(what); err != nil {
		return err
	}
	if err := w.Driver.Write(ctx, ops); err != nil {
		return err
	}
	what.Kind = admitted
	return w.ledger.add(what)
}

// waiting is the run of a row of the queue.
func waiting(key driver.Key) run.ID {
	_, id, _ := strings.Cut(key.Sort, "#")
	return run.ID(id)
}
