package duration_test

import (
	"testing"
	"time"

	"waggle/shared/duration"
)

func TestDurationsAreWrittenInTheirLargestFittingUnit(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0:                                     "0 ns",
		999:                                   "999 ns",
		12_345:                                "12.3 µs",
		999_999:                               "1 ms",
		12_345_678:                            "12.3 ms",
		999 * time.Millisecond:                "999 ms",
		999_600 * time.Microsecond:            "1 s",
		1250 * time.Millisecond:               "1.25 s",
		59*time.Second + 900*time.Millisecond: "59.9 s",
		59*time.Second + 990*time.Millisecond: "1 min 0 s",
		125 * time.Second:                     "2 min 5 s",
		59*time.Minute + 59*time.Second + 700*time.Millisecond: "1 h 0 min",
		200 * time.Minute: "3 h 20 min",
		26 * time.Hour:    "1 d 2 h",
		-time.Second:      "-1 s",
	} {
		if got := duration.Text(d); got != want {
			t.Errorf("%d ns: %q, want %q", d, got, want)
		}
	}
}
