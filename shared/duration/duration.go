// Package duration writes lengths of time as people do: 12.3 ms; 1.25 s; 2 min 5 s; 3 h 20 min.
//
// It imports nothing of ours.
package duration

import (
	"fmt"
	"time"
)

// Text is the duration in its largest fitting unit, with three digits at most below a minute.
func Text(d time.Duration) string {
	switch {
	case d < 0:
		return "-" + Text(-d)
	case d < time.Microsecond:
		return fmt.Sprintf("%d ns", d.Nanoseconds())
	case d < 999_500*time.Nanosecond: // what rounds up to the next unit is written in that
		return fmt.Sprintf("%.3g µs", float64(d)/float64(time.Microsecond))
	case d < 999_500*time.Microsecond:
		return fmt.Sprintf("%.3g ms", float64(d)/float64(time.Millisecond))
	case d < 59_950*time.Millisecond:
		return fmt.Sprintf("%.3g s", d.Seconds())
	case d < time.Hour-500*time.Millisecond:
		d = d.Round(time.Second)
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	case d < 24*time.Hour-30*time.Second:
		d = d.Round(time.Minute)
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	default:
		d = d.Round(time.Hour)
		return fmt.Sprintf("%d d %d h", int(d.Hours())/24, int(d.Hours())%24)
	}
}
