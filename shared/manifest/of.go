package manifest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"waggle/shared/event"
	"waggle/shared/fault"
	"waggle/shared/job"
	"waggle/shared/run"
	"waggle/shared/sensor"
	"waggle/shared/waggle"
)

// Limits of what is deployed.
const (
	// LeastInterval is how often the monitor looks, and so how often it can call a polled sensor.
	LeastInterval = time.Minute
	// maxScheduleName is EventBridge Scheduler's limit.
	maxScheduleName = 64
)

// Of returns the manifest of definitions, without zips. Mistakes that Validate finds are its error; so is, each with file and line,
// what works on a laptop and cannot be deployed: a polled sensor that is called more often than the monitor looks, a schedule that
// EventBridge Scheduler cannot express, an isolated sensor whose name is too long for a function. All are reported at once, as fault.Invalid.
func Of(defs waggle.Definitions, codeVersion string) (Manifest, error) {
	if err := defs.Validate(); err != nil {
		return Manifest{}, err
	}
	m := Manifest{Version: Version, CodeVersion: codeVersion, Functions: Functions(),
		Jobs: []Job{}, Schedules: []Schedule{}, Sensors: []Sensor{}, Channels: []Channel{}}
	var mistakes []error
	mistake := func(origin, what string, err error) {
		mistakes = append(mistakes, fmt.Errorf("%s: %s: %w", origin, what, err))
	}
	for _, j := range defs.Jobs {
		of, err := jobOf(defs, j)
		if err != nil {
			mistake(j.Origin, fmt.Sprintf("job %q", j.Name), err)
		}
		m.Jobs = append(m.Jobs, of)
	}
	for _, s := range defs.Schedules {
		of, err := scheduleOf(s)
		if err != nil {
			mistake(s.Origin, fmt.Sprintf("schedule %q", s.Name), err)
		}
		m.Schedules = append(m.Schedules, of)
	}
	for _, s := range defs.Sensors {
		def := s.Definition()
		if def.Every > 0 && def.Every < LeastInterval {
			mistake(def.Origin, fmt.Sprintf("sensor %q", def.Name), fault.New(fault.Invalid, "is called every %s, and when deployed the monitor looks once a minute", def.Every).
				WithHint("write sensor.Poll(%q, time.Minute, ...)", def.Name))
		}
		m.Sensors = append(m.Sensors, sensorOf(def))
		if !def.Options.Isolated {
			continue
		}
		if len(def.Name) > maxOwnName {
			mistake(def.Origin, fmt.Sprintf("sensor %q", def.Name), fault.New(fault.Invalid, "has a function of its own, and a name of %d characters; %d would fit into the function's",
				len(def.Name), maxOwnName).WithHint("shorten it, or take Isolated away"))
		}
		m.Functions = append(m.Functions, ownFunction(def.Name))
	}
	for _, c := range defs.Channels {
		m.Channels = append(m.Channels, channelOf(c.Definition()))
	}
	if len(mistakes) > 0 {
		return Manifest{}, fault.Wrap(fault.Invalid, "", errors.Join(mistakes...))
	}
	return m, nil
}

func jobOf(defs waggle.Definitions, j *job.Job) (Job, error) {
	of := Job{Name: j.Name, Steps: []run.StepKey{}, Isolated: []run.StepKey{}}
	p, err := defs.Plan(run.Request{Job: j.Name})
	if err != nil {
		return of, err
	}
	for _, s := range p.Steps {
		of.Steps = append(of.Steps, s.Key)
		if s.Check == nil && s.Asset.Options.Isolated {
			of.Isolated = append(of.Isolated, s.Key)
		}
	}
	return of, nil
}

func scheduleOf(s *job.Schedule) (Schedule, error) {
	expression, err := Expression(s.Cron)
	of := Schedule{Name: s.Name, Cron: s.Cron, Expression: expression, TimeZone: s.Options.TimeZone, Job: s.Job.Name}
	switch {
	case err != nil:
		return of, fmt.Errorf("cron expression %q: %w", s.Cron, err)
	case len(s.Name) > maxScheduleName:
		return of, fault.New(fault.Invalid, "its name has %d characters; EventBridge Scheduler takes %d", len(s.Name), maxScheduleName)
	}
	return of, nil
}

func sensorOf(d *sensor.Definition) Sensor {
	of := Sensor{Name: d.Name, Kind: string(d.Kind), DetailTypes: []string{}, IntervalSeconds: int(d.Every.Seconds()), Jobs: []string{}}
	for _, t := range event.Types() {
		if d.Match(event.Event{Type: t}) != sensor.OtherEvent {
			of.DetailTypes = append(of.DetailTypes, string(t))
		}
	}
	for _, j := range d.Options.Jobs {
		of.Jobs = append(of.Jobs, j.Name)
	}
	return of
}

func detailTypes(sensors []Sensor) []string {
	types := []string{}
	for _, s := range sensors {
		types = append(types, s.DetailTypes...)
	}
	slices.Sort(types)
	return slices.Compact(types)
}
