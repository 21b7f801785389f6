package dynamodriver

import (
	"sync/atomic"
	"time"
)

// tolerance is how far this machine's clock may be from DynamoDB's before that is taken. The Date of an answer has whole seconds, and
// says when the answer was made: a slow one comes up to a try's time later.
const tolerance = 5 * time.Second

// clock is this machine's, corrected where it is wrong.
type clock struct {
	local func() time.Time
	fixed bool         // local is a caller's own, and right whatever an answer says
	skew  atomic.Int64 // nanoseconds to add
}

// heard takes in what an answer that has just come says of the time.
func (c *clock) heard(at time.Time) {
	if c.fixed {
		return
	}
	ahead := at.Sub(c.local())
	if ahead.Abs() <= tolerance {
		c.skew.Store(0)
	} else if d := ahead - time.Duration(c.skew.Load()); d.Abs() > tolerance { // else it is the same skew, measured anew
		c.skew.Store(int64(ahead))
	}
}

func (c *clock) now() time.Time { return c.local().Add(time.Duration(c.skew.Load())) }

// Now is the time by DynamoDB's clock, within a few seconds: this machine's, corrected by the newest answer where the two are more than
// five seconds apart. Make it the clock of the store: leases are compared between machines, and one whose clock is two minutes
// ahead would else take over what others still work on.
func (d *Driver) Now() time.Time { return d.clock.now() }

// Skew is by how much Now corrects this machine's clock: positive where that is behind; 0 where it is right, or nothing was asked yet.
func (d *Driver) Skew() time.Duration { return time.Duration(d.clock.skew.Load()) }
