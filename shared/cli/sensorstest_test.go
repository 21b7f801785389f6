package cli_test

import (
	"encoding/json"
	"strings"
	"testing"

	"waggle/shared/notify"
)

func TestASensorIsTriedOnAPastRun(t *testing.T) {
	t.Parallel()
	d, r := alerting(t)
	d.must(0, "run", "--select", "orders")
	d.must(0, "run", "--select", "orders", "--config", "orders=7") // the function of on_success fails on it
	failing := string(d.newest())
	d.must(1, "run", "--select", "totals", "--config", "fail=error") // one step: the order is known
	d.must(0, "sensors", "off", "on_failure")
	before, _ := d.must(0, "deliveries", "--json")
	events, _ := d.must(0, "sensors", "show", "on_failure", "--json")
	r.got = nil
	golden(t, "sensors_test", d.transcript(
		"sensors test on_failure",
		"sensors test on_failure --run latest --json",
		"sensors test on_failure --run last -o jsonl",
		"sensors test on_success",
		"sensors test on_success --json",
		"sensors test on_success -o jsonl",
		"sensors test on_success --run "+failing,
		"sensors test on_success --run "+failing+" --json",
		"sensors test on_failur",
		"sensors test on_failure --run zzzz",
		"sensors test",
	))
	if len(r.got) != 0 {
		t.Errorf("sent %q", r.got)
	}
	if out, _ := d.must(0, "sensors", "show", "on_failure", "--json"); out != events {
		t.Errorf("events are now %s", out)
	}
	if out, _ := d.must(0, "deliveries", "--json"); out != before {
		t.Errorf("deliveries are now %s", out)
	}
}

func TestASensorsMessageIsSentAsATest(t *testing.T) {
	t.Parallel()
	d, r := alerting(t)
	d.must(0, "run", "--select", "orders")
	d.must(1, "run", "--select", "totals", "--config", "fail=error") // one step: the order is known
	before, _ := d.must(0, "deliveries", "--json")
	r.got = nil
	sent := d.transcript("sensors test on_failure --send")
	if len(r.got) != 1 || r.got[0] != "[TEST] it failed" {
		t.Errorf("sent %q", r.got)
	}
	out, _ := d.must(0, "sensors", "test", "on_failure", "--send", "--json")
	var got struct {
		Calls []struct {
			Messages []struct {
				Sent struct{ Channel, Answer, Ref string }
			}
		}
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || len(got.Calls) != 1 || got.Calls[0].Messages[0].Sent.Answer != "sent" || got.Calls[0].Messages[0].Sent.Ref != "message-1" {
		t.Errorf("%v, %s", err, out)
	}
	r.answer = &notify.Answer{Kind: notify.Park, Reason: "gone", Error: "410 channel_is_archived"}
	golden(t, "sensors_test_send", sent+d.transcript("sensors test on_failure --send"))
	r.answer = &notify.Answer{Kind: notify.Smaller, Reason: notify.ReasonTooLarge}
	if out, _ := d.must(3, "sensors", "test", "on_failure", "--send", "--json"); !strings.Contains(out, `"rung": 2`) {
		t.Errorf("%s", out)
	}
	if out, _ := d.must(0, "deliveries", "--json"); out != before {
		t.Errorf("deliveries are now %s", out)
	}
	if out, _ := d.must(0, "channels"); !strings.Contains(out, "READY") {
		t.Errorf("a test has parked the channel: %s", out)
	}
}
