package cli_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"waggle/shared/cli"
	"waggle/shared/embedded"
	"waggle/shared/store"
)

// asProgram makes the test binary the program under test.
const asProgram = "WAGGLE_CLI_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) == "" {
		os.Exit(m.Run())
	}
	a := app()
	a.Executable, _ = os.Executable()
	a.Worker = fmt.Sprintf("laptop:%d", os.Getpid())
	switch os.Getenv("WAGGLE_TEST_DEFINITIONS") {
	case "dev":
		a.Definitions = devDefinitions()
	case "isolated":
		a.Definitions = isolatedDefinitions()
	}
	a.Look, _ = time.ParseDuration(os.Getenv("WAGGLE_TEST_LOOK"))
	os.Exit(cli.Main(context.Background(), a, os.Args[1:], cli.Streams{}))
}

func app() cli.App {
	return cli.App{
		Definitions: definitions,
		Open: func(ctx context.Context, home string) (*store.Store, error) {
			lease, _ := time.ParseDuration(os.Getenv("WAGGLE_TEST_LEASE")) // zero: the default
			return embedded.Open(ctx, home, &store.Options{Lease: lease, Now: clock(os.Getenv("WAGGLE_TEST_CLOCK"))})
		},
		Worker:  "laptop:1",
		Version: "v1",
	}
}
