package manifest

import (
	"fmt"
	"math/bits"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"waggle/shared/fault"
)

// maxExpression is the longest expression that EventBridge Scheduler takes.
const maxExpression = 256

// Expression is a cron expression as EventBridge Scheduler takes it. Five fields become six, with one ? for the day that does not
// count, names for days of the week (Scheduler counts them from 1) and only the forms that Scheduler documents: *, a-b, a/n, a,b,c.
//
//	0 2 * * *       cron(0 2 * * ? *)
//	*/15 9-17 * * 1-5  cron(0/15 9-17 ? * MON-FRI *)
//	0 0 1,15 * *    cron(0 0 1,15 * ? *)
//	@every 90m      rate(90 minutes)
//
// An expression that names days of the month and of the week fires on both with cron, which Scheduler cannot say; that, a time zone
// inside, and what takes more than 256 characters is fault.Invalid.
func Expression(expression string) (string, error) {
	parsed, err := cron.ParseStandard(expression)
	if err != nil {
		return "", fault.Wrap(fault.Invalid, "", err)
	}
	if every, ok := parsed.(cron.ConstantDelaySchedule); ok {
		return rate(every.Delay)
	}
	spec := parsed.(*cron.SpecSchedule)
	if spec.Location != time.Local {
		return "", fault.New(fault.Invalid, "it has a time zone inside").WithHint("name the zone in ScheduleOptions.TimeZone")
	}
	dayOfMonth, dayOfWeek, err := days(spec)
	if err != nil {
		return "", err
	}
	text := fmt.Sprintf("cron(%s %s %s %s %s *)", field(spec.Minute, 0, 59), field(spec.Hour, 0, 23), dayOfMonth, field(spec.Month, 1, 12), dayOfWeek)
	if len(text) > maxExpression {
		return "", fault.New(fault.Invalid, "it has %d characters for EventBridge Scheduler, which takes %d", len(text), maxExpression).
			WithHint("make it two schedules")
	}
	return text, nil
}

// rate is an interval as Scheduler says it, in whole minutes.
func rate(every time.Duration) (string, error) {
	minutes := int(every / time.Minute)
	switch {
	case every%time.Minute != 0 || minutes == 0:
		return "", fault.New(fault.Invalid, "it fires every %s; EventBridge Scheduler counts whole minutes", every)
	case minutes == 1:
		return "rate(1 minute)", nil
	}
	return fmt.Sprintf("rate(%d minutes)", minutes), nil
}

// star is the bit by which the parser marks a field that is a star: one that leaves the choice of days to the other.
const star = 1 << 63

// days are the two fields for days, one of which is ?.
func days(spec *cron.SpecSchedule) (ofMonth, ofWeek string, err error) {
	allDays, allWeek := holdsAll(spec.Dom, 1, 31), holdsAll(spec.Dow, 0, 6)
	either := spec.Dom&star == 0 && spec.Dow&star == 0 // cron then fires on days of either field
	switch {
	case allDays && allWeek, either && (allDays || allWeek):
		return "*", "?", nil
	case either:
		return "", "", fault.New(fault.Invalid, "it fires on days of the month and, besides, on days of the week, which EventBridge Scheduler cannot express").
			WithHint("make it two schedules")
	case allDays:
		return "?", weekdays(spec.Dow), nil
	}
	return field(spec.Dom, 1, 31), "?", nil
}

func holdsAll(set uint64, low, high int) bool { return len(members(set, low, high)) == high-low+1 }

// members lists what is in a set of bits, from the least.
func members(set uint64, low, high int) []int {
	list := make([]int, 0, bits.OnesCount64(set))
	for n := low; n <= high; n++ {
		if set&(1<<n) != 0 {
			list = append(list, n)
		}
	}
	return list
}

// field is a field of numbers in the shortest form that Scheduler documents.
func field(set uint64, low, high int) string {
	list := members(set, low, high)
	first, last := list[0], list[len(list)-1]
	if set&star != 0 {
		return "*"
	}
	if step, even := stepOf(list); even {
		switch {
		case step == 1:
			return fmt.Sprintf("%d-%d", first, last)
		case last+step > high && len(list) > 2:
			return fmt.Sprintf("%d/%d", first, step)
		}
	}
	return joined(list, func(n int) string { return fmt.Sprint(n) })
}

// weekdays is the field for days of the week.
func weekdays(set uint64) string {
	names := []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}
	list := members(set, 0, 6)
	if step, even := stepOf(list); even && step == 1 && len(list) > 2 {
		return names[list[0]] + "-" + names[list[len(list)-1]]
	}
	return joined(list, func(n int) string { return names[n] })
}

// stepOf is the distance between neighbours where it is the same between all; of one number there is none.
func stepOf(list []int) (step int, even bool) {
	for i := 1; i < len(list); i++ {
		if i > 1 && list[i]-list[i-1] != step {
			return 0, false
		}
		step = list[i] - list[i-1]
	}
	return step, len(list) > 1
}

func joined(list []int, name func(int) string) string {
	names := make([]string, len(list))
	for i, n := range list {
		names[i] = name(n)
	}
	return strings.Join(names, ",")
}
