package cli

import (
	"context"

	"github.com/spf13/cobra"

	"waggle/shared/fault"
	"waggle/shared/report"
)

// Finding is what was found of one thing that a deployment needs.
type Finding struct {
	What string // "credentials"
	Text string // what is there, or what is wrong
	// Hint says what to do. Empty: it is as it should be, unless Wrong.
	Hint string
	// Wrong says that something does not work; else a hint is only worth knowing.
	Wrong bool
}

// findingJSON is a finding as -o json prints it.
type findingJSON struct {
	What  string `json:"what"`
	State string `json:"state"` // ok, note or wrong
	Text  string `json:"text"`
	Hint  string `json:"hint,omitempty"`
}

func (f Finding) state() string {
	switch {
	case f.Wrong:
		return "wrong"
	case f.Hint != "":
		return "note"
	}
	return "ok"
}

func (s *session) doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor --env ENV",
		Short: "Look whether a deployment has what it needs, and say what to do",
		Long: `Look at the credentials, the region, the limits of the account, the deployment's table, bucket, bus and functions, at SES and at
the secrets of channels. Nothing is changed and nobody is told.

Exit status: 0 it has what it needs, 1 something is wrong.`,
		Example:     "  waggle doctor --env prod",
		Args:        nothing,
		Annotations: map[string]string{deploys: "yes"},
		RunE:        func(cmd *cobra.Command, _ []string) error { return s.doctor(cmd.Context()) },
	}
}

func (s *session) doctor(ctx context.Context) error {
	if s.environment == "" {
		return usage("name it: --env prod", "which deployment is not said")
	}
	if s.app.Doctor == nil {
		return usage("the laptop's binary links no cloud; `make waggle-aws` builds one that does", "this waggle knows no deployments")
	}
	wrong := 0
	var list []findingJSON
	for f := range s.app.Doctor(ctx, s.environment) {
		if f.Wrong {
			wrong++
		}
		list = append(list, findingJSON{f.What, f.state(), f.Text, f.Hint})
	}
	err := printList(s, list, "nothing was looked at", func() *grid {
		g := &grid{columns: []column{{title: "WHAT"}, {title: "STATE"}, {note: true}}}
		for _, f := range list {
			state, text := s.paint(report.Good, "✓ ok"), f.Text
			switch f.State {
			case "wrong":
				state = s.paint(report.Bad, "✗ wrong")
			case "note":
				state = s.paint(report.Warn, "▲ note")
			}
			if f.Hint != "" {
				text += " (" + f.Hint + ")"
			}
			g.row(f.What, state, text)
		}
		return g
	})
	if err == nil && wrong > 0 {
		return exitError{fault.ExitRunFailed}
	}
	return err
}
