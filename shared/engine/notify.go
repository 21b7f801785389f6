package engine

import (
	"context"
	"time"

	"waggle/shared/fault"
	"waggle/shared/metadata"
	"waggle/shared/notify"
)

// Notify gives a message of the step to channels. What the step read is stored before: a crash cannot undo what the message tells.
func (a *attempt) Notify(ctx context.Context, message notify.Sendable, channels []*notify.Channel) error {
	if err := a.ask(); err != nil {
		return err
	}
	give := a.x.engine.opts.Notify
	if give == nil {
		return fault.New(fault.Invalid, "nothing in this process takes messages")
	}
	if err := a.x.journal.Wait(ctx, a.x.journal.last()); err != nil {
		return err
	}
	a.mu.Lock()
	a.calls++
	call := Call{Run: a.x.id, Step: a.step.Key, Number: a.calls, Message: message, Channels: channels}
	a.mu.Unlock()
	delivering, err := give(ctx, call)
	if err != nil {
		return err
	}
	a.mu.Lock()
	a.told = append(a.told, delivering)
	a.mu.Unlock()
	return nil
}

// deliverWithin is how long a step waits for its messages to arrive. What has not arrived by then still will.
const deliverWithin = 10 * time.Second

// deliveryState is the metadata label that says how far the messages of a step have come.
const deliveryState = "delivery_state"

// delivered waits for the messages of the step. It is an error where a channel has given one up.
func (a *attempt) delivered() error {
	a.mu.Lock()
	told := a.told
	a.mu.Unlock()
	if len(told) == 0 {
		return nil
	}
	ctx, stop := context.WithTimeout(a.ctx, deliverWithin)
	defer stop()
	var states []string
	for _, wait := range told {
		state, err := wait(ctx)
		if err != nil {
			return err
		}
		states = append(states, state)
	}
	value := any(states)
	if len(states) == 1 {
		value = states[0]
	}
	a.AddMetadata(metadata.Map{deliveryState: value}.Encode())
	return a.badMetadata()
}
