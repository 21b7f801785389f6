package courier_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"waggle/shared/courier"
	"waggle/shared/fault"
	"waggle/shared/notify"
	"waggle/shared/run"
	"waggle/shared/sensor"
	"waggle/shared/store"
	"waggle/shared/store/memorydriver"
)

const told = "job: broken: it broke"

func TestAFailureReachesEveryChannelOnce(t *testing.T) {
	t.Parallel()
	w := setup(t, nil, tells("alarm", slack, team))
	id := w.run()
	w.once()
	w.once()
	got := w.server.got()
	slices.Sort(got) // two channels have no order between them
	if !slices.Equal(got, []string{"slack: " + told, "team: " + told}) {
		t.Errorf("received %q", got)
	}
	row := w.state("alarm")
	if row.State != store.EventDone || row.Reason != courier.ReasonNotified || len(row.Log) != 1 || row.Log[0].Message != "a run failed" || string(row.Log[0].Attrs) != `{"job":"job"}` {
		t.Errorf("event %+v", row)
	}
	list, err := w.courier.Settle(t.Context(), id, time.Time{}, time.Minute)
	if err != nil || len(list) != 2 || list[0].State != courier.Sent || list[0].Attempts != 1 || list[0].EventID != row.Event.ID || list[0].Source != "alarm" {
		t.Errorf("deliveries %+v, %v", list, err)
	}
	if next, err := w.store.NextAlert(t.Context(), nil); err != nil || !next.IsZero() {
		t.Errorf("something is due at %s, %v", next, err)
	}
}

func TestASensorThatIsNotCalledLeavesNoRow(t *testing.T) {
	t.Parallel()
	w := setup(t, nil, sensor.OnRunSuccess("glad", func(*sensor.Context, sensor.Run) error { return nil }, nil))
	w.run()
	if rows, err := w.store.SensorEvents(t.Context(), "glad", 10); err != nil || len(rows) != 0 {
		t.Errorf("%+v, %v", rows, err)
	}
	w.fails = false
	w.run()
	w.once()
	if row := w.state("glad"); row.State != store.EventDone || row.Reason != courier.ReasonQuiet {
		t.Errorf("%+v", row)
	}
	if p := courier.New(w.store, setup(t, nil).defs, nil).Publish(); p != nil {
		t.Error("a deployment without sensors publishes")
	}
}

func TestASensorKnowsSinceWhenItsJobFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var seen []sensor.Run
		w := setup(t, nil, sensor.OnRunStatus("all", []run.Status{run.Success, run.Failure}, func(_ *sensor.Context, r sensor.Run) error {
			seen = append(seen, r)
			return nil
		}, nil))
		var ids []run.ID
		var ended []time.Time
		for _, fails := range []bool{true, false, true, true, true} {
			time.Sleep(time.Hour)
			w.fails = fails
			ids = append(ids, w.run())
			w.once()
			ended = append(ended, seen[len(seen)-1].Ended)
		}
		if !seen[0].FailingSince.Equal(ended[0]) || !seen[1].FailingSince.IsZero() || !seen[4].FailingSince.Equal(ended[2]) {
			t.Errorf("failing since %s, %s, %s of %v", seen[0].FailingSince, seen[1].FailingSince, seen[4].FailingSince, ended)
		}
		if seen[0].LastSuccess != nil || seen[1].LastSuccess != nil || seen[4].LastSuccess == nil || seen[4].LastSuccess.Run != ids[1] {
			t.Errorf("last success %+v, %+v, %+v", seen[0].LastSuccess, seen[1].LastSuccess, seen[4].LastSuccess)
		}
		if failed := seen[4].FailedSteps; len(failed) != 1 || failed[0].Error != "it broke" || seen[4].Failures != 3 {
			t.Errorf("failed steps %+v", failed)
		}
	})
}

func TestAHandlerThatFailsBacksOffThenIsDeadAndVisible(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"error", "panic"} {
		synctest.Test(t, func(t *testing.T) {
			calls := 0
			w := setup(t, nil, sensor.OnRunFailure("alarm", func(ctx *sensor.Context, r sensor.Run) error {
				calls++
				_ = ctx.Notify(notify.Message{Text: "never"}, slack)
				if kind == "panic" {
					panic("oh")
				}
				return errors.New("oh")
			}, nil))
			w.run()
			for range 10 {
				w.once()
				time.Sleep(time.Hour)
			}
			row := w.state("alarm")
			if calls != 6 || row.State != store.EventDead || row.Reason != courier.ReasonHandlerFailed || row.Attempts != 6 || !strings.Contains(row.Error, "oh") {
				t.Errorf("%d calls, %+v", calls, row)
			}
			w.want()
			if d := w.only(); d.State != courier.Dead || d.Source != "alarm" {
				t.Errorf("%+v", d)
			}
		})
	}
}

func TestAHandlerThatRecoversTellsOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		w := setup(t, nil, sensor.OnRunFailure("alarm", func(ctx *sensor.Context, r sensor.Run) error {
			if calls++; calls < 3 {
				_ = ctx.Notify(notify.Message{Text: "too early"}, slack)
				return errors.New("not yet")
			}
			return ctx.Notify(notify.Message{Text: "now"}, slack)
		}, nil))
		w.run()
		for range 5 {
			w.once()
			time.Sleep(time.Minute)
		}
		w.want("slack: now")
	})
}

func TestTwoCallsOfNotifyAreTwoMessagesAndOneKeyIsOne(t *testing.T) {
	t.Parallel()
	w := setup(t, nil, sensor.OnRunFailure("alarm", func(ctx *sensor.Context, r sensor.Run) error {
		for _, m := range []notify.Message{{Text: "a"}, {Text: "a"}, {Key: "k", Text: "b"}, {Key: "k", Text: "c"}} {
			if err := ctx.Notify(m, slack); err != nil {
				return err
			}
		}
		return nil
	}, nil))
	w.run()
	w.once()
	w.want("slack: a", "slack: a", "slack: b")
}

func TestAMistakeInACallIsAnErrorAndIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	unlisted := notify.Slack("unlisted", nil)
	for want, act := range map[string]func(*sensor.Context) error{
		`is not in Definitions.Channels (add it)`: func(ctx *sensor.Context) error { return ctx.Notify(notify.Message{Text: "x"}, slack, unlisted) },
		`is empty (set Text`:                      func(ctx *sensor.Context) error { return ctx.Notify(notify.Message{}, slack) },
		`more than 40 messages for one event`: func(ctx *sensor.Context) (err error) {
			for i := range 41 {
				err = ctx.Notify(notify.Message{Text: fmt.Sprint(i)}, slack)
			}
			return err
		},
	} {
		var got error
		w := setup(t, nil, sensor.OnRunFailure("alarm", func(ctx *sensor.Context, _ sensor.Run) error { got = act(ctx); return nil }, nil))
		w.run()
		w.once()
		row := w.state("alarm")
		if !errors.Is(got, fault.Invalid) || !strings.Contains(got.Error(), want) || row.State != store.EventDead || row.Reason != courier.ReasonMistake || row.Attempts != 1 {
			t.Errorf("%v, %+v, want %s", got, row, want)
		}
		w.want()
	}
}

func TestASensorThatIsSwitchedOffIsNotCalledAndSaysSo(t *testing.T) {
	t.Parallel()
	w := setup(t, nil, tells("alarm", slack))
	if err := w.store.Switch(t.Context(), "alarm", false, "me"); err != nil {
		t.Fatal(err)
	}
	w.run()
	w.once()
	if row := w.state("alarm"); row.State != store.EventDone || row.Reason != courier.ReasonSwitchedOff {
		t.Errorf("%+v", row)
	}
	w.want()
}

func TestAServerThatFailsForHoursLosesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := setup(t, nil, sensor.OnRunFailure("alarm", func(ctx *sensor.Context, r sensor.Run) error {
			return ctx.Notify(notify.Message{Text: string(r.ID)}, slack)
		}, nil))
		began := time.Now()
		w.server.answer = func(_ string, _ int, _ notify.Content) notify.Answer {
			if time.Since(began) < 5*time.Hour {
				return notify.Answer{Kind: notify.Retry, Reason: "no_answer", Error: "connection refused"}
			}
			return notify.Answer{Kind: notify.Sent}
		}
		var want []string
		for range 3 {
			want = append(want, "slack: "+string(w.run()))
			w.once()
			time.Sleep(time.Minute)
		}
		for time.Since(began) < 7*time.Hour {
			w.once()
			time.Sleep(10 * time.Second)
		}
		got := w.server.got()
		slices.Sort(got)
		if !slices.Equal(got, want) { // ids sort by time of launch
			t.Errorf("received %v, want %v", got, want)
		}
		if w.server.tries > 300 {
			t.Errorf("%d tries in five hours", w.server.tries)
		}
	})
}

func TestMessagesLeaveInTheOrderOfWhatTheyTellOf(t *testing.T) {
	t.Parallel()
	w := setup(t, nil, sensor.OnRunFailure("alarm", func(ctx *sensor.Context, r sensor.Run) error {
		return ctx.Notify(notify.Message{Text: string(r.ID)}, team)
	}, nil))
	var want []string
	for range 5 {
		want = append(want, "team: "+string(w.run()))
	}
	w.once()
	w.want(want...)
}

func TestAServerThatAsksToWaitIsNotAskedBefore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := setup(t, nil, tells("alarm", slack))
		began := time.Now()
		w.server.answer = func(_ string, try int, _ notify.Content) notify.Answer {
			if try == 1 {
				return notify.Answer{Kind: notify.Retry, After: 37 * time.Second, Reason: "rate_limited"}
			}
			return notify.Answer{Kind: notify.Sent}
		}
		ctx, stop := context.WithCancel(context.Background())
		kept := make(chan struct{})
		go func() { w.courier.Keep(ctx, func(err error) { t.Error(err) }); close(kept) }()
		w.run()
		time.Sleep(36 * time.Second)
		w.want()
		time.Sleep(3 * time.Second)
		w.want("slack: " + told)
		if took := w.server.at[0].Sub(began); took < 37*time.Second || took > 38*time.Second {
			t.Errorf("sent after %s", took)
		}
		stop()
		<-kept
	})
}

func TestAMessageThatIsTooLargeIsSentSmaller(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 5000)
	w := setup(t, nil, sensor.OnRunFailure("alarm", func(ctx *sensor.Context, r sensor.Run) error {
		return ctx.Notify(notify.Message{Subject: "it failed", Text: long}, slack)
	}, nil))
	w.server.answer = func(_ string, _ int, c notify.Content) notify.Answer {
		if len(c.Text) > 100 {
			return notify.Answer{Kind: notify.Smaller, Reason: "msg_too_long"}
		}
		return notify.Answer{Kind: notify.Sent}
	}
	w.run()
	w.once()
	w.want("slack: it failed")
	if d := w.only(); d.State != courier.Sent || d.Attempts != 3 || d.Message.Rung != 2 {
		t.Errorf("%+v", d)
	}
	w.server.answer = func(string, int, notify.Content) notify.Answer {
		return notify.Answer{Kind: notify.Smaller, Error: "no"}
	}
	id := w.run()
	w.once()
	list, err := w.courier.Deliveries(t.Context(), courier.Query{Run: id})
	if err != nil || len(list) != 1 || list[0].State != courier.Dead || list[0].Reason != courier.ReasonTooLarge {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestABrokenChannelKeepsItsMessagesForAWeek(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := setup(t, nil, tells("alarm", slack))
		w.server.answer = func(string, int, notify.Content) notify.Answer {
			return notify.Answer{Kind: notify.Park, Reason: "invalid_token", Error: "404 no_service"}
		}
		w.run()
		w.once()
		if d := w.only(); d.State != courier.Parked || d.Reason != "invalid_token" {
			t.Errorf("%+v", d)
		}
		for range 24 * 3 {
			time.Sleep(time.Hour)
			w.once()
		}
		if w.server.tries < 70 || w.server.tries > 74 {
			t.Errorf("%d probes in three days", w.server.tries)
		}
		w.server.answer = nil
		time.Sleep(time.Hour + time.Second)
		w.once()
		w.want("slack: " + told)
	})
	synctest.Test(t, func(t *testing.T) {
		w := setup(t, nil, tells("alarm", slack))
		w.server.answer = func(string, int, notify.Content) notify.Answer {
			return notify.Answer{Kind: notify.Park, Reason: "gone"}
		}
		w.run()
		for range 24 * 8 {
			w.once()
			time.Sleep(time.Hour)
		}
		d := w.only()
		if d.State != courier.Dead || d.Reason != courier.ReasonGivenUp {
			t.Fatalf("%+v", d)
		}
		w.server.answer = nil
		if err := w.store.Revive(t.Context(), d.Message); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		w.once()
		w.want("slack: " + told)
	})
}

func TestAChannelWithoutItsSettingWaitsUntilItHasIt(t *testing.T) {
	t.Parallel()
	w := setup(t, &courier.Options{Sender: func(*notify.Definition) (notify.Sender, error) {
		return nil, fault.New(fault.Invalid, "env:SLACK_WEBHOOK_URL is not set")
	}}, tells("alarm", slack))
	w.run()
	w.once()
	if d := w.only(); d.State != courier.Parked || d.Reason != courier.ReasonNotConfigured || d.Error != "env:SLACK_WEBHOOK_URL is not set" {
		t.Errorf("%+v", d)
	}
	w.open(nil)
	w.fails = true
	w.run() // the next message wakes the channel
	w.once()
	w.want("slack: "+told, "slack: "+told)

	synctest.Test(t, func(t *testing.T) {
		var w *world
		set := false
		w = setup(t, &courier.Options{Sender: func(def *notify.Definition) (notify.Sender, error) {
			if set {
				return w.server.sender(def)
			}
			return nil, fault.New(fault.Invalid, "env:SLACK_WEBHOOK_URL is not set")
		}}, tells("alarm", slack))
		w.run()
		w.once()
		set = true
		time.Sleep(4 * time.Minute)
		w.once()
		w.want()
		time.Sleep(61 * time.Second) // and without a message that wakes it
		w.once()
		w.want("slack: " + told)
	})
}

// TestAPersonHasAChannelTriedWithoutOwningIt has a command ask for it, which may die at any time and holds nothing up.
func TestAPersonHasAChannelTriedWithoutOwningIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := setup(t, nil, tells("alarm", slack))
		w.server.answer = func(string, int, notify.Content) notify.Answer {
			return notify.Answer{Kind: notify.Park, Reason: "invalid_token"}
		}
		if _, err := w.store.AcquireChannel(t.Context(), "slack", "one that dies"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * w.store.Lease())
		w.run()
		w.once()
		_, before, err := w.store.ChannelState(t.Context(), "slack")
		if err != nil || before.Epoch != 2 {
			t.Fatalf("%+v, %v", before, err)
		}
		if err := w.courier.Again(t.Context(), []courier.Delivery{w.only()}); err != nil {
			t.Fatal(err)
		}
		if _, after, err := w.store.ChannelState(t.Context(), "slack"); err != nil || after.Epoch != before.Epoch || after.Token != "" {
			t.Errorf("it was owned: %+v after %+v, %v", after, before, err)
		}
		if err := w.courier.Unhold(t.Context(), "team"); err != nil {
			t.Errorf("a channel that was never used: %v", err)
		}
		w.server.answer = nil
		w.once()
		w.want("slack: " + told)
	})
}

func TestAChannelWhoseSecretDoesNotAnswerIsNotBroken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var w *world
		answers := false
		w = setup(t, &courier.Options{Sender: func(def *notify.Definition) (notify.Sender, error) {
			if answers || def.Name == "team" {
				return w.server.sender(def)
			}
			return nil, fault.New(fault.Unavailable, "ssm:GetParameter: no answer within 10s")
		}}, tells("alarm", withFallback))
		w.run()
		w.once()
		if d := w.only(); d.State == courier.Parked || d.Reason != string(notify.ReasonNoAnswer) || d.Error != "ssm:GetParameter: no answer within 10s" {
			t.Errorf("%+v", d)
		}
		w.want() // the fallback is told of no break
		answers = true
		time.Sleep(61 * time.Second)
		w.once()
		w.want("pager: " + told)
	})
}

func TestNoMoreLeavesThanTheRateAllows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := setup(t, nil, sensor.OnRunFailure("alarm", func(ctx *sensor.Context, r sensor.Run) error {
			for i := range 20 {
				if err := ctx.Notify(notify.Message{Text: fmt.Sprint(i)}, slack); err != nil {
					return err
				}
			}
			return nil
		}, nil))
		w.run()
		w.once()
		at := w.server.at
		if len(at) != 20 {
			t.Fatalf("%d sent", len(at))
		}
		if took := at[4].Sub(at[0]); took != 0 {
			t.Errorf("the first five took %s", took)
		}
		if took := at[19].Sub(at[4]); took < 14900*time.Millisecond || took > 16*time.Second {
			t.Errorf("the next fifteen took %s", took)
		}
	})
}

// TestADeathAtAnyCallLosesNothing kills the process at each call that its courier makes to the table, and lets another go on.
func TestADeathAtAnyCallLosesNothing(t *testing.T) {
	t.Parallel()
	for _, after := range []bool{false, true} {
		repeats := 0
		for at := 1; ; at++ {
			reached := false
			synctest.Test(t, func(t *testing.T) {
				w := setup(t, nil, tells("alarm", slack, team))
				w.run()
				db, dead := mortal(t, w.db, at, func(c memorydriver.Call) bool { return c.Done == after })
				w.db = db
				w.open(nil)
				err := w.courier.Once(context.Background())
				if reached = dead(); !reached {
					if err != nil {
						t.Fatal(err)
					}
					return
				}
				w.db = w.db.Clone(nil)
				w.open(nil)
				window := 0 // messages that the server has and the store does not know to be sent
				for _, taken := range w.server.got() {
					channel, _, _ := strings.Cut(taken, ":")
					if list, err := w.store.Messages(t.Context(), channel, time.Time{}, 1); err != nil {
						t.Fatal(err)
					} else if len(list) == 0 {
						window++
					}
				}
				for range 3 {
					time.Sleep(time.Hour)
					w.once()
				}
				got := map[string]int{}
				for _, m := range w.server.got() {
					got[m]++
				}
				if len(got) != 2 || got["slack: "+told] == 0 || got["team: "+told] == 0 {
					t.Fatalf("died at call %d (after %t): received %v", at, after, got)
				}
				again := got["slack: "+told] + got["team: "+told] - 2
				if repeats += again; again != window {
					t.Errorf("died at call %d (after %t): %d repeats, and %d messages were sent and not stored", at, after, again, window)
				}
				list, err := w.courier.Deliveries(t.Context(), courier.Query{})
				if err != nil || len(list) != 2 || list[0].State != courier.Sent || list[1].State != courier.Sent {
					t.Errorf("died at call %d (after %t): %+v, %v", at, after, list, err)
				}
				if next, err := w.store.NextAlert(t.Context(), nil); err != nil || !next.IsZero() {
					t.Errorf("died at call %d (after %t): something is due at %s, %v", at, after, next, err)
				}
			})
			if t.Failed() {
				t.FailNow()
			}
			if !reached {
				if at < 15 {
					t.Errorf("only %d calls", at)
				}
				break
			}
		}
		if !after && repeats == 0 {
			t.Error("no death fell between a send and the write that says so")
		}
	}
}

func TestManyCouriersSendEachMessageOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := setup(t, nil, tells("alarm", team))
		const runs = 12
		for range runs {
			w.run()
		}
		ctx, stop := context.WithCancel(context.Background())
		ended := make(chan struct{}, 4)
		for range 4 {
			c := courier.New(store.New(w.db, store.NewBlobs(w.bucket), nil), w.defs, &courier.Options{Sender: w.server.sender})
			go func() { c.Keep(ctx, func(err error) { t.Error(err) }); ended <- struct{}{} }()
		}
		time.Sleep(time.Minute)
		stop()
		for range 4 {
			<-ended
		}
		if got := w.server.got(); len(got) != runs {
			t.Errorf("%d received", len(got))
		}
	})
}

func TestASensorGetsTheLastLogLinesOfWhatFailed(t *testing.T) {
	t.Parallel()
	var seen sensor.Run
	w := setup(t, nil, sensor.OnRunFailure("alarm", func(_ *sensor.Context, r sensor.Run) error { seen = r; return nil }, nil))
	w.run()
	w.once()
	if len(seen.FailedSteps) != 1 || len(seen.FailedSteps[0].Log) != 10 || !strings.HasSuffix(seen.FailedSteps[0].Log[9], " INFO    line  number=12") {
		t.Errorf("%+v", seen.FailedSteps)
	}
}

func TestARecipientThatIsRefusedForNowIsTriedAgainAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := setup(t, nil, tells("alarm", team))
		var to [][]string
		w.server.answer = func(_ string, try int, c notify.Content) notify.Answer {
			to = append(to, c.To)
			switch try {
			case 1:
				return notify.Answer{Kind: notify.Recipient, Refused: []string{"gone@example.com"}, Later: []string{"slow@example.com", "full@example.com"}}
			case 2:
				return notify.Answer{Kind: notify.Retry, Later: []string{"slow@example.com", "full@example.com"}, After: time.Minute}
			case 3:
				return notify.Answer{Kind: notify.Recipient, Later: []string{"full@example.com"}}
			}
			return notify.Answer{Kind: notify.Smaller, Reason: notify.ReasonNoRecipients}
		}
		w.run()
		for range 3 * 12 {
			w.once()
			time.Sleep(5 * time.Minute)
		}
		both := []string{"slow@example.com", "full@example.com"}
		want := [][]string{nil, both, both, {"full@example.com"}, {"full@example.com"}, {"full@example.com"}}
		if !slices.EqualFunc(to, want, slices.Equal) {
			t.Errorf("recipients of the tries: %q", to)
		}
		d := w.only()
		if d.State != courier.Sent || !slices.Equal(d.Message.Refused, []string{"gone@example.com", "full@example.com"}) {
			t.Errorf("%+v", d)
		}
	})
}

// inCloud is the store with the lease of a deployment.
func (w *world) inCloud() *store.Store {
	return store.New(w.db, store.NewBlobs(w.bucket), &store.Options{Lease: time.Minute})
}

// TestWhatIsInTheHandsOfAnotherIsNotAskedForWithoutEnd has a message wait in a channel whose owner has died; its lease goes on for a minute.
func TestWhatIsInTheHandsOfAnotherIsNotAskedForWithoutEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := setup(t, nil, tells("alarm", slack))
		w.run()
		if _, err := w.inCloud().AcquireChannel(t.Context(), "slack", "dead"); err != nil {
			t.Fatal(err)
		}
		var calls atomic.Int64
		w.db = w.db.Clone(&memorydriver.Options{Hook: func(c memorydriver.Call) error {
			if !c.Done {
				calls.Add(1)
			}
			return nil
		}})
		here := courier.New(w.inCloud(), w.defs, &courier.Options{Sender: w.server.sender})
		linger := func(d time.Duration) {
			ctx, cancel := context.WithTimeout(t.Context(), d)
			defer cancel()
			if err := here.Linger(ctx, 20*time.Second); err != nil {
				t.Fatal(err)
			}
		}
		linger(50 * time.Second)
		if n := calls.Load(); n > 200 {
			t.Errorf("%d calls to the table in 50 s", n)
		}
		w.want()
		linger(time.Minute)
		w.want("slack: " + told)
	})
}
