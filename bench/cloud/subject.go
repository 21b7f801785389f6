package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"gocloud.dev/blob"
	"gocloud.dev/blob/memblob"

	"waggle/bench/workload"
	"waggle/shared/cloud"
	"waggle/shared/cloud/cloudtest"
	"waggle/shared/courier"
	"waggle/shared/notify/senders"
	"waggle/shared/run"
	"waggle/shared/store"
	"waggle/shared/store/driver"
	"waggle/shared/store/dynamodriver"
	"waggle/shared/waggle"
)

// As in the cloud: how long an owner may be silent, and how many invocations of the sensor's function go on at once.
const (
	lease         = time.Minute
	sensorsAtOnce = 5
)

// newTable makes a table of an emulator, and opens it as functions do, which do not look whether it is there. It is patient: a request that is
// repeated, since the emulator is slow, would count twice.
func newTable(ctx context.Context, endpoint, name string) (*dynamodriver.Driver, error) {
	opts := &dynamodriver.Options{Indexes: store.Indexes(), SkipCheck: true, Timeout: 2 * time.Minute, TryTimeout: time.Minute, Config: &aws.Config{Region: region, BaseEndpoint: &endpoint,
		Credentials: credentials.NewStaticCredentialsProvider("bench", "bench", "")}}
	if err := dynamodriver.Create(ctx, name, opts); err != nil {
		return nil, err
	}
	return dynamodriver.Open(ctx, name, opts)
}

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

// measure runs a subject several times, one after another over one table, and verifies each run. A run before them is not counted: it makes what
// stays, such as the rows of channels.
func (c subject) measure(ctx context.Context, endpoint string, runs int) ([]cost, error) {
	if err := c.definitions.Validate(); err != nil {
		return nil, err
	}
	db, err := newTable(ctx, endpoint, "waggle-"+c.name)
	if err != nil {
		return nil, err
	}
	m, bucket := newMeter(db), memblob.OpenBucket(nil)
	defer func() { _, _ = db.Close(), bucket.Close() }()
	var costs []cost
	blobs := 0
	for n := range runs + 1 {
		before := db.Usage()
		id, one, err := c.run(ctx, m, bucket)
		if err != nil {
			return nil, fmt.Errorf("run %d: %w", n+1, err)
		}
		one.count(before, db.Usage())
		one.keys = m.taken()
		if one.blobs, err = count(ctx, bucket); err != nil {
			return nil, err
		}
		one.blobs, blobs = one.blobs-blobs, one.blobs
		if err := one.check(); err != nil {
			return nil, err
		}
		if err := c.verify(ctx, store.New(db, store.NewBlobs(bucket), nil), id); err != nil {
			return nil, fmt.Errorf("run %d: %w", n+1, err)
		}
		if n > 0 {
			costs = append(costs, one)
		}
	}
	return costs, nil
}

// count adds what the driver has used meanwhile.
func (c *cost) count(before, after dynamodriver.Usage) {
	c.writes, c.reads, c.requests = after.WriteUnits-before.WriteUnits, after.ReadUnits-before.ReadUnits, after.Requests-before.Requests
	c.indexes = after.IndexWriteUnits
	for index, units := range before.IndexWriteUnits {
		c.indexes[index] -= units
	}
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

// run launches a run, has the functions run it and tell an outbox what its sensors and steps say, and returns its id.
func (c subject) run(ctx context.Context, db driver.Driver, bucket *blob.Bucket) (run.ID, cost, error) {
	dir, clean, err := scratch()
	if err != nil {
		return "", cost{}, err
	}
	defer clean()
	to, err := senders.Open(ctx, c.definitions.Channels, senders.Options{Lookup: func(string) (string, bool) { return "", false }, Outbox: dir})
	if err != nil {
		return "", cost{}, err
	}
	var sent mails
	var troubles problems
	p := cloudtest.New(ctx, c.definitions, db, store.NewBlobs(bucket), &cloudtest.Options{Lease: lease, Longest: 15 * time.Minute, Sensors: sensorsAtOnce, Trouble: troubles.add,
		Courier: courier.Options{Polls: true, Sender: sent.counted(to.Of)}})
	defer p.Close()
	id, err := p.Launch(ctx, run.Request{Job: c.job, Config: c.config(dir)})
	if err != nil {
		return "", cost{}, err
	}
	if err := p.Run(ctx, "", cloud.RunCall{Run: id}); err != nil {
		return "", cost{}, err
	}
	p.Wait()
	took := cost{tally: p.Tally(), mails: sent.sent, attached: sent.attached, scheduled: c.scheduled()}
	switch left, err := owed(ctx, p.Store(), id); {
	case err != nil:
		return id, took, err
	case left != "" || took.tally.Failed > 0 || ctx.Err() != nil:
		return id, took, errors.Join(fmt.Errorf("%d invocations failed; %s", took.tally.Failed, cmp.Or(left, "nothing is owed")), context.Cause(ctx), troubles.all())
	}
	return id, took, nil
}

// scheduled is 1 where a schedule launches the job.
func (c subject) scheduled() int {
	for _, s := range c.definitions.Schedules {
		if s.Job.Name == c.job {
			return 1
		}
	}
	return 0
}

// owed says what is not over: a run that did not succeed or is not settled, a message that waits. Empty: nothing.
func owed(ctx context.Context, s *store.Store, id run.ID) (string, error) {
	summary, err := s.Summary(ctx, id)
	if err != nil {
		return "", err
	}
	o, err := s.Owner(ctx, id)
	if err != nil {
		return "", err
	}
	next, err := s.NextAlert(ctx, nil)
	switch {
	case err != nil:
		return "", err
	case summary.Status != run.Success:
		return fmt.Sprintf("run %s is %s: %s", id, summary.Status, summary.Error), nil
	case !o.Due.IsZero():
		return fmt.Sprintf("run %s is still due", id), nil
	case !next.IsZero():
		return "somebody is still to be told", nil
	}
	return "", nil
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
