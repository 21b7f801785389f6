package driver

import (
	"context"
	"time"
)

// Sweeper is a driver whose database does not delete expired items by itself.
type Sweeper interface {
	// Sweep deletes up to limit expired items, those that ended first, and returns how many. What it does not come to is hidden all the same.
	Sweep(ctx context.Context, limit int) (int, error)
}

// ExpirySeconds is how Expires is stored: seconds since 1970, rounded up; 0 is never.
func ExpirySeconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	seconds := t.Unix()
	if t.Nanosecond() > 0 {
		seconds++
	}
	return max(seconds, 1)
}

// ExpiryTime is the inverse of ExpirySeconds, in UTC.
func ExpiryTime(seconds int64) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}

// Expired reports whether an item that ends at Expires has ended at now.
func Expired(expires, now time.Time) bool {
	seconds := ExpirySeconds(expires)
	return seconds != 0 && seconds <= now.Unix()
}
