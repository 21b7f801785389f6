// Command cloud runs a chain of 100 assets and the gallery by the functions of a deployment, in one process over emulators of DynamoDB, and says what a run costs on AWS; then
// what a deployment costs in which nothing runs, and how long many runs take that start at once.
//
//	go run ./bench/cloud
//
// It prints lines of JSON. The exit status is 1 if a run's record is not what it must be, or if a case is over its budget.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"time"

	"waggle/bench/figures"
	"waggle/localstack/emulator"
)

func main() { figures.Main("cloud", command) }

// emulators state different units in places: what a case costs is the larger figure.
var emulators = []struct {
	name  string
	start func(context.Context) (*emulator.Emulator, error)
}{
	{"dynamodb-local", func(ctx context.Context) (*emulator.Emulator, error) {
		jar, err := emulator.FindJar()
		if err != nil {
			return nil, err
		}
		return emulator.DynamoDBLocal(ctx, jar)
	}},
	{"dynoxide", emulator.Dynoxide},
}

func command(ctx context.Context) error {
	runs := flag.Int("runs", 5, "how many runs of each case")
	together := flag.Int("at-once", 200, "how many runs start at once")
	budget := flag.Float64("budget", 0.10, "what 1,000 runs of the gallery may cost, in `DOLLARS`, mails and compute aside")
	limit := flag.Duration("limit", 5*time.Minute, "give up after this time")
	flag.Parse()
	if *runs < 2 || *together < 1 || flag.NArg() > 0 {
		flag.Usage()
		return errors.New("-runs is 2 or more: a key that all runs share shows in the second")
	}
	ctx, cancel := context.WithTimeoutCause(ctx, *limit, errors.New("the runs do not end"))
	defer cancel()
	var over []error
	for _, e := range emulators {
		local, err := e.start(ctx)
		if errors.Is(err, emulator.ErrNoDynoxide) {
			figures.Say("NOT MEASURED on %s: %v", e.name, err)
			continue
		}
		if err != nil {
			return err
		}
		found, err := measureOn(ctx, e.name, local.Endpoint, *runs, *together, *budget)
		local.Close()
		if err != nil {
			return err
		}
		over = append(over, found)
	}
	return errors.Join(over...)
}

// measureOn measures all cases on one emulator, and returns which are over their budgets, and what went wrong.
func measureOn(ctx context.Context, name, endpoint string, runs, together int, budget float64) (over, err error) {
	for _, c := range []subject{chain(), sample(budget)} {
		costs, err := c.measure(ctx, endpoint, runs)
		if err != nil {
			return over, fmt.Errorf("%s: %w", c.name, err)
		}
		if err := figures.Print(figureOf(c.name, name, costs)); err != nil {
			return over, err
		}
		for _, cost := range costs {
			over = errors.Join(over, c.budget(cost))
		}
	}
	m, err := measureIdle(ctx, endpoint)
	if err != nil {
		return over, fmt.Errorf("idle: %w", err)
	}
	list, sum := m.items(name)
	for _, i := range list {
		if err := figures.Print(i); err != nil {
			return over, err
		}
	}
	f, err := atOnce(ctx, name, endpoint, together)
	if err != nil {
		return over, fmt.Errorf("runs at once: %w", err)
	}
	return errors.Join(over, m.budget(sum), f.check()), figures.Print(f)
}
