package cloud

import (
	"context"
	"slices"

	"waggle/shared/event"
	"waggle/shared/sensor"
	"waggle/shared/waggle"
)

// Wanted publishes the changes of runs' statuses, and what else a sensor is called for: an event of each asset and check would be paid for and
// heard by nobody.
func Wanted(d waggle.Definitions, publish func(context.Context, []event.Event) error) func(context.Context, []event.Event) error {
	return func(ctx context.Context, all []event.Event) error {
		var wanted []event.Event
		for _, e := range all {
			if e.Type == event.RunStatus || heard(d, e) {
				wanted = append(wanted, e)
			}
		}
		if len(wanted) == 0 {
			return nil
		}
		return publish(ctx, wanted)
	}
}

func heard(d waggle.Definitions, e event.Event) bool {
	return slices.ContainsFunc(d.Sensors, func(s *sensor.Sensor) bool { return hears(s.Definition(), e) })
}

func hears(d *sensor.Definition, e event.Event) bool {
	match := d.Match(e)
	return match == sensor.Matched || match == sensor.Resolves
}
