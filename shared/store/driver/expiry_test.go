package driver_test

import (
	"testing"
	"time"

	"waggle/shared/store/driver"
)

func TestExpiresIsRoundedUpToASecond(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		expires time.Time
		seconds int64
	}{
		{time.Time{}, 0},
		{time.Unix(100, 0), 100},
		{time.Unix(100, 1), 101},
		{time.Unix(100, 999_999_999), 101},
		{time.Unix(0, 0), 1}, // 0 is never
		{time.Unix(-100, 0), 1},
	} {
		got := driver.ExpirySeconds(c.expires)
		if got != c.seconds {
			t.Errorf("%v: %d, want %d", c.expires, got, c.seconds)
		}
		if again := driver.ExpirySeconds(driver.ExpiryTime(got)); again != got {
			t.Errorf("%v: %d comes back as %d", c.expires, got, again)
		}
		end := time.Unix(c.seconds, 0)
		if driver.Expired(c.expires, end.Add(-1)) || driver.Expired(c.expires, end) == c.expires.IsZero() {
			t.Errorf("%v: does not end at %v", c.expires, end)
		}
	}
}
