package manifest_test

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"waggle/shared/asset"
	"waggle/shared/fault"
	"waggle/shared/job"
	"waggle/shared/manifest"
)

func TestCronExpressionsBecomeThoseOfEventBridgeScheduler(t *testing.T) {
	t.Parallel()
	for cron, want := range map[string]string{
		"0 2 * * *":               "cron(0 2 * * ? *)",
		"* * * * *":               "cron(* * * * ? *)",
		"*/15 9-17 * * 1-5":       "cron(0/15 9-17 ? * MON-FRI *)",
		"5/20 * * * *":            "cron(5/20 * * * ? *)",
		"0,30 * * * *":            "cron(0,30 * * * ? *)",
		"10-30/10 * * * *":        "cron(10,20,30 * * * ? *)",
		"0 0 1,15 * *":            "cron(0 0 1,15 * ? *)",
		"0 0 */2 * *":             "cron(0 0 1/2 * ? *)",
		"0 0 ? * 0":               "cron(0 0 ? * SUN *)",
		"0 0 * * 0,6":             "cron(0 0 ? * SUN,SAT *)",
		"0 0 * JAN,jul Mon,WED":   "cron(0 0 ? 1,7 MON,WED *)",
		"0 0 1 1-6 *":             "cron(0 0 1 1-6 ? *)",
		"0 0 1-31 * 1":            "cron(0 0 * * ? *)", // cron fires on days of either field
		"0 0 1 * 0-6":             "cron(0 0 * * ? *)",
		"0 0-23 * * *":            "cron(0 0-23 * * ? *)", // no star: an hour that comes twice counts once
		"@daily":                  "cron(0 0 * * ? *)",
		"@hourly":                 "cron(0 * * * ? *)",
		"@weekly":                 "cron(0 0 ? * SUN *)",
		"@monthly":                "cron(0 0 1 * ? *)",
		"@yearly":                 "cron(0 0 1 1 ? *)",
		"@every 1m":               "rate(1 minute)",
		"@every 1h30m":            "rate(90 minutes)",
		"0 12 29 2 *":             "cron(0 12 29 2 ? *)",
		"1,2,3,5 1,2 3,4,5 6,8 *": "cron(1,2,3,5 1-2 3-5 6,8 ? *)",
	} {
		if got, err := manifest.Expression(cron); err != nil || got != want {
			t.Errorf("%s: got %s, %v; want %s", cron, got, err, want)
		}
	}
}

func TestWhatSchedulerCannotExpressIsRefusedWithTheReason(t *testing.T) {
	t.Parallel()
	for cron, want := range map[string]string{
		"0 0 13 * 5":                           "it fires on days of the month and, besides, on days of the week, which EventBridge Scheduler cannot express (make it two schedules)",
		"0 0 */2 * 1":                          "on days of the week",
		"@every 30s":                           "it fires every 30s; EventBridge Scheduler counts whole minutes",
		"@every 90s":                           "whole minutes",
		"0 0 * *":                              "expected exactly 5 fields",
		"0 0 * * mond":                         "mond",
		"CRON_TZ=Asia/Tokyo 0 5 * * *":         "it has a time zone inside (name the zone in ScheduleOptions.TimeZone)",
		"0-29,31-59 0-11,13-23 1-14,16-31 * *": "characters for EventBridge Scheduler, which takes 256 (make it two schedules)",
	} {
		if got, err := manifest.Expression(cron); !errors.Is(err, fault.Invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %s, %v; want %s", cron, got, err, want)
		}
	}
}

// cronField draws a field as people write it.
func cronField(low, high int, names []string) *rapid.Generator[string] {
	part := rapid.Custom(func(t *rapid.T) string {
		a, b := rapid.IntRange(low, high).Draw(t, "a"), rapid.IntRange(low, high).Draw(t, "b")
		step := rapid.IntRange(1, high).Draw(t, "step")
		forms := []string{"*", strconv.Itoa(a), fmt.Sprintf("*/%d", step), fmt.Sprintf("%d/%d", a, step),
			fmt.Sprintf("%d-%d", min(a, b), max(a, b)), fmt.Sprintf("%d-%d/%d", min(a, b), max(a, b), step)}
		if names != nil {
			forms = append(forms, names[a-low], names[min(a, b)-low]+"-"+names[max(a, b)-low])
		}
		return rapid.SampledFrom(forms).Draw(t, "form")
	})
	return rapid.Custom(func(t *rapid.T) string {
		if rapid.Bool().Draw(t, "star") {
			return "*"
		}
		return strings.Join(rapid.SliceOfN(part, 1, 3).Draw(t, "parts"), ",")
	})
}

func TestTheExpressionFiresWhenTheScheduleDoes(t *testing.T) {
	t.Parallel()
	one := job.New("one", asset.List{asset.New("one", func(*asset.Context) (int, error) { return 1, nil }, nil)}, nil)
	rapid.Check(t, func(t *rapid.T) {
		months := []string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}
		weekdays := []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}
		fields := []string{cronField(0, 59, nil).Draw(t, "minute"), cronField(0, 23, nil).Draw(t, "hour"), cronField(1, 31, nil).Draw(t, "day of month"),
			cronField(1, 12, months).Draw(t, "month"), cronField(0, 6, weekdays).Draw(t, "day of week")}
		declared := job.Cron("s", strings.Join(fields, " "), one, nil)
		if len(declared.Mistakes()) > 0 {
			t.Skip("never fires")
		}
		expression, err := manifest.Expression(declared.Cron)
		if err != nil {
			if strings.Contains(err.Error(), "characters") || fields[2] != "*" && fields[4] != "*" && strings.Contains(err.Error(), "days of the week") {
				return
			}
			t.Fatalf("%s: %v", declared.Cron, err)
		}
		at := time.Date(2024, 1, 1, 0, rapid.IntRange(0, 4*366*24*60).Draw(t, "start"), 0, 0, time.UTC)
		rule := readSchedulerCron(t, expression)
		for range 4 {
			want, got := declared.Next(at), rule.next(at)
			if !got.Equal(want) {
				t.Fatalf("%s as %s after %s: %s, want %s", declared.Cron, expression, at, got, want)
			}
			at = want
		}
	})
}

// schedulerCron is a cron expression of EventBridge Scheduler, read by its documentation alone:
// https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
type schedulerCron struct {
	minutes, hours, months []int
	days                   func(time.Time) bool
}

func readSchedulerCron(t *rapid.T, text string) schedulerCron {
	inside, ok := strings.CutPrefix(strings.TrimSuffix(text, ")"), "cron(")
	fields := strings.Split(inside, " ")
	if !ok || len(fields) != 6 || len(text) > 256 || fields[5] != "*" || (fields[2] == "?") == (fields[4] == "?") {
		t.Fatalf("%s is no expression of EventBridge Scheduler", text)
	}
	values := func(field string, low, high int, names string) []int {
		number := func(s string) int {
			if i := strings.Index(names, s); i >= 0 && len(s) == 3 {
				return low + i/3
			}
			n, err := strconv.Atoi(s)
			if err != nil || n < low || n > high {
				t.Fatalf("%s: %q is not from %d to %d", text, s, low, high)
			}
			return n
		}
		var all []int
		for _, part := range strings.Split(field, ",") {
			from, to, step := low, high, 1
			first, by, stepped := strings.Cut(part, "/")
			a, b, ranged := strings.Cut(first, "-")
			switch {
			case part == "*":
			case stepped:
				from, step = number(first), number(by)
			case ranged:
				from, to = number(a), number(b)
			default:
				from = number(first)
				to = from
			}
			if from > to || step < 1 {
				t.Fatalf("%s: %q", text, part)
			}
			for n := from; n <= to; n += step {
				all = append(all, n)
			}
		}
		slices.Sort(all)
		return all
	}
	c := schedulerCron{minutes: values(fields[0], 0, 59, ""), hours: values(fields[1], 0, 23, ""), months: values(fields[3], 1, 12, "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC")}
	if fields[2] == "?" {
		week := values(fields[4], 1, 7, "SUNMONTUEWEDTHUFRISAT") // Sunday is 1
		c.days = func(day time.Time) bool { return slices.Contains(week, int(day.Weekday())+1) }
	} else {
		month := values(fields[2], 1, 31, "")
		c.days = func(day time.Time) bool { return slices.Contains(month, day.Day()) }
	}
	return c
}

// next is the first time after t, in UTC.
func (c schedulerCron) next(t time.Time) time.Time {
	for day := t.Truncate(24 * time.Hour); day.Year() < t.Year()+10; day = day.AddDate(0, 0, 1) {
		if !slices.Contains(c.months, int(day.Month())) || !c.days(day) {
			continue
		}
		for _, hour := range c.hours {
			for _, minute := range c.minutes {
				if at := day.Add(time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute); at.After(t) {
					return at
				}
			}
		}
	}
	return time.Time{}
}
