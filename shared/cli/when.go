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

// zoned is a time to the minute in its own zone: "2026-11-22 02:00 Europe/London".
func zoned(t time.Time) string { return t.Format("2006-01-02 15:04 ") + t.Location().String() }

// span is a length of time in its two largest units: "3 min 12 s".
func span(d time.Duration) string {
	d = max(0, d)
	part := func(a int, unitA string, b int, unitB string) string {
		if b == 0 {
			return fmt.Sprintf("%d %s", a, unitA)
		}
		return fmt.Sprintf("%d %s %d %s", a, unitA, b, unitB)
	}
	seconds := int(d.Seconds())
	switch {
	case seconds < 60:
		return fmt.Sprintf("%d s", seconds)
	case seconds < 3600:
		return part(seconds/60, "min", seconds%60, "s")
	case seconds < 48*3600:
		return part(seconds/3600, "h", seconds/60%60, "min")
	default:
		return part(seconds/86400, "d", seconds/3600%24, "h")
	}
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
