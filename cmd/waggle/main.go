// Command waggle runs the pipelines of this checkout on a laptop, and shows what their runs left.
package main

import (
	"context"
	"os"
	"path/filepath"
	"runtime/debug"

	"waggle/pipelines"
	"waggle/shared/cli"
	"waggle/shared/embedded"
	"waggle/shared/notify"
	"waggle/shared/notify/senders"
	"waggle/shared/store"
)

func main() {
	executable, _ := os.Executable() // empty: dead runs are told of, not resumed
	os.Exit(cli.Main(context.Background(), cli.App{
		Definitions: pipelines.Definitions,
		Open:        func(ctx context.Context, home string) (*store.Store, error) { return embedded.Open(ctx, home, nil) },
		Stores:      stores,
		Deployed:    deployed,
		Doctor:      examine,
		Senders:     open,
		Home:        embedded.DefaultHome,
		Worker:      embedded.Worker(),
		Version:     version(),
		Program:     os.Args[0],
		Executable:  executable,
	}, os.Args[1:], cli.Streams{}))
}

// open opens what sends to channels: as the environment configures them, to the outbox of the home folder where it does not.
func open(ctx context.Context, home string, channels notify.List) (func(*notify.Definition) (notify.Sender, error), error) {
	opts := senders.Options{Lookup: os.LookupEnv, Outbox: filepath.Join(home, "outbox")}
	if err := withCloud(ctx, &opts); err != nil {
		return nil, err
	}
	opened, err := senders.Open(ctx, channels, opts)
	if err != nil {
		return nil, err
	}
	return opened.Of, nil
}

// version is the commit that the program was built from; with + where files had changed since.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	var commit, changed string
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = "+"
		}
	}
	return commit + changed
}
