package cli_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"gocloud.dev/blob/memblob"

	"waggle/shared/fault"
	"waggle/shared/job"
	"waggle/shared/notify"
	"waggle/shared/run"
	"waggle/shared/sensor"
	"waggle/shared/store"
	"waggle/shared/store/memorydriver"
	"waggle/shared/store/tabletest"
)

// recorder takes messages, or answers as it is told to.
type recorder struct {
	mu     sync.Mutex
	answer *notify.Answer // nil: sent
	got    []string
}

func (r *recorder) Send(_ context.Context, _ string, c notify.Content, _ notify.Thread) notify.Answer {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.answer != nil {
		return *r.answer
	}
	r.got = append(r.got, c.Line)
	return notify.Answer{Kind: notify.Sent, Ref: "message-1"}
}

// alerting is a desk whose deployment tells a channel of every run that ends.
func alerting(t *testing.T) (*desk, *recorder) {
	t.Helper()
	d, r := setup(t), &recorder{}
	slack := notify.Slack("slack", nil)
	d.app.Definitions.Channels = notify.List{slack}
	d.app.Definitions.Sensors = sensor.List{
		sensor.OnRunFailure("on_failure", func(ctx *sensor.Context, r sensor.Run) error {
			ctx.Log.Info("telling", "error", r.Error)
			return ctx.Notify(notify.Message{Subject: "it failed", Text: r.Error}, slack)
		}, &sensor.Options{Description: "Says why a run failed."}),
		sensor.OnRunStatus("on_success", []run.Status{run.Success}, func(ctx *sensor.Context, r sensor.Run) error {
			if r.Config["orders"] == nil {
				return nil
			}
			return errors.New("nobody to tell")
		}, nil),
	}
	d.app.Settle = 2 * time.Second // the clock stands still: what is due in a second never is
	d.app.Senders = func(context.Context, string, notify.List) (func(*notify.Definition) (notify.Sender, error), error) {
		return func(*notify.Definition) (notify.Sender, error) { return r, nil }, nil
	}
	return d, r
}

func TestAFailureIsToldAndTheRunSaysSo(t *testing.T) {
	t.Parallel()
	d, r := alerting(t)
	out, talk := d.must(fault.ExitRunFailed, "run", "--select", "orders,totals", "--config", "fail=error", "--json")
	var got struct {
		RunID      string `json:"run_id"`
		Deliveries []struct {
			Sensor, Channel, State string
			Attempts               int
			EventID                string `json:"event_id"`
		}
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Deliveries) != 1 || got.Deliveries[0].Sensor != "on_failure" || got.Deliveries[0].Channel != "slack" || got.Deliveries[0].State != "SENT" ||
		got.Deliveries[0].Attempts != 1 || !strings.HasPrefix(got.Deliveries[0].EventID, got.RunID+"#") {
		t.Errorf("deliveries %+v", got.Deliveries)
	}
	if len(r.got) != 1 || r.got[0] != "it failed" || !strings.Contains(talk, "told slack (on_failure)") {
		t.Errorf("sent %q, said %q", r.got, talk)
	}
}

func TestAMessageWhoseTryCouldNotBeNotedIsSaidToWait(t *testing.T) {
	t.Parallel()
	d, _ := alerting(t)
	d.app.Open = func(context.Context, string) (*store.Store, error) {
		full := func(c memorydriver.Call) error {
			if c.Op == memorydriver.Put && !c.Done && strings.HasPrefix(c.Keys[0].Partition, "CHANNEL#") {
				return fault.Wrap(fault.Full, "put", errors.New("no space left on device"))
			}
			return nil
		}
		return store.New(tabletest.New(t, &tabletest.Options{Hook: full}), store.NewBlobs(memblob.OpenBucket(nil)), nil), nil
	}
	_, talk := d.must(fault.ExitRunFailed, "run", "--select", "orders,totals", "--config", "fail=error")
	if !strings.Contains(talk, "warning: slack has not been told yet (on_failure); it is sent with: waggle dev") {
		t.Errorf("said %q", talk)
	}
}

func TestADeliveryThatIsPendingChangesNoExitStatus(t *testing.T) {
	t.Parallel()
	d, r := alerting(t)
	r.answer = &notify.Answer{Kind: notify.Retry, After: time.Hour, Reason: "rate_limited", Error: "429 Too Many Requests"}
	_, talk := d.must(fault.ExitRunFailed, "run", "--select", "orders,totals", "--config", "fail=error")
	if !strings.Contains(talk, "warning: slack has not been told yet (on_failure): 429 Too Many Requests; it is tried again 2026-11-22 03:01:00 UTC with: waggle dev") {
		t.Errorf("said %q", talk)
	}
	_, talk = d.must(0, "run", "--select", "orders", "--config", "orders=7") // its sensor fails
	if !strings.Contains(talk, "warning: sensor on_success has not been called yet: nobody to tell") {
		t.Errorf("said %q", talk)
	}
	r.answer = nil
	d.now = d.now.Add(2 * time.Hour)
	out, talk := d.must(0, "monitor", "--once")
	if len(r.got) != 1 || !strings.Contains(talk, "1 message sent") {
		t.Errorf("sent %q, said %q%q", r.got, out, talk)
	}
}

func TestSensorsChannelsAndDeliveriesAreShown(t *testing.T) {
	t.Parallel()
	d, r := alerting(t)
	none := d.transcript("sensors", "sensors show on_failure", "deliveries", "deliveries --json", "deliveries --state dead", "channels", "deliveries retry --dead")
	d.must(1, "run", "--select", "orders,totals", "--config", "fail=error")
	d.must(0, "sensors", "off", "on_success")
	d.must(0, "run", "--select", "orders")
	r.answer = &notify.Answer{Kind: notify.Smaller, Reason: "invalid_blocks", Error: "400 invalid_blocks"}
	d.must(1, "run", "--select", "orders,totals", "--config", "fail=error")
	r.answer = &notify.Answer{Kind: notify.Park, Reason: "gone", Error: "410 channel_is_archived"}
	d.must(1, "run", "--select", "orders,totals", "--config", "fail=error")
	out, _ := d.must(0, "deliveries", "--state", "dead", "-o", "jsonl")
	var dead struct{ ID string }
	if err := json.Unmarshal([]byte(out), &dead); err != nil {
		t.Fatal(err)
	}
	some := d.transcript("sensors", "sensors --json", "sensors show on_failure", "sensors show on_success", "sensors show on_failur", "deliveries", "deliveries --state parked --json",
		"deliveries show "+dead.ID, "deliveries show "+dead.ID+" --json", "deliveries show zzzz", "deliveries --state lost", "channels", "channels --json", "channels test slack", "channels test slak")
	r.answer = nil
	again := d.transcript("deliveries retry "+dead.ID, "deliveries retry "+dead.ID, "deliveries retry --dead", "deliveries", "channels", "channels test slack", "sensors on on_success")
	golden(t, "alerts", none+some+again)
	if len(r.got) != 4 { // the first, the dead one, the one that was parked, the test
		t.Errorf("sent %q", r.got)
	}
}

func TestAProgramWithoutSensorsSaysSo(t *testing.T) {
	t.Parallel()
	d := setup(t)
	golden(t, "no_alerts", d.transcript("sensors", "sensors --json", "channels", "channels -o jsonl", "deliveries"))
}

func TestASecretThatDoesNotResolveIsFoundBeforeAnythingRuns(t *testing.T) {
	t.Parallel()
	d, _ := alerting(t)
	broken := func(context.Context, string, notify.List) (func(*notify.Definition) (notify.Sender, error), error) {
		return nil, fault.New(fault.Invalid, `channel "slack": SLACK_WEBHOOK_URL is no URL`)
	}
	d.must(fault.ExitRunFailed, "run", "--select", "orders,totals", "--config", "fail=error")
	id := string(d.newest())
	d.app.Senders = broken
	for _, command := range [][]string{{"run", "--select", "orders"}, {"runs", "retry", id}, {"monitor", "--once"}, {"dev"}, {"channels", "test", "slack"}, {"deliveries", "retry", "--dead"}} {
		if _, talk := d.must(fault.ExitUsage, command...); !strings.Contains(talk, "SLACK_WEBHOOK_URL is no URL") {
			t.Errorf("%s said %q", command, talk)
		}
	}
	if newest := string(d.newest()); newest != id {
		t.Errorf("run %s was launched", newest)
	}
	if out, _ := d.must(0, "channels"); !strings.Contains(out, "PARKED") || !strings.Contains(out, "SLACK_WEBHOOK_URL is no URL") {
		t.Errorf("channels are shown as %q", out)
	}
}

func TestAlertsAreShown(t *testing.T) {
	t.Parallel()
	d, _ := alerting(t)
	slack := d.app.Definitions.Channels[0]
	d.app.Definitions.Sensors = sensor.List{sensor.OnRunFailure("on_failure", func(ctx *sensor.Context, r sensor.Run) error { return ctx.Notify(r.Report(), slack) }, nil)}
	none := d.transcript("alerts", "alerts --all --json", "alerts show 01234567", "alerts show")
	run := func(exit int, config string) string {
		_, talk := d.must(exit, "run", "shop", "--config", config)
		d.now = d.now.Add(time.Hour)
		return talk
	}
	run(fault.ExitRunFailed, "fail=error")
	if talk := run(fault.ExitRunFailed, "fail=error"); !strings.Contains(talk, "slack knows (on_failure): the same failure was told before") {
		t.Errorf("said %q", talk)
	}
	out, _ := d.must(0, "alerts", "-o", "jsonl")
	var open struct{ ID string }
	if err := json.Unmarshal([]byte(out), &open); err != nil {
		t.Fatal(err)
	}
	failing := d.transcript("alerts", "alerts --json", "alerts show "+open.ID, "deliveries")
	run(0, "fail=none")
	golden(t, "episodes", none+failing+d.transcript("alerts", "alerts --all", "alerts show "+open.ID[:4], "alerts show "+open.ID+" --json", "deliveries"))
}

func TestTicksThatWereMissedAreToldOnceAndShown(t *testing.T) {
	t.Parallel()
	d, sent := alerting(t)
	slack := d.app.Definitions.Channels[0]
	d.app.Definitions.Sensors = sensor.List{sensor.OnTickMissed("on_tick_missed", func(ctx *sensor.Context, m sensor.Missed) error {
		return ctx.Notify(m, slack)
	}, &sensor.Options{Description: "Says when a night was missed.", Fallback: slack})}
	d.app.Definitions.Schedules = job.Schedules{job.Cron("hourly", "0 * * * *", d.app.Definitions.Jobs[0], nil)}
	d.must(0, "monitor", "--once")
	d.now = d.now.Add(5 * time.Hour)
	_, talk := d.must(0, "monitor", "--once")
	if !strings.Contains(talk, "1 message sent") {
		t.Errorf("said %q", talk)
	}
	if len(sent.got) != 1 {
		t.Errorf("%q", sent.got)
	}
	golden(t, "missed_ticks", d.transcript("sensors", "sensors show on_tick_missed", "sensors test on_tick_missed", "alerts explain LAST", "deliveries", "sensors --json"))
}

func TestAPolledSensorIsCalledByMonitorAndShown(t *testing.T) {
	t.Parallel()
	d, _ := alerting(t)
	shop := d.app.Definitions.Jobs[0]
	d.app.Definitions.Sensors = sensor.List{
		sensor.Poll("new_orders", 2*time.Hour, func(ctx *sensor.Context) error {
			ctx.Log.Info("found", "file", "orders_1.csv")
			if err := ctx.Launch(shop, "orders_1.csv", nil); err != nil {
				return err
			}
			return ctx.SetCursor("orders_1.csv")
		}, &sensor.Options{Description: "Looks for files of orders."}),
		sensor.Poll("broken", time.Hour, func(*sensor.Context) error { return errors.New("no such folder") }, nil),
	}
	none := d.transcript("sensors")
	if _, talk := d.must(0, "monitor", "--once", "--no-schedules"); strings.Contains(talk, "launched") {
		t.Errorf("--no-schedules polls: %q", talk)
	}
	if _, talk := d.must(0, "monitor", "--once"); !strings.Contains(talk, "1 run launched by sensors; run with: waggle monitor --once") {
		t.Errorf("said %q", talk)
	}
	d.now = d.now.Add(time.Minute)
	d.must(0, "monitor", "--once")
	golden(t, "polled", none+d.transcript("runs", "sensors", "sensors show new_orders", "sensors show broken", "sensors test broken", "sensors --json"))
}
