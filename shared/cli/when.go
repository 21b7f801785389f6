package cli

import (
	"fmt"
	"time"
)

// utc is a time with its zone, to the second.
func utc(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// when is a time for stdout: how long ago on a terminal, absolute elsewhere.
func (s *session) when(t, now time.Time) string {
	switch {
	case t.IsZero():
		return ""
	case s.outTTY != nil:
		return ago(now.Sub(t))
	default:
		return utc(t)
	}
}

// moment is a time for the sentence "it died ...": "14 s ago" on a terminal, else "at 2026-11-22 02:00:00 UTC".
func (s *session) moment(t, now time.Time) string {
	if s.errTTY != nil {
		return ago(now.Sub(t))
	}
	return "at " + utc(t)
}

func ago(d time.Duration) string {
	switch {
	case d < time.Second:
		return "now"
	case d < time.Minute:
		return fmt.Sprintf("%d s ago", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h ago", int(d.Hours()))
	default:
		return fmt.Sprintf("%d d ago", int(d.Hours())/24)
	}
}
