package report

import (
	"fmt"
	"time"

	"github.com/dustin/go-humanize"

	"waggle/shared/duration"
)

// Count is a number with its noun: "1 asset", "1,234 rows".
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return Number(int64(n)) + " " + noun + "s"
}

// Number groups digits: 1,234.
func Number(n int64) string { return humanize.Comma(n) }

// Seconds is how long a run took, to the hundredth between that and a minute: "3.2 ms", "0.19 s", "2 min 5 s".
func Seconds(d time.Duration) string {
	if d >= 10*time.Millisecond && d < 60*time.Second-5*time.Millisecond {
		return fmt.Sprintf("%.2f s", d.Seconds())
	}
	return duration.Text(d)
}

// Bytes is a size: "3.4 MB".
func Bytes(n int64) string { return humanize.Bytes(uint64(max(0, n))) }
