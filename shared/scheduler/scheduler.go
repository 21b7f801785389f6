// Package scheduler launches the ticks of schedules: each once, by its run key, however many processes look and
// whenever they died; ticks that came while nobody looked are launched late.
//
// A tick that is launched late, passed over or cannot be launched is told of: its row owes an event, where the store owes any (store.Owing).
//
// It imports event, fault, job, run, store and waggle of ours.
package scheduler

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"waggle/shared/event"
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

	// attempts is how often a schedule is looked at where others write its row meanwhile. What is left then is for the next look.
	attempts = 5
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
		for range attempts {
			more, over, err := s.launch(ctx, sched)
			launched = append(launched, more...)
			if errors.Is(err, fault.Conflict) { // another process has gone ahead, or has published what the schedule owed
				launched = slices.DeleteFunc(launched, func(l Launched) bool { return l.Schedule == sched.Name && l.Err != nil }) // they come again
				continue
			}
			if over != nil {
				passed = append(passed, *over)
			}
			if err != nil {
				return launched, passed, fmt.Errorf("schedule %s: %w", sched.Name, err)
			}
			break
		}
	}
	return launched, passed, nil
}

// request is what a tick asks for.
func (s *Scheduler) request(sched *job.Schedule) (run.Request, error) {
	req, _, err := s.definitions.Request(run.Request{Job: sched.Job.Name, Tags: map[string]string{"waggle/schedule": sched.Name}})
	return req, err
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
	req, mistake := s.request(sched)
	isLate := func(tick time.Time) bool { return now.Sub(tick) > LateAfter }
	m := missing{schedule: sched}
	for _, tick := range ticks {
		if mistake != nil || isLate(tick) {
			m.after++
		}
	}
	var lost []event.Event // of ticks that got no run
	if passed != nil {
		lost = append(lost, m.passed(*passed))
	}
	for _, tick := range ticks {
		l := Launched{Schedule: sched.Name, Time: tick, Late: isLate(tick)}
		if mistake != nil {
			l.Err = mistake
			lost = append(lost, m.event(tick, event.TickFailed))
		} else {
			var fresh bool
			if l.Run, fresh, err = s.store.LaunchTick(ctx, sched.Name, tick, req, m.late(l)); err != nil {
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
	return launched, passed, s.store.PutSchedule(ctx, sched.Name, at, store.Schedule{Definition: definition, Last: last.UTC()}, lost...)
}

// missing counts the ticks of a schedule that were missed together.
type missing struct {
	schedule      *job.Schedule
	before, after int // of those that have their event, and of those that have not
}

// event is that of the next tick.
func (m *missing) event(tick time.Time, status event.TickStatus) event.Event {
	m.after--
	e := event.OfTick(m.schedule.Name, m.schedule.Job.Name, tick, status)
	e.MissedBefore, e.MissedAfter = m.before, m.after
	m.before++
	return e
}

// late is the event of the next tick where that is launched late, else nil.
func (m *missing) late(l Launched) *event.Event {
	if !l.Late {
		return nil
	}
	e := m.event(l.Time, event.TickLate)
	return &e
}

// passed is the event of all that were passed over. They come before the others.
func (m *missing) passed(p Passed) event.Event {
	e := event.OfTick(m.schedule.Name, m.schedule.Job.Name, p.Until, event.TickPassedOver)
	e.Ticks, e.MissedAfter = p.Ticks, m.after
	m.before = p.Ticks
	return e
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
