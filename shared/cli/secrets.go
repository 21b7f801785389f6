package cli

import (
	"context"
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"waggle/shared/fault"
)

func (s *session) secretsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "secrets",
		Short: "Store what a deployment must know and nobody should read",
		Args:  noSuchCommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(s.secretsSetCommand())
	return cmd
}

func (s *session) secretsSetCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "set NAME --env ENV",
		Short: "Store a secret of a deployment, in place of the one before",
		Long: `Read a secret from the terminal, where it is not shown, or from standard input, and store it, encrypted, as
/waggle/ENV/NAME in Parameter Store of AWS Systems Manager. A deployment takes the URL of Slack's webhook from "slack". Functions
that run already learn of a new value when they start again. A channel that lacks one is tried every five minutes.

In a home on this machine secrets are variables of the environment.`,
		Example: `  waggle secrets set slack --env prod
  pass show waggle/slack | waggle secrets set slack --env prod`,
		Args: exactly("name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.setSecret(cmd.Context(), args[0], cmd.InOrStdin())
		},
	}
}

// secretNames are those that Parameter Store takes as the last part of a path.
var secretNames = regexp.MustCompile(`^[a-zA-Z0-9_.-]{1,128}$`)

// maxSecret is what a standard parameter holds, in bytes.
const maxSecret = 4096

func (s *session) setSecret(ctx context.Context, name string, in io.Reader) error {
	if s.environment == "" {
		return usage("name it: --env prod", "secrets are of a deployment")
	}
	if !secretNames.MatchString(name) {
		return usage("write letters, digits, dots, dashes and underscores", "%q is no name of a secret", name)
	}
	if _, err := s.store(ctx); err != nil { // the deployment is there
		return err
	}
	value, err := s.readSecret(name, in)
	if err != nil {
		return err
	}
	if err := s.deployed.SetSecret(ctx, name, value); err != nil {
		return err
	}
	s.say("stored; see that it works with: %s", s.call("doctor"))
	return nil
}

// readSecret reads a secret without showing it.
func (s *session) readSecret(name string, in io.Reader) (string, error) {
	var text string
	if f, ok := in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		_, _ = io.WriteString(s.err, name+" (not shown): ")
		typed, err := term.ReadPassword(int(f.Fd()))
		s.say("")
		if err != nil {
			return "", fault.Wrap(fault.Unavailable, "read the secret", err)
		}
		text = string(typed)
	} else {
		piped, err := io.ReadAll(io.LimitReader(in, 2*maxSecret))
		if err != nil {
			return "", fault.Wrap(fault.Unavailable, "read the secret", err)
		}
		text = string(piped)
	}
	switch text = strings.TrimSpace(text); {
	case text == "":
		return "", usage("type it, or pipe it in", "the secret is empty; nothing was stored")
	case len(text) > maxSecret:
		return "", fault.New(fault.TooLarge, "the secret has more than %d bytes; nothing was stored", maxSecret)
	}
	return text, nil
}
