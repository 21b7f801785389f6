package cloud

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"waggle/shared/engine"
	"waggle/shared/event"
	"waggle/shared/fault"
	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/scheduler"
	"waggle/shared/store"
)

const (
	flush  = 250 * time.Millisecond // log records wait so long for others, since each write is paid
	pace   = 100 * time.Millisecond // and the events of steps, unless a step waits for the log
	margin = 30 * time.Second       // before the platform's end of an invocation running steps are interrupted
	park   = 30 * time.Second       // with nothing to do for that long a run is given up until it is due

	// maxHops is how often in a row a run calls its own function. From then on the monitor does, each minute: should a mistake have a run
	// hand over and over, it costs little, and still nothing is lost.
	maxHops = 200
)

// Runner runs runs. All fields but Publish, Notify and Ended are required.
type Runner struct {
	Store     *store.Store
	Plans     engine.Planner
	Schedules *scheduler.Scheduler
	Functions Functions
	// Publish hands events to the bus; nil: nobody wants them.
	Publish func(context.Context, []event.Event) error
	// Notify stores the messages of steps; nil: steps cannot notify.
	Notify func(context.Context, engine.Call) (engine.Delivering, error)
	// Ended is told of each run that ends here, and should be quick. An owner that dies before the end is stored leaves it to be told again. Nil: nobody is.
	Ended func(run.Status)
	Log   *slog.Logger
}

// Run runs a run until it has ended, waits for something, or the context's deadline nears; then it is handed to another invocation of the
// same function, with the same code. What follows from it, its retry or runs that now have their slots, is started too. A run
// that another invocation owns, or takes over, is no error.
func (r *Runner) Run(ctx context.Context, at Invocation, call RunCall) error {
	if call.Run == "" {
		return fault.New(fault.Invalid, "the call names no run").WithHint(`call it with {"run":"ID"}`)
	}
	opts := &engine.RunOptions{Observe: r.observe(call.Run)}
	opts.Deadline, _ = ctx.Deadline()
	e := r.engine(ctx, at)
	out, err := e.Run(ctx, call.Run, opts)
	var unstarted error // of runs that follow
	for err == nil && out.Wake && ctx.Err() == nil && !near(ctx, r.Store.Now()) {
		unstarted = errors.Join(unstarted, r.follow(ctx, out))
		out, err = e.Run(ctx, call.Run, opts)
	}
	switch {
	case errors.Is(err, fault.Conflict), errors.Is(err, fault.Lost):
		r.Log.Info("another invocation runs it", "run", call.Run, "why", err)
		err = nil
	case err == nil && (out.End == engine.HandedOver || out.Wake):
		err = r.handOver(ctx, at, call)
	}
	err = errors.Join(err, unstarted, r.follow(ctx, out))
	if err == nil && out.LeftRunning > 0 {
		return &LeftRunningError{out.LeftRunning}
	}
	return err
}

// LeftRunningError says that steps ignored their cancellation. The process should exit, as they still run in it.
type LeftRunningError struct{ Steps int }

func (e *LeftRunningError) Error() string { return "steps ignored their cancellation and still run" }

// handOver calls this function again.
func (r *Runner) handOver(ctx context.Context, at Invocation, call RunCall) error {
	if call.Hops >= maxHops {
		r.Log.Warn("handed over too often in a row; the monitor goes on with it", "run", call.Run, "hops", call.Hops)
		return nil
	}
	return r.Functions.Run(context.WithoutCancel(ctx), at.Function, RunCall{Run: call.Run, Hops: call.Hops + 1})
}

// follow starts the runs that follow from one.
func (r *Runner) follow(ctx context.Context, out engine.Outcome) (err error) {
	next := out.Woken
	if out.Retry != "" {
		next = append(next[:len(next):len(next)], out.Retry)
	}
	for _, id := range next {
		err = errors.Join(err, r.Functions.Run(context.WithoutCancel(ctx), "", RunCall{Run: id}))
	}
	return err
}

// Tick launches what schedules say, at or after a tick's time, and runs the first of the runs here. A time that does not read is no error: every
// tick that has come is launched, whichever it was that called.
func (r *Runner) Tick(ctx context.Context, at Invocation, scheduled string) error {
	if t, err := time.Parse(time.RFC3339, scheduled); err == nil {
		if early := t.Sub(r.Store.Now()); early > 0 && early < time.Minute { // clocks differ
			select {
			case <-time.After(early):
			case <-ctx.Done():
			}
		}
	}
	launched, _, err := launchTicks(ctx, r.Schedules)
	var first run.ID
	for _, l := range launched {
		if first == "" {
			first = l.Run
			continue
		}
		err = errors.Join(err, r.Functions.Run(ctx, "", RunCall{Run: l.Run}))
	}
	if first == "" {
		return err
	}
	return errors.Join(err, r.Run(ctx, at, RunCall{Run: first}))
}

func (r *Runner) engine(ctx context.Context, at Invocation) *engine.Engine {
	return engine.New(r.Store, r.Plans, &engine.Options{
		Flush: flush, Pace: pace, Margin: marginOf(ctx, r.Store.Now()), Park: park, Publish: r.Publish, Notify: sent(r.Notify, r.Functions, r.Log), Worker: at.Worker(),
		Isolate: func(ctx context.Context, a store.Attempt) (<-chan engine.Ending, error) {
			return nil, r.Functions.Step(ctx, StepCall{Run: a.Run, Step: a.Step, Attempt: a.Number, Wake: at.Function})
		},
	})
}

// sent has the messages that steps store sent by the sensor's function. Nil stays nil.
func sent(notify func(context.Context, engine.Call) (engine.Delivering, error), f Functions, log *slog.Logger) func(context.Context, engine.Call) (engine.Delivering, error) {
	if notify == nil {
		return nil
	}
	return func(ctx context.Context, call engine.Call) (engine.Delivering, error) {
		deliver, err := notify(ctx, call)
		if err == nil {
			if err := f.Sensor(ctx, ""); err != nil { // the message is stored, and the monitor finds it
				log.Warn("nobody was told of a message that waits", "run", call.Run, "error", err)
			}
		}
		return deliver, err
	}
}

// observe writes the log of a run to the function's own, and says how the run ended.
func (r *Runner) observe(id run.ID) func(*runlog.Event) {
	ends := map[runlog.Type]run.Status{runlog.RunSuccess: run.Success, runlog.RunFailure: run.Failure, runlog.RunCanceled: run.Canceled}
	return func(e *runlog.Event) {
		if status, ended := ends[e.Type]; ended && r.Ended != nil {
			r.Ended(status)
		}
		if e.Message == "" && e.Type == runlog.Log || !r.Log.Enabled(context.Background(), e.Level) {
			return
		}
		r.Log.Log(context.Background(), e.Level, e.Message, "run", id, "type", e.Type, "step", e.Step)
	}
}

// marginOf is how long before the end of an invocation steps are interrupted: a quarter of short ones.
func marginOf(ctx context.Context, now time.Time) time.Duration {
	end, ok := ctx.Deadline()
	if !ok {
		return margin
	}
	return max(min(margin, end.Sub(now)/4), time.Millisecond)
}

// near reports whether the end of an invocation is so near that nothing is to be begun.
func near(ctx context.Context, now time.Time) bool {
	end, ok := ctx.Deadline()
	return ok && end.Sub(now) < margin
}
