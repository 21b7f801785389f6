package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"gocloud.dev/blob/fileblob"

	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/store"
	"waggle/shared/store/driver"
	"waggle/shared/store/sqlitedriver"
)

// lease is short, so that a recovery does not wait for the usual five seconds.
const lease = 300 * time.Millisecond

// open opens a home as embedded.Open does, over a driver that notes each chunk which is acknowledged; first is
// told of the first.
func open(ctx context.Context, dir string, first func()) (*store.Store, *noting, error) {
	blobs := filepath.Join(homeOf(dir), "blobs")
	if err := os.MkdirAll(blobs, 0o755); err != nil {
		return nil, nil, err
	}
	db, err := sqlitedriver.Open(ctx, filepath.Join(homeOf(dir), "waggle.db"), nil)
	if err != nil {
		return nil, nil, err
	}
	bucket, err := fileblob.OpenBucket(blobs, &fileblob.Options{NoTempDir: true, Metadata: fileblob.MetadataDontWrite})
	if err != nil {
		_ = db.Close()
		return nil, nil, err
	}
	d := &noting{Driver: db, promises: promises(dir), first: sync.OnceFunc(first), codec: runlog.NewCodec(), starts: map[start]bool{}}
	return store.New(d, store.NewBlobs(bucket), &store.Options{Lease: lease}), d, nil
}

// noting is a driver that writes down, outside the store, which chunks of logs it has acknowledged.
type noting struct {
	driver.Driver
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
func (d *noting) stored(id run.ID, step run.StepKey, attempt int) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.starts[start{id, step, attempt}]
}

// Put implements driver.Driver. A chunk is promised to its writer from the moment this returns.
func (d *noting) Put(ctx context.Context, item driver.Item, cond driver.Condition) error {
	err := d.Driver.Put(ctx, item, cond)
	id, isRun := strings.CutPrefix(item.Partition, "RUN#")
	if err != nil || !isRun || !strings.HasPrefix(item.Sort, "LOG#") {
		return err
	}
	chunk := runlog.Chunk{Body: item.Body}
	if err := json.Unmarshal(item.Data, &chunk.Header); err != nil {
		return err
	}
	n, err := strconv.ParseInt(strings.TrimPrefix(item.Sort, "LOG#"), 10, 64)
	if err != nil {
		return err
	}
	p, err := promised(run.ID(id), n, chunk)
	if err != nil {
		return err
	}
	if err := d.promises.add(p); err != nil {
		return err
	}
	events, err := d.codec.Unpack(chunk)
	if err != nil {
		return err
	}
	d.mu.Lock()
	for _, e := range events {
		if e.Type == runlog.StepStart {
			d.starts[start{run.ID(id), e.Step, e.Attempt}] = true
		}
	}
	d.mu.Unlock()
	d.first()
	return nil
}

func promised(id run.ID, n int64, c runlog.Chunk) (promise, error) {
	header, err := json.Marshal(c.Header)
	return promise{Run: id, N: n, Sum: sum(header, c.Body), Events: c.Header.To - c.Header.From + 1}, err
}
