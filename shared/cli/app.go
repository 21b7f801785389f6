// Package cli is the command line over any definitions: it runs jobs and shows what runs left. Programs wire it:
//
//	os.Exit(cli.Main(ctx, cli.App{Definitions: pipelines.Definitions, Open: open}, os.Args[1:], cli.Streams{}))
//
// Data goes to stdout, talk to stderr. One command a file.
//
// It imports the library's packages, and no adapter: how a store is opened comes with the App.
package cli

import (
	"context"
	"io"
	"iter"
	"os"
	"os/signal"
	"syscall"
	"time"

	"waggle/shared/fault"
	"waggle/shared/notify"
	"waggle/shared/store"
	"waggle/shared/waggle"
)

// App is what a program is about. Definitions and Open are required.
type App struct {
	// Definitions is what can be run.
	Definitions waggle.Definitions
	// Open opens the store of a home folder.
	Open func(ctx context.Context, home string) (*store.Store, error)
	// Stores opens stores that are no folder, by their kind: `--store dynamodb:TABLE` calls "dynamodb" with the name and
	// the home folder. May be nil.
	Stores map[string]func(ctx context.Context, name, home string) (*store.Store, error)
	// Deployed opens a deployment by its name: `--env prod`. Nil: this program knows none.
	Deployed func(ctx context.Context, name string) (*Deployed, error)
	// Doctor looks whether a deployment has what it needs. Nil: this program knows none.
	Doctor func(ctx context.Context, name string) iter.Seq[Finding]
	// Senders opens what sends to channels, and returns it by channel; home is the folder for the outbox. Its error says what is wrong with any
	// of them. Nil: messages wait, and say that their channel is not configured.
	Senders func(ctx context.Context, home string, channels notify.List) (func(*notify.Definition) (notify.Sender, error), error)
	// Home is the folder where neither --home nor WAGGLE_HOME names one. Defaults to ".waggle".
	Home string
	// Worker names this process to people, "host:pid". Defaults to "unknown".
	Worker string
	// Version is shown by `version` and recorded with each run. Defaults to "devel".
	Version string
	// Program is how a person calls the program; hints repeat it. Defaults to "waggle".
	Program string
	// Executable is the file of the program. `run` starts it to resume runs whose process died, since such a run
	// may end its process again. Empty: such runs are only told of.
	Executable string
	// Look is how often `dev` asks the store what is due. Defaults to 1 s.
	Look time.Duration
	// Settle is how long `run` waits for what its sensors tell to arrive. Defaults to 30 s.
	Settle time.Duration
}

// Streams are where a command writes and what it knows of its surroundings. The zero value is those of the process.
type Streams struct {
	Out io.Writer           // data. Defaults to os.Stdout
	Err io.Writer           // talk. Defaults to os.Stderr
	Env func(string) string // Defaults to os.Getenv
}

// Main runs the command that args name and returns the exit status of the process; fault has their list.
// The context's end is an interruption.
func Main(ctx context.Context, app App, args []string, streams Streams) int {
	s := newSession(app, streams)
	ctx, stop := signal.NotifyContext(ctx, terminations()...)
	defer stop()
	// A second signal ends the process as if nobody listened.
	defer context.AfterFunc(ctx, stop)()

	root := s.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if closing := s.close(); err == nil {
		err = closing
	}
	if err == nil {
		return fault.ExitOK
	}
	if status, ok := silent(err); ok {
		return status
	}
	s.complain(err)
	return fault.Exit(err)
}

// terminations are the signals that ask the process to end; Ctrl-C is each command's own matter.
func terminations() []os.Signal {
	asked := []os.Signal{syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // nohup
		asked = append(asked, syscall.SIGHUP)
	}
	return asked
}
