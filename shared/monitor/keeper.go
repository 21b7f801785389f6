package monitor

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"waggle/shared/engine"
	"waggle/shared/fault"
	"waggle/shared/owner"
	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/scheduler"
	"waggle/shared/store"
)

// Keeper looks after all that is to happen, for as long as it is kept: it launches the ticks of schedules, and runs what is due
// and nobody runs, several runs at once. Any number of them may share a store: a tick is launched once, and a run has one owner.
type Keeper struct {
	store     *store.Store
	engine    *engine.Engine
	schedules *scheduler.Scheduler
	opts      KeeperOptions

	nextTick time.Time // zero: not known, look now
	lookAt   time.Time // when the store is looked at again
	sweepAt  time.Time
	ready    []Wait // that may run, and want one of the places
	parked   map[run.ID]Wait
	waits    map[run.ID]string // what was told of those that wait
	running  map[run.ID]Work
	troubles map[string]string // what was told last, by what it is about
	results  chan result
}

// KeeperOptions are the optional parts of a keeper. The zero value and nil mean all defaults.
type KeeperOptions struct {
	// Parallel is how many runs run at once in this process. Defaults to 4.
	Parallel int
	// Look is how often the store is asked what is due. Defaults to 1 s.
	Look time.Duration
	// Elsewhere runs a run whose process died in a process of its own, so that it cannot end this one, and returns when that
	// process has ended. It asks the process to stop when the context ends. Nil: such runs run here.
	Elsewhere func(context.Context, run.ID) error
	// Observe is given each event of the runs that run here. It must be quick.
	Observe func(run.ID, *runlog.Event)
	// Tell is told what happens, by one goroutine.
	Tell func(Happening)
	// Show is given the state when it may have changed, by the same goroutine.
	Show func(State)
}

// State is what a keeper is at.
type State struct {
	Running []Work // oldest first
	Waiting []Wait // the next one first
}

// Work is a run that runs here.
type Work struct {
	ID        run.ID
	Name      string
	Since     time.Time
	Elsewhere bool // in a process of its own
	Died      bool // its process died before
}

// Wait is a run that waits.
type Wait struct {
	ID   run.ID
	Name string
	// Why says which limit is full; empty: as many runs as may run here.
	Why string

	died    bool
	request run.Request
}

// Kind says what happened.
type Kind string

// What happens.
const (
	TickLaunched Kind = "tick_launched"
	TickFailed   Kind = "tick_failed"  // it could not be launched
	TicksPassed  Kind = "ticks_passed" // they were too old to be launched
	RunBegan     Kind = "run_began"
	RunWaits     Kind = "run_waits"
	RunEnded     Kind = "run_ended"
	RunStopped   Kind = "run_stopped" // handed over: it goes on another time
	Trouble      Kind = "trouble"
)

// Happening is one thing that happened.
type Happening struct {
	Kind     Kind
	Time     time.Time
	Schedule string        // of ticks
	Tick     time.Time     // of ticks; the last of those passed over
	Ticks    int           // of those passed over
	Late     bool          // of ticks
	Run      run.ID        // of ticks and runs
	Name     string        // of runs
	Died     bool          // of RunBegan: its process had died
	Why      string        // of RunWaits
	Summary  store.Summary // of RunEnded
	Retry    run.ID        // of RunEnded: the run that retries it; empty: none
	Err      error
}

type result struct {
	work Work
	out  engine.Outcome
	err  error
}

// NewKeeper returns a keeper.
func NewKeeper(s *store.Store, e *engine.Engine, schedules *scheduler.Scheduler, opts *KeeperOptions) *Keeper {
	k := &Keeper{store: s, engine: e, schedules: schedules, parked: map[run.ID]Wait{}, waits: map[run.ID]string{}, running: map[run.ID]Work{}, troubles: map[string]string{}, results: make(chan result)}
	if opts != nil {
		k.opts = *opts
	}
	if k.opts.Parallel <= 0 {
		k.opts.Parallel = 4
	}
	if k.opts.Look <= 0 {
		k.opts.Look = time.Second
	}
	if k.opts.Tell == nil {
		k.opts.Tell = func(Happening) {}
	}
	if k.opts.Show == nil {
		k.opts.Show = func(State) {}
	}
	return k
}

// Keep works until the context ends; then it launches nothing more, asks the runs to hand over and waits for them. The error is
// of the first look at the store: later ones are told, and it goes on.
func (k *Keeper) Keep(ctx context.Context) error {
	for first := true; ctx.Err() == nil; first = false {
		if err := k.look(ctx); err != nil && first && ctx.Err() == nil {
			return err
		}
		k.start(ctx)
		k.show()
		timer := time.NewTimer(k.pause())
		select {
		case r := <-k.results:
			k.ended(ctx, r)
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
	k.ready = nil
	for len(k.running) > 0 {
		k.show()
		k.ended(ctx, <-k.results)
	}
	k.show()
	return nil
}

// pause is how long nothing is to be done, should no run end.
func (k *Keeper) pause() time.Duration {
	until := k.lookAt
	if !k.nextTick.IsZero() && k.nextTick.Before(until) {
		until = k.nextTick
	}
	return max(0, min(k.opts.Look, until.Sub(k.store.Now())))
}

// look does what its time has come for: ticks, due runs, and now and then the deletion of what has expired.
func (k *Keeper) look(ctx context.Context) error {
	now := k.store.Now()
	var err error
	if k.nextTick.IsZero() || !now.Before(k.nextTick) {
		err = k.launchTicks(ctx)
		k.trouble(ctx, "schedules", err)
	}
	// A clock that was set back must not keep it from looking.
	if left := k.lookAt.Sub(now); left > 0 && left <= k.opts.Look {
		return err
	}
	k.lookAt = now.Add(k.opts.Look)
	dueErr := k.takeDue(ctx)
	k.trouble(ctx, "due runs", dueErr)
	if left := k.sweepAt.Sub(now); left <= 0 || left > time.Minute {
		k.sweepAt = now.Add(time.Minute)
		_, sweepErr := k.store.Sweep(ctx, sweptAtOnce)
		k.trouble(ctx, "expired items", sweepErr)
	}
	return errors.Join(err, dueErr)
}

func (k *Keeper) launchTicks(ctx context.Context) error {
	now := k.store.Now()
	launched, passed, err := k.schedules.Launch(ctx)
	for _, p := range passed {
		k.tell(Happening{Kind: TicksPassed, Schedule: p.Schedule, Ticks: p.Ticks, Tick: p.Until})
	}
	for _, l := range launched {
		if l.Err != nil {
			k.tell(Happening{Kind: TickFailed, Schedule: l.Schedule, Tick: l.Time, Late: l.Late, Err: l.Err})
			continue
		}
		k.tell(Happening{Kind: TickLaunched, Schedule: l.Schedule, Tick: l.Time, Late: l.Late, Run: l.Run})
		k.want(ctx, l.Run)
	}
	if err == nil {
		k.nextTick = k.schedules.Next(now)
	}
	return err
}

// takeDue takes up the runs that nobody looks after, and those that wait here and now may go on.
func (k *Keeper) takeDue(ctx context.Context) error {
	due, err := k.store.Due(ctx, atOnce)
	if err != nil {
		return err
	}
	for _, id := range due {
		k.want(ctx, id)
	}
	for id, w := range k.parked {
		goes, _, err := k.store.HasSlots(ctx, id, w.request.Limits)
		if err == nil && !goes {
			goes, err = k.store.CancelRequested(ctx, id)
		}
		if err != nil {
			return err
		}
		if goes {
			k.want(ctx, id)
		}
	}
	return nil
}

// want puts a run among those that want a place.
func (k *Keeper) want(ctx context.Context, id run.ID) {
	if _, runs := k.running[id]; runs || slices.ContainsFunc(k.ready, func(w Wait) bool { return w.ID == id }) {
		return
	}
	summary, err := k.store.Summary(ctx, id)
	var own owner.Ownership
	if err == nil {
		own, err = k.store.Owner(ctx, id)
	}
	if err != nil {
		k.trouble(ctx, string(id), err)
		return
	}
	delete(k.parked, id)
	k.ready = append(k.ready, Wait{ID: id, Name: summary.Request.Name(), died: own.Token != "" || own.Died, request: summary.Request})
	slices.SortFunc(k.ready, func(a, b Wait) int {
		return cmp.Or(cmp.Compare(b.request.Priority, a.request.Priority), cmp.Compare(a.ID, b.ID))
	})
}

// start gives the free places to those that want one.
func (k *Keeper) start(ctx context.Context) {
	for len(k.ready) > 0 && len(k.running) < k.opts.Parallel && ctx.Err() == nil {
		next := k.ready[0]
		k.ready = k.ready[1:]
		work := Work{ID: next.ID, Name: next.Name, Since: k.store.Now(), Died: next.died, Elsewhere: next.died && k.opts.Elsewhere != nil}
		k.running[next.ID] = work
		go func() {
			out, err := k.run(ctx, work)
			k.results <- result{work, out, err}
		}()
		if work.Died {
			k.tell(Happening{Kind: RunBegan, Run: work.ID, Name: work.Name, Died: true})
		}
	}
}

func (k *Keeper) run(ctx context.Context, work Work) (engine.Outcome, error) {
	if work.Elsewhere {
		return engine.Outcome{}, k.opts.Elsewhere(ctx, work.ID)
	}
	opts := &engine.RunOptions{}
	if k.opts.Observe != nil {
		opts.Observe = func(e *runlog.Event) { k.opts.Observe(work.ID, e) }
	}
	out, err := k.engine.Run(ctx, work.ID, opts)
	for err == nil && out.Wake && ctx.Err() == nil {
		out, err = k.engine.Run(ctx, work.ID, opts)
	}
	return out, err
}

// ended takes in what became of a run.
func (k *Keeper) ended(ctx context.Context, r result) {
	delete(k.running, r.work.ID)
	id, name := r.work.ID, r.work.Name
	// What is recorded is read also after the context has ended.
	background := context.WithoutCancel(ctx)
	if errors.Is(r.err, fault.Conflict) {
		return // another process has it
	}
	k.trouble(background, string(id), r.err)
	summary, err := k.store.Summary(background, id)
	switch {
	case err != nil:
		k.trouble(background, string(id), err)
	case summary.Status.Terminal() && r.err == nil:
		delete(k.waits, id)
		k.tell(Happening{Kind: RunEnded, Run: id, Name: name, Summary: summary, Retry: r.out.Retry})
	case r.out.End == engine.Parked:
		w := Wait{ID: id, Name: name, Why: summary.Waiting, request: summary.Request}
		k.parked[id] = w
		if k.waits[id] != w.Why { // it looks again every half minute
			k.waits[id] = w.Why
			k.tell(Happening{Kind: RunWaits, Run: id, Name: name, Why: w.Why})
		}
	case ctx.Err() != nil:
		k.tell(Happening{Kind: RunStopped, Run: id, Name: name})
	}
	if r.out.LeftRunning > 0 {
		k.tell(Happening{Kind: Trouble, Run: id, Name: name,
			Err: fault.New(fault.Internal, "%d of its steps did not stop, and still run in this process", r.out.LeftRunning).WithHint("start it again")})
	}
	// Others that have their slots now are awaited by the processes that launched them.
	for _, woken := range r.out.Woken {
		if _, ours := k.parked[woken]; ours {
			k.want(background, woken)
		}
	}
	if r.out.Retry != "" {
		k.want(background, r.out.Retry)
	}
}

// trouble tells of an error, and does not repeat itself; nil says that it is over.
func (k *Keeper) trouble(ctx context.Context, about string, err error) {
	switch {
	case err == nil:
		delete(k.troubles, about)
	case ctx.Err() != nil && errors.Is(err, fault.Canceled), k.troubles[about] == err.Error():
	default:
		k.troubles[about] = err.Error()
		h := Happening{Kind: Trouble, Err: err}
		if len(about) == 36 {
			h.Run = run.ID(about)
		}
		k.tell(h)
	}
}

func (k *Keeper) tell(h Happening) {
	h.Time = k.store.Now()
	k.opts.Tell(h)
}

func (k *Keeper) show() {
	var s State
	for _, w := range k.running {
		s.Running = append(s.Running, w)
	}
	slices.SortFunc(s.Running, func(a, b Work) int { return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.ID, b.ID)) })
	s.Waiting = slices.Clone(k.ready)
	var parked []Wait
	for _, w := range k.parked {
		parked = append(parked, w)
	}
	slices.SortFunc(parked, func(a, b Wait) int { return cmp.Compare(a.ID, b.ID) })
	s.Waiting = append(s.Waiting, parked...)
	k.opts.Show(s)
}
