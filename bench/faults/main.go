// Command faults runs small runs over DynamoDB Local through a proxy that throttles, fails, is silent, delays what was given
// up, and drops the answer after the write was done, and counts what was lost or came out wrong: nothing may be.
//
//	go run ./bench/faults -seed 7
//
// It prints one line of JSON. Each fault is drawn from the seed by the number of its request; which request
// has that number is the machine's matter.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"time"

	"gocloud.dev/blob/memblob"

	"waggle/bench/figures"
	"waggle/localstack/emulator"
	"waggle/shared/store"
	"waggle/shared/store/dynamodriver"
)

// figure is the line of output.
type figure struct {
	Runs     int     `json:"runs"`     // launched, all ended
	Requests int64   `json:"requests"` // to the proxy
	Faults   int64   `json:"faults"`   // injected
	Lost     int     `json:"lost"`     // runs, chunks of logs and rows that were acknowledged or follow from them, and are not there
	Wrong    int     `json:"wrong"`    // whatever else differs from an undisturbed run, or is there twice
	Owners   int     `json:"owners"`   // of all runs together: handovers and takeovers included
	Seconds  float64 `json:"seconds"`
	Seed     uint64  `json:"seed"`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := command(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench/faults:", err)
		stop()
		os.Exit(1)
	}
}

func command(ctx context.Context) error {
	runs := flag.Int("runs", 300, "how many runs")
	seed := flag.Uint64("seed", 0, "chooses the faults; 0: a random one, which is printed")
	jar := flag.String("jar", "", "the jar of DynamoDB Local; empty: the one installed in localstack")
	limit := flag.Duration("limit", 10*time.Minute, "give up after this time")
	flag.Parse()
	if *runs < 1 || flag.NArg() > 0 {
		flag.Usage()
		return errors.New("-runs is 1 or more")
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
	f, err := measure(ctx, *jar, *runs, *seed)
	if err != nil {
		return fmt.Errorf("seed %d: %w", *seed, err)
	}
	if err := figures.Print(f); err != nil {
		return err
	}
	if f.Lost > 0 || f.Wrong > 0 {
		return fmt.Errorf("%d lost, %d wrong", f.Lost, f.Wrong)
	}
	if f.Faults < int64(*runs) {
		return fmt.Errorf("%d faults in %d runs are too few to say anything", f.Faults, *runs)
	}
	return nil
}

const table = "waggle-faults"

// measure starts DynamoDB Local and the proxy, works the runs off through it, and judges them without it.
func measure(ctx context.Context, jar string, runs int, seed uint64) (figure, error) {
	local, err := emulator.DynamoDBLocal(ctx, jar)
	if err != nil {
		return figure{}, err
	}
	defer local.Close()
	direct := &dynamodriver.Options{Indexes: store.Indexes(), Config: connection(local.Endpoint)}
	if err := dynamodriver.Create(ctx, table, direct); err != nil {
		return figure{}, err
	}
	clean, err := dynamodriver.Open(ctx, table, direct)
	if err != nil {
		return figure{}, err
	}
	proxy, err := startProxy(local.Endpoint, seed)
	if err != nil {
		return figure{}, err
	}
	defer proxy.Close()
	bucket := memblob.OpenBucket(nil)
	faulty, err := dynamodriver.Open(ctx, table, &dynamodriver.Options{Indexes: store.Indexes(), Config: connection(proxy.endpoint),
		SkipCheck: true, TryTimeout: tryTimeout, Timeout: time.Second}) // short: the store's own patience is tried as well
	if err != nil {
		return figure{}, err
	}
	began := time.Now()
	w := newWork(faulty, bucket, runs, seed)
	if err := w.do(ctx); err != nil {
		return figure{}, err
	}
	seconds := time.Since(began).Seconds()
	proxy.Close() // what was delayed is done now
	j, err := newJudge(ctx, clean, store.NewBlobs(bucket))
	if err != nil {
		return figure{}, err
	}
	if err := j.all(ctx, w.promises); err != nil {
		return figure{}, err
	}
	figures.Say("%s", proxy.counts())
	return figure{Runs: runs, Requests: proxy.requests(), Faults: proxy.faults(), Lost: j.lost, Wrong: j.wrong, Owners: j.owners,
		Seconds: figures.Round(seconds), Seed: seed}, nil
}
