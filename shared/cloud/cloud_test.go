package cloud_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"waggle/shared/asset"
	"waggle/shared/cloud"
	"waggle/shared/cloud/cloudtest"
	"waggle/shared/fault"
	"waggle/shared/job"
	"waggle/shared/notify"
	"waggle/shared/run"
	"waggle/shared/sensor"
	"waggle/shared/store"
	"waggle/shared/waggle"
)

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
		if n := p.Called("run "); n < 4 || n > 8 {
			t.Errorf("%d invocations", n)
		}
		s := p.Store()
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
		p, id := oneStep(t, time.Hour)
		ctx, cancel := context.WithTimeout(p.ctx, 10*time.Second)
		defer cancel()
		if err := p.Runner(p.Store()).Run(ctx, cloud.Invocation{Function: cloudtest.Deployed, Request: "x"}, cloud.RunCall{Run: id, Hops: 200}); err != nil {
			t.Fatal(err)
		}
		if n := p.Called("run "); n != 0 {
			t.Errorf("it called itself %d times", n)
		}
		if got := p.status(id); got != "STARTED unsettled" {
			t.Error(got)
		}
		time.Sleep(time.Second)
		if err := p.Monitor().Look(p.ctx); err != nil {
			t.Fatal(err)
		}
		if n := p.Called("run "); n != 1 {
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
		p.Play(cloudtest.Odds{Repeat: 0.2, Cut: 0.2})
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
		if owed, err := p.Store().OwedEvents(p.ctx, store.Bus, 10); err != nil || len(owed) > 0 {
			t.Errorf("rows still owe events: %+v, %v", owed, err)
		}
	})
}

func TestAnInvocationThatDiedIsReplacedAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, id := oneStep(t, time.Second)
		dead := cloud.Invocation{Function: cloudtest.Deployed, Request: "dead"}
		if _, err := p.Store().Acquire(p.ctx, id, dead.Worker()); err != nil { // and no more is heard of it
			t.Fatal(err)
		}
		if err := p.Monitor().Died(p.ctx, cloud.Invocation{Function: cloudtest.Deployed, Request: "another"}, id); err != nil || p.Called("run ") != 0 {
			t.Errorf("another one's death: %v, %d calls", err, p.Called("run "))
		}
		began := time.Now()
		if err := p.Monitor().Died(p.ctx, dead, id); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		if got := p.status(id); got != "SUCCESS" {
			t.Errorf("%s after %s", got, time.Since(began))
		}
		if err := p.Monitor().Died(p.ctx, dead, "00000000-0000-7000-8000-000000000000"); err != nil {
			t.Errorf("a run that does not exist: %v", err)
		}
	})
}

func TestAVersionThatIsGoneIsReplacedByTheNewest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, id := oneStep(t, time.Second)
		if _, err := p.Store().Acquire(p.ctx, id, "waggle-test-run:0/gone"); err != nil {
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
		var ticks sync.WaitGroup
		for _, scheduled := range []string{next.UTC().Format(time.RFC3339), next.UTC().Format(time.RFC3339), "<aws.scheduler.scheduled-time>"} {
			ticks.Go(func() {
				if scheduled[0] == '<' {
					time.Sleep(2 * time.Second)
				}
				if err := p.Runner(p.Store()).Tick(p.ctx, cloud.Invocation{Function: cloudtest.Deployed, Request: scheduled}, scheduled); err != nil {
					t.Errorf("tick: %v", err)
				}
			})
		}
		p.keep(3)
		ticks.Wait()
		runs, _, err := p.Store().Runs(p.ctx, store.Filter{}, 10, "")
		if err != nil || len(runs) != 1 || runs[0].Status != run.Success {
			t.Errorf("%d runs, %v", len(runs), err)
		}
	})
}

func TestCallsThatNameNothingAreRefused(t *testing.T) {
	t.Parallel()
	one := asset.New("one", pause(time.Second), nil)
	p := newPlatform(t, waggle.Definitions{Assets: asset.List{one}}, 1)
	s := p.Store()
	if err := p.Runner(s).Run(t.Context(), cloud.Invocation{}, cloud.RunCall{}); !errors.Is(err, fault.Invalid) {
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
		}, nil), sensor.OnRunFailure("slow", func(ctx *sensor.Context, r sensor.Run) error {
			time.Sleep(30 * time.Second)
			return ctx.Notify(notify.Message{Text: "slow " + string(cmp.Or(r.RetryOf, r.ID))}, channel)
		}, &sensor.Options{Isolated: true})}}, seed)
	p.Play(cloudtest.Odds{Repeat: 0.2, Lose: 0.1, Cut: 0.1, CutSent: 0.1, Delay: 20 * time.Second})
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
		for _, sensor := range []string{"failed", "slow"} {
			if !slices.Contains(p.told, fmt.Sprintf("%s %s", sensor, id)) {
				t.Errorf("seed %d: nobody was told %s of %s", seed, sensor, id)
			}
		}
		p.mu.Unlock()
	}
}

func TestASensorWithAFunctionOfItsOwnKeepsNoOtherWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		channel := notify.Webhook("people", &notify.WebhookOptions{URL: "env:PEOPLE"})
		bad := asset.New("bad", func(*asset.Context) (int, error) { return 0, errors.New("it is bad") }, nil)
		tell := func(text string, after time.Duration) func(*sensor.Context, sensor.Run) error {
			return func(ctx *sensor.Context, _ sensor.Run) error {
				time.Sleep(after)
				return ctx.Notify(notify.Message{Text: text}, channel)
			}
		}
		p := newPlatform(t, waggle.Definitions{Assets: asset.List{bad}, Jobs: job.List{job.New("failing", asset.List{bad}, nil)}, Channels: notify.List{channel},
			Sensors: sensor.List{sensor.OnRunFailure("a_slow", tell("slow", 40*time.Second), &sensor.Options{Isolated: true}),
				sensor.OnRunFailure("fast", tell("fast", 0), nil)}}, 1)
		told := func() []string {
			p.mu.Lock()
			defer p.mu.Unlock()
			return slices.Clone(p.told)
		}
		for range 2 {
			if err := p.Run(p.ctx, "", cloud.RunCall{Run: p.launch("failing")}); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(10 * time.Second)
		if got := told(); !slices.Equal(got, []string{"fast", "fast"}) {
			t.Errorf("after 10 s they were told %q", got)
		}
		time.Sleep(80 * time.Second)
		if got := told(); !slices.Equal(got, []string{"fast", "fast", "slow", "slow"}) {
			t.Errorf("in the end they were told %q", got)
		}
		if own, all := p.Called("sensor a_slow"), p.Called("sensor"); own == 0 || own > 4 || all != own {
			t.Errorf("the own function was called %d times, that of all others %d", own, all-own)
		}
		p.Play(cloudtest.Odds{Lose: 1}) // the monitor's look finds what a lost call left; events always come
		if err := p.Runner(p.Store()).Run(p.ctx, cloud.Invocation{Function: cloudtest.Deployed, Request: "lost"}, cloud.RunCall{Run: p.launch("failing")}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		p.Play(cloudtest.Odds{})
		p.keep(2)
		if got := told(); len(got) != 6 || got[5] != "slow" {
			t.Errorf("after a lost call they were told %q", got)
		}
	})
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
			at := cloud.Invocation{Function: cloudtest.Deployed, Request: strconv.Itoa(i)}
			if err := p.Runner(p.Store()).Run(p.ctx, at, cloud.RunCall{Run: id}); err != nil {
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

func TestItIsSaidHowRunsEndAndThatPeopleWereTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slack := notify.Slack("slack", nil)
		bad := asset.New("bad", func(*asset.Context) (int, error) { return 0, errors.New("it is bad") }, nil)
		p := newPlatform(t, waggle.Definitions{Assets: asset.List{bad}, Jobs: job.List{job.New("failing", asset.List{bad}, nil)}, Channels: notify.List{slack},
			Sensors: sensor.List{sensor.OnRunFailure("failures", func(ctx *sensor.Context, r sensor.Run) error { return ctx.Notify(r.Report(), slack) }, nil)}}, 1)
		id := p.launch("failing")
		var ended []run.Status
		r := p.Runner(p.Store())
		r.Ended = func(s run.Status) { ended = append(ended, s) }
		for range 2 { // a run that has ended does not end again
			if err := r.Run(p.ctx, cloud.Invocation{Function: cloudtest.Deployed, Request: "x"}, cloud.RunCall{Run: id}); err != nil {
				t.Fatal(err)
			}
		}
		p.Wait()
		if !slices.Equal(ended, []run.Status{run.Failure}) {
			t.Errorf("it was said to end as %v", ended)
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		if len(p.concluded) != 1 || p.concluded[0].State != store.MessageSent || p.concluded[0].Outs[0].Run != id {
			t.Errorf("people were told of it by %+v", p.concluded)
		}
	})
}
