package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"gocloud.dev/blob"
	"gocloud.dev/blob/memblob"

	"waggle/bench/workload"
	"waggle/shared/courier"
	"waggle/shared/engine"
	"waggle/shared/notify/senders"
	"waggle/shared/run"
	"waggle/shared/store"
	"waggle/shared/store/dynamodriver"
	"waggle/shared/waggle"
)

// As in the cloud: how long an owner may be silent, and how long a log record may wait.
const (
	lease = time.Minute
	flush = 250 * time.Millisecond
)

// subject is what is measured.
type subject struct {
	name        string
	definitions waggle.Definitions
	job         string
	config      func(dir string) run.Config
	// verify compares what is stored of a run with what it must be.
	verify func(ctx context.Context, s *store.Store, id run.ID) error
	budget func(cost) error
}

// chain is 100 assets, each with three log records and three metadata values.
func chain() subject {
	w := workload.Workload{Shape: workload.Chain, Steps: 100}
	return subject{name: "chain", definitions: w.Definitions(), job: workload.JobName,
		config: func(string) run.Config { return nil },
		verify: func(ctx context.Context, s *store.Store, id run.ID) error {
			_, err := w.Inspect(ctx, s, id)
			return err
		},
		budget: func(c cost) error {
			if c.writes > 200 {
				return fmt.Errorf("the chain took %v write units, its budget is 200", c.writes)
			}
			return nil
		}}
}

// measure runs a subject several times, each over a new table, and verifies each run.
func (c subject) measure(ctx context.Context, endpoint string, runs int) ([]cost, error) {
	if err := c.definitions.Validate(); err != nil {
		return nil, err
	}
	// Patient: a request that is repeated since the emulator is slow would count twice.
	opts := &dynamodriver.Options{Indexes: store.Indexes(), Timeout: 2 * time.Minute, TryTimeout: time.Minute, Config: &aws.Config{Region: "us-east-1", BaseEndpoint: &endpoint,
		Credentials: credentials.NewStaticCredentialsProvider("bench", "bench", "")}}
	var costs []cost
	for n := range runs {
		table := fmt.Sprintf("waggle-%s-%d", c.name, n+1)
		if err := dynamodriver.Create(ctx, table, opts); err != nil {
			return nil, err
		}
		// A driver counts from when it is opened, its look at the table included: as a process does it that has one run.
		db, err := dynamodriver.Open(ctx, table, opts)
		if err != nil {
			return nil, err
		}
		m, bucket := newMeter(db), memblob.OpenBucket(nil)
		id, err := c.run(ctx, store.New(m, store.NewBlobs(bucket), &store.Options{Lease: lease}))
		if err != nil {
			return nil, fmt.Errorf("run %d: %w", n+1, err)
		}
		used, keys := db.Usage(), m.taken()
		one := cost{writes: used.WriteUnits, reads: used.ReadUnits, requests: used.Requests, indexes: used.IndexWriteUnits, keys: keys}
		if one.blobs, err = count(ctx, bucket); err != nil {
			return nil, err
		}
		if err := one.check(); err != nil {
			return nil, err
		}
		if err := c.verify(ctx, store.New(db, store.NewBlobs(bucket), nil), id); err != nil {
			return nil, fmt.Errorf("run %d: %w", n+1, err)
		}
		if err := errors.Join(db.Close(), bucket.Close()); err != nil {
			return nil, err
		}
		costs = append(costs, one)
	}
	return costs, nil
}

// check compares the units of the keys with those of all writes: each must have gone somewhere.
func (c cost) check() error {
	sum := 0.0
	for _, units := range c.keys {
		sum += units
	}
	if c.writes == 0 || math.Abs(sum-c.writes) > 0.01 {
		return fmt.Errorf("%v write units, of which keys account for %v", c.writes, sum)
	}
	return nil
}

// run launches a run, lets it end, tells an outbox what its sensors say, and returns its id.
func (c subject) run(ctx context.Context, s *store.Store) (run.ID, error) {
	dir, clean, err := scratch()
	if err != nil {
		return "", err
	}
	defer clean()
	p, err := c.definitions.Plan(run.Request{Job: c.job})
	if err != nil {
		return "", err
	}
	config, err := p.Config(c.config(dir))
	if err != nil {
		return "", err
	}
	id, err := s.Launch(ctx, run.Request{Job: c.job, Config: config})
	if err != nil {
		return "", err
	}
	to, err := senders.Open(ctx, c.definitions.Channels, senders.Options{Lookup: func(string) (string, bool) { return "", false }, Outbox: dir})
	if err != nil {
		return "", err
	}
	messages := courier.New(s, c.definitions, &courier.Options{Sender: to.Of, Look: lease, Worker: "bench"})
	keeping, stop := context.WithCancel(ctx)
	var trouble error
	var kept sync.WaitGroup
	kept.Go(func() { messages.Keep(keeping, func(err error) { trouble = err }) })
	out, err := engine.New(s, c.definitions, &engine.Options{Flush: flush, Worker: "bench", Publish: messages.Publish(), Notify: messages.Notify()}).Run(ctx, id, nil)
	stop()
	kept.Wait()
	switch {
	case err != nil:
	case out.Record.Status != run.Success:
		err = fmt.Errorf("it ended %s: %s", out.Record.Status, out.Record.Error)
	case trouble != nil:
		err = trouble
	default:
		err = messages.Once(ctx)
	}
	return id, err
}

// count is how many blobs there are: each was put once.
func count(ctx context.Context, bucket *blob.Bucket) (n int, err error) {
	for list := bucket.List(nil); ; n++ {
		if _, err := list.Next(ctx); err == io.EOF {
			return n, nil
		} else if err != nil {
			return n, err
		}
	}
}
