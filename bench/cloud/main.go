// Command cloud runs a chain of 100 assets and the gallery over DynamoDB Local, in one process, and says what a run costs there.
//
//	go run ./bench/cloud
//
// It prints a line of JSON a case. The exit status is 1 if a run's record is not what it must be, or if a case is over its budget.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"waggle/bench/figures"
	"waggle/localstack/emulator"
)

// AWS's prices in us-east-1, as of 2026-11-22, in dollars a million.
const (
	writePrice = 0.625 // write units of DynamoDB, on demand
	readPrice  = 0.125 // read units of DynamoDB, on demand
	blobPrice  = 5.0   // objects put into S3
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := command(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench/cloud:", err)
		stop()
		os.Exit(1)
	}
}

func command(ctx context.Context) error {
	runs := flag.Int("runs", 5, "how many runs of each case")
	jar := flag.String("jar", "", "the jar of DynamoDB Local; empty: the one installed in localstack")
	limit := flag.Duration("limit", 5*time.Minute, "give up after this time")
	flag.Parse()
	if *runs < 2 || flag.NArg() > 0 {
		flag.Usage()
		return errors.New("-runs is 2 or more: a key that all runs share shows in the second")
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
	var over []error
	for _, c := range []subject{chain(), sample()} {
		costs, err := c.measure(ctx, local.Endpoint, *runs)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		if err := figures.Print(figureOf(c.name, costs)); err != nil {
			return err
		}
		for _, cost := range costs {
			over = append(over, c.budget(cost))
		}
	}
	return errors.Join(over...)
}
