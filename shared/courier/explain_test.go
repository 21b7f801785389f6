package courier_test

import (
	"context"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/courier"
	"waggle/shared/engine"
	"waggle/shared/event"
	"waggle/shared/job"
	"waggle/shared/notify"
	"waggle/shared/run"
	"waggle/shared/sensor"
	"waggle/shared/store"
)

// What the runs of these tests can do: nightly succeeds and has checks fail, daily is refused by a blocking check, again fails and is
// run again.
var (
	sales = asset.New("sales", func(*asset.Context) (int, error) { return 1, nil }, nil)
	bad   = asset.New("bad", func(*asset.Context) (int, error) { return 1, nil }, nil)
	down  = asset.New("down", func(*asset.Context) (int, error) { return 0, errors.New("down again") }, nil)

	fine = judged("fine", true, check.Error, sales)
	soft = judged("soft", false, check.Warn, sales)
	gate = check.New1("gate", func(*asset.Context, int) (check.Result, error) { return check.Result{}, nil }, bad, check.Blocking)

	nightly = job.New("nightly", asset.List{sales}, nil)
	daily   = job.New("daily", asset.List{bad}, nil)
	again   = job.New("again", asset.List{down}, &job.Options{Retry: job.Retry{Max: 1}})

	slow = notify.Webhook("slow", &notify.WebhookOptions{Limits: notify.Limits{Rate: 0.001, Burst: 1}, URL: "https://hooks.example/slow"})
)

func judged(name string, passed bool, severity check.Severity, of *asset.Asset[int]) *check.Check {
	return check.New1(name, func(*asset.Context, int) (check.Result, error) { return check.Result{Passed: passed}, nil }, of, &check.Options{Severity: severity})
}

// shop is a deployment with those jobs.
func shop(t *testing.T, sensors ...*sensor.Sensor) *world {
	t.Helper()
	w := setup(t, nil)
	w.defs.Assets = append(w.defs.Assets, sales, bad, down)
	w.defs.Checks = check.List{fine, soft, gate}
	w.defs.Jobs = append(w.defs.Jobs, nightly, daily, again)
	w.defs.Channels = append(w.defs.Channels, slow)
	w.defs.Sensors = sensors
	if err := w.defs.Validate(); err != nil {
		t.Fatal(err)
	}
	w.open(nil)
	return w
}

func (w *world) runOf(j *job.Job) run.ID {
	w.t.Helper()
	return w.runJob(j.Name, w.courier.Publish())
}

// publishing runs a job and hands its events to somebody else.
func (w *world) publishing(j *job.Job, publish func(context.Context, []event.Event) error) run.ID {
	w.t.Helper()
	id, err := w.store.Launch(context.Background(), run.Request{Job: j.Name})
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := engine.New(w.store, w.defs, &engine.Options{Publish: publish}).Run(context.Background(), id, nil); err != nil {
		w.t.Logf("the run ended with %v", err)
	}
	return id
}

// without is a process whose definitions lack sensors, or channels.
func (w *world) without(sensors, channels bool) *courier.Courier {
	defs := w.defs
	if sensors {
		defs.Sensors = nil
	}
	if channels {
		defs.Channels = nil
	}
	return courier.New(w.store, defs, &courier.Options{Sender: w.server.sender, Worker: "another"})
}

func (w *world) explain(c *courier.Courier, id run.ID) courier.Explanation {
	w.t.Helper()
	x, err := c.Explain(context.Background(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return x
}

// later works off what is due, every hour for a time.
func (w *world) later(c *courier.Courier, span time.Duration) {
	w.t.Helper()
	for until := time.Now().Add(span); ; time.Sleep(time.Hour) {
		if err := c.Once(context.Background()); err != nil {
			w.t.Fatal(err)
		}
		if !time.Now().Before(until) {
			return
		}
	}
}

// what names an event.
func what(e event.Event) string {
	switch e.Type {
	case event.Materialized:
		return string(e.Asset)
	case event.Evaluated:
		return e.Check
	}
	return string(e.Status)
}

// decision is that of the one sensor for an event.
func decision(t *testing.T, x courier.Explanation, event string) courier.Decision {
	t.Helper()
	if len(x.Sensors) != 1 {
		t.Fatalf("%d sensors", len(x.Sensors))
	}
	for _, d := range x.Sensors[0].Decisions {
		if what(d.Event) == event {
			return d
		}
	}
	t.Fatalf("no event %s among %+v", event, x.Sensors[0].Decisions)
	return courier.Decision{}
}

// message is the last one that the one sensor gave.
func message(t *testing.T, x courier.Explanation, event string) courier.Told {
	t.Helper()
	d := decision(t, x, event)
	if len(d.Messages) == 0 {
		t.Fatalf("no message: %+v", d)
	}
	return d.Messages[len(d.Messages)-1]
}

// said is a reason with what is said of it.
type said struct{ reason, text, error string }

func ofDecision(d courier.Decision) said { return said{d.Reason, d.Text, d.Error} }
func ofTold(m courier.Told) said         { return said{m.Reason, m.Text, m.Error} }

// quiet sensors say nothing.
func quietRun(*sensor.Context, sensor.Run) error            { return nil }
func quietAsset(*sensor.Context, run.Materialization) error { return nil }
func quietCheck(*sensor.Context, run.CheckResult) error     { return nil }
func noteOf(x courier.Explanation, reason string) (found said) {
	for _, n := range x.Notes {
		if n.Reason == reason {
			return said{n.Reason, n.Text, ""}
		}
	}
	return said{}
}

// ofEvents are situations for each reason of an event, with a word of what is said.
var ofEvents = []struct {
	reason, word string
	arrange      func(t *testing.T) said
}{
	{"other_event", "asset materialized", func(t *testing.T) said {
		return derived(t, sensor.OnAsset("s", quietAsset, sales, nil), nightly, "SUCCESS")
	}},
	{"other_status", "come to FAILURE", func(t *testing.T) said {
		return derived(t, sensor.OnRunFailure("s", quietRun, nil), nightly, "STARTED")
	}},
	{"resolves", "nobody waited", func(t *testing.T) said {
		return derived(t, sensor.OnRunFailure("s", quietRun, nil), nightly, "SUCCESS")
	}},
	{"nothing_open", "another success", func(t *testing.T) said {
		w := shop(t, reports("s", slack))
		w.run()
		w.once()
		w.fails = false
		w.run() // ends it
		time.Sleep(time.Second)
		id := w.run()
		w.once()
		return ofDecision(decision(t, w.explain(w.courier, id), "SUCCESS"))
	}},
	{"other_status", "come to CANCELED or QUEUED", func(t *testing.T) said {
		return derived(t, sensor.OnRunStatus("s", []run.Status{run.Canceled, run.Queued}, quietRun, nil), nightly, "SUCCESS")
	}},
	{"other_job", "runs of daily and again alone", func(t *testing.T) said {
		return derived(t, sensor.OnRunSuccess("s", quietRun, &sensor.Options{Jobs: job.List{daily, again}}), nightly, "SUCCESS")
	}},
	{"will_be_retried", "run again", func(t *testing.T) said { return derived(t, sensor.OnRunFailure("s", quietRun, nil), again, "FAILURE") }},
	{"other_asset", "bad alone", func(t *testing.T) said {
		return derived(t, sensor.OnAsset("s", quietAsset, bad, nil), nightly, "sales")
	}},
	{"refused", "blocking check", func(t *testing.T) said { return derived(t, sensor.OnAsset("s", quietAsset, bad, nil), daily, "bad") }},
	{"passed", "did not fail", func(t *testing.T) said {
		return derived(t, sensor.OnCheckFailed("s", quietCheck, nil), nightly, "fine")
	}},
	{"other_check", "gate alone", func(t *testing.T) said {
		return derived(t, sensor.OnCheckFailed("s", quietCheck, &sensor.Options{Checks: check.List{gate}}), nightly, "soft")
	}},
	{"less_severe", "severity ERROR", func(t *testing.T) said {
		return derived(t, sensor.OnCheckFailed("s", quietCheck, &sensor.Options{Severity: check.Error}), nightly, "soft")
	}},
	{"later_missed", "a later tick", func(t *testing.T) said {
		w, late := sleptOver(t, 4*time.Hour, nil)
		return ofDecision(decision(t, w.explain(w.courier, late[0].Run), ""))
	}},
	{"notified", "in their channels", func(t *testing.T) said {
		w, late := sleptOver(t, 4*time.Hour, nil)
		w.once()
		x := w.explain(w.courier, late[3].Run)
		d := decision(t, x, "")
		if len(d.Messages) != 1 || len(x.Steps) != 0 || d.Event.TickStatus != event.TickLate {
			t.Errorf("%+v", x)
		}
		return ofDecision(d)
	}},
	{"not_published", "not published", func(t *testing.T) said {
		w, late := sleptOver(t, 4*time.Hour, nil)
		return ofDecision(decision(t, w.explain(w.courier, late[3].Run), ""))
	}},
	{"not_told", "nothing is stored", func(t *testing.T) said {
		w, late := sleptOver(t, 4*time.Hour, nil)
		owed, err := w.store.OwedEvents(context.Background(), store.Here, 10)
		if err != nil || len(owed) != 1 {
			t.Fatal(owed, err)
		}
		if err := w.store.Published(context.Background(), owed[0]); err != nil {
			t.Fatal(err)
		}
		return ofDecision(decision(t, w.explain(w.courier, late[3].Run), ""))
	}},
	{"not_published", "not published", func(t *testing.T) said {
		w := shop(t, tellsOfSuccess(slack))
		id := w.publishing(nightly, func(context.Context, []event.Event) error { return errors.New("the bus is down") })
		return ofDecision(decision(t, w.explain(w.courier, id), "SUCCESS"))
	}},
	{"not_told", "nothing is stored", func(t *testing.T) said {
		w := shop(t, tellsOfSuccess(slack))
		id := w.publishing(nightly, func(context.Context, []event.Event) error { return nil })
		w.once()
		return ofDecision(decision(t, w.explain(w.courier, id), "SUCCESS"))
	}},
	{"pending", "yet to be called", func(t *testing.T) said {
		w := shop(t, tellsOfSuccess(slack))
		return ofDecision(decision(t, w.explain(w.courier, w.runOf(nightly)), "SUCCESS"))
	}},
	{"working", "being called", func(t *testing.T) (got said) {
		var w *world
		w = shop(t, sensor.OnRunSuccess("s", func(_ *sensor.Context, r sensor.Run) error {
			got = ofDecision(decision(t, w.explain(w.courier, r.ID), "SUCCESS"))
			return nil
		}, nil))
		w.runOf(nightly)
		w.once()
		return got
	}},
	{"retrying", "again from 2000-01-01 00:00:01 UTC on", func(t *testing.T) said {
		return evaluated(t, 0, func(*sensor.Context, sensor.Run) error { return errors.New("oh") })
	}},
	{"handler_failed", "failed", func(t *testing.T) said {
		return evaluated(t, 6*time.Hour, func(*sensor.Context, sensor.Run) error { return errors.New("oh") })
	}},
	{"mistake", "wrongly", func(t *testing.T) said {
		return evaluated(t, 0, func(ctx *sensor.Context, _ sensor.Run) error {
			return ctx.Notify(notify.Message{Text: "x"}, notify.Slack("stranger", nil))
		})
	}},
	{"quiet", "nothing to say", func(t *testing.T) said { return evaluated(t, 0, quietRun) }},
	{"notified", "in their channels", func(t *testing.T) said {
		return evaluated(t, 0, func(ctx *sensor.Context, _ sensor.Run) error { return ctx.Notify(notify.Message{Text: "x"}, slack) })
	}},
	{"switched_off", "was off", func(t *testing.T) said {
		w := shop(t, tellsOfSuccess(slack))
		id := w.runOf(nightly)
		if err := w.store.Switch(t.Context(), "s", false, "me"); err != nil {
			t.Fatal(err)
		}
		w.once()
		x := w.explain(w.courier, id)
		if x.Sensors[0].Switch.On {
			t.Error("the sensor is on")
		}
		return ofDecision(decision(t, x, "SUCCESS"))
	}},
	{"unknown_sensor", "no sensor of this name", func(t *testing.T) said { // given up
		w := shop(t, tellsOfSuccess(slack))
		id := w.runOf(nightly)
		w.later(w.without(true, false), 26*time.Hour)
		return ofDecision(decision(t, w.explain(w.courier, id), "SUCCESS"))
	}},
	{"unknown_sensor", "no sensor of this name", func(t *testing.T) said { // and as the process without it sees it
		w := shop(t, tellsOfSuccess(slack))
		x := w.explain(w.without(true, false), w.runOf(nightly))
		if x.Sensors[0].Sensor != nil || x.Sensors[0].Name != "s" {
			t.Errorf("%+v", x.Sensors)
		}
		return ofDecision(decision(t, x, "SUCCESS"))
	}},
	{"log_expired", "nothing was known", func(t *testing.T) said {
		w := shop(t, sensor.OnAsset("s", quietAsset, sales, nil))
		id := w.runOf(nightly)
		time.Sleep(100 * 24 * time.Hour)
		w.once()
		return ofDecision(decision(t, w.explain(w.courier, id), "sales"))
	}},
}

// folds are situations for each reason for which nothing is sent.
var folds = map[string]func(t *testing.T, w *world) (run.ID, string){
	courier.ReasonSameFailure: func(_ *testing.T, w *world) (run.ID, string) {
		w.run()
		w.once()
		return w.run(), "FAILURE"
	},
	courier.ReasonOlderEvent: func(t *testing.T, w *world) (run.ID, string) {
		var late []event.Event
		id := w.runJob("job", func(_ context.Context, events []event.Event) error { late = append(late, events...); return nil })
		time.Sleep(time.Minute)
		w.run()
		w.once()
		if err := w.courier.Publish()(t.Context(), late); err != nil {
			t.Fatal(err)
		}
		return id, "FAILURE"
	},
	courier.ReasonNothingOpen: func(_ *testing.T, w *world) (run.ID, string) {
		w.server.answer = func(string, int, notify.Content) notify.Answer { return notify.Answer{Kind: notify.Retry} }
		w.run()
		w.once()
		time.Sleep(time.Minute)
		w.fails = false
		id := w.run()
		w.once()
		w.server.answer = nil
		time.Sleep(time.Hour)
		return id, "SUCCESS"
	},
}

// tellsOfSuccess is a sensor that gives a message of each run that succeeded.
func tellsOfSuccess(channels ...*notify.Channel) *sensor.Sensor {
	return sensor.OnRunSuccess("s", func(ctx *sensor.Context, _ sensor.Run) error {
		if err := ctx.Notify(notify.Message{Text: "one"}, channels...); err != nil {
			return err
		}
		return ctx.Notify(notify.Message{Text: "two"}, channels...)
	}, nil)
}

// derived is what is said of an event that a sensor is not called for.
func derived(t *testing.T, s *sensor.Sensor, j *job.Job, event string) said {
	t.Helper()
	w := shop(t, s)
	id := w.runOf(j)
	w.once()
	d := decision(t, w.explain(w.courier, id), event)
	if d.Stored || d.State != "" {
		t.Errorf("something is stored: %+v", d)
	}
	return ofDecision(d)
}

// evaluated is what is said of a run that succeeded when a function has been called for it, over a time.
func evaluated(t *testing.T, span time.Duration, fn func(*sensor.Context, sensor.Run) error) said {
	t.Helper()
	w := shop(t, sensor.OnRunSuccess("s", fn, nil))
	id := w.runOf(nightly)
	w.later(w.courier, span)
	d := decision(t, w.explain(w.courier, id), "SUCCESS")
	if !d.Stored || d.State == "" || d.Attempts == 0 {
		t.Errorf("nothing is stored: %+v", d)
	}
	return ofDecision(d)
}

// ofMessages are situations for each reason of a message that the courier gives itself.
var ofMessages = []struct {
	reason, word string
	arrange      func(t *testing.T) said
}{
	{"waiting", "not been sent", func(t *testing.T) said {
		w := shop(t, tellsOfSuccess(slack))
		id := w.runOf(nightly)
		w.stepTells(id)
		return ofTold(w.explain(w.courier, id).Steps[0])
	}},
	{"rate", "0.001 a second", func(t *testing.T) said {
		w := shop(t, tellsOfSuccess(slow))
		id := w.runOf(nightly)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- w.courier.Once(ctx) }()
		time.Sleep(30 * time.Second)
		x := w.explain(w.courier, id)
		stop()
		<-done
		if d := decision(t, x, "SUCCESS"); len(d.Messages) != 2 || d.Messages[0].Reason != "taken" || d.Given != 2 {
			t.Errorf("%+v", d)
		}
		return ofTold(message(t, x, "SUCCESS"))
	}},
	{"given_up", "as long as", func(t *testing.T) said {
		return sent(t, 8*24*time.Hour, notify.Answer{Kind: notify.Retry, Reason: notify.ReasonServerError, Error: "500"})
	}},
	{"too_large", "every size", func(t *testing.T) said {
		return sent(t, 0, notify.Answer{Kind: notify.Smaller, Reason: notify.ReasonTooLarge})
	}},
	{"too_large", "every size", func(t *testing.T) said {
		return sent(t, 0, notify.Answer{Kind: notify.Smaller, Reason: notify.ReasonRefused})
	}},
	{"no_channel", "no channel of this name", func(t *testing.T) said { // another process looked
		w := shop(t)
		id := w.runOf(nightly)
		w.stepTells(id)
		if err := w.without(false, true).Once(t.Context()); err != nil {
			t.Fatal(err)
		}
		return ofTold(w.explain(w.courier, id).Steps[0])
	}},
	{"no_channel", "no channel of this name", func(t *testing.T) said { // and this one
		w := shop(t)
		id := w.runOf(nightly)
		w.stepTells(id)
		return ofTold(w.explain(w.without(false, true), id).Steps[0])
	}},
	{"not_configured", "lacks a setting", func(t *testing.T) said {
		w := shop(t, tellsOfSuccess(slack))
		id := w.runOf(nightly)
		if err := courier.New(w.store, w.defs, &courier.Options{Sender: func(*notify.Definition) (notify.Sender, error) {
			return nil, errors.New("set SLACK_WEBHOOK_URL")
		}}).Once(t.Context()); err != nil {
			t.Fatal(err)
		}
		m := message(t, w.explain(w.courier, id), "SUCCESS")
		if m.State != courier.Parked || m.Error != "set SLACK_WEBHOOK_URL" {
			t.Errorf("%+v", m)
		}
		return ofTold(m)
	}},
	{"unreadable", "read back", func(t *testing.T) said {
		w := shop(t)
		id := w.runOf(nightly)
		if _, err := w.store.PutCall(t.Context(), store.Out{Channel: "slack", Time: time.Now().UTC(), Run: id, Source: "sales", Call: "1", Body: []byte("{")}); err != nil {
			t.Fatal(err)
		}
		w.once()
		return ofTold(w.explain(w.courier, id).Steps[0])
	}},
}

// stepTells has a step give a message that nobody sends yet.
func (w *world) stepTells(id run.ID) {
	w.t.Helper()
	call := engine.Call{Run: id, Step: "sales", Number: 1, Message: notify.Message{Text: "of a step"}, Channels: []*notify.Channel{slack}}
	if _, err := w.courier.Notify()(context.Background(), call); err != nil {
		w.t.Fatal(err)
	}
}

// sent is what is said of a message that a service answers so, over a time.
func sent(t *testing.T, span time.Duration, a notify.Answer) said {
	t.Helper()
	w := shop(t, sensor.OnRunSuccess("s", func(ctx *sensor.Context, _ sensor.Run) error { return ctx.Notify(notify.Message{Text: "x"}, slack) }, nil))
	w.server.answer = func(string, int, notify.Content) notify.Answer { return a }
	id := w.runOf(nightly)
	w.later(w.courier, span)
	return ofTold(message(t, w.explain(w.courier, id), "SUCCESS"))
}

// ofRuns are situations for each note.
var ofRuns = []struct {
	reason  string
	arrange func(t *testing.T) (w *world, c *courier.Courier, id run.ID)
}{
	{"no_sensors", func(t *testing.T) (*world, *courier.Courier, run.ID) {
		w := shop(t)
		return w, w.courier, w.runOf(nightly)
	}},
	{"not_ended", func(t *testing.T) (*world, *courier.Courier, run.ID) {
		w := shop(t, tellsOfSuccess(slack))
		id, err := w.store.Launch(t.Context(), run.Request{Job: "nightly"})
		if err != nil {
			t.Fatal(err)
		}
		return w, w.courier, id
	}},
	{"will_be_retried", func(t *testing.T) (*world, *courier.Courier, run.ID) {
		w := shop(t, tellsOfSuccess(slack))
		return w, w.courier, w.runOf(again)
	}},
	{"canceled", func(t *testing.T) (*world, *courier.Courier, run.ID) {
		w := shop(t, tellsOfSuccess(slack))
		id, err := w.store.Launch(t.Context(), run.Request{Job: "nightly"})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.store.RequestCancel(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		if _, err := engine.New(w.store, w.defs, &engine.Options{Publish: w.courier.Publish()}).Run(t.Context(), id, nil); err != nil {
			t.Fatal(err)
		}
		return w, w.courier, id
	}},
	{"log_expired", func(t *testing.T) (*world, *courier.Courier, run.ID) {
		w := shop(t, tellsOfSuccess(slack))
		id := w.runOf(nightly)
		time.Sleep(100 * 24 * time.Hour)
		return w, w.courier, id
	}},
	{"messages_gone", func(t *testing.T) (*world, *courier.Courier, run.ID) {
		w := shop(t, tellsOfSuccess(slack))
		id := w.runOf(nightly)
		w.once()
		return w, w.without(false, true), id
	}},
}

// answers are the kinds of answer that services' reasons come with; those that do not come up in ofMessages.
var answers = map[notify.Reason]notify.AnswerKind{
	notify.ReasonTaken: notify.Sent, notify.ReasonEdited: notify.Sent, notify.ReasonStored: notify.Sent,
	notify.ReasonRateLimited: notify.Retry, notify.ReasonNoAnswer: notify.Retry, notify.ReasonCutOff: notify.Retry, notify.ReasonServerError: notify.Retry,
	notify.ReasonNotWritten: notify.Retry, notify.ReasonCanceled: notify.Retry,
	notify.ReasonRecipientsRefused: notify.Recipient,
	notify.ReasonGone:              notify.Park, notify.ReasonDenied: notify.Park, notify.ReasonTLS: notify.Park, notify.ReasonNoStartTLS: notify.Park,
	notify.ReasonNoRecipients: notify.Park, notify.ReasonRejected: notify.Park,
}

func TestEachReasonIsExplainedWhereItIsTheReason(t *testing.T) {
	t.Parallel()
	seen := map[string][]string{}
	try := func(table, reason, word string, arrange func(*testing.T) said) {
		seen[table] = append(seen[table], reason)
		t.Run(table+" "+reason, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if got := arrange(t); got.reason != reason || !strings.Contains(got.text, word) || strings.ContainsAny(got.text, "{}") {
					t.Errorf("%+v; want %s and %q", got, reason, word)
				}
			})
		})
	}
	for _, c := range ofEvents {
		try("events", c.reason, c.word, c.arrange)
	}
	for _, c := range ofMessages {
		try("messages", c.reason, c.word, c.arrange)
	}
	for reason, arrange := range folds {
		try("messages", reason, " ", func(t *testing.T) said {
			w := shop(t, reports("s", slack))
			id, of := arrange(t, w)
			w.once()
			return ofTold(message(t, w.explain(w.courier, id), of))
		})
	}
	for reason, kind := range answers {
		try("messages", string(reason), " ", func(t *testing.T) said {
			got := sent(t, 0, notify.Answer{Kind: kind, Reason: reason, Error: "what it said"})
			if got.error != "what it said" {
				t.Errorf("error %q", got.error)
			}
			return got
		})
	}
	for _, c := range ofRuns {
		try("notes", c.reason, " ", func(t *testing.T) said {
			w, courier, id := c.arrange(t)
			return noteOf(w.explain(courier, id), c.reason)
		})
	}
	events, messages, notes := courier.Reasons()
	for table, reasons := range map[string][]string{"events": events, "messages": messages, "notes": notes} {
		for _, r := range reasons {
			if !slices.Contains(seen[table], r) {
				t.Errorf("no case of %s has the reason %s", table, r)
			}
		}
	}
}

func TestAMessageWhoseEventIsNotStoredAnyMoreIsListed(t *testing.T) {
	t.Parallel()
	w := shop(t, tellsOfSuccess(slack))
	id := w.runOf(nightly)
	for _, source := range []string{"s", "ghost"} {
		if _, err := w.store.PutCall(t.Context(), store.Out{Channel: "slack", Time: time.Now().UTC(), Run: id, Source: source, Call: "1", Event: "gone", Body: []byte("{}")}); err != nil {
			t.Fatal(err)
		}
	}
	if x := w.explain(w.courier, id); len(x.Steps) != 2 {
		t.Errorf("%+v", x.Steps)
	}
}

// unsaid are reasons that nobody is ever told by an explanation, and why.
var unsaid = map[string]string{
	"sensor.Matched":         "what became of the event is said instead",
	"courier.ReasonLaunched": "what the clock calls is of no run",
	"courier.ReasonSkipped":  "what the clock calls is of no run",
	"notify.ReasonRefused":   "the next size is tried, and at last the reason is too_large",
}

func TestEachReasonInTheCodeHasWordsForPeople(t *testing.T) {
	t.Parallel()
	events, messages, notes := courier.Reasons()
	found := 0
	for _, c := range []struct {
		files  string
		isOurs func(name, kind string) bool
		among  []string
	}{
		{"../sensor/*.go", func(_, kind string) bool { return kind == "Reason" }, events},
		{"../notify/*.go", func(_, kind string) bool { return kind == "Reason" }, messages},
		{"*.go", func(name, _ string) bool { return strings.HasPrefix(name, "Reason") || strings.HasPrefix(name, "Note") }, slices.Concat(events, messages, notes)},
	} {
		for name, value := range constants(t, c.files, c.isOurs) {
			if found++; !slices.Contains(c.among, value) && unsaid[name] == "" {
				t.Errorf("%s (%q) has no words; add it to the tables in words.go, or say in this test why nobody is told it", name, value)
			}
		}
	}
	guide, err := os.ReadFile("../../docs/alerts.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, reason := range slices.Concat(events, messages) {
		if !strings.Contains(string(guide), "`"+reason+"`") {
			t.Errorf("docs/alerts.md does not say what %s means", reason)
		}
	}
	if found < 40 {
		t.Errorf("found only %d reasons", found)
	}
}

// constants returns the string constants of a package's files, by package and name. kind is the type that they are declared with; "" for none.
func constants(t *testing.T, files string, isOurs func(name, kind string) bool) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(files)
	if err != nil || len(paths) == 0 {
		t.Fatalf("no files %s: %v", files, err)
	}
	all := map[string]string{}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			decl, ok := d.(*ast.GenDecl)
			if !ok || decl.Tok != token.CONST {
				continue
			}
			for _, s := range decl.Specs {
				spec := s.(*ast.ValueSpec)
				kind, _ := spec.Type.(*ast.Ident)
				typed := ""
				if kind != nil {
					typed = kind.Name
				}
				for i, name := range spec.Names {
					if i >= len(spec.Values) || !isOurs(name.Name, typed) {
						continue
					}
					if lit, ok := spec.Values[i].(*ast.BasicLit); ok && lit.Kind == token.STRING {
						value, err := strconv.Unquote(lit.Value)
						if err != nil {
							t.Fatal(err)
						}
						all[file.Name.Name+"."+name.Name] = value
					}
				}
			}
		}
	}
	return all
}
