package cli_test

import (
	"context"
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
	os.Exit(cli.Main(context.Background(), a, os.Args[1:], cli.Streams{}))
}

func app() cli.App {
	return cli.App{
		Definitions: definitions,
		Open: func(ctx context.Context, home string) (*store.Store, error) {
			lease, _ := time.ParseDuration(os.Getenv("WAGGLE_TEST_LEASE")) // zero: the default
			return embedded.Open(ctx, home, &store.Options{Lease: lease})
		},
		Worker:  "laptop:1",
		Version: "v1",
	}
}
