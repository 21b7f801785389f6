package sensor_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"waggle/shared/notify"
	"waggle/shared/sensor"
)

var team = notify.Mail("team", nil)

func ExampleDaily() {
	summary := sensor.Daily("daily_summary", "07:00", notify.List{team}, &sensor.DailyOptions{TimeZone: "Europe/London"})
	def := summary.Definition()
	fmt.Println(def.Kind, "at", def.At)
	for at := time.Date(2026, 3, 28, 0, 0, 0, 0, time.UTC); at.Day() < 30; { // clocks go forward on the 29th
		at = def.At.Next(at)
		fmt.Println(at.UTC())
	}
	// Output:
	// daily summary at 07:00 Europe/London
	// 2026-03-28 07:00:00 +0000 UTC
	// 2026-03-29 06:00:00 +0000 UTC
	// 2026-03-30 06:00:00 +0000 UTC
}

func TestAMistakeInADailySummaryIsFound(t *testing.T) {
	t.Parallel()
	for want, s := range map[string]*sensor.Sensor{
		`its time is "7 am"; write hours and minutes, 07:00`: sensor.Daily("s", "7 am", notify.List{team}, nil),
		`its time is "24:00"`:                                sensor.Daily("s", "24:00", notify.List{team}, nil),
		`time zone "Europe/Lndon" does not`:                  sensor.Daily("s", "07:00", notify.List{team}, &sensor.DailyOptions{TimeZone: "Europe/Lndon"}),
		"it has no channel":                                  sensor.Daily("s", "07:00", nil, nil),
		"channel 2 is nil":                                   sensor.Daily("s", "07:00", notify.List{team, nil}, nil),
		"a name has letters":                                 sensor.Daily("daily summary", "07:00", notify.List{team}, nil),
	} {
		if got := errors.Join(s.Definition().Mistakes()...); got == nil || !strings.Contains(got.Error(), want) || !strings.HasPrefix(s.Definition().Origin, "daily_test.go:") && !strings.Contains(s.Definition().Origin, "/daily_test.go:") {
			t.Errorf("%v at %s lacks %q", got, s.Definition().Origin, want)
		}
	}
	if got := sensor.Daily("s", "7:05", notify.List{team}, nil).Definition(); len(got.Mistakes()) > 0 || got.At.String() != "07:05 UTC" {
		t.Errorf("%v %s", got.Mistakes(), got.At)
	}
}

func TestADayHasOneMomentAlsoWhereClocksChange(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		zone string
		at   string
		day  string // whose moment is looked for
		want string
	}{
		{"Europe/London", "07:00", "2026-03-28", "2026-03-28T07:00:00Z"},
		{"Europe/London", "07:00", "2026-03-29", "2026-03-29T06:00:00Z"},
		{"Europe/London", "01:30", "2026-03-29", "2026-03-29T01:30:00Z"}, // 01:00 became 02:00: 02:30 on the wall
		{"Europe/London", "00:59", "2026-03-29", "2026-03-29T00:59:00Z"},
		{"Europe/London", "02:00", "2026-03-29", "2026-03-29T01:00:00Z"},
		{"Europe/London", "01:30", "2026-10-25", "2026-10-25T00:30:00Z"}, // twice: the first
		{"Europe/London", "02:00", "2026-10-25", "2026-10-25T02:00:00Z"},
		{"America/New_York", "02:30", "2026-03-08", "2026-03-08T07:30:00Z"},
		{"America/New_York", "01:30", "2026-11-01", "2026-11-01T05:30:00Z"},
		{"Australia/Lord_Howe", "02:15", "2026-10-04", "2026-10-03T15:45:00Z"}, // clocks move by half an hour
		{"Pacific/Kiritimati", "07:00", "2026-06-01", "2026-05-31T17:00:00Z"},
	} {
		def := sensor.Daily("s", c.at, notify.List{team}, &sensor.DailyOptions{TimeZone: c.zone}).Definition()
		day, err := time.ParseInLocation(time.DateOnly, c.day, def.At.Location)
		if err != nil {
			t.Fatal(err)
		}
		if got := def.At.Next(day.Add(-time.Nanosecond)).UTC().Format(time.RFC3339); got != c.want {
			t.Errorf("%s %s on %s is %s, want %s", c.at, c.zone, c.day, got, c.want)
		}
	}
}

// TestMomentsFollowOneAnotherDayByDay walks a year in any zone: each day once, in order, 22 to 26 hours apart, and Last and Next agree.
func TestMomentsFollowOneAnotherDayByDay(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		zone := rapid.SampledFrom([]string{"UTC", "Europe/London", "America/New_York", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Chatham", "Africa/Casablanca", "America/Santiago", "Asia/Beirut"}).Draw(t, "zone")
		at := fmt.Sprintf("%02d:%02d", rapid.IntRange(0, 23).Draw(t, "hour"), rapid.IntRange(0, 59).Draw(t, "minute"))
		def := sensor.Daily("s", at, notify.List{team}, &sensor.DailyOptions{TimeZone: zone}).Definition()
		moment := def.At.Last(time.Date(2025, 1, 1, rapid.IntRange(0, 23).Draw(t, "start"), 0, 0, 0, time.UTC))
		for range 400 {
			next := def.At.Next(moment)
			between := moment.Add(time.Duration(rapid.Int64Range(0, int64(next.Sub(moment))-1).Draw(t, "between")))
			if !def.At.Last(between).Equal(moment) || !def.At.Next(between).Equal(next) || !def.At.Last(next).Equal(next) {
				t.Fatalf("%s %s at %s: last %s, next %s", at, zone, between, def.At.Last(between), def.At.Next(between))
			}
			y, m, d := moment.Date()
			if apart := next.Sub(moment); apart < 22*time.Hour || apart > 26*time.Hour || next.Format(time.DateOnly) != time.Date(y, m, d+1, 0, 0, 0, 0, time.UTC).Format(time.DateOnly) {
				t.Fatalf("%s %s: %s follows %s", at, zone, next, moment)
			}
			moment = next
		}
	})
}
