// Package scheduler launches the ticks of schedules: each once, by its run key, however many processes look and
// whenever they died; ticks that came while nobody looked are launched late.
//
// It imports fault, job, run, store and waggle of ours.
package scheduler

import (
	"context"
	"errors"
	"fmt"
	"time"

	"waggle/shared/fault"
	"waggle/shared/job"
	"waggle/shared/run"
	"waggle/shared/store"
	"waggle/shared/waggle"
)

const (
	// LateAfter is how long after its time a tick counts as late.
	LateAfter = time.Minute
	// CatchUp is how far back ticks are launched late. Older ones are passed over, and said so.
	CatchUp = 24 * time.Hour
	// MaxCatchUp is how many ticks of a schedule are launched late at once, the newest ones.
	MaxCatchUp = 100
)

// Launched is a tick that was launched, or that could not be.
type Launched struct {
	Schedule string
	Time     time.Time // the tick's
	Run      run.ID    // empty: it could not be launched
	Late     bool
	Err      error // why it could not
}

// Passed says that ticks were too old to be launched late.
type Passed struct {
	Schedule string
	Ticks    int
	Until    time.Time // the last of them
}

// Scheduler launches the ticks of the schedules of definitions.
type Scheduler struct {
	store       *store.Store
	definitions waggle.Definitions
}

// New returns a scheduler.
func New(s *store.Store, d waggle.Definitions) *Scheduler { return &Scheduler{s, d} }

// Next is the first tick of any schedule after a time; zero where there is no schedule.
func (s *Scheduler) Next(after time.Time) time.Time {
	var next time.Time
	for _, sched := range s.definitions.Schedules {
		if t := sched.Next(after); !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	return next
}

// Definition is what the store remembers of a schedule: its expression, time zone and job.
func Definition(sched *job.Schedule) string {
	return sched.Cron + " " + sched.Options.TimeZone + " " + sched.Job.Name
}

// Launch launches every tick that has come and was not launched. A schedule that is new, or whose expression, time zone or job
// changed, starts now: it has no missed ticks. The caller wakes the runs. An error is of the store.
func (s *Scheduler) Launch(ctx context.Context) (launched []Launched, passed []Passed, err error) {
	for _, sched := range s.definitions.Schedules {
		more, over, err := s.launch(ctx, sched)
		launched = append(launched, more...)
		if over != nil {
			passed = append(passed, *over)
		}
		if err != nil && !errors.Is(err, fault.Conflict) { // another process has gone ahead
			return launched, passed, fmt.Errorf("schedule %s: %w", sched.Name, err)
		}
	}
	return launched, passed, nil
}

func (s *Scheduler) launch(ctx context.Context, sched *job.Schedule) (launched []Launched, passed *Passed, err error) {
	now := s.store.Now()
	at, err := s.store.Schedule(ctx, sched.Name)
	if err != nil {
		return nil, nil, err
	}
	definition := Definition(sched)
	if at.Definition != definition {
		return nil, nil, s.store.PutSchedule(ctx, sched.Name, at, store.Schedule{Definition: definition, Last: now.UTC()})
	}
	ticks, passed := due(sched, at.Last, now)
	last := at.Last
	for _, tick := range ticks {
		l := Launched{Schedule: sched.Name, Time: tick, Late: now.Sub(tick) > LateAfter}
		req, _, err := s.definitions.Request(run.Request{Job: sched.Job.Name, Tags: map[string]string{"waggle/schedule": sched.Name}})
		if err != nil {
			l.Err = err
		} else {
			var fresh bool
			if l.Run, fresh, err = s.store.LaunchTick(ctx, sched.Name, tick, l.Late, req); err != nil {
				return launched, passed, err
			}
			if !fresh {
				last = tick
				continue
			}
		}
		launched, last = append(launched, l), tick
	}
	if passed != nil && passed.Until.After(last) {
		last = passed.Until
	}
	if last.Equal(at.Last) {
		return launched, passed, nil
	}
	return launched, passed, s.store.PutSchedule(ctx, sched.Name, at, store.Schedule{Definition: definition, Last: last.UTC()})
}

// due lists the ticks after last and up to now, oldest first, without those that are passed over.
func due(sched *job.Schedule, last, now time.Time) (ticks []time.Time, passed *Passed) {
	over := 0
	var until time.Time
	for t := sched.Next(last); !t.IsZero() && !t.After(now); t = sched.Next(t) {
		ticks = append(ticks, t)
		if len(ticks) > MaxCatchUp || now.Sub(ticks[0]) > CatchUp {
			over, until, ticks = over+1, ticks[0], ticks[1:]
		}
	}
	if over > 0 {
		passed = &Passed{Schedule: sched.Name, Ticks: over, Until: until}
	}
	return ticks, passed
}
