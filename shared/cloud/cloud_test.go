package cloud_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
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
	"waggle/shared/sensor"
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

func TestARunGoesOnInOneInvocationAfterAnother(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var steps asset.List
		var before asset.List
		for i := range 8 {
			step := asset.New("step"+strconv.Itoa(i), pause(40*time.Second), &asset.Options{Deps: before})
			before = asset.List{step}
			steps = append(steps, step)
		}
		p := newPlatform(t, waggle.Definitions{Assets: steps, Jobs: job.List{job.New("long", steps, nil)}}, 1)
		id := p.launch("long") // 320 s of work in invocations of 120 s
		if err := p.Run(p.ctx, "", cloud.RunCall{Run: id}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(12 * time.Minute)
		if got := p.status(id); got != "SUCCESS" {
			t.Error(got)
		}
		if n := p.called("run "); n < 4 || n > 8 {
			t.Errorf("%d invocations", n)
		}
		s := p.store(false)
		fold, _, err := s.Fold(p.ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range fold.Record.Steps {
			if step.Status != run.StepSucceeded {
				t.Errorf("%s %s", step.Key, step.Status)
			}
		}
	})
}

func TestARunThatHandsOverWithoutEndIsLeftToTheMonitor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		one := asset.New("one", pause(time.Hour), nil)
		p := newPlatform(t, waggle.Definitions{Assets: asset.List{one}, Jobs: job.List{job.New("job", asset.List{one}, nil)}}, 1)
		id := p.launch("job")
		ctx, cancel := context.WithTimeout(p.ctx, 10*time.Second)
		defer cancel()
		if err := p.runner(p.store(false)).Run(ctx, cloud.Invocation{Function: deployed, Request: "x"}, cloud.RunCall{Run: id, Hops: 200}); err != nil {
			t.Fatal(err)
		}
		if n := p.called("run "); n != 0 {
			t.Errorf("it called itself %d times", n)
		}
		if got := p.status(id); got != "STARTED unsettled" {
			t.Error(got)
		}
		time.Sleep(time.Second)
		if err := p.monitor().Look(p.ctx); err != nil {
			t.Fatal(err)
		}
		if n := p.called("run "); n != 1 {
			t.Errorf("the monitor called it %d times", n)
		}
	})
}

// TestTicksThatNobodyLookedForAreTold has the clock of schedules, and the monitor, stand still for hours while invocations are cut off and
// calls come twice.
func TestTicksThatNobodyLookedForAreTold(t *testing.T) {
	t.Parallel()
	seed := seedOf(t)
	synctest.Test(t, func(t *testing.T) {
		slack := notify.Slack("slack", nil)
		one := asset.New("one", pause(time.Second), nil)
		hourly := job.New("hourly", asset.List{one}, nil)
		p := newPlatform(t, waggle.Definitions{Assets: asset.List{one}, Jobs: job.List{hourly}, Schedules: job.Schedules{job.Cron("every_hour", "0 * * * *", hourly, nil)},
			Channels: notify.List{slack}, Sensors: sensor.List{sensor.OnTickMissed("ticks", func(ctx *sensor.Context, m sensor.Missed) error { return ctx.Notify(m, slack) }, nil)}}, seed)
		p.repeat, p.cut = 0.2, 0.2
		p.keep(3)
		for night := range 2 {
			time.Sleep(9*time.Hour + 20*time.Minute)
			p.keep(30)
			p.mu.Lock()
			told := strings.Join(slices.Compact(slices.Clone(p.told)), "\n") // a process that died after a send repeats it
			p.mu.Unlock()
			if strings.Count(told, "LATE every_hour") != night+1 {
				t.Errorf("night %d: told\n%s", night, told)
			}
		}
		if owed, err := p.store(false).OwedEvents(p.ctx, store.Bus, 10); err != nil || len(owed) > 0 {
			t.Errorf("rows still owe events: %+v, %v", owed, err)
		}
	})
}

func TestAnInvocationThatDiedIsReplacedAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		one := asset.New("one", pause(time.Second), nil)
		p := newPlatform(t, waggle.Definitions{Assets: asset.List{one}, Jobs: job.List{job.New("job", asset.List{one}, nil)}}, 1)
		id := p.launch("job")
		dead := cloud.Invocation{Function: deployed, Request: "dead"}
		if _, err := p.store(false).Acquire(p.ctx, id, dead.Worker()); err != nil { // and no more is heard of it
			t.Fatal(err)
		}
		if err := p.monitor().Died(p.ctx, cloud.Invocation{Function: deployed, Request: "another"}, id); err != nil || p.called("run ") != 0 {
			t.Errorf("another one's death: %v, %d calls", err, p.called("run "))
		}
		began := time.Now()
		if err := p.monitor().Died(p.ctx, dead, id); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		if got := p.status(id); got != "SUCCESS" {
			t.Errorf("%s after %s", got, time.Since(began))
		}
		if err := p.monitor().Died(p.ctx, dead, "00000000-0000-7000-8000-000000000000"); err != nil {
			t.Errorf("a run that does not exist: %v", err)
		}
	})
}

func TestAVersionThatIsGoneIsReplacedByTheNewest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		one := asset.New("one", pause(time.Second), nil)
		p := newPlatform(t, waggle.Definitions{Assets: asset.List{one}, Jobs: job.List{job.New("job", asset.List{one}, nil)}}, 1)
		id := p.launch("job")
		if _, err := p.store(false).Acquire(p.ctx, id, "waggle-test-run:0/gone"); err != nil {
			t.Fatal(err)
		}
		p.keep(3)
		if got := p.status(id); got != "SUCCESS" {
			t.Error(got)
		}
	})
}

func TestATickIsLaunchedOnceWhoeverCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		one := asset.New("one", pause(time.Second), nil)
		hourly := job.New("hourly", asset.List{one}, nil)
		p := newPlatform(t, waggle.Definitions{Assets: asset.List{one}, Jobs: job.List{hourly},
			Schedules: job.Schedules{job.Cron("every_hour", "0 * * * *", hourly, nil)}}, 1)
		p.keep(1) // the schedule is known
		next := time.Now().Truncate(time.Hour).Add(time.Hour)
		time.Sleep(time.Until(next.Add(-time.Second)))
		for _, scheduled := range []string{next.UTC().Format(time.RFC3339), next.UTC().Format(time.RFC3339), "<aws.scheduler.scheduled-time>"} {
			p.wg.Go(func() {
				if scheduled[0] == '<' {
					time.Sleep(2 * time.Second)
				}
				if err := p.runner(p.store(false)).Tick(p.ctx, cloud.Invocation{Function: deployed, Request: scheduled}, scheduled); err != nil {
					t.Errorf("tick: %v", err)
				}
			})
		}
		p.keep(3)
		runs, _, err := p.store(false).Runs(p.ctx, store.Filter{}, 10, "")
		if err != nil || len(runs) != 1 || runs[0].Status != run.Success {
			t.Errorf("%d runs, %v", len(runs), err)
		}
	})
}

func TestCallsThatNameNothingAreRefused(t *testing.T) {
	t.Parallel()
	one := asset.New("one", pause(time.Second), nil)
	p := newPlatform(t, waggle.Definitions{Assets: asset.List{one}}, 1)
	s := p.store(false)
	if err := p.runner(s).Run(t.Context(), cloud.Invocation{}, cloud.RunCall{}); !errors.Is(err, fault.Invalid) {
		t.Errorf("no run: %v", err)
	}
	stepper := &cloud.Stepper{Store: s, Plans: p.defs, Functions: p, Log: p.log}
	if err := stepper.Run(t.Context(), cloud.Invocation{}, cloud.StepCall{Run: "x", Step: "one"}); !errors.Is(err, fault.Invalid) {
		t.Errorf("no attempt: %v", err)
	}
}

// TestWhateverThePlatformDoesRunsEndAndPeopleAreTold has calls come late, twice, in any order or never, and invocations cut off in the middle.
func TestWhateverThePlatformDoesRunsEndAndPeopleAreTold(t *testing.T) {
	t.Parallel()
	for range 5 {
		seed := seedOf(t)
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { whatever(t, seed) })
		})
	}
}

func whatever(t *testing.T, seed uint64) {
	channel := notify.Webhook("people", &notify.WebhookOptions{URL: "env:PEOPLE"})
	first := asset.New("first", pause(2*time.Second), nil)
	apart := asset.New1("apart", func(ctx *asset.Context, n int) (int, error) { _, err := pause(5 * time.Second)(ctx); return n, err }, first, &asset.Options{Isolated: true})
	last := asset.New1("last", func(ctx *asset.Context, n int) (int, error) { return n + 1, nil }, apart, nil)
	bad := asset.New("bad", func(*asset.Context) (int, error) { return 0, errors.New("it is bad") }, nil)
	good, failing := job.New("good", asset.List{first, apart, last}, &job.Options{MaxRuns: 2}), job.New("failing", asset.List{bad}, &job.Options{Retry: job.Retry{Max: 1}})
	p := newPlatform(t, waggle.Definitions{Assets: asset.List{first, apart, last, bad}, Jobs: job.List{good, failing}, Channels: notify.List{channel},
		Sensors: sensor.List{sensor.OnRunFailure("failures", func(ctx *sensor.Context, r sensor.Run) error {
			return ctx.Notify(notify.Message{Text: "failed " + string(cmp.Or(r.RetryOf, r.ID))}, channel)
		}, nil)}}, seed)
	p.repeat, p.lose, p.cut, p.delay = 0.2, 0.1, 0.1, 20*time.Second
	var goods, bads []run.ID
	for range 6 {
		goods, bads = append(goods, p.launch("good")), append(bads, p.launch("failing"))
	}
	for _, id := range slices.Concat(goods, bads) {
		if err := p.Run(p.ctx, "", cloud.RunCall{Run: id}); err != nil {
			t.Fatal(err)
		}
	}
	p.keep(90)
	for _, id := range goods {
		// An invocation that is cut off while a step runs alone is that step's death; then its run may fail.
		if got := p.status(id); got != "SUCCESS" && got != "FAILURE" {
			t.Errorf("seed %d: %s of good is %s", seed, id, got)
		}
	}
	for _, id := range bads {
		if got := p.status(id); got != "FAILURE" {
			t.Errorf("seed %d: %s of failing is %s", seed, id, got)
		}
		p.mu.Lock()
		if !slices.Contains(p.told, fmt.Sprintf("failed %s", id)) {
			t.Errorf("seed %d: nobody was told of %s", seed, id)
		}
		p.mu.Unlock()
	}
}

func TestTwoHundredRunsStartedAtOnceAllSucceed(t *testing.T) {
	t.Parallel()
	const runs = 200
	first := asset.New("first", func(ctx *asset.Context) (int, error) { ctx.Log.Info("made"); return 1, nil }, nil)
	second := asset.New1("second", func(_ *asset.Context, n int) (int, error) { return n + 1, nil }, first, nil)
	p := newPlatform(t, waggle.Definitions{Assets: asset.List{first, second}, Jobs: job.List{job.New("job", asset.List{first, second}, nil)}}, 1)
	var ids []run.ID
	for range runs {
		ids = append(ids, p.launch("job"))
	}
	var wg sync.WaitGroup
	for i, id := range ids {
		wg.Go(func() {
			at := cloud.Invocation{Function: deployed, Request: strconv.Itoa(i)}
			if err := p.runner(p.store(false)).Run(p.ctx, at, cloud.RunCall{Run: id}); err != nil {
				t.Errorf("%s: %v", id, err)
			}
		})
	}
	wg.Wait()
	for _, id := range ids {
		if got := p.status(id); got != "SUCCESS" {
			t.Errorf("%s is %s", id, got)
		}
	}
}
