package cli

import (
	"runtime"

	"github.com/spf13/cobra"
)

func (s *session) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Show the version of this program",
		Example: "  waggle version",
		Args:    nothing,
		RunE: func(*cobra.Command, []string) error {
			platform := runtime.GOOS + "/" + runtime.GOARCH
			if s.format != formatTable {
				return s.printJSON(struct {
					Version  string `json:"version"`
					Go       string `json:"go"`
					Platform string `json:"platform"`
				}{s.app.Version, runtime.Version(), platform})
			}
			return s.write("waggle " + s.app.Version + " (" + runtime.Version() + ", " + platform + ")")
		},
	}
}
