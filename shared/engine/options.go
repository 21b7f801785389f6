// Package engine runs runs: it takes ownership of one, walks its graph as a plain loop, runs steps in goroutines, writes
// the log and settles what follows from it.
//
// It knows no database, no cloud and no terminal. It imports asset, check, event, fault, metadata, notify, plan,
// run, runlog and store of ours.
package engine

import (
	"context"
	"time"

	"waggle/shared/event"
	"waggle/shared/notify"
	"waggle/shared/plan"
	"waggle/shared/run"
	"waggle/shared/store"
)

// Engine runs runs of one deployment. It is safe for several goroutines.
type Engine struct {
	store *store.Store
	plans Planner
	opts  Options
}

// Planner turns a request into its steps, as waggle.Definitions does.
type Planner interface {
	Plan(run.Request) (*plan.Plan, error)
}

// Options are the optional parts of an engine. The zero value and nil mean all defaults.
type Options struct {
	// Flush is how long a log record may wait to be stored. Defaults to 10 ms.
	Flush time.Duration
	// Pace is the least time between the starts of two writes, so that a fast run writes chunks of many
	// events; a step that waits for the log does not wait for the pace. Defaults to 2 ms.
	Pace time.Duration
	// Grace is how long a canceled or timed out step may take to return. Defaults to 5 s.
	Grace time.Duration
	// Margin is how long before the deadline running steps are interrupted. Defaults to 30 s.
	Margin time.Duration
	// Park gives a run up, to be woken when it is due, once it has nothing to do for that long. 0 is never.
	Park time.Duration
	// LookAgain is when a run that waits for a slot is due, should nobody wake it before. Defaults to 30 s.
	LookAgain time.Duration
	// Isolate starts the processes of isolated steps. Nil: they run in this process, like all others.
	Isolate Isolate
	// Publish hands events to whoever wants them, before the run counts as settled. It is called for one run by one goroutine, in the
	// order of the log; the same events may come again, of this process or another. While it returns errors the run goes on, and stays
	// due at its end. Nil: nobody wants them.
	Publish func(context.Context, []event.Event) error
	// Notify gives a message of a step to channels, once however often it is called for the same call. Nil: steps cannot notify.
	Notify func(context.Context, Call) (Delivering, error)
	// Strict is for tests: every value passes through its codec on its way to each reader, and a step that changes
	// what it reads fails, by name.
	Strict bool
	// Worker names this process to people. Defaults to "unknown".
	Worker string
}

// Call is a call of Notify by a step.
type Call struct {
	Run      run.ID
	Step     run.StepKey
	Number   int // of the attempt's calls; 1 is the first
	Message  notify.Sendable
	Channels []*notify.Channel
}

// Delivering waits until a message has arrived or was given up, or the context ends. It returns a word for how far it has come; the
// error says that it was given up, and why.
type Delivering func(context.Context) (state string, err error)

// New returns an engine over a store.
func New(s *store.Store, plans Planner, opts *Options) *Engine {
	var o Options
	if opts != nil {
		o = *opts
	}
	defaults(&o.Flush, 10*time.Millisecond)
	defaults(&o.Pace, 2*time.Millisecond)
	defaults(&o.Grace, 5*time.Second)
	defaults(&o.Margin, 30*time.Second)
	defaults(&o.LookAgain, 30*time.Second)
	if o.Worker == "" {
		o.Worker = "unknown"
	}
	return &Engine{store: s, plans: plans, opts: o}
}

func defaults(d *time.Duration, value time.Duration) {
	if *d <= 0 {
		*d = value
	}
}
