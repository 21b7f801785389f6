package cloud

import (
	"context"
	"errors"
	"log/slog"

	"waggle/shared/engine"
	"waggle/shared/fault"
	"waggle/shared/store"
)

// Stepper runs attempts at isolated steps. All fields but Notify are required.
type Stepper struct {
	Store     *store.Store
	Plans     engine.Planner
	Functions Functions
	// Notify stores the messages of steps; nil: steps cannot notify.
	Notify func(context.Context, engine.Call) (engine.Delivering, error)
	Log    *slog.Logger
}

// Run runs an attempt, and wakes the run that waits for it. An attempt that another invocation has claimed, or that was given up, is no error.
func (s *Stepper) Run(ctx context.Context, at Invocation, call StepCall) error {
	if call.Run == "" || call.Step == "" || call.Attempt < 1 {
		return fault.New(fault.Invalid, "the call names no attempt").WithHint(`call it with {"run":"ID","step":"NAME","attempt":1}`)
	}
	e := engine.New(s.Store, s.Plans, &engine.Options{Flush: flush, Margin: marginOf(ctx, s.Store.Now()), Notify: sent(s.Notify, s.Functions, s.Log), Worker: at.Worker()})
	deadline, _ := ctx.Deadline()
	err := e.RunStep(ctx, store.Attempt{Run: call.Run, Step: call.Step, Number: call.Attempt}, deadline)
	if errors.Is(err, fault.Conflict) || errors.Is(err, fault.Lost) {
		s.Log.Info("the attempt is not this invocation's", "run", call.Run, "step", call.Step, "attempt", call.Attempt, "why", err)
		return nil
	}
	if err != nil {
		return err
	}
	return wake(context.WithoutCancel(ctx), s.Functions, call.Wake, RunCall{Run: call.Run})
}

// wake has a run gone on with by the version of the code that began it, or by the newest where that version is gone.
func wake(ctx context.Context, f Functions, name string, call RunCall) error {
	err := f.Run(ctx, name, call)
	if errors.Is(err, fault.NotFound) && name != "" {
		err = f.Run(ctx, "", call)
	}
	return err
}
