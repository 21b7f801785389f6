package cloud

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"waggle/shared/courier"
	"waggle/shared/event"
	"waggle/shared/fault"
	"waggle/shared/waggle"
)

const (
	// linger is for how long an invocation waits for what is due soon: a server that asked to wait, a rate.
	linger = 20 * time.Second
	// stopBefore is how long before its end an invocation begins nothing more: a send takes 10 s at most.
	stopBefore = 15 * time.Second
)

// Teller calls sensors and sends messages. All fields but Own are required.
type Teller struct {
	Courier     *courier.Courier // of which Options.Calls is Calls of these definitions and Own
	Definitions waggle.Definitions
	// Own is the sensor whose own function this is. Empty: that of all others, which also stores what the bus tells.
	Own       string
	Functions Functions
	Log       *slog.Logger
}

// Store stores events for the sensors that match them, most of them as begun: the caller goes on with Work. Once it returns they need not be
// delivered again: the rows bring the work back.
func (t *Teller) Store(ctx context.Context, events ...event.Event) error {
	if err := t.Courier.Take(ctx, events...); err != nil {
		return err
	}
	for _, own := range Isolated(t.Definitions) {
		hears := func(e event.Event) bool { return hears(t.Definitions.Sensor(own), e) }
		if !slices.ContainsFunc(events, hears) {
			continue
		}
		if err := t.Functions.Sensor(ctx, own); err != nil { // its row is stored, and the monitor finds it
			t.Log.Error("the function of a sensor was not called", "sensor", own, "error", err)
		}
	}
	return nil
}

// Work calls the sensors that are due and drains the channels in which something waits, until nothing is due soon. Should its time be over
// before, another invocation goes on.
func (t *Teller) Work(ctx context.Context) error {
	bounded, cancel := ctx, context.CancelFunc(func() {})
	if end, ok := ctx.Deadline(); ok {
		bounded, cancel = context.WithDeadline(ctx, end.Add(-min(stopBefore, time.Until(end)/4)))
	}
	defer cancel()
	if err := t.Courier.Linger(bounded, linger); err != nil {
		return err
	}
	if bounded.Err() == nil {
		return nil
	}
	t.Log.Info("time is over; another invocation goes on")
	return t.Functions.Sensor(context.WithoutCancel(ctx), t.Own)
}

// Isolated lists the sensors that have a function of their own.
func Isolated(d waggle.Definitions) []string {
	var names []string
	for _, s := range d.Sensors {
		if def := s.Definition(); def.Options.Isolated {
			names = append(names, def.Name)
		}
	}
	return names
}

// Calls returns which sensors a function calls: the own function of a sensor that one alone, that of all others the rest, also sensors that the
// definitions no longer have. Nil is every sensor.
func Calls(d waggle.Definitions, own string) func(sensor string) bool {
	if own != "" {
		return func(name string) bool { return name == own }
	}
	isolated := Isolated(d)
	if len(isolated) == 0 {
		return nil
	}
	return func(name string) bool { return !slices.Contains(isolated, name) }
}

// WakeSensors calls the functions of all sensors. One that is not deployed is none to call.
func WakeSensors(ctx context.Context, f Functions, d waggle.Definitions) error {
	err := f.Sensor(ctx, "")
	for _, own := range Isolated(d) {
		if e := f.Sensor(ctx, own); !errors.Is(e, fault.NotFound) {
			err = errors.Join(err, e)
		}
	}
	return err
}
