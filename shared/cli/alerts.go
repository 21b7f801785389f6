package cli

import "github.com/spf13/cobra"

func (s *session) alertsCommand() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "alerts",
		Short: "List what fails, as people were told of it",
		Example: `  waggle alerts
  waggle alerts --all
  waggle alerts show 0123abcd
  waggle alerts explain LAST`,
		Args: noSuchCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return s.listAlerts(cmd.Context(), all) },
	}
	cmd.Flags().BoolVar(&all, "all", false, "also the last alert of what works again")
	cmd.AddCommand(s.alertsShowCommand(), s.alertsExplainCommand())
	return cmd
}

func (s *session) alertsShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "show ALERT",
		Short:   "Show an alert: what failed since when, and each message about it",
		Example: "  waggle alerts show 0123abcd",
		Args:    exactly("alert"),
		RunE:    func(cmd *cobra.Command, args []string) error { return s.showAlert(cmd.Context(), args[0]) },
	}
}
