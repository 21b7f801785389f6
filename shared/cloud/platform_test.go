package cloud_test

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/blob/memblob"

	"waggle/shared/asset"
	"waggle/shared/cloud"
	"waggle/shared/courier"
	"waggle/shared/event"
	"waggle/shared/fault"
	"waggle/shared/job"
	"waggle/shared/notify"
	"waggle/shared/run"
	"waggle/shared/scheduler"
	"waggle/shared/store"
	"waggle/shared/store/driver"
	"waggle/shared/store/tabletest"
	"waggle/shared/waggle"
)

const (
	lease    = 60 * time.Second
	longest  = 2 * time.Minute // that an invocation of run or step may take
	deployed = "waggle-test-run:1"
)

// platform stands for AWS: it calls the functions for what was asked of it, late, in any order, sometimes twice, and cuts some invocations off
// from the table in the middle. What it does follows from a seed.
type platform struct {
	t      *testing.T
	defs   waggle.Definitions
	table  tabletest.Table
	bucket *blob.Bucket
	log    *slog.Logger

	mu      sync.Mutex
	random  *rand.Rand
	repeat  float64       // how many calls come twice
	lose    float64       // how many calls never come: those that Lambda gives up after a day
	cut     float64       // how many invocations are cut off
	delay   time.Duration // until a call comes, at most
	ctx     context.Context
	wg      sync.WaitGroup
	calls   []string // "run 7a1b..."
	request atomic.Int64
	told    []string // lines that the channel took
}

func newPlatform(t *testing.T, defs waggle.Definitions, seed uint64) *platform {
	t.Helper()
	if err := defs.Validate(); err != nil {
		t.Fatal(err)
	}
	p := &platform{t: t, defs: defs, table: tabletest.New(t, nil), bucket: memblob.OpenBucket(nil), random: rand.New(rand.NewPCG(seed, 0)), delay: time.Millisecond}
	p.log = slog.New(slog.DiscardHandler)
	if os.Getenv("WAGGLE_TEST_LOG") != "" {
		p.log = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	var stop context.CancelFunc
	p.ctx, stop = context.WithCancel(context.Background())
	t.Cleanup(func() {
		stop()
		p.wg.Wait()
	})
	return p
}

func (p *platform) chance(f float64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.random.Float64() < f
}

func (p *platform) number(n int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.random.IntN(n)
}

// mortal is the table as one invocation sees it: after some calls there is none any more.
type mortal struct {
	driver.Driver
	left *atomic.Int64 // calls; negative from the start: it lives
}

func (m mortal) alive() error {
	if m.left.Load() < 0 {
		return nil
	}
	if m.left.Add(-1) < 0 {
		m.left.Store(0)
		return fault.New(fault.Unavailable, "this invocation is cut off")
	}
	return nil
}

func (m mortal) Get(ctx context.Context, key driver.Key) (driver.Item, error) {
	if err := m.alive(); err != nil {
		return driver.Item{}, err
	}
	return m.Driver.Get(ctx, key)
}

func (m mortal) Query(ctx context.Context, q driver.Query) (driver.Page, error) {
	if err := m.alive(); err != nil {
		return driver.Page{}, err
	}
	return m.Driver.Query(ctx, q)
}

func (m mortal) Put(ctx context.Context, item driver.Item, cond driver.Condition) error {
	if err := m.alive(); err != nil {
		return err
	}
	return m.Driver.Put(ctx, item, cond)
}

func (m mortal) Delete(ctx context.Context, key driver.Key, cond driver.Condition) error {
	if err := m.alive(); err != nil {
		return err
	}
	return m.Driver.Delete(ctx, key, cond)
}

func (m mortal) PutAll(ctx context.Context, items []driver.Item) error {
	if err := m.alive(); err != nil {
		return err
	}
	return m.Driver.PutAll(ctx, items)
}

func (m mortal) Write(ctx context.Context, ops []driver.Op) error {
	if err := m.alive(); err != nil {
		return err
	}
	return m.Driver.Write(ctx, ops)
}

// store is the one of an invocation; it may be cut off.
func (p *platform) store(cut bool) *store.Store {
	left := &atomic.Int64{}
	left.Store(-1)
	if cut {
		left.Store(int64(1 + p.number(60)))
	}
	return store.New(mortal{p.table, left}, store.NewBlobs(p.bucket), &store.Options{Lease: lease}).Owing(store.Bus, nil)
}

// call has an invocation come, perhaps twice, perhaps never.
func (p *platform) call(what string, invoke func(ctx context.Context, at cloud.Invocation, s *store.Store) error, died func(at cloud.Invocation)) {
	p.mu.Lock()
	p.calls = append(p.calls, what)
	p.mu.Unlock()
	if p.chance(p.lose) && !strings.HasPrefix(what, "event ") { // a queue keeps what nobody has taken
		return
	}
	times := 1
	if p.chance(p.repeat) {
		times = 2
	}
	for range times {
		wait := time.Duration(p.number(int(p.delay))) + 1
		cut := p.chance(p.cut)
		p.wg.Go(func() {
			select {
			case <-time.After(wait):
			case <-p.ctx.Done():
				return
			}
			ctx, cancel := context.WithTimeout(p.ctx, longest)
			defer cancel()
			at := cloud.Invocation{Function: deployed, Request: strconv.FormatInt(p.request.Add(1), 10)}
			if err := invoke(ctx, at, p.store(cut)); err != nil && p.ctx.Err() == nil {
				p.log.Info("an invocation failed", "what", what, "error", err)
				died(at)
			}
		})
	}
}

func nobody(cloud.Invocation) {}

// Run implements cloud.Functions.
func (p *platform) Run(_ context.Context, name string, call cloud.RunCall) error {
	if name != "" && name != deployed {
		return fault.New(fault.NotFound, "no function %s", name)
	}
	p.call("run "+string(call.Run), func(ctx context.Context, at cloud.Invocation, s *store.Store) error {
		return p.runner(s).Run(ctx, at, call)
	}, func(at cloud.Invocation) {
		if err := p.monitor().Died(p.ctx, at, call.Run); err != nil && p.ctx.Err() == nil {
			p.t.Errorf("the monitor: %v", err)
		}
	})
	return nil
}

// Step implements cloud.Functions.
func (p *platform) Step(_ context.Context, call cloud.StepCall) error {
	p.call("step "+string(call.Step), func(ctx context.Context, at cloud.Invocation, s *store.Store) error {
		return (&cloud.Stepper{Store: s, Plans: p.defs, Functions: p, Notify: courier.New(s, p.defs, nil).Notify(), Log: p.log}).Run(ctx, at, call)
	}, nobody)
	return nil
}

// Sensor implements cloud.Functions.
func (p *platform) Sensor(context.Context) error {
	p.call("sensor", func(ctx context.Context, _ cloud.Invocation, s *store.Store) error { return p.teller(s).Work(ctx) }, nobody)
	return nil
}

// publish is the bus and its queue: each event comes on its own, again until it is stored.
func (p *platform) publish(_ context.Context, events []event.Event) error {
	for _, e := range events {
		p.event(e)
	}
	return nil
}

func (p *platform) event(e event.Event) {
	p.call("event "+e.ID, func(ctx context.Context, _ cloud.Invocation, s *store.Store) error {
		teller := p.teller(s)
		if err := teller.Store(ctx, e); err != nil {
			return err
		}
		_ = teller.Work(ctx)
		return nil
	}, func(cloud.Invocation) { p.event(e) })
}

func (p *platform) runner(s *store.Store) *cloud.Runner {
	return &cloud.Runner{Store: s, Plans: p.defs, Schedules: scheduler.New(s, p.defs), Functions: p, Publish: cloud.Wanted(p.defs, p.publish),
		Notify: courier.New(s, p.defs, nil).Notify(), Log: p.log}
}

func (p *platform) monitor() *cloud.Monitor {
	s := p.store(false)
	return &cloud.Monitor{Store: s, Definitions: p.defs, Schedules: scheduler.New(s, p.defs), Functions: p, Log: p.log}
}

func (p *platform) teller(s *store.Store) *cloud.Teller {
	return &cloud.Teller{Functions: p, Log: p.log, Courier: courier.New(s, p.defs, &courier.Options{NoRate: true, Polls: true, Bus: p.publish,
		Sender:   func(*notify.Definition) (notify.Sender, error) { return people{p}, nil },
		Launched: func(ctx context.Context, id run.ID) error { return p.Run(ctx, "", cloud.RunCall{Run: id}) }})}
}

// people read the channel.
type people struct{ *platform }

func (p people) Send(_ context.Context, _ string, c notify.Content, _ notify.Thread) notify.Answer {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told = append(p.told, c.Line)
	return notify.Answer{Kind: notify.Sent, Ref: strconv.Itoa(len(p.told))}
}

// keep looks after all that is due each minute, until a time.
func (p *platform) keep(minutes int) {
	p.t.Helper()
	for range minutes {
		time.Sleep(time.Minute)
		if err := p.monitor().Look(p.ctx); err != nil {
			p.t.Errorf("the monitor: %v", err)
		}
	}
	synctest.Wait()
}

func (p *platform) launch(name string) run.ID {
	p.t.Helper()
	req, _, err := p.defs.Request(run.Request{Job: name})
	if err != nil {
		p.t.Fatal(err)
	}
	id, err := p.store(false).Launch(p.ctx, req)
	if err != nil {
		p.t.Fatal(err)
	}
	return id
}

// status is a run's, with "unsettled" where somebody must still look at it.
func (p *platform) status(id run.ID) string {
	p.t.Helper()
	s := p.store(false)
	summary, err := s.Summary(p.ctx, id)
	if err != nil {
		p.t.Fatal(err)
	}
	o, err := s.Owner(p.ctx, id)
	if err != nil {
		p.t.Fatal(err)
	}
	if !o.Due.IsZero() {
		return string(summary.Status) + " unsettled"
	}
	return string(summary.Status)
}

func (p *platform) called(prefix string) int {
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

func seedOf(t *testing.T) uint64 {
	t.Helper()
	seed := rand.Uint64()
	if text := os.Getenv("WAGGLE_TEST_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("WAGGLE_TEST_SEED=%d", seed)
	return seed
}

// pause is a step that takes a time and minds its context.
func pause(d time.Duration) func(*asset.Context) (int, error) {
	return func(ctx *asset.Context) (int, error) {
		select {
		case <-time.After(d):
			return 1, nil
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	}
}

// oneStep is a run of one step that takes a time.
func oneStep(t *testing.T, takes time.Duration) (*platform, run.ID) {
	t.Helper()
	one := asset.New("one", pause(takes), nil)
	p := newPlatform(t, waggle.Definitions{Assets: asset.List{one}, Jobs: job.List{job.New("job", asset.List{one}, nil)}}, 1)
	return p, p.launch("job")
}
