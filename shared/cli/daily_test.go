package cli_test

import (
	"strings"
	"testing"
	"time"

	"waggle/shared/notify"
	"waggle/shared/sensor"
)

func TestADailySummaryIsListedAndTriedOnTheDayUpToNow(t *testing.T) {
	t.Parallel()
	d, r := alerting(t)
	d.app.Definitions.Sensors = append(d.app.Definitions.Sensors,
		sensor.Daily("daily_summary", "07:00", notify.List{d.app.Definitions.Channels[0]}, &sensor.DailyOptions{TimeZone: "Europe/London", Description: "What ran."}))
	quiet := d.transcript("sensors test daily_summary")
	d.must(0, "run", "--select", "orders")
	d.must(1, "run", "--select", "totals", "--config", "fail=error")
	r.got = nil
	golden(t, "daily", quiet+d.transcript(
		"sensors test daily_summary",
		"sensors test daily_summary -o json",
		"sensors test daily_summary --run LAST",
	))
	if len(r.got) != 0 {
		t.Errorf("sent %q", r.got)
	}
	if out, _ := d.must(0, "sensors", "test", "daily_summary", "--send"); len(r.got) != 1 || !strings.HasPrefix(r.got[0], "[TEST] ") || !strings.Contains(r.got[0], "daily summary") {
		t.Errorf("sent %q\n%s", r.got, out)
	}
	if out, _ := d.must(0, "sensors"); !strings.Contains(out, "daily summary at 07:00 Europe/London") {
		t.Error(out)
	}
}

func TestALookOfTheMonitorSendsTheSummaryOfADay(t *testing.T) {
	t.Parallel()
	d, r := alerting(t)
	d.app.Definitions.Sensors = sensor.List{sensor.Daily("daily_summary", "07:00", notify.List{d.app.Definitions.Channels[0]}, nil)}
	d.must(0, "monitor", "--once") // it is two in the morning: the sensor is new
	d.must(0, "run", "--select", "orders")
	d.must(0, "monitor", "--once")
	if len(r.got) != 0 {
		t.Errorf("sent %q", r.got)
	}
	d.now = d.now.Add(5 * time.Hour)
	for range 2 {
		d.must(0, "monitor", "--once")
	}
	if len(r.got) != 1 || r.got[0] != "▲ WARNING daily summary 2026-11-22: 1 run" {
		t.Errorf("sent %q", r.got)
	}
	if out, _ := d.must(0, "sensors"); !strings.Contains(out, "NOTIFIED") {
		t.Error(out)
	}
	if out, _ := d.must(0, "sensors", "show", "daily_summary"); !strings.Contains(out, "2026-11-22 07:00:00 UTC") {
		t.Error(out)
	}
}
