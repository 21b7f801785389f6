package asset

import (
	"fmt"
	"math"
	"time"
)

// Retry says how often and when a failed step is tried again. The zero value is never.
type Retry struct {
	// Max is the number of further attempts. 0 is none.
	Max int
	// Delay is the wait before the second attempt. 0 is none.
	Delay time.Duration
	// Backoff says how the wait grows. Defaults to Constant.
	Backoff Backoff
	// Jitter shortens each wait by a random part of up to a half, so that what failed together does
	// not come back together.
	Jitter bool
}

// Backoff is how the wait between attempts grows.
type Backoff int

// The kinds of backoff, with the waits they give for a Delay of 1 s.
const (
	Constant    Backoff = iota // 1 s, 1 s, 1 s
	Linear                     // 1 s, 2 s, 3 s
	Exponential                // 1 s, 2 s, 4 s
)

// maxWait keeps an exponential backoff from growing past a day.
const maxWait = 24 * time.Hour

// Wait is the time between the failure number n (from 1) and the next attempt; random is
// in [0, 1). It is at most 24 hours.
//
//	Delay 1 s, Exponential, n = 3: 1 s * 2^2 = 4 s; with Jitter and random 0.5: 4 s * (1 - 0.25) = 3 s
func (r Retry) Wait(n int, random float64) time.Duration {
	factor := 1.0
	switch r.Backoff {
	case Linear:
		factor = float64(n)
	case Exponential:
		factor = math.Exp2(float64(min(n-1, 60)))
	}
	wait := min(float64(r.Delay)*factor, float64(maxWait))
	if r.Jitter {
		wait *= 1 - random/2
	}
	return time.Duration(wait)
}

// Check returns an error for a retry that makes no sense.
func (r Retry) Check() error {
	switch {
	case r.Max < 0:
		return fmt.Errorf("Retry.Max is %d; it must be 0 or more", r.Max)
	case r.Delay < 0:
		return fmt.Errorf("Retry.Delay is %s; it must be 0 or more", r.Delay)
	case r.Backoff < Constant || r.Backoff > Exponential:
		return fmt.Errorf("Retry.Backoff is %d; it must be Constant, Linear or Exponential", r.Backoff)
	case r.Max == 0 && (r.Delay > 0 || r.Backoff != Constant || r.Jitter):
		return fmt.Errorf("Retry has a delay but Max is 0, so nothing is tried again; set Max")
	}
	return nil
}
