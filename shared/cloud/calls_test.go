package cloud_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"waggle/shared/asset"
	"waggle/shared/cloud"
	"waggle/shared/cloud/cloudtest"
	"waggle/shared/courier"
	"waggle/shared/event"
	"waggle/shared/job"
	"waggle/shared/notify"
	"waggle/shared/run"
	"waggle/shared/sensor"
	"waggle/shared/store"
	"waggle/shared/waggle"
)

// asked keeps which functions were called, and calls none: a platform that does would hide a call that is missing, since the monitor makes up
// for it.
type asked struct {
	mu    sync.Mutex
	calls []string
}

func (a *asked) add(format string, args ...any) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.calls = append(a.calls, fmt.Sprintf(format, args...))
	return nil
}

func (a *asked) Run(_ context.Context, name string, call cloud.RunCall) error {
	return a.add("%s runs %s after %d", name, call.Run, call.Hops)
}

func (a *asked) Step(_ context.Context, call cloud.StepCall) error {
	return a.add("step %s %d for %s", call.Step, call.Attempt, call.Wake)
}

func (a *asked) Sensor(_ context.Context, own string) error { return a.add("sensor %s", own) }

func (a *asked) want(t *testing.T, calls ...string) {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	if !slices.Equal(a.calls, calls) {
		t.Errorf("called %q, want %q", a.calls, calls)
	}
	a.calls = nil
}

// runner is the function run of a platform, whose calls are kept.
func (p *platform) runner(a *asked) *cloud.Runner {
	r := p.Runner(p.Store())
	r.Functions = a
	return r
}

// here is an invocation of what is deployed.
var here = cloud.Invocation{Function: cloudtest.Deployed, Request: "x"}

func TestARunIsHandedToTheVersionThatItRunsByAndCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, id := oneStep(t, time.Hour)
		a := &asked{}
		ctx, cancel := context.WithTimeout(p.ctx, 10*time.Second)
		defer cancel()
		if err := p.runner(a).Run(ctx, here, cloud.RunCall{Run: id, Hops: 3}); err != nil {
			t.Fatal(err)
		}
		a.want(t, cloudtest.Deployed+" runs "+string(id)+" after 4")
	})
}

func TestAProcessInWhichAStepStillRunsIsToEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		deaf := asset.New("deaf", func(*asset.Context) (int, error) { <-release; return 1, nil }, nil)
		p := newPlatform(t, waggle.Definitions{Assets: asset.List{deaf}, Jobs: job.List{job.New("job", asset.List{deaf}, nil)}}, 1)
		ctx, cancel := context.WithTimeout(p.ctx, time.Minute)
		defer cancel()
		err := p.runner(&asked{}).Run(ctx, here, cloud.RunCall{Run: p.launch("job")})
		var left *cloud.LeftRunningError
		if !errors.As(err, &left) || left.Steps != 1 {
			t.Errorf("got %v", err)
		}
		close(release)
	})
}

func TestTheRetryOfARunIsStartedAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bad := asset.New("bad", func(*asset.Context) (int, error) { return 0, errors.New("it is bad") }, nil)
		p := newPlatform(t, waggle.Definitions{Assets: asset.List{bad}, Jobs: job.List{job.New("job", asset.List{bad}, &job.Options{Retry: job.Retry{Max: 1}})}}, 1)
		id, a := p.launch("job"), &asked{}
		if err := p.runner(a).Run(p.ctx, here, cloud.RunCall{Run: id}); err != nil {
			t.Fatal(err)
		}
		retry, found, err := p.Store().RunOf(p.ctx, "job", run.RetryKey(id))
		if err != nil || !found {
			t.Fatalf("no retry: %v", err)
		}
		a.want(t, " runs "+string(retry)+" after 0")
	})
}

func TestAnIsolatedStepWakesTheVersionThatWaitsForItOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		apart := asset.New("apart", pause(time.Second), &asset.Options{Isolated: true})
		p := newPlatform(t, waggle.Definitions{Assets: asset.List{apart}, Jobs: job.List{job.New("job", asset.List{apart}, nil)}}, 1)
		id, a := p.launch("job"), &asked{}
		ctx, cancel := context.WithTimeout(p.ctx, 30*time.Second)
		defer cancel()
		if err := p.runner(a).Run(ctx, here, cloud.RunCall{Run: id}); err != nil {
			t.Fatal(err)
		}
		a.want(t, "step apart 1 for "+cloudtest.Deployed, cloudtest.Deployed+" runs "+string(id)+" after 1")
		stepper := p.Stepper(p.Store())
		stepper.Functions = a
		for range 2 { // the second finds that it is claimed
			if err := stepper.Run(p.ctx, cloud.Invocation{Function: "waggle-test-step:1", Request: "y"}, cloud.StepCall{Run: id, Step: "apart", Attempt: 1, Wake: cloudtest.Deployed}); err != nil {
				t.Error(err)
			}
		}
		a.want(t, cloudtest.Deployed+" runs "+string(id)+" after 0")
	})
}

func TestAMessageOfAStepIsSentAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slack := notify.Slack("slack", nil)
		tells := asset.New("tells", func(ctx *asset.Context) (int, error) { return 1, ctx.Notify(notify.Message{Text: "done"}, slack) }, nil)
		p := newPlatform(t, waggle.Definitions{Assets: asset.List{tells}, Jobs: job.List{job.New("job", asset.List{tells}, nil)}, Channels: notify.List{slack}}, 1)
		a := &asked{}
		if err := p.runner(a).Run(p.ctx, here, cloud.RunCall{Run: p.launch("job")}); err != nil {
			t.Fatal(err)
		}
		a.want(t, "sensor ")
	})
}

func TestATickThatComesBeforeItsTimeIsWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		one := asset.New("one", pause(time.Second), nil)
		hourly := job.New("hourly", asset.List{one}, nil)
		p := newPlatform(t, waggle.Definitions{Assets: asset.List{one}, Jobs: job.List{hourly}, Schedules: job.Schedules{job.Cron("every_hour", "0 * * * *", hourly, nil)}}, 1)
		p.keep(1) // the schedule is known
		next := time.Now().Truncate(time.Hour).Add(time.Hour)
		time.Sleep(time.Until(next.Add(-20 * time.Second)))
		if err := p.runner(&asked{}).Tick(p.ctx, here, next.UTC().Format(time.RFC3339)); err != nil {
			t.Fatal(err)
		}
		if runs, _, err := p.Store().Runs(p.ctx, store.Filter{}, 10, ""); err != nil || len(runs) != 1 {
			t.Errorf("%d runs, %v", len(runs), err)
		}
	})
}

func TestTheMonitorCallsPolledSensorsByTheClock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		none := func(*sensor.Context) error { return nil }
		polled, apart := sensor.Poll("polled", time.Hour, none, nil), sensor.Poll("apart", time.Hour, none, &sensor.Options{Isolated: true})
		for _, c := range []struct {
			sensors sensor.List
			calls   []string
		}{{nil, nil}, {sensor.List{polled}, []string{"sensor "}}, {sensor.List{apart}, []string{"sensor apart"}}} {
			p, a := newPlatform(t, waggle.Definitions{Sensors: c.sensors}, 1), &asked{}
			m := p.Monitor()
			m.Functions = a
			if err := m.Look(p.ctx); err != nil {
				t.Fatal(err)
			}
			a.want(t, c.calls...)
		}
	})
}

func TestWhatASensorHasNoTimeForIsGoneOnWithByAnother(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slack := notify.Slack("slack", nil)
		bad := asset.New("bad", func(*asset.Context) (int, error) { return 0, errors.New("it is bad") }, nil)
		p := newPlatform(t, waggle.Definitions{Assets: asset.List{bad}, Jobs: job.List{job.New("job", asset.List{bad}, nil)}, Channels: notify.List{slack},
			Sensors: sensor.List{sensor.OnRunFailure("failures", func(ctx *sensor.Context, r sensor.Run) error { return ctx.Notify(r.Report(), slack) }, nil)}}, 1)
		published := p.failures("job", 1)
		a, st := &asked{}, p.Store()
		teller := &cloud.Teller{Definitions: p.defs, Functions: a, Log: slog.New(slog.DiscardHandler), Courier: courier.New(st, p.defs, &courier.Options{
			Sender: func(*notify.Definition) (notify.Sender, error) { return busy{}, nil }, Worker: "x"})}
		if err := teller.Store(p.ctx, published...); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(p.ctx, 8*time.Second)
		defer cancel()
		if err := teller.Work(ctx); err != nil {
			t.Fatal(err)
		}
		a.want(t, "sensor ")
	})
}

// failures runs a job that fails several times, and returns what the bus tells of it.
func (p *platform) failures(name string, runs int) (published []event.Event) {
	p.t.Helper()
	r := p.runner(&asked{})
	r.Publish = func(_ context.Context, events []event.Event) error {
		published = append(published, events...)
		return nil
	}
	for range runs {
		if err := r.Run(p.ctx, here, cloud.RunCall{Run: p.launch(name)}); err != nil {
			p.t.Fatal(err)
		}
	}
	return published
}

// teller is the function sensor of a platform, that calls functions.
func (p *platform) teller(f cloud.Functions) *cloud.Teller {
	return &cloud.Teller{Definitions: p.defs, Functions: f, Log: p.log, Courier: courier.New(p.Store(), p.defs, &courier.Options{Calls: cloud.Calls(p.defs, ""), Worker: "x",
		Sender: func(*notify.Definition) (notify.Sender, error) { return people{p}, nil }})}
}

// failing is a platform on which a job fails, with sensors that tell so after a time.
func failing(t *testing.T, takes time.Duration, isolated ...bool) *platform {
	t.Helper()
	slack := notify.Slack("slack", nil)
	bad := asset.New("bad", func(*asset.Context) (int, error) { return 0, errors.New("it is bad") }, nil)
	var sensors sensor.List
	for i, own := range isolated {
		sensors = append(sensors, sensor.OnRunFailure(fmt.Sprintf("s%d", i), func(ctx *sensor.Context, r sensor.Run) error {
			time.Sleep(takes)
			return ctx.Notify(notify.Message{Text: fmt.Sprintf("s%d: %s", i, r.ID)}, slack)
		}, &sensor.Options{Isolated: own}))
	}
	return newPlatform(t, waggle.Definitions{Assets: asset.List{bad}, Jobs: job.List{job.New("failing", asset.List{bad}, nil)}, Channels: notify.List{slack}, Sensors: sensors}, 1)
}

func (p *platform) event(sensor string) store.SensorEvent {
	p.t.Helper()
	rows, err := p.Store().SensorEvents(p.ctx, sensor, 2)
	if err != nil || len(rows) != 1 {
		p.t.Fatalf("%d events of %s, %v", len(rows), sensor, err)
	}
	return rows[0]
}

func TestAnInvocationThatIsCutOffBetweenStoringAndCallingIsMadeUpFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := failing(t, 0, false, true)
		a, events := &asked{}, p.failures("failing", 1)
		if err := p.teller(a).Store(p.ctx, events...); err != nil {
			t.Fatal(err)
		}
		a.want(t, "sensor s1")
		if own, other := p.event("s0"), p.event("s1"); own.State != store.EventWorking || own.Attempts != 1 || other.State != store.EventPending {
			t.Errorf("%+v, %+v", own, other)
		}
		for i, want := range []string{"s1: ", "s0: "} { // the monitor looks half a minute later, and a minute after that
			time.Sleep(30 * time.Second)
			if err := p.Look(p.ctx); err != nil {
				t.Fatal(err)
			}
			p.Wait()
			if got := p.told; len(got) != i+1 || !strings.HasPrefix(got[i], want) {
				t.Errorf("at look %d they were told %q", i+1, got)
			}
			time.Sleep(30 * time.Second)
		}
	})
}

// TestABatchOfSlowCallsIsEachCalledOnce has more to call in one invocation than it has time for.
func TestABatchOfSlowCallsIsEachCalledOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := failing(t, 20*time.Second, false)
		events := p.failures("failing", 6)
		teller := p.teller(p)
		for _, e := range events { // as the queue brings them
			if err := teller.Store(p.ctx, e); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		ctx, cancel := context.WithTimeout(p.ctx, time.Minute)
		defer cancel()
		if err := teller.Work(ctx); err != nil {
			t.Fatal(err)
		}
		p.Wait()
		if took := time.Since(began); len(p.told) != 6 || len(slices.Compact(slices.Sorted(slices.Values(p.told)))) != 6 || took > 3*time.Minute {
			t.Errorf("they were told %q in %s", p.told, took)
		}
	})
}

// busy is a channel whose server asks to wait for ten seconds.
type busy struct{}

func (busy) Send(context.Context, string, notify.Content, notify.Thread) notify.Answer {
	return notify.Answer{Kind: notify.Retry, Reason: notify.ReasonRateLimited, After: 10 * time.Second}
}

func TestOnlyWhatIsWantedIsPublished(t *testing.T) {
	t.Parallel()
	one := asset.New("one", func(*asset.Context) (int, error) { return 1, nil }, nil)
	defs := waggle.Definitions{Sensors: sensor.List{sensor.OnAsset("made", func(*sensor.Context, run.Materialization) error { return nil }, one, nil)}}
	var published []string
	calls := 0
	publish := cloud.Wanted(defs, func(_ context.Context, events []event.Event) error {
		calls++
		for _, e := range events {
			published = append(published, e.ID)
		}
		return nil
	})
	good := event.Event{ID: "one", Type: event.Materialized, Asset: "one", Verdict: run.Good}
	other := event.Event{ID: "other", Type: event.Materialized, Asset: "other", Verdict: run.Good}
	status := event.Event{ID: "status", Type: event.RunStatus, Status: run.Started}
	if err := errors.Join(publish(t.Context(), []event.Event{other, status, good}), publish(t.Context(), []event.Event{other})); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(published, " "); got != "status one" || calls != 1 {
		t.Errorf("%q in %d calls", got, calls)
	}
}
