// Command faults runs small runs over DynamoDB Local through a proxy that throttles, fails, is silent, delays what was given
// up, and drops the answer after the write was done, and counts what was lost or came out wrong: nothing may be. Then the functions of a
// deployment run runs that fail, over the same faults and those of their platform and of a Slack-like server: each failure must be told.
//
//	go run ./bench/faults -seed 7
//
// It prints two lines of JSON. Each fault is drawn from the seed by the number of its request; which request
// has that number is the machine's matter.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	"gocloud.dev/blob/memblob"

	"waggle/bench/faults/alerts"
	"waggle/bench/figures"
	"waggle/localstack/emulator"
	"waggle/shared/store"
	"waggle/shared/store/dynamodriver"
)

// figure is the first line of output.
type figure struct {
	Case     string  `json:"case"`
	Runs     int     `json:"runs"`     // launched, all ended
	Requests int64   `json:"requests"` // to the proxy
	Faults   int64   `json:"faults"`   // injected
	Lost     int     `json:"lost"`     // runs, chunks of logs and rows that were acknowledged or follow from them, and are not there
	Wrong    int     `json:"wrong"`    // whatever else differs from an undisturbed run, or is there twice
	Owners   int     `json:"owners"`   // of all runs together: handovers and takeovers included
	Seconds  float64 `json:"seconds"`
	Seed     uint64  `json:"seed"`
}

func main() { figures.Main("faults", command) }

func command(ctx context.Context) error {
	runs := flag.Int("runs", 300, "how many runs")
	told := flag.Int("alerts", 100, "how many runs by the functions of a deployment, of which four of five fail")
	seed := flag.Uint64("seed", 0, "chooses the faults; 0: a random one, which is printed")
	jar := flag.String("jar", "", "the jar of DynamoDB Local; empty: the one installed in localstack")
	limit := flag.Duration("limit", 10*time.Minute, "give up after this time")
	flag.Parse()
	if *runs < 1 || *told < 1 || flag.NArg() > 0 {
		flag.Usage()
		return errors.New("-runs and -alerts are 1 or more")
	}
	if *seed == 0 {
		*seed = rand.Uint64N(1<<32) + 1
	}
	if *jar == "" {
		found, err := emulator.FindJar()
		if err != nil {
			return err
		}
		*jar = found
	}
	ctx, cancel := context.WithTimeoutCause(ctx, *limit, errors.New("the runs do not end"))
	defer cancel()
	local, err := emulator.DynamoDBLocal(ctx, *jar)
	if err != nil {
		return err
	}
	defer local.Close()
	f, err := measure(ctx, local.Endpoint, *runs, *seed)
	if err != nil {
		return fmt.Errorf("seed %d: %w", *seed, err)
	}
	if err := figures.Print(f); err != nil {
		return err
	}
	a, err := measureAlerts(ctx, local.Endpoint, *told, *seed)
	if err != nil {
		return fmt.Errorf("alerts, seed %d: %w", *seed, err)
	}
	if err := figures.Print(a); err != nil {
		return err
	}
	return errors.Join(f.violation(), a.Violation())
}

// violation is what the figure says that must not be.
func (f figure) violation() error {
	if f.Lost > 0 || f.Wrong > 0 {
		return fmt.Errorf("%d lost, %d wrong", f.Lost, f.Wrong)
	}
	if f.Faults < int64(f.Runs) {
		return fmt.Errorf("%d faults in %d runs are too few to say anything", f.Faults, f.Runs)
	}
	return nil
}

// tables are a table without its faults, and with those of a proxy.
type tables struct {
	clean, faulty *dynamodriver.Driver
	proxy         *proxy
}

// open makes a table, and starts a proxy before it.
func open(ctx context.Context, endpoint, table string, seed uint64) (tables, error) {
	direct := &dynamodriver.Options{Indexes: store.Indexes(), Config: connection(endpoint)}
	if err := dynamodriver.Create(ctx, table, direct); err != nil {
		return tables{}, err
	}
	clean, err := dynamodriver.Open(ctx, table, direct)
	if err != nil {
		return tables{}, err
	}
	proxy, err := startProxy(endpoint, seed)
	if err != nil {
		return tables{}, err
	}
	faulty, err := dynamodriver.Open(ctx, table, &dynamodriver.Options{Indexes: store.Indexes(), Config: connection(proxy.endpoint),
		SkipCheck: true, TryTimeout: tryTimeout, Timeout: time.Second}) // short: the store's own patience is tried as well
	if err != nil {
		proxy.Close()
	}
	return tables{clean, faulty, proxy}, err
}

// measureAlerts has the functions of a deployment run runs that fail.
func measureAlerts(ctx context.Context, endpoint string, runs int, seed uint64) (alerts.Figure, error) {
	t, err := open(ctx, endpoint, "waggle-alerts", seed)
	if err != nil {
		return alerts.Figure{}, err
	}
	defer t.proxy.Close()
	dir, err := os.MkdirTemp("", "bench-faults")
	if err != nil {
		return alerts.Figure{}, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	f, err := alerts.Bench(ctx, dir, t.faulty, t.clean, runs, seed)
	if err == nil {
		figures.Say("%s", t.proxy.counts())
		f.Faults = t.proxy.faults()
	}
	return f, err
}

// measure works the runs off through the proxy, and judges them without it.
func measure(ctx context.Context, endpoint string, runs int, seed uint64) (figure, error) {
	t, err := open(ctx, endpoint, "waggle-faults", seed)
	if err != nil {
		return figure{}, err
	}
	defer t.proxy.Close()
	bucket := memblob.OpenBucket(nil)
	began := time.Now()
	w := newWork(t.faulty, bucket, runs, seed)
	if err := w.do(ctx); err != nil {
		return figure{}, err
	}
	seconds := time.Since(began).Seconds()
	t.proxy.Close() // what was delayed is done now
	j, err := newJudge(ctx, t.clean, store.NewBlobs(bucket))
	if err != nil {
		return figure{}, err
	}
	if err := j.all(ctx, w.promises); err != nil {
		return figure{}, err
	}
	figures.Say("%s", t.proxy.counts())
	return figure{Case: "runs", Runs: runs, Requests: t.proxy.requests(), Faults: t.proxy.faults(), Lost: j.lost, Wrong: j.wrong, Owners: j.owners,
		Seconds: figures.Round(seconds), Seed: seed}, nil
}
