// Command over runs a command with a DynamoDB emulator beside it, and says which tests had a table there.
//
//	go run ./localstack/over -emulator dynamodb-local go test -count=1 -tags dynamodb ./shared/engine
//
// The emulator's address is in WAGGLE_TEST_DYNAMODB, where package tabletest looks for it. The exit status is the command's,
// or 1 if no test used the emulator.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"time"

	"waggle/localstack/emulator"
)

var emulators = map[string]func(context.Context) (*emulator.Emulator, error){
	"dynamodb-local": func(ctx context.Context) (*emulator.Emulator, error) {
		jar, err := emulator.FindJar()
		if err != nil {
			return nil, err
		}
		return emulator.DynamoDBLocal(ctx, jar)
	},
	"dynoxide":  emulator.Dynoxide,
	"ministack": emulator.MiniStack,
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	status, err := command(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "localstack/over:", err)
	}
	os.Exit(status)
}

func command(ctx context.Context) (status int, err error) {
	name := flag.String("emulator", "", "one of "+strings.Join(slices.Sorted(maps.Keys(emulators)), ", "))
	flag.Parse()
	start := emulators[*name]
	if start == nil || flag.NArg() == 0 {
		flag.Usage()
		return 2, errors.New("name an emulator and a command")
	}
	e, err := start(ctx)
	if errors.Is(err, emulator.ErrNoDynoxide) && os.Getenv("CI") != "true" {
		fmt.Fprintln(os.Stderr, "NOT TESTED:", err)
		return 0, nil
	}
	if err != nil {
		return 1, err
	}
	defer e.Close()
	tally, err := os.CreateTemp("", "tally")
	if err != nil {
		return 1, err
	}
	defer func() { _ = os.Remove(tally.Name()) }()
	if err := tally.Close(); err != nil {
		return 1, err
	}
	began := time.Now()
	cmd := exec.CommandContext(ctx, flag.Arg(0), flag.Args()[1:]...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), "WAGGLE_TEST_DYNAMODB="+e.Endpoint, "WAGGLE_TEST_TALLY="+tally.Name())
	if err := cmd.Run(); err != nil {
		return 1, err
	}
	text, err := os.ReadFile(tally.Name())
	if err != nil {
		return 1, err
	}
	counted := count(string(text))
	if counted == "" {
		return 1, fmt.Errorf("no test had a table in %s", *name)
	}
	fmt.Printf("over %s, in %.0f s: %s\n", *name, time.Since(began).Seconds(), counted)
	return 0, nil
}

// count says how many tests of which package are in a tally, whose lines are a package's binary and a test: "engine 12 tests, owner 3 tests".
// A subtest is its test's.
func count(tally string) string {
	tests := map[string]map[string]bool{}
	for line := range strings.Lines(tally) {
		binary, test, _ := strings.Cut(strings.TrimSpace(line), " ")
		binary, test = strings.TrimSuffix(binary, ".test"), strings.SplitN(test, "/", 2)[0]
		if tests[binary] == nil {
			tests[binary] = map[string]bool{}
		}
		tests[binary][test] = true
	}
	var list []string
	for _, binary := range slices.Sorted(maps.Keys(tests)) {
		list = append(list, fmt.Sprintf("%s %d tests", binary, len(tests[binary])))
	}
	return strings.Join(list, ", ")
}
