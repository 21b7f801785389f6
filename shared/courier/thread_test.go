package courier_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"waggle/shared/courier"
	"waggle/shared/event"
	"waggle/shared/notify"
	"waggle/shared/run"
	"waggle/shared/sensor"
	"waggle/shared/store/memorydriver"
)

// said fails the test for any message that is missing, too many, or in another place.
func (w *world) said(lines ...string) {
	w.t.Helper()
	if got := w.server.said(); !slices.Equal(got, lines) {
		w.t.Fatalf("received\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(lines, "\n"))
	}
}

// tally counts deliveries by state and reason or decision.
func (w *world) tally() map[string]int {
	w.t.Helper()
	list, err := w.courier.Deliveries(context.Background(), courier.Query{})
	if err != nil {
		w.t.Fatal(err)
	}
	n := map[string]int{}
	for _, d := range list {
		what := d.Message.Decision
		if d.State == courier.Folded {
			what = d.Reason
		}
		n[string(d.State)+" "+what]++
	}
	return n
}

const failed = "✗ FAILED job: broken: it broke."

func TestTwentyFailuresAndASuccessAreTwoMessages(t *testing.T) {
	t.Parallel()
	for _, edits := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := setup(t, nil, reports("alarm", slack))
			w.server.edits = edits
			for range 20 {
				w.run()
				w.once()
				time.Sleep(time.Minute)
			}
			w.fails = false
			w.run()
			w.once()
			want := []string{failed}
			for i := 2; edits && i <= 20; i++ {
				want = append(want, fmt.Sprintf("edit: ✗ STILL FAILED job: broken: it broke. %d failures in a row", i))
			}
			w.said(append(want, "reply: ✓ RESOLVED job: worked again after 20 failures in *")...)
			if n := w.tally(); !edits && (n["FOLDED same_failure"] != 19 || n["SENT opened"] != 1 || n["SENT resolved"] != 1) || edits && n["SENT edited"] != 19 {
				t.Errorf("%v", n)
			}
			w.run()
			w.once()
			if got := w.server.said(); len(got) != len(want)+1 {
				t.Errorf("a success after the end says %q", got[len(got)-1])
			}
		})
	}
}

func TestAnotherReasonIsToldAndAnotherNumberInItIsNot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := setup(t, nil, reports("alarm", slack))
		for _, why := range []string{"row 7 is bad", "row 12 is bad", "no such file"} {
			w.why = why
			w.run()
			w.once()
			time.Sleep(time.Minute)
		}
		w.fails = false
		w.run()
		w.once()
		w.said("✗ FAILED job: broken: row 7 is bad.", "reply: ✗ STILL FAILED job: broken: no such file. 3 failures in a row",
			"reply: ✓ RESOLVED job: worked again after 3 failures in *")
	})
}

func TestAFailureThatLastsIsBroughtUpAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := setup(t, nil, reports("alarm", slack))
		for range 50 { // an hour apart, and slack reminds every 24 h
			w.run()
			w.once()
			time.Sleep(time.Hour)
		}
		w.said(failed, "reply: ✗ STILL FAILED job: broken: it broke. 25 failures in a row", "reply: ✗ STILL FAILED job: broken: it broke. 49 failures in a row")
	})
}

func TestAFailureThatIsToldTooLateSaysWhatFixedIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := setup(t, nil, reports("alarm", slack))
		down := true
		w.server.answer = func(string, int, notify.Content) notify.Answer {
			if down {
				return notify.Answer{Kind: notify.Retry, Reason: notify.ReasonNoAnswer}
			}
			return notify.Answer{Kind: notify.Sent}
		}
		w.run()
		w.once()
		time.Sleep(time.Hour)
		w.fails = false
		fixed := w.run()
		w.once()
		down = false
		time.Sleep(time.Hour)
		w.once()
		w.said("✓ RESOLVED job: failed 2000-01-01 00:00 UTC, fixed since by run " + "*")
		if n := w.tally(); n["SENT fixed_since"] != 1 || n["FOLDED nothing_open"] != 1 {
			t.Errorf("%v, fixed by %s", n, fixed)
		}
	})
}

// TestEventsOutOfOrderAreToldByWhenTheyHappened has the success come before the failure that it ended.
func TestEventsOutOfOrderAreToldByWhenTheyHappened(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := setup(t, nil, reports("alarm", slack))
		var late []event.Event
		w.runJob("job", func(_ context.Context, events []event.Event) error { late = append(late, events...); return nil })
		time.Sleep(time.Minute)
		w.fails = false
		w.run()
		w.once()
		if err := w.courier.Publish()(t.Context(), late); err != nil {
			t.Fatal(err)
		}
		w.once()
		w.said("✓ RESOLVED job: failed 2000-01-01 00:00 UTC, fixed since by run *")
		time.Sleep(time.Minute)
		w.fails = true
		w.run()
		w.once()
		if got := w.server.said(); len(got) != 2 || got[1] != failed {
			t.Errorf("received %q", got)
		}
		threads, err := w.store.Threads(t.Context(), "slack")
		if err != nil || len(threads) != 1 || !threads[0].Open() || threads[0].Failures != 1 {
			t.Errorf("%+v, %v", threads, err)
		}
	})
}

// TestInWhateverOrderEventsComePeopleKnowTheNewest has the events of some runs come late, twice and in any order.
func TestInWhateverOrderEventsComePeopleKnowTheNewest(t *testing.T) {
	t.Parallel()
	for range 60 {
		seed := rand.Uint64()
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 0))
			w := setup(t, nil, reports("alarm", slack))
			w.server.edits = random.IntN(2) == 0
			var events []event.Event
			failures := 0
			for range 1 + random.IntN(8) {
				w.fails, w.why = random.IntN(2) == 0, []string{"it broke", "no such file"}[random.IntN(2)]
				if w.fails {
					failures++
				}
				w.runJob("job", func(_ context.Context, list []event.Event) error { events = append(events, list...); return nil })
				time.Sleep(time.Minute)
			}
			events = append(events, events...)
			random.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
			publish := w.courier.Publish()
			for _, e := range events {
				if err := publish(t.Context(), []event.Event{e}); err != nil {
					t.Fatal(err)
				}
				if random.IntN(3) == 0 {
					w.once()
					time.Sleep(time.Duration(random.IntN(100)) * time.Second)
				}
			}
			w.once()
			said := strings.Join(w.server.said(), "\n")
			threads, err := w.store.Threads(t.Context(), "slack")
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case failures == 0:
				if said != "" || len(threads) != 0 {
					t.Errorf("seed %d: nothing failed, and people read\n%s", seed, said)
				}
			case len(threads) != 1 || threads[0].Open() != w.fails:
				t.Errorf("seed %d: the last run failed: %t; %+v\n%s", seed, w.fails, threads, said)
			case !w.fails && !strings.Contains(said, "RESOLVED"), w.fails && !strings.Contains(said, "FAILED"):
				t.Errorf("seed %d: the last run failed: %t; people read\n%s", seed, w.fails, said)
			}
		})
	}
}

// TestAFailureAfterASuccessThatNobodyHeardOpensAnew has the sensor switched off while the job works.
func TestAFailureAfterASuccessThatNobodyHeardOpensAnew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := setup(t, nil, reports("alarm", slack))
		w.run()
		w.once()
		for _, on := range []bool{false, true} {
			if err := w.store.Switch(t.Context(), "alarm", on, "me"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
			w.fails = on
			w.run()
			w.once()
		}
		w.said(failed, failed)
	})
}

func TestTheReportOfASuccessResolvesAndElseIsSentAsItIs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		both := sensor.OnRunStatus("both", []run.Status{run.Failure, run.Success}, func(ctx *sensor.Context, r sensor.Run) error { return ctx.Notify(r.Report(), slack) }, nil)
		w := setup(t, nil, both)
		for _, fails := range []bool{false, true, false, false} {
			w.fails = fails
			w.run()
			w.once()
			time.Sleep(time.Minute)
		}
		success := "✓ SUCCESS job: 1 asset"
		w.said(success, failed, "reply: ✓ RESOLVED job: worked again after 1 failure in *", success)
	})
}

func TestAMessageOfOnesOwnIsSentForEveryEvent(t *testing.T) {
	t.Parallel()
	w := setup(t, nil, tells("alarm", team))
	for range 3 {
		w.run()
		w.once()
	}
	w.want("team: "+told, "team: "+told, "team: "+told)
	if got := w.server.foots[0]; got != "You get this because sensor alarm told channel team." {
		t.Errorf("footer %q", got)
	}
}

// TestABurstIsAFewMessagesThatNameEveryRun has more failures than a channel takes.
func TestABurstIsAFewMessagesThatNameEveryRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := setup(t, nil, reports("alarm", slack))
		var ids []run.ID
		for i := range 300 {
			ids = append(ids, w.runJob(fmt.Sprintf("job_%02d", i%20), w.courier.Publish()))
		}
		w.once()
		all := strings.Join(w.server.jsons, "\n")
		named := map[int]int{}
		for _, id := range ids {
			named[strings.Count(all, string(id))]++
		}
		if named[1] != len(ids) {
			t.Errorf("of %d runs as many are named so often: %v; %v", len(ids), named, w.tally())
		}
		if n := len(w.server.jsons); n > 8 {
			t.Errorf("%d messages", n)
		}
		threads, err := w.store.Threads(t.Context(), "slack")
		if err != nil || len(threads) != 20 {
			t.Fatalf("%d threads, %v", len(threads), err)
		}
		for _, th := range threads {
			if !th.Open() || th.Failures != 15 {
				t.Errorf("%+v", th)
			}
		}
		if left, _, err := w.store.Waiting(t.Context(), "slack", 10, ""); err != nil || len(left) != 0 {
			t.Errorf("%d wait, %v", len(left), err)
		}
		before := len(w.server.said())
		time.Sleep(time.Minute)
		w.fails = false
		w.runJob("job_07", w.courier.Publish())
		w.once()
		if got := w.server.said()[before:]; len(got) != 1 || !strings.HasPrefix(got[0], "✓ RESOLVED job_07: worked again after 15 failures") {
			t.Errorf("received %q", got)
		}
	})
}

// TestADeathInADigestSendsItAgainOrNever has the owner die at each of its writes while it sends digests of more reports than one write takes.
func TestADeathInADigestSendsItAgainOrNever(t *testing.T) {
	t.Parallel()
	var base *memorydriver.Driver
	var ids []run.ID
	noSender := &courier.Options{Sender: func(*notify.Definition) (notify.Sender, error) { return nil, errors.New("none yet") }}
	synctest.Test(t, func(t *testing.T) {
		w := setup(t, noSender, reports("alarm", slack))
		for i := range 150 {
			ids = append(ids, w.runJob(fmt.Sprintf("job_%02d", i%20), w.courier.Publish()))
		}
		w.once()
		base = w.db
	})
	repeats := 0
	for at := 1; ; at++ {
		reached := false
		synctest.Test(t, func(t *testing.T) {
			w := setup(t, noSender, reports("alarm", slack))
			time.Sleep(3 * time.Hour)
			db, dead := mortal(t, base, at, func(c memorydriver.Call) bool { return c.Op.Writes() && !c.Done })
			w.db = db
			w.open(nil)
			_ = w.courier.Once(context.Background())
			if reached = dead(); !reached {
				return
			}
			w.db = w.db.Clone(nil)
			w.open(nil)
			for range 3 {
				time.Sleep(time.Hour)
				w.once()
			}
			all := strings.Join(w.server.jsons, "\n")
			again := 0
			for _, id := range ids {
				switch strings.Count(all, string(id)) {
				case 0:
					t.Fatalf("died at write %d: run %s is in no message", at, id)
				case 1:
				default:
					again++
				}
			}
			if again > 0 {
				repeats++
			}
			if outs, _, err := w.store.Waiting(t.Context(), "slack", 10, ""); err != nil || len(outs) > 0 {
				t.Fatalf("died at write %d: %d wait, %v", at, len(outs), err)
			}
		})
		if !reached {
			if at < 7 {
				t.Errorf("only %d writes", at-1)
			}
			break
		}
	}
	if repeats == 0 || repeats > 2 { // the write that says that a message was sent, of each message
		t.Errorf("%d deaths repeat a message", repeats)
	}
}

func TestAChannelThatBreaksTellsItsFallbackOnceAndCatchesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := setup(t, nil, reports("alarm", withFallback))
		w.server.answer = func(channel string, _ int, _ notify.Content) notify.Answer {
			if channel == withFallback.Definition().Name {
				return notify.Answer{Kind: notify.Park, Reason: notify.ReasonGone, Error: "404 no_service"}
			}
			return notify.Answer{Kind: notify.Sent}
		}
		for i := range 4 {
			w.runJob(fmt.Sprintf("job_%02d", i), w.courier.Publish())
			w.once()
			time.Sleep(2 * time.Hour)
		}
		w.said("✗ PARKED channel pager: 404 no_service. 1 message waiting")
		w.server.answer = nil
		time.Sleep(2 * time.Hour)
		w.once()
		w.said("✗ PARKED channel pager: 404 no_service. 1 message waiting", "✓ RESOLVED channel pager: 4 messages had waited")
		if n := w.tally(); n["SENT caught_up"] != 4 {
			t.Errorf("%v", n)
		}
		if want := []string{"You get this because channel pager, whose fallback this is, told channel team.", ""}; !slices.Equal(w.server.foots, want) {
			t.Errorf("footers %q", w.server.foots)
		}
	})
}
