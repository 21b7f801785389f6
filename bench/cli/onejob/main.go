// Command onejob is a program as a user builds it, with one job of one asset.
package main

import (
	"context"
	"os"

	"waggle/shared/asset"
	"waggle/shared/cli"
	"waggle/shared/embedded"
	"waggle/shared/job"
	"waggle/shared/metadata"
	"waggle/shared/store"
	"waggle/shared/waggle"
)

var one = asset.New("one", func(ctx *asset.Context) (int, error) {
	ctx.Log.Info("made one")
	ctx.AddMetadata(metadata.Map{"n": 1})
	return 1, nil
}, nil)

var only = job.New("only", asset.List{one}, nil)

func main() {
	os.Exit(cli.Main(context.Background(), cli.App{
		Definitions: waggle.Definitions{Assets: asset.List{one}, Jobs: job.List{only}},
		Open:        func(ctx context.Context, home string) (*store.Store, error) { return embedded.Open(ctx, home, nil) },
		Worker:      embedded.Worker(),
		Program:     os.Args[0],
	}, os.Args[1:], cli.Streams{}))
}
