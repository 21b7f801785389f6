package progress

import (
	"fmt"
	"time"

	"github.com/charmbracelet/x/ansi"

	"waggle/shared/report"
	"waggle/shared/run"
)

// Line is a finished step on one line: "✓ SUCCESS   sales_raw  500 rows  3.2 ms".
func (g *Progress) Line(key run.StepKey, paint report.Paint) string {
	s := g.steps[key]
	line := pad(s.state().Painted(paint), stateWidth) + pad(s.label, g.stepWidth)
	for _, part := range []string{s.rows, s.time(time.Time{}), s.by} {
		if part != "" {
			line += "  " + part
		}
	}
	if s.attempt > 1 {
		line += fmt.Sprintf("  attempt %d", s.attempt)
	}
	if why := s.why(); why != "" {
		line += "  " + why
	}
	return line
}

// stateWidth is the width of the column of states, the space behind it included.
const stateWidth = 12

// pad fills a text up to a width on its right.
func pad(text string, width int) string {
	for n := ansi.StringWidth(text); n < width; n++ {
		text += " "
	}
	return text
}

// padLeft fills a text up to a width on its left.
func padLeft(text string, width int) string {
	for n := ansi.StringWidth(text); n < width; n++ {
		text = " " + text
	}
	return text
}

// Elapsed is a time that still runs, to the tenth of a second, so that it does not flicker.
func Elapsed(d time.Duration) string {
	switch {
	case d < 100*time.Millisecond:
		return ""
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Truncate(100*time.Millisecond).Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	default:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
}
