package cloud

import (
	"context"
	"log/slog"
	"time"

	"waggle/shared/courier"
	"waggle/shared/event"
)

const (
	// linger is for how long an invocation waits for what is due soon: a server that asked to wait, a rate.
	linger = 20 * time.Second
	// stopBefore is how long before its end an invocation begins nothing more: a send takes 10 s at most.
	stopBefore = 15 * time.Second
)

// Teller calls sensors and sends messages. All fields are required.
type Teller struct {
	Courier   *courier.Courier
	Functions Functions
	Log       *slog.Logger
}

// Store stores events for the sensors that match them. Once it returns they need not be delivered again: the rows bring the work back.
func (t *Teller) Store(ctx context.Context, events ...event.Event) error {
	publish := t.Courier.Publish()
	if publish == nil {
		return nil
	}
	return publish(ctx, events)
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
	return t.Functions.Sensor(context.WithoutCancel(ctx))
}
