// Package home opens the store of a folder as package embedded does, with a driver of the bench's own around the
// table, so that it can see what is written and when.
package home

import (
	"context"
	"encoding/json"
	"path/filepath"
	"strconv"
	"strings"

	"waggle/shared/embedded"
	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/store"
	"waggle/shared/store/driver"
	"waggle/shared/store/sqlitedriver"
)

// Open opens the store in a folder, which it makes if it is missing. around gets the SQLite driver and returns
// the one that the store uses.
func Open(ctx context.Context, dir string, opts *store.Options, around func(driver.Driver) driver.Driver) (*store.Store, error) {
	blobs, err := embedded.Blobs(dir)
	if err != nil {
		return nil, err
	}
	db, err := sqlitedriver.Open(ctx, filepath.Join(dir, "waggle.db"), nil)
	if err != nil {
		_ = blobs.Close()
		return nil, err
	}
	return store.New(around(db), blobs, opts), nil
}

// Chunks is a driver that tells Seen of each chunk of a run's log as soon as it is stored, before the writer
// is told.
type Chunks struct {
	driver.Driver
	Seen func(driver.Item) error
}

// Put implements driver.Driver.
func (c *Chunks) Put(ctx context.Context, item driver.Item, cond driver.Condition) error {
	err := c.Driver.Put(ctx, item, cond)
	if err == nil && isChunk(item.Key) {
		return c.Seen(item)
	}
	return err
}

func isChunk(k driver.Key) bool {
	return strings.HasPrefix(k.Partition, "RUN#") && strings.HasPrefix(k.Sort, "LOG#")
}

// Chunk reads back what an item that Seen gets holds: the run's id, the chunk's number, and the chunk.
func Chunk(item driver.Item) (id run.ID, n int64, c runlog.Chunk, err error) {
	c.Body = item.Body
	if err = json.Unmarshal(item.Data, &c.Header); err == nil {
		n, err = strconv.ParseInt(strings.TrimPrefix(item.Sort, "LOG#"), 10, 64)
	}
	return run.ID(strings.TrimPrefix(item.Partition, "RUN#")), n, c, err
}
