// Package waggle gathers what a deployment runs: assets, checks, jobs, schedules and sensors, and finds the
// mistakes in them that the compiler cannot see.
//
// It imports asset, check, fault, job, notify, plan, run and sensor of ours.
package waggle

import (
	"slices"

	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/job"
	"waggle/shared/notify"
	"waggle/shared/sensor"
)

// Definitions is what a deployment runs. The zero value has nothing in it.
type Definitions struct {
	Assets    asset.List
	Checks    check.List
	Jobs      job.List
	Schedules job.Schedules
	// Channels are those that sensors and assets notify: whoever sends a message finds its channel here by its name.
	Channels notify.List
	Sensors  sensor.List
}

// Merge joins definitions, for pipelines of several packages.
func (d Definitions) Merge(others ...Definitions) Definitions {
	merged := Definitions{slices.Clone(d.Assets), slices.Clone(d.Checks), slices.Clone(d.Jobs), slices.Clone(d.Schedules),
		slices.Clone(d.Channels), slices.Clone(d.Sensors)}
	for _, o := range others {
		merged.Assets = append(merged.Assets, o.Assets...)
		merged.Checks = append(merged.Checks, o.Checks...)
		merged.Jobs = append(merged.Jobs, o.Jobs...)
		merged.Schedules = append(merged.Schedules, o.Schedules...)
		merged.Channels = append(merged.Channels, o.Channels...)
		merged.Sensors = append(merged.Sensors, o.Sensors...)
	}
	return merged
}

// Job returns the job with a name, or nil.
func (d Definitions) Job(name string) *job.Job {
	for _, j := range d.Jobs {
		if j != nil && j.Name == name {
			return j
		}
	}
	return nil
}

// Asset returns the asset with a key, or nil.
func (d Definitions) Asset(key asset.Key) *asset.Definition {
	for _, a := range d.Assets {
		if def := asset.DefinitionOf(a); def != nil && def.Key == key {
			return def
		}
	}
	return nil
}

// Sensor returns the sensor with a name, or nil.
func (d Definitions) Sensor(name string) *sensor.Definition {
	for _, s := range d.Sensors {
		if def := s.Definition(); def != nil && def.Name == name {
			return def
		}
	}
	return nil
}

// Channel returns the channel with a name, or nil.
func (d Definitions) Channel(name string) *notify.Definition {
	for _, c := range d.Channels {
		if def := c.Definition(); def != nil && def.Name == name {
			return def
		}
	}
	return nil
}

// checksOn lists the checks on an asset, in order.
func (d Definitions) checksOn(a *asset.Definition) []*check.Definition {
	var on []*check.Definition
	for _, c := range d.Checks {
		if def := c.Definition(); def != nil && def.Asset == a {
			on = append(on, def)
		}
	}
	return on
}
