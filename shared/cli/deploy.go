package cli

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/spf13/cobra"

	"waggle/shared/fault"
)

// deploys marks the commands that make a deployment, which need not be there yet.
const deploys = "deploys"

func (s *session) deployCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "deploy --env ENV [-- CDK-FLAGS]",
		Short: "Build the functions and deploy them to AWS, by cdk",
		Long: `Build the functions, and make or change a deployment with the AWS credentials of the environment: go run ./functions/build, then
cdk deploy. It works in the root of a checkout and needs Go, Node 20 and npm. cdk.json has the settings; infra/README.md explains
them. An account and region are prepared once, with: infra/with-cdk.sh cdk bootstrap`,
		Example: `  waggle deploy --env prod
  waggle deploy --env prod -- --require-approval never`,
		Annotations: map[string]string{deploys: "yes"},
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.deploy(cmd.Context(), true, append([]string{"deploy", "--all"}, args...))
		},
	}
}

func (s *session) destroyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "destroy --env ENV [-- CDK-FLAGS]",
		Short: "Delete a deployment from AWS, by cdk; what it recorded stays",
		Long: `Delete what runs of a deployment, the stack waggle-ENV: cdk destroy, which asks first. The stack waggle-ENV-data stays, with the table, the
bucket and the bus, and so do secrets; deploy again to go on with them, or delete them by hand.`,
		Example:     "  waggle destroy --env test",
		Annotations: map[string]string{deploys: "yes"},
		RunE: func(cmd *cobra.Command, args []string) error {
			stack := "waggle-" + s.environment
			if err := s.deploy(cmd.Context(), false, append([]string{"destroy", stack}, args...)); err != nil {
				return err
			}
			s.say("the stack %s-data stays: the table and the bucket, with all that was recorded; `%s` goes on with it", stack, s.call("deploy"))
			return nil
		},
	}
}

func (s *session) deploy(ctx context.Context, build bool, args []string) error {
	if s.environment == "" {
		return usage("name it: --env prod", "which deployment is not said")
	}
	if !inCheckout() {
		return usage("change to the root of your checkout, where go.mod and cdk.json are", "there is nothing to deploy here")
	}
	for _, tool := range []struct{ name, hint string }{{"go", "install Go: https://go.dev/dl"}, {"node", "install Node 20: https://nodejs.org"}, {"npm", "it comes with Node"}} {
		if _, err := exec.LookPath(tool.name); err != nil {
			return fault.New(fault.Invalid, "%s is not installed", tool.name).WithHint("%s", tool.hint)
		}
	}
	if build {
		if err := s.show(ctx, "go", "run", "./functions/build"); err != nil {
			return err
		}
	}
	return s.show(ctx, filepath.Join("infra", "with-cdk.sh"), append([]string{"cdk", "--no-notices", "-c", "environment=" + s.environment}, args...)...)
}

// show runs a program that talks to the person.
func (s *session) show(ctx context.Context, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, s.out, s.err
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return fault.New(fault.Unavailable, "%s ended with %s; what it says is above", name, exit)
	}
	return err
}
