package cli

import (
	"io"
	"os"

	"github.com/charmbracelet/lipgloss"
	"github.com/muesli/termenv"

	"waggle/shared/report"
)

// colours are the terminal's own sixteen: they follow its theme, so they are readable on light and on dark without
// asking the terminal for its background, which can hang.
var colours = map[report.Role]lipgloss.ANSIColor{
	report.Good:    2,
	report.Bad:     1,
	report.Warn:    3,
	report.Running: 4,
	report.Blocked: 5,
}

// painter returns the colours for a stream: none without a terminal, with NO_COLOR, or on a dumb terminal.
func (s *session) painter(tty *os.File) report.Paint {
	if tty == nil || s.env("NO_COLOR") != "" || s.env("TERM") == "dumb" {
		return report.Unpainted
	}
	r := lipgloss.NewRenderer(io.Discard)
	r.SetColorProfile(termenv.ANSI)
	r.SetHasDarkBackground(true) // else it asks the terminal
	styles := map[report.Role]lipgloss.Style{
		report.Strong: r.NewStyle().Bold(true),
		report.Muted:  r.NewStyle().Faint(true),
		report.Idle:   r.NewStyle().Faint(true),
	}
	for role, colour := range colours {
		styles[role] = r.NewStyle().Foreground(colour)
	}
	return func(role report.Role, text string) string {
		style, ok := styles[role]
		if !ok || text == "" {
			return text
		}
		return style.Render(text)
	}
}
