// Package cloudtest stands for the platform of a deployment, in tests and benches: it calls the functions of package cloud for what was asked of
// them, late, in any order, sometimes twice or never, and cuts invocations off from the table in the middle. What it does follows
// from a seed.
//
// It imports cloud, courier, event, fault, notify, run, scheduler, sensor, store, store/driver and waggle of ours. It is for tests and benches alone.
package cloudtest

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"waggle/shared/cloud"
	"waggle/shared/courier"
	"waggle/shared/event"
	"waggle/shared/fault"
	"waggle/shared/notify"
	"waggle/shared/run"
	"waggle/shared/scheduler"
	"waggle/shared/sensor"
	"waggle/shared/store"
	"waggle/shared/store/driver"
	"waggle/shared/waggle"
)

// Deployed is the function that runs runs. Another version is not there.
const Deployed = "waggle-test-run:1"

// Odds are what may happen to calls. The zero value is a platform that does what was asked of it, once and at once.
type Odds struct {
	// Repeat is the share of calls that come twice.
	Repeat float64
	// Lose is the share of calls that never come: those that Lambda gives up after a day. Events are not lost: their queue keeps them.
	Lose float64
	// Cut is the share of invocations that are cut off from the table, somewhere in their first 60 calls to it.
	Cut float64
	// CutSent is the share of sends after which the invocation is cut off at once, before it can store that it sent.
	CutSent float64
	// Delay is how late a call comes at most. Defaults to 1 ms.
	Delay time.Duration
}

// Options of New. The zero value and nil mean all defaults.
type Options struct {
	// Seed repeats what happens, as far as the order of goroutines does.
	Seed uint64
	// Lease is that of runs and channels. Defaults to 60 s.
	Lease time.Duration
	// Longest is how long an invocation may take. Defaults to 2 minutes.
	Longest time.Duration
	// Sensors is how many invocations of the sensor's function go on at once; more wait. Zero: any number.
	Sensors int
	// Courier has what the couriers of the sensor's function are to be told, Sender above all. Bus and Launched are the platform's.
	Courier courier.Options
	// Trouble is told of errors of the monitor. Nil: nobody is.
	Trouble func(error)
	// Log is that of the functions. Defaults to none.
	Log *slog.Logger
}

// Platform is a deployment's. It implements cloud.Functions, and is safe for several goroutines.
type Platform struct {
	ctx     context.Context
	stop    context.CancelFunc
	defs    waggle.Definitions
	table   driver.Driver
	blobs   store.Blobs
	opts    Options
	wg      sync.WaitGroup
	sensors chan struct{} // a place for each that may go on; nil: any number
	request atomic.Int64

	mu     sync.Mutex
	random *rand.Rand
	odds   Odds
	calls  []string // "run 7a1b..."
	tally  Tally
}

// Tally is what a platform has done.
type Tally struct {
	// Invocations by function: run, step, sensor, monitor. An event that a queue brings is one of sensor.
	Invocations map[string]Invocations
	// Events were published on the bus; those of Queued reached the queue of the sensor's function, by a rule for their type.
	Events, Queued int
	// Failed are invocations that ended with an error.
	Failed int
	// Repeated, Lost and Cut are calls that came twice, calls that never came, and invocations that were cut off.
	Repeated, Lost, Cut int
	// Ambiguous are sends after which the invocation could not reach the table once more at least: nobody may have stored that they were made.
	Ambiguous int
}

// Invocations of one function.
type Invocations struct {
	Count int
	Time  time.Duration // all together
}

// New returns a platform over a table and blobs. The context ends all that it does.
func New(ctx context.Context, defs waggle.Definitions, table driver.Driver, blobs store.Blobs, opts *Options) *Platform {
	p := &Platform{defs: defs, table: table, blobs: blobs, tally: Tally{Invocations: map[string]Invocations{}}}
	if opts != nil {
		p.opts = *opts
	}
	if p.opts.Lease == 0 {
		p.opts.Lease = time.Minute
	}
	if p.opts.Longest == 0 {
		p.opts.Longest = 2 * time.Minute
	}
	if p.opts.Log == nil {
		p.opts.Log = slog.New(slog.DiscardHandler)
	}
	if p.opts.Trouble == nil {
		p.opts.Trouble = func(error) {}
	}
	if p.opts.Sensors > 0 {
		p.sensors = make(chan struct{}, p.opts.Sensors)
	}
	p.random = rand.New(rand.NewPCG(p.opts.Seed, 0))
	p.ctx, p.stop = context.WithCancel(ctx)
	return p
}

// Close ends what goes on, and waits for it.
func (p *Platform) Close() {
	p.stop()
	p.wg.Wait()
}

// Wait waits until all that was asked for has been done, and what that asked for.
func (p *Platform) Wait() { p.wg.Wait() }

// Tally returns what was done so far.
func (p *Platform) Tally() Tally {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.tally
	t.Invocations = map[string]Invocations{}
	for name, n := range p.tally.Invocations {
		t.Invocations[name] = n
	}
	return t
}

// Called is how many calls were asked for whose name begins so: "run ID", "step NAME", "sensor", "event ID".
func (p *Platform) Called(prefix string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, c := range p.calls {
		if strings.HasPrefix(c, prefix) {
			n++
		}
	}
	return n
}

func (p *Platform) count(add func(*Tally)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	add(&p.tally)
}

// Play has what may happen to the calls that come from now on be by these odds. Until it is called, nothing happens to them.
func (p *Platform) Play(odds Odds) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.odds = odds
}

func (p *Platform) playing() Odds {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.odds
}

func (p *Platform) chance(f float64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.random.Float64() < f
}

func (p *Platform) number(n int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.random.IntN(n)
}

// longestLife is how many calls to the table one that is cut off may make.
const longestLife = 60

// Store is a deployment's, as somebody sees it who is never cut off.
func (p *Platform) Store() *store.Store { return p.seen(&life{left: -1}) }

func (p *Platform) seen(l *life) *store.Store {
	return store.New(mortal{p.table, l}, p.blobs, &store.Options{Lease: p.opts.Lease, PaidBySize: true}).Owing(store.Bus, nil)
}

// invocation is one call of a function, with the store as it sees it.
type invocation struct {
	at    cloud.Invocation
	store *store.Store
	life  *life
}

// call has an invocation come, perhaps twice, perhaps never. died is told of one that failed.
func (p *Platform) call(what string, invoke func(context.Context, invocation) error, died func(cloud.Invocation)) {
	p.mu.Lock()
	p.calls = append(p.calls, what)
	p.mu.Unlock()
	function, _, _ := strings.Cut(what, " ")
	queued := function == "event"
	if queued {
		function = "sensor"
	}
	if p.chance(p.playing().Lose) && !queued {
		p.count(func(t *Tally) { t.Lost++ })
		return
	}
	times := 1
	if p.chance(p.playing().Repeat) {
		times = 2
		p.count(func(t *Tally) { t.Repeated++ })
	}
	for range times {
		wait := time.Duration(p.number(int(max(p.playing().Delay, time.Millisecond)))) + 1
		l := &life{left: -1}
		if p.chance(p.playing().Cut) {
			l.left = 1 + p.number(longestLife)
		}
		p.wg.Go(func() { p.come(function, what, wait, l, invoke, died) })
	}
}

func (p *Platform) come(function, what string, wait time.Duration, l *life, invoke func(context.Context, invocation) error, died func(cloud.Invocation)) {
	select {
	case <-time.After(wait):
	case <-p.ctx.Done():
		return
	}
	if function == "sensor" && p.sensors != nil {
		select {
		case p.sensors <- struct{}{}:
			defer func() { <-p.sensors }()
		case <-p.ctx.Done():
			return
		}
	}
	ctx, cancel := context.WithTimeout(p.ctx, p.opts.Longest)
	defer cancel()
	i := invocation{cloud.Invocation{Function: Deployed, Request: strconv.FormatInt(p.request.Add(1), 10)}, p.seen(l), l}
	began := time.Now()
	err := invoke(ctx, i)
	p.invoked(function, time.Since(began))
	cut, ambiguous := l.ended()
	p.count(func(t *Tally) {
		t.Ambiguous += ambiguous
		if cut {
			t.Cut++
		}
	})
	if err != nil && p.ctx.Err() == nil {
		p.count(func(t *Tally) { t.Failed++ })
		p.opts.Log.Info("an invocation failed", "what", what, "error", err)
		died(i.at)
	}
}

func (p *Platform) invoked(function string, took time.Duration) {
	p.count(func(t *Tally) {
		n := t.Invocations[function]
		t.Invocations[function] = Invocations{n.Count + 1, n.Time + took}
	})
}

func nobody(cloud.Invocation) {}

// Run implements cloud.Functions.
func (p *Platform) Run(_ context.Context, name string, call cloud.RunCall) error {
	if name != "" && name != Deployed {
		return fault.New(fault.NotFound, "no function %s", name)
	}
	p.call("run "+string(call.Run), func(ctx context.Context, i invocation) error {
		return p.Runner(i.store).Run(ctx, i.at, call)
	}, func(at cloud.Invocation) {
		if err := p.Monitor().Died(p.ctx, at, call.Run); err != nil && p.ctx.Err() == nil {
			p.opts.Trouble(err)
		}
	})
	return nil
}

// Step implements cloud.Functions.
func (p *Platform) Step(_ context.Context, call cloud.StepCall) error {
	p.call("step "+string(call.Step), func(ctx context.Context, i invocation) error {
		return p.Stepper(i.store).Run(ctx, i.at, call)
	}, nobody)
	return nil
}

// Sensor implements cloud.Functions.
func (p *Platform) Sensor(_ context.Context, own string) error {
	what := "sensor"
	if own != "" {
		what += " " + own
	}
	p.call(what, func(ctx context.Context, i invocation) error { return p.teller(i, own).Work(ctx) }, nobody)
	return nil
}

// publish is the bus, its rules and the queue: each event comes on its own, again until it is stored.
func (p *Platform) publish(_ context.Context, events []event.Event) error {
	for _, e := range events {
		p.count(func(t *Tally) { t.Events++ })
		if p.wanted(e.Type) {
			p.count(func(t *Tally) { t.Queued++ })
			p.event(e)
		}
	}
	return nil
}

// wanted reports whether there is a rule for a type.
func (p *Platform) wanted(t event.Type) bool {
	for _, s := range p.defs.Sensors {
		if hears := s.Definition().Hears(); hears == t && hears != sensor.Tick {
			return true
		}
	}
	return false
}

func (p *Platform) event(e event.Event) {
	p.call("event "+e.ID, func(ctx context.Context, i invocation) error {
		teller := p.teller(i, "")
		if err := teller.Store(ctx, e); err != nil {
			return err
		}
		_ = teller.Work(ctx)
		return nil
	}, func(cloud.Invocation) { p.event(e) })
}

// Look has the monitor look once, as it does each minute.
func (p *Platform) Look(ctx context.Context) error {
	began := time.Now()
	err := p.Monitor().Look(ctx)
	p.invoked("monitor", time.Since(began))
	return err
}

// Runner is the function run, over a store.
func (p *Platform) Runner(s *store.Store) *cloud.Runner {
	return &cloud.Runner{Store: s, Plans: p.defs, Schedules: scheduler.New(s, p.defs), Functions: p, Publish: cloud.Wanted(p.defs, p.publish),
		Notify: courier.New(s, p.defs, nil).Notify(), Log: p.opts.Log}
}

// Stepper is the function step, over a store.
func (p *Platform) Stepper(s *store.Store) *cloud.Stepper {
	return &cloud.Stepper{Store: s, Plans: p.defs, Functions: p, Notify: courier.New(s, p.defs, nil).Notify(), Log: p.opts.Log}
}

// Monitor is the function monitor. It is never cut off.
func (p *Platform) Monitor() *cloud.Monitor {
	s := p.Store()
	return &cloud.Monitor{Store: s, Definitions: p.defs, Schedules: scheduler.New(s, p.defs), Functions: p, Log: p.opts.Log}
}

// teller is the function sensor, or the own function of a sensor.
func (p *Platform) teller(i invocation, own string) *cloud.Teller {
	opts := p.opts.Courier
	opts.Calls = cloud.Calls(p.defs, own)
	opts.Bus, opts.Worker = p.publish, i.at.Worker()
	opts.Launched = func(ctx context.Context, id run.ID) error { return p.Run(ctx, "", cloud.RunCall{Run: id}) }
	if open := opts.Sender; open != nil {
		opts.Sender = func(d *notify.Definition) (notify.Sender, error) {
			sender, err := open(d)
			if err != nil {
				return nil, err
			}
			return noted{sender, i.life, func() bool { return p.chance(p.playing().CutSent) }}, nil
		}
	}
	return &cloud.Teller{Definitions: p.defs, Own: own, Functions: p, Log: p.opts.Log, Courier: courier.New(i.store, p.defs, &opts)}
}

// Launch launches a run, which nobody is told of.
func (p *Platform) Launch(ctx context.Context, req run.Request) (run.ID, error) {
	req, _, err := p.defs.Request(req)
	if err != nil {
		return "", err
	}
	return p.Store().Launch(ctx, req)
}
