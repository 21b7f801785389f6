//go:build aws

package eventbridge_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"gocloud.dev/blob/memblob"

	"waggle/localstack/emulator"
	"waggle/shared/asset"
	"waggle/shared/courier"
	"waggle/shared/event"
	"waggle/shared/eventbus/eventbridge"
	"waggle/shared/fault"
	"waggle/shared/job"
	"waggle/shared/notify"
	"waggle/shared/scheduler"
	"waggle/shared/sensor"
	"waggle/shared/store"
	"waggle/shared/store/memorydriver"
	"waggle/shared/waggle"
)

// deployment is a bus on MiniStack whose rules hand events on to queues.
type deployment struct {
	bus    *sdk.Client
	queues *sqs.Client
	config *aws.Config
}

const busName = "waggle-test"

func deploy(t *testing.T) *deployment {
	t.Helper()
	e, err := emulator.MiniStack(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	d := &deployment{config: connection(e.Endpoint)}
	d.bus, d.queues = sdk.NewFromConfig(*d.config), sqs.NewFromConfig(*d.config)
	if _, err := d.bus.CreateEventBus(t.Context(), &sdk.CreateEventBusInput{Name: aws.String(busName)}); err != nil {
		t.Fatal(err)
	}
	return d
}

// rule hands what a pattern matches on to a queue of its own, and returns the queue's address.
func (d *deployment) rule(t *testing.T, name, pattern string) string {
	t.Helper()
	queue, err := d.queues.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.bus.PutRule(t.Context(), &sdk.PutRuleInput{Name: &name, EventBusName: aws.String(busName), EventPattern: &pattern}); err != nil {
		t.Fatal(err)
	}
	_, err = d.bus.PutTargets(t.Context(), &sdk.PutTargetsInput{Rule: &name, EventBusName: aws.String(busName),
		Targets: []types.Target{{Id: aws.String("queue"), Arn: aws.String("arn:aws:sqs:us-east-1:000000000000:" + name)}}})
	if err != nil {
		t.Fatal(err)
	}
	return *queue.QueueUrl
}

// received decodes what is in a queue, until nothing more comes for a second.
func (d *deployment) received(t *testing.T, queue string) []event.Event {
	t.Helper()
	var all []event.Event
	for {
		out, err := d.queues.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &queue, MaxNumberOfMessages: 10, WaitTimeSeconds: 1})
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Messages) == 0 {
			return all
		}
		for _, m := range out.Messages {
			e, err := eventbridge.Decode([]byte(*m.Body))
			if err != nil {
				t.Errorf("%s: %v", *m.Body, err)
			}
			all = append(all, e)
			if _, err := d.queues.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: &queue, ReceiptHandle: m.ReceiptHandle}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestTheRulesOfTheContractHandOnWhatTheySay publishes every sample of the contract on a bus with the rules of the contract. What each
// hands on is what the files say: MiniStack reads patterns by code of its own.
func TestTheRulesOfTheContractHandOnWhatTheySay(t *testing.T) {
	d := deploy(t)
	var published []event.Event
	want := map[string][]string{} // ids, by rule
	for path, data := range samples(t) {
		var whole struct{ Detail event.Event }
		if err := json.Unmarshal(data, &whole); err != nil {
			t.Fatal(err)
		}
		e := whole.Detail
		e.ID = filepath.ToSlash(path) // samples of one run share their ids
		published = append(published, e)
		contract := filepath.Base(filepath.Dir(filepath.Dir(filepath.Dir(path))))
		want[contract] = append(want[contract], e.ID)
		name := strings.TrimSuffix(filepath.Base(path), ".json")
		if contract == "run_status_change" && strings.HasPrefix(name, "failure_") && name != "failure_will_retry" {
			want["failures_of_gallery"] = append(want["failures_of_gallery"], e.ID)
		}
		if contract == "schedule_tick_missed" && name != "late_of_many" {
			want["last_missed_ticks"] = append(want["last_missed_ticks"], e.ID)
		}
		if contract == "asset_check_evaluated" && (name == "execution_failed" || name == "failed_error") {
			want["failed_error_checks"] = append(want["failed_error_checks"], e.ID)
		}
	}
	queues := map[string]string{}
	paths, err := filepath.Glob("../../../events/*/v1/rule.json")
	if err != nil || len(paths) < 5 {
		t.Fatal(paths, err)
	}
	narrower, err := filepath.Glob("../../../events/rules/*.json")
	if err != nil || len(narrower) < 3 {
		t.Fatal(narrower, err)
	}
	for _, path := range append(paths, narrower...) {
		pattern, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(path), ".json")
		if name == "rule" {
			name = filepath.Base(filepath.Dir(filepath.Dir(path)))
		}
		queues[name] = d.rule(t, name, string(pattern))
	}
	p, err := eventbridge.Open(t.Context(), busName, &eventbridge.Options{Config: d.config})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Publish(t.Context(), published); err != nil {
		t.Fatal(err)
	}
	byID := map[string]event.Event{}
	for _, e := range published {
		byID[e.ID] = e
	}
	for name, queue := range queues {
		var got []string
		for _, e := range d.received(t, queue) {
			if e != byID[e.ID] {
				t.Errorf("%s was published, and came as %+v", e.ID, e)
			}
			got = append(got, e.ID)
		}
		slices.Sort(got)
		got = slices.Compact(got) // at least once
		slices.Sort(want[name])
		if !slices.Equal(got, want[name]) {
			t.Errorf("rule %s handed on\n%q, want\n%q", name, got, want[name])
		}
		delete(want, name)
	}
	if len(want) > 0 {
		t.Errorf("no rule for %v", want)
	}
}

// sent keeps what a channel takes.
type sent struct{ lines []string }

func (s *sent) Send(_ context.Context, _ string, c notify.Content, _ notify.Thread) notify.Answer {
	s.lines = append(s.lines, c.Line)
	return notify.Answer{Kind: notify.Sent}
}

// TestATickThatWasMissedReachesPeopleByTheBus has one process launch late ticks and publish what they owe, and another hear of it by a rule
// and a queue.
func TestATickThatWasMissedReachesPeopleByTheBus(t *testing.T) {
	d := deploy(t)
	pattern, err := os.ReadFile("../../../events/schedule_tick_missed/v1/rule.json")
	if err != nil {
		t.Fatal(err)
	}
	queue := d.rule(t, "ticks", string(pattern))
	p, err := eventbridge.Open(t.Context(), busName, &eventbridge.Options{Config: d.config})
	if err != nil {
		t.Fatal(err)
	}
	slack := notify.Slack("slack", nil)
	one := asset.New("one", func(*asset.Context) (int, error) { return 1, nil }, nil)
	nightly := job.New("nightly", asset.List{one}, nil)
	defs := waggle.Definitions{Assets: asset.List{one}, Jobs: job.List{nightly}, Schedules: job.Schedules{job.Cron("hourly", "0 * * * *", nightly, nil)},
		Channels: notify.List{slack}, Sensors: sensor.List{sensor.OnTickMissed("ticks", func(ctx *sensor.Context, m sensor.Missed) error { return ctx.Notify(m, slack) }, nil)}}
	now := time.Date(2026, 7, 1, 12, 5, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	s := store.New(memorydriver.New(&memorydriver.Options{Clock: clock}), store.NewBlobs(memblob.OpenBucket(nil)), &store.Options{Now: clock})
	got := &sent{}
	c := courier.New(s, defs, &courier.Options{Bus: p.Publish, Sender: func(*notify.Definition) (notify.Sender, error) { return got, nil }})
	schedules := scheduler.New(s.Owing(store.Bus, nil), defs)
	for range 2 {
		if _, _, err := schedules.Launch(t.Context()); err != nil {
			t.Fatal(err)
		}
		now = now.Add(3 * time.Hour)
	}
	if err := c.Once(t.Context()); err != nil || len(got.lines) > 0 {
		t.Fatalf("told %q before the bus was heard, %v", got.lines, err)
	}
	heard := d.received(t, queue)
	if len(heard) != 3 {
		t.Errorf("heard %+v", heard)
	}
	for range 2 { // each event twice
		if err := c.Publish()(t.Context(), heard); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Once(t.Context()); err != nil || len(got.lines) != 1 || !strings.HasPrefix(got.lines[0], "▲ LATE hourly: due 2026-07-01 15:00 UTC") {
		t.Errorf("told %q, %v", got.lines, err)
	}
}

func TestABusThatIsNotThereIsFoundAtStart(t *testing.T) {
	d := deploy(t)
	_, err := eventbridge.Open(t.Context(), "no-such-bus", &eventbridge.Options{Config: d.config})
	wantCode(t, err, fault.NotFound, "there is no event bus no-such-bus in http://127.0.0.1")
	// That is why it is asked: EventBridge takes events for a bus that is not there, and drops them.
	p, err := eventbridge.Open(t.Context(), "no-such-bus", &eventbridge.Options{Config: d.config, SkipCheck: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Publish(t.Context(), events(1)); err != nil {
		t.Errorf("EventBridge now says that a bus is missing: %v", err)
	}
	if _, err := eventbridge.Open(t.Context(), busName, &eventbridge.Options{Config: d.config}); err != nil {
		t.Error(err)
	}
}

func TestEventsByTheHundredArrive(t *testing.T) {
	d := deploy(t)
	queue := d.rule(t, "all", `{"source": ["waggle"]}`)
	p, err := eventbridge.Open(t.Context(), busName, &eventbridge.Options{Config: d.config, TryTimeout: 10 * time.Second, Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Publish(t.Context(), events(205)); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, e := range d.received(t, queue) {
		seen[e.ID] = true
	}
	for i := range 205 {
		if !seen[fmt.Sprint(i+1)] {
			t.Errorf("event %d is missing", i+1)
		}
	}
}
