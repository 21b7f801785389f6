package cloud

import (
	"context"
	"errors"
	"log/slog"
	"slices"

	"waggle/shared/fault"
	"waggle/shared/run"
	"waggle/shared/scheduler"
	"waggle/shared/sensor"
	"waggle/shared/store"
	"waggle/shared/waggle"
)

// runsAtOnce is how many runs one look wakes at most, those that have been due longest first.
const runsAtOnce = 500

// Monitor wakes what is due. It runs nothing itself. All fields are required.
type Monitor struct {
	Store       *store.Store
	Definitions waggle.Definitions
	Schedules   *scheduler.Scheduler
	Functions   Functions
	Log         *slog.Logger
}

// Look launches the ticks that have come and were not launched, and wakes the runs, sensors and channels that are due. What goes wrong with one
// of them keeps none of the others; the error has it all.
func (m *Monitor) Look(ctx context.Context) error {
	launched, passed, err := launchTicks(ctx, m.Schedules)
	for _, l := range launched {
		m.Log.Info("launched a tick", "schedule", l.Schedule, "tick", l.Time, "late", l.Late, "run", l.Run)
		err = errors.Join(err, m.Functions.Run(ctx, "", RunCall{Run: l.Run}))
	}
	for _, p := range passed {
		m.Log.Warn("ticks are too old to be launched", "schedule", p.Schedule, "ticks", p.Ticks, "until", p.Until)
	}
	return errors.Join(err, m.wakeRuns(ctx), m.wakeSensors(ctx))
}

// launchTicks returns the ticks that it launched; the error also has those that it could not.
func launchTicks(ctx context.Context, schedules *scheduler.Scheduler) ([]scheduler.Launched, []scheduler.Passed, error) {
	all, passed, err := schedules.Launch(ctx)
	var launched []scheduler.Launched
	for _, l := range all {
		if l.Err != nil {
			err = errors.Join(err, fault.Wrap(fault.Invalid, "launch the tick of schedule "+l.Schedule, l.Err))
			continue
		}
		launched = append(launched, l)
	}
	return launched, passed, err
}

func (m *Monitor) wakeRuns(ctx context.Context) error {
	due, err := m.Store.Due(ctx, runsAtOnce)
	for _, id := range due {
		if ctx.Err() != nil {
			return errors.Join(err, fault.Wrap(fault.Canceled, "wake runs", context.Cause(ctx)))
		}
		o, ownerErr := m.Store.Owner(ctx, id)
		if ownerErr != nil {
			err = errors.Join(err, ownerErr)
			continue
		}
		err = errors.Join(err, m.wake(ctx, id, o.Worker))
	}
	return err
}

// wake has a run gone on with by the code that its last worker had.
func (m *Monitor) wake(ctx context.Context, id run.ID, worker string) error {
	m.Log.Info("waking a run", "run", id, "worker", worker)
	return wake(ctx, m.Functions, functionOf(worker), RunCall{Run: id})
}

func (m *Monitor) wakeSensors(ctx context.Context) error {
	next, err := m.Store.NextAlert(ctx, Calls(m.Definitions, ""))
	if due := !next.IsZero() && !next.After(m.Store.Now()); due || m.clocked("") {
		err = errors.Join(err, m.Functions.Sensor(ctx, ""))
	}
	for _, own := range Isolated(m.Definitions) {
		due, dueErr := m.Store.DueEvents(ctx, 1, Calls(m.Definitions, own))
		if len(due) > 0 || m.clocked(own) {
			dueErr = errors.Join(dueErr, m.Functions.Sensor(ctx, own))
		}
		err = errors.Join(err, dueErr)
	}
	return err
}

// clocked reports whether a function calls a sensor by the clock.
func (m *Monitor) clocked(own string) bool {
	calls := Calls(m.Definitions, own)
	return slices.ContainsFunc(m.Definitions.Sensors, func(s *sensor.Sensor) bool {
		d := s.Definition()
		return d.Hears() == sensor.Tick && (calls == nil || calls(d.Name))
	})
}

// Died takes up a run at once whose invocation the platform gave up: it failed, was killed, or ran out of memory or time. Where that invocation
// did not own the run, there is nothing to do.
func (m *Monitor) Died(ctx context.Context, at Invocation, id run.ID) error {
	owned, err := m.Store.EndLease(ctx, id, at.Worker())
	if errors.Is(err, fault.NotFound) {
		m.Log.Warn("an invocation was asked for a run that does not exist", "run", id, "request", at.Request)
		return nil
	}
	if err != nil || !owned {
		return err
	}
	return m.wake(ctx, id, at.Worker())
}
