package courier

import (
	"context"
	"strings"
	"time"

	"waggle/shared/event"
	"waggle/shared/notice"
	"waggle/shared/sensor"
	"waggle/shared/store"
)

// tellOfDead gives the fallback of a sensor one note a day that its function fails: what it would have told is not told.
func (c *Courier) tellOfDead(ctx context.Context, def *sensor.Definition, row store.SensorEvent, text string) error {
	to := def.Options.Fallback.Definition()
	if to == nil {
		return nil
	}
	note := notice.SensorDead{Sensor: def.Name, Event: row.Event.ID, About: aboutOf(row.Event), Attempts: row.Attempts, Since: row.Stored, Error: text, Place: c.opts.Place}
	if strings.HasPrefix(text, "panic: ") {
		note.Error, note.Stack, _ = strings.Cut(text, "\n")
	}
	return c.tell(ctx, to, note, "sensor "+def.Name, "dead "+c.store.Now().UTC().Format(time.DateOnly))
}

// aboutOf is an event in a few words: "gallery failed".
func aboutOf(e event.Event) string {
	switch e.Type {
	case event.RunStatus:
		name := "a selection"
		if e.Job != "" {
			name = e.Job
		}
		return name + " came to " + string(e.Status)
	case event.Materialized:
		return string(e.Asset) + " was made"
	case event.Evaluated:
		return "check " + e.Check + " on " + string(e.Asset)
	case event.TickMissed:
		return "a tick of " + e.Schedule + " was missed"
	}
	return ""
}
