// Package drivertest is the suite that every driver of the table passes: each sentence
// of the contracts in package driver is a subtest named as that sentence.
//
// It uses testing and rapid, and knows no driver.
package drivertest

import (
	"context"
	"sync"
	"testing"
	"time"

	"waggle/shared/store/driver"
)

// Open returns an empty table of its own, closed by t.Cleanup, that takes the time
// from clock.
type Open func(t *testing.T, clock func() time.Time) driver.Driver

// Run runs the suite, each subtest on a table of its own, in parallel.
func Run(t *testing.T, open Open) {
	t.Helper()
	groups := [][]contract{
		getting, conditions, deleting, expiry, ordering, paging, indexes,
		puttingAll, writing, limits, values, isolation, concurrency, lifecycle, modelling,
	}
	for _, group := range groups {
		for _, c := range group {
			t.Run(c.sentence, func(t *testing.T) {
				t.Parallel()
				clock := &clock{now: start}
				s := &setup{T: t, clock: clock, ctx: t.Context()}
				s.Driver = open(t, clock.Now)
				c.check(s)
			})
		}
	}
}

// contract is one sentence and the check of it.
type contract struct {
	sentence string
	check    func(s *setup)
}

// setup is what a check works with.
type setup struct {
	*testing.T
	driver.Driver
	clock *clock
	ctx   context.Context
}

// start is within a second, so that rounding matters.
var start = time.Date(2026, 11, 22, 10, 0, 0, 300_000_000, time.UTC)

// clock is a time that moves when told to.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}
