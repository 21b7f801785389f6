// Command infra is the CDK app: it makes the stacks of a deployment from what make build wrote and from the context of cdk.json. The
// command cdk starts it, in the root of the repository.
package main

import (
	"fmt"
	"os"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"waggle/infra/settings"
	"waggle/infra/stacks"
	"waggle/shared/fault"
	"waggle/shared/manifest"
)

// dist is the folder that make build writes.
const dist = "dist"

func main() {
	err := synthesize()
	if err != nil {
		fmt.Fprintln(os.Stderr, "infra:", err)
	}
	jsii.Close()
	os.Exit(fault.Exit(err))
}

func synthesize() error {
	built, err := manifest.Read(dist)
	if err != nil {
		return err
	}
	app := awscdk.NewApp(nil)
	context := func(key string) any { return app.Node().TryGetContext(&key) }
	chosen, err := settings.From(context("waggle"), context, built)
	if err != nil {
		return err
	}
	if err := stacks.Add(app, stacks.Deployment{Settings: chosen, Manifest: built, Dist: dist}); err != nil {
		return err
	}
	app.Synth(nil)
	return nil
}
