package cli

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"waggle/shared/fault"
)

// root is the command without a name, with all others below it.
func (s *session) root() *cobra.Command {
	s.format = formatTable
	var asJSON bool
	root := &cobra.Command{
		Use:   "waggle",
		Short: "Run data assets and see what they reported",
		Long: `Run data assets and their checks, and see what they reported.

Data goes to stdout, talk to stderr. A run is named by LAST or by the first 4 or more characters of its id.
Exit status: 0 it worked, 1 the run failed or was canceled, 2 wrong usage or configuration, 3 the store or
the platform failed, 130 interrupted.`,
		Example: `  waggle run gallery
  waggle runs
  waggle runs show LAST
  waggle assets show sales_output`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noSuchCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if asJSON {
				if cmd.Flags().Changed("output") && s.format != formatJSON {
					return usage("give one of them", "--json and -o %s", s.format)
				}
				s.format = formatJSON
			}
			if err := s.checkEnvironment(cmd); err != nil {
				return err
			}
			if cmd.Annotations[works] != "" {
				s.unheard()
			}
			if cmd.Annotations[ownInterrupt] == "" {
				s.interruptible(cmd)
			}
			return nil
		},
	}
	root.SetOut(s.out)
	root.SetErr(s.err)
	flags := root.PersistentFlags()
	flags.VarP(&s.format, "output", "o", "how data is printed, `FORMAT`: table, json (one value) or jsonl (one object a line)")
	flags.BoolVar(&asJSON, "json", false, "the same as -o json")
	flags.StringVar(&s.home, "home", "", "folder `DIR` of the store (default $WAGGLE_HOME, else "+s.app.Home+")")
	flags.StringVar(&s.address, "store", "", "another store than the home folder's, `KIND:NAME` (default $WAGGLE_STORE)")
	flags.StringVar(&s.environment, "env", "", "a deployment in the cloud, by its `NAME`: its runs, assets and messages")
	root.SetFlagErrorFunc(flagError)
	_ = root.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"table", "json", "jsonl"}, cobra.ShellCompDirectiveNoFileComp))
	_ = root.MarkPersistentFlagDirname("home")
	root.AddCommand(s.runCommand(), s.runsCommand(), s.assetsCommand(), s.checksCommand(), s.quarantineCommand(), s.jobsCommand(), s.schedulesCommand(), s.sensorsCommand(), s.channelsCommand(), s.alertsCommand(), s.deliveriesCommand(), s.definitionsCommand(), s.monitorCommand(), s.devCommand(), s.stepCommand(), s.gcCommand(), s.secretsCommand(), s.deployCommand(), s.destroyCommand(), s.doctorCommand(),
		s.versionCommand())
	return root
}

const (
	ownInterrupt = "own-interrupt" // marks commands that handle Ctrl-C themselves
	works        = "works"         // marks commands that run runs
)

// interruptible ends the command's context on Ctrl-C; a second one ends the process.
func (s *session) interruptible(cmd *cobra.Command) {
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt)
	context.AfterFunc(ctx, stop)
	cmd.SetContext(ctx)
}

// noSuchCommand is the Args of a command that has others below it.
func noSuchCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	if !cmd.HasParent() && fault.Nearest(args[0], names) == "" {
		return fault.New(fault.NotFound, "unknown command %q", args[0]).WithHint("`waggle --help` lists them")
	}
	return fault.Unknown(parentWords(cmd)+"command", args[0], names)
}

func parentWords(cmd *cobra.Command) string {
	if cmd.HasParent() {
		return cmd.Name() + " "
	}
	return ""
}

// exactly is the Args of a command with one argument.
func exactly(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return usage(cmd.UseLine(), "%s needs %s %s", cmd.CommandPath(), article(what), what)
		case len(args) > 1:
			return usage(cmd.UseLine(), "%s takes one %s, not %d", cmd.CommandPath(), what, len(args))
		}
		return nil
	}
}

// article is the one before a noun.
func article(noun string) string {
	if strings.ContainsRune("aeiou", rune(noun[0])) {
		return "an"
	}
	return "a"
}

// nothing is the Args of a command without any.
func nothing(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usage(cmd.UseLine(), "%s takes no argument, but was given %q", cmd.CommandPath(), args[0])
	}
	return nil
}

// flagError names the flag that was probably meant, and what a flag's value must be.
func flagError(cmd *cobra.Command, err error) error {
	var known *fault.Error
	if errors.As(err, &known) {
		return known
	}
	var value *pflag.InvalidValueError
	if errors.As(err, &value) && value.GetFlag().Value.Type() == "int" {
		return usage("give digits alone", "--%s %q is not a whole number", value.GetFlag().Name, value.GetValue())
	}
	var missing *pflag.NotExistError
	if errors.As(err, &missing) && len(missing.GetSpecifiedName()) > 1 {
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		if near := fault.Nearest(missing.GetSpecifiedName(), names); near != "" {
			return usage("did you mean --"+near+"?", "unknown flag --%s", missing.GetSpecifiedName())
		}
	}
	return usage("`"+cmd.CommandPath()+" --help` lists the flags", "%v", err)
}
