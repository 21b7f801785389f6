package cli_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"waggle/shared/asset"
	"waggle/shared/fault"
	"waggle/shared/notify"
)

func TestItIsExplainedWhoWasToldOfARun(t *testing.T) {
	t.Parallel()
	d, r := alerting(t)
	d.app.Version = "v1"
	shout := asset.Do("shout", func(ctx *asset.Context) error {
		return ctx.Notify(notify.Message{Text: "hear"}, d.app.Definitions.Channels[0])
	}, nil)
	d.app.Definitions.Assets = slices.Concat(d.app.Definitions.Assets, asset.List{shout})
	none := d.transcript("alerts explain LAST")
	d.must(0, "run", "--select", "shout")
	success := d.transcript("alerts explain LAST", "alerts explain LAST --json", "alerts explain LAST -o jsonl")
	d.must(1, "run", "--select", "orders,totals", "--config", "fail=error")
	told := d.transcript("alerts explain latest")
	r.answer = &notify.Answer{Kind: notify.Park, Reason: notify.ReasonGone, Error: "410 channel_is_archived"}
	d.must(1, "run", "--select", "orders,totals", "--config", "fail=error")
	parked := d.transcript("alerts explain LAST")
	d.must(0, "sensors", "off", "on_success")
	d.must(0, "run", "--select", "orders", "--config", "orders=7")
	off := d.transcript("alerts explain LAST")
	d.must(0, "sensors", "on", "on_success")
	d.must(0, "run", "--select", "orders", "--config", "orders=7")
	d.app.Version = "v2"
	failing := d.transcript("alerts explain LAST")
	d.launch(1)
	golden(t, "alerts_explain", none+success+told+parked+off+failing+d.transcript("alerts explain LAST", "alerts explain zzzz", "alerts explain", "alerts lost"))
}

func TestARunFromBeforeItsSensorIsExplained(t *testing.T) {
	t.Parallel()
	d, r := alerting(t)
	sensors := d.app.Definitions.Sensors
	d.app.Definitions.Sensors = nil
	d.must(1, "run", "--select", "orders,totals", "--config", "fail=error")
	if out, _ := d.must(0, "alerts", "explain", "LAST"); !strings.Contains(out, "there is no sensor in the definitions") || !strings.Contains(out, "told      nobody") {
		t.Errorf("without sensors: %s", out)
	}
	d.app.Definitions.Sensors = sensors
	out, _ := d.must(0, "alerts", "explain", "LAST")
	for _, want := range []string{"NOT TOLD", "not_told", "told      nobody", "waggle sensors test on_failure --run " + d.newest().Short() + " --send"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if len(r.got) != 0 {
		t.Errorf("sent %q", r.got)
	}
}

func TestTheRunThatRetriesOneIsNamed(t *testing.T) {
	t.Parallel()
	d, _ := alerting(t)
	d.must(1, "run", "--select", "orders,totals", "--config", "fail=error")
	first := d.newest()
	d.must(1, "runs", "retry", "LAST")
	if out, _ := d.must(0, "alerts", "explain", string(first)); !strings.Contains(out, "waggle alerts explain "+d.newest().Short()) {
		t.Errorf("%s", out)
	}
}

// standIn takes messages in place of a channel that is not configured.
type standIn struct{}

func (standIn) Send(context.Context, string, notify.Content, notify.Thread) notify.Answer {
	return notify.Answer{Kind: notify.Sent, Reason: notify.ReasonStored, Where: "outbox/1.html"}
}

func (standIn) Missing() []string { return []string{"env:SLACK_WEBHOOK_URL", "SMTP_HOST"} }

func TestWhatIsInTheOutboxHasReachedNobody(t *testing.T) {
	t.Parallel()
	d, _ := alerting(t)
	d.app.Senders = func(context.Context, string, notify.List) (func(*notify.Definition) (notify.Sender, error), error) {
		return func(*notify.Definition) (notify.Sender, error) { return standIn{}, nil }, nil
	}
	d.must(1, "run", "--select", "orders,totals", "--config", "fail=error")
	out, _ := d.must(0, "alerts", "explain", "LAST")
	for _, want := range []string{"1 message: 1 in the outbox", "outbox/1.html", "OUTBOX", "not_configured", "set SLACK_WEBHOOK_URL or SMTP_HOST"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if out, _ := d.must(0, "channels"); !strings.Contains(out, "○ OUTBOX") || !strings.Contains(out, "its messages go to the outbox; set SLACK_WEBHOOK_URL or SMTP_HOST") {
		t.Errorf("channels: %s", out)
	}
	out, talk := d.must(0, "channels", "test", "slack")
	if out != "put into the outbox: outbox/1.html\n" || talk != "nothing was sent: slack is not configured; set SLACK_WEBHOOK_URL or SMTP_HOST\n" {
		t.Errorf("channels test: %s%s", out, talk)
	}
	d.app.Senders = func(context.Context, string, notify.List) (func(*notify.Definition) (notify.Sender, error), error) {
		return nil, fault.New(fault.Invalid, "SLACK_WEBHOOK_URL is no URL")
	}
	if out, _ := d.must(0, "alerts", "explain", "LAST"); !strings.Contains(out, "PARKED") || !strings.Contains(out, "SLACK_WEBHOOK_URL is no URL") {
		t.Errorf("%s", out)
	}
}
