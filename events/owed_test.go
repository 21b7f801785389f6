package events_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gocloud.dev/blob/memblob"

	"waggle/shared/asset"
	"waggle/shared/courier"
	"waggle/shared/engine"
	"waggle/shared/event"
	"waggle/shared/job"
	"waggle/shared/notify"
	"waggle/shared/run"
	"waggle/shared/scheduler"
	"waggle/shared/sensor"
	"waggle/shared/store"
	"waggle/shared/store/memorydriver"
	"waggle/shared/waggle"
)

// refuses takes no message in any size.
type refuses struct{}

func (refuses) Send(context.Context, string, notify.Content, notify.Thread) notify.Answer {
	return notify.Answer{Kind: notify.Smaller, Error: "too long"}
}

// owed runs a deployment in which everything goes wrong that a row owes an event for, for a week, and returns what is published.
func owed(t *testing.T) (details [][]byte, events []event.Event) {
	t.Helper()
	slack, gone := notify.Slack("slack", nil), notify.Mail("gone", nil)
	broken := asset.New("broken", func(ctx *asset.Context) (int, error) { return 0, errors.New("it broke") }, nil)
	says := asset.Do("says", func(ctx *asset.Context) error { return ctx.Notify(notify.Message{Text: "of a step"}, slack) }, nil)
	fails := job.New("fails", asset.List{broken, says}, nil)
	other := job.New("other", asset.List{says}, nil)
	tells := func(to ...*notify.Channel) func(*sensor.Context, sensor.Run) error {
		return func(ctx *sensor.Context, r sensor.Run) error { return ctx.Notify(r.Report(), to...) }
	}
	defs := waggle.Definitions{Assets: asset.List{broken, says}, Jobs: job.List{fails, other}, Channels: notify.List{slack, gone},
		Schedules: job.Schedules{job.Cron("hourly", "0 * * * *", other, nil), job.Cron("broken", "0 0 * * *", job.New("unlisted", nil, nil), nil)},
		Sensors: sensor.List{
			sensor.OnRunFailure("too_large", tells(slack), nil),
			sensor.OnRunFailure("never_tried", tells(gone), nil),
			sensor.OnRunFailure("panics", func(*sensor.Context, sensor.Run) error { panic("oh") }, &sensor.Options{Fallback: slack}),
			sensor.OnRunFailure("mistaken", tells(notify.Slack("unlisted", nil)), nil),
			sensor.OnTickMissed("ticks", func(ctx *sensor.Context, m sensor.Missed) error { return ctx.Notify(m, slack) }, nil),
			sensor.Poll("watch", time.Hour, func(*sensor.Context) error { return errors.New("no answer") }, nil),
		}}
	s := store.New(memorydriver.New(nil), store.NewBlobs(memblob.OpenBucket(nil)), nil).Owing(store.Bus, nil)
	publish := func(_ context.Context, list []event.Event) error {
		for _, e := range list {
			detail, err := json.Marshal(e)
			if err != nil {
				return err
			}
			details, events = append(details, detail), append(events, e)
		}
		return nil
	}
	senders := func(c *notify.Definition) (notify.Sender, error) {
		if c.Name == "gone" {
			return nil, errors.New("MAIL_TO is not set")
		}
		return refuses{}, nil
	}
	c := courier.New(s, defs, &courier.Options{Sender: senders, Bus: publish, Polls: true})
	ctx := t.Context()
	schedules := scheduler.New(s, defs)
	if _, _, err := schedules.Launch(ctx); err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Hour)
	if _, _, err := schedules.Launch(ctx); err != nil {
		t.Fatal(err)
	}
	id, err := s.Launch(ctx, run.Request{Job: "fails"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := engine.New(s, defs, &engine.Options{Publish: c.Publish(), Notify: c.Notify()}).Run(ctx, id, nil); err != nil {
		t.Fatal(err)
	}
	// On a bus the sensors hear of what it hands on: here that is all.
	for range 8 * 24 * 4 {
		heard := len(events)
		if err := c.Once(ctx); err != nil {
			t.Fatal(err)
		}
		if err := c.Publish()(ctx, events[heard:]); err != nil {
			t.Fatal(err)
		}
		time.Sleep(15 * time.Minute)
	}
	return details, events
}

func TestWhatRowsOweKeepsTheContract(t *testing.T) {
	t.Parallel()
	contracts := setup(t)
	synctest.Test(t, func(t *testing.T) {
		details, events := owed(t)
		seen := map[string]int{}
		for i, detail := range details {
			e := events[i]
			conforms(t, contracts, detail, e)
			words := []string{string(e.TickStatus), e.Schedule, string(e.DeliveryStatus), e.DeliveryReason, e.Channel, e.Sensor, string(e.Step)}
			seen[strings.Join(strings.Fields(string(e.Type)+" "+strings.Join(words, " ")), " ")]++
		}
		want := []string{
			"Delivery Failed DEAD given_up gone never_tried",
			"Delivery Failed DEAD handler_failed panics", "Delivery Failed DEAD handler_failed watch",
			"Delivery Failed DEAD mistake mistaken",
			"Delivery Failed DEAD too_large slack says", "Delivery Failed DEAD too_large slack ticks", "Delivery Failed DEAD too_large slack too_large",
			"Schedule Tick Missed FAILED broken", "Schedule Tick Missed LATE hourly", "Schedule Tick Missed PASSED_OVER broken", "Schedule Tick Missed PASSED_OVER hourly",
		}
		if got := slices.Sorted(maps.Keys(seen)); !slices.Equal(got, want) {
			t.Errorf("published\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		// The notes about sensors that fail are given up as well, and nobody is told of that. Of 24 late ticks one is told of.
		if seen["Schedule Tick Missed LATE hourly"] != 24 || seen["Delivery Failed DEAD too_large slack ticks"] != 2 {
			t.Errorf("%v", seen)
		}
	})
}
