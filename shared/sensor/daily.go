package sensor

import (
	"slices"
	"time"
	_ "time/tzdata" // a small machine or function may have no time zones

	"waggle/shared/job"
	"waggle/shared/notify"
)

// DailySummary is the kind of a sensor that sums up a day.
const DailySummary Kind = "daily summary"

// DailyOptions are the optional parts of a daily summary. The zero value and nil mean all defaults.
type DailyOptions struct {
	// TimeZone is an IANA name, "Europe/London". Defaults to UTC.
	TimeZone string
	// Description says what the summary is for, in Markdown.
	Description string
	// Jobs are those that it tells of. Empty: every run, also those of assets that were selected by hand.
	Jobs job.List
	// Always has it sent also after a day on which nothing ran. Defaults to false: then nobody is told anything.
	Always bool
}

// Daily declares a sensor that tells channels once a day what ran since the summary before: Daily("daily_summary", "07:00",
// notify.List{team}, nil) is seven in the morning UTC. It says of each job how many runs ended, failed and warned, what fails now and since
// when, which scheduled runs came late, and how many messages were given up.
//
// The time is that of a clock on the wall in TimeZone. Where clocks go forward past it, the summary comes as much later; where they go back,
// at the first of the two times. There is one a day: where nobody looked at that time, it comes late, and of several days that nobody
// looked at the newest alone. One that is new, or that was off at its time, waits for the next day.
//
// `waggle dev` and `waggle monitor` call it.
func Daily(name, at string, channels notify.List, opts *DailyOptions) *Sensor {
	d := &Definition{Name: name, Kind: DailySummary, Channels: slices.Clone(channels)}
	var o DailyOptions
	if opts != nil {
		o = *opts
	}
	if o.TimeZone == "" {
		o.TimeZone = "UTC"
	}
	var err error
	if d.At.Location, err = time.LoadLocation(o.TimeZone); err != nil {
		d.mistake("time zone %q does not exist; use a name like Europe/London", o.TimeZone)
		d.At.Location = time.UTC
	}
	if clock, err := time.Parse("15:04", at); err != nil {
		d.mistake("its time is %q; write hours and minutes, 07:00", at)
	} else {
		d.At.Hour, d.At.Minute = clock.Hour(), clock.Minute()
	}
	if len(channels) == 0 {
		d.mistake("it has no channel, so nobody would be told")
	}
	for i, c := range channels {
		if c.Definition() == nil {
			d.mistake("channel %d is nil", i+1)
		}
	}
	d.Call = func(ctx *Context, s Subject) error {
		if ctx.polling = s.Polling; s.Day.Nothing() && !o.Always {
			return ctx.Skip("nothing ran")
		}
		return ctx.Notify(s.Day, d.Channels...)
	}
	return d.declare(false, &Options{Description: o.Description, Jobs: o.Jobs})
}

// Daytime is a time of day in a time zone.
type Daytime struct {
	Hour, Minute int
	Location     *time.Location
}

// String is "07:00 Europe/London".
func (t Daytime) String() string {
	return time.Date(2000, 1, 1, t.Hour, t.Minute, 0, 0, time.UTC).Format("15:04 ") + t.Location.String()
}

// Last is the newest moment up to now at which the clock shows the time.
func (t Daytime) Last(now time.Time) time.Time {
	year, month, day := now.In(t.Location).Date()
	for ; ; day-- {
		if moment := t.on(year, month, day); !moment.After(now) {
			return moment
		}
	}
}

// Next is the first moment after now.
func (t Daytime) Next(now time.Time) time.Time {
	year, month, day := now.In(t.Location).Date()
	for day--; ; day++ {
		if moment := t.on(year, month, day); moment.After(now) {
			return moment
		}
	}
}

// on is the moment of a day: the first one where the clock shows the time twice, and where it passes the time over, as much later.
func (t Daytime) on(year int, month time.Month, day int) time.Time {
	wall := time.Date(year, month, day, t.Hour, t.Minute, 0, 0, time.UTC)
	shows := func(moment time.Time) bool {
		y, m, d := moment.Date()
		want, wantMonth, wantDay := wall.Date()
		return y == want && m == wantMonth && d == wantDay && moment.Hour() == t.Hour && moment.Minute() == t.Minute
	}
	by := func(beside time.Time) time.Time { // with the zone's offset at another moment
		_, offset := beside.In(t.Location).Zone()
		return wall.Add(-time.Duration(offset) * time.Second).In(t.Location)
	}
	const longest = 15 * time.Hour // no zone is farther from UTC
	before, after := by(wall.Add(-longest-12*time.Hour)), by(wall.Add(longest+12*time.Hour))
	if !shows(before) && shows(after) {
		return after
	}
	return before
}
