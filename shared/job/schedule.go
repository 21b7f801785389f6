package job

import (
	"fmt"
	"time"
	_ "time/tzdata" // a small machine or function may have no time zones

	"github.com/robfig/cron/v3"

	"waggle/shared/asset"
)

// Schedule launches a job at times that a cron expression names.
type Schedule struct {
	Name    string
	Cron    string // minute, hour, day of month, month, day of week
	Job     *Job
	Options ScheduleOptions
	Origin  string // file:line of the constructor

	spec     cron.Schedule
	location *time.Location
	mistakes []error
}

// Schedules is schedules.
type Schedules []*Schedule

// ScheduleOptions are the optional parts of a schedule. The zero value and nil mean all defaults.
type ScheduleOptions struct {
	// TimeZone is an IANA name, "Europe/London". Defaults to UTC.
	TimeZone string
	// Description says what the schedule is for, in Markdown.
	Description string
}

// Cron declares a schedule: Cron("gallery_daily", "0 2 * * *", gallery, nil) is two in the
// morning UTC, daily. Fields are minute, hour, day of month, month, day of week.
func Cron(name, expression string, j *Job, opts *ScheduleOptions) *Schedule {
	s := &Schedule{Name: name, Cron: expression, Job: j, Origin: asset.Origin(2)}
	if opts != nil {
		s.Options = *opts
	}
	if s.Options.TimeZone == "" {
		s.Options.TimeZone = "UTC"
	}
	if !namePattern.MatchString(name) || len(name) > 200 {
		s.mistake("a name has letters, digits and underscores, 200 at most")
	}
	if j == nil {
		s.mistake("its job is nil")
	}
	var err error
	if s.location, err = time.LoadLocation(s.Options.TimeZone); err != nil {
		s.mistake("time zone %q does not exist; use a name like Europe/London", s.Options.TimeZone)
		s.location = time.UTC
	}
	parser := cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow)
	if s.spec, err = parser.Parse(expression); err != nil {
		s.mistake("cron expression %q: %w; write five fields, minute hour day-of-month month day-of-week", expression, err)
	} else if s.Next(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		s.mistake("cron expression %q never fires", expression)
	}
	return s
}

// Next is the first time after t at which the schedule fires; zero for one that never does. Where clocks go forward, a time
// that does not exist is passed over; where they go back, an hour that comes twice counts once, unless the schedule
// runs every hour: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html (daylight saving).
func (s *Schedule) Next(t time.Time) time.Time {
	if s.spec == nil {
		return time.Time{}
	}
	next := s.spec.Next(t.In(s.location))
	for !next.IsZero() && !s.everyHour() && again(next) {
		next = s.spec.Next(next)
	}
	return next
}

// everyHour reports whether the hour of the expression is a star.
func (s *Schedule) everyHour() bool {
	const star = 1 << 63 // as the parser marks it
	fields, ok := s.spec.(*cron.SpecSchedule)
	return ok && fields.Hour&star != 0
}

// again reports whether a clock on the wall showed this time already, before it was set back.
func again(t time.Time) bool {
	_, offset := t.Zone()
	_, before := t.Add(-3 * time.Hour).Zone() // no clock is set back by more
	earlier := t.Add(-time.Duration(before-offset) * time.Second)
	_, there := earlier.Zone()
	return before > offset && there == before
}

func (s *Schedule) mistake(format string, args ...any) {
	s.mistakes = append(s.mistakes, fmt.Errorf(format, args...))
}

// Mistakes lists what is wrong with the declaration on its own.
func (s *Schedule) Mistakes() []error { return s.mistakes }
