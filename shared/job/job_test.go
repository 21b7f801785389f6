package job_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"waggle/shared/asset"
	"waggle/shared/job"
	"waggle/shared/run"
)

func one() asset.List {
	return asset.List{asset.New("one", func(*asset.Context) (int, error) { return 1, nil }, nil)}
}

func ExampleCron() {
	nightly := job.New("nightly", one(), nil)
	s := job.Cron("at_two", "0 2 * * *", nightly, &job.ScheduleOptions{TimeZone: "Europe/London"})
	t := time.Date(2026, 3, 27, 12, 0, 0, 0, time.UTC)
	for range 3 {
		t = s.Next(t)
		fmt.Println(t.UTC().Format("2006-01-02 15:04 UTC"), t.Format("15:04 MST"))
	}
	// Output:
	// 2026-03-28 02:00 UTC 02:00 GMT
	// 2026-03-29 01:00 UTC 02:00 BST
	// 2026-03-30 01:00 UTC 02:00 BST
}

func TestOptionsAreCopiedAndTheirZeroValueWorks(t *testing.T) {
	t.Parallel()
	opts := &job.Options{Parallelism: 3}
	j := job.New("j", one(), opts)
	opts.Parallelism = 9
	if j.Options.Parallelism != 3 || job.New("k", one(), nil).Options.Parallelism != job.DefaultParallelism || len(j.Mistakes()) != 0 {
		t.Errorf("%+v %v", j.Options, j.Mistakes())
	}
}

func TestLimitsFollowFromTheJobAndItsRunsTags(t *testing.T) {
	t.Parallel()
	j := job.New("j", one(), &job.Options{MaxRuns: 2, TagLimits: []job.TagLimit{{Tag: "customer", Max: 1}, {Tag: "region", Max: 3}}})
	got := j.Limits(map[string]string{"customer": "acme", "tier": "gold"})
	if !slices.Equal(got, []run.Limit{{Name: "job:j", Max: 2}, {Name: "tag:customer=acme", Max: 1}}) {
		t.Errorf("%v", got)
	}
	if got := job.New("free", one(), nil).Limits(map[string]string{"customer": "acme"}); len(got) != 0 {
		t.Errorf("a job without limits has %v", got)
	}
}

func TestASchedulePassesOverATimeThatDoesNotExistAndTakesAnHourThatComesTwiceOnce(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ zone, cron, from, want string }{
		{"Europe/London", "30 1 * * *", "2026-03-28T12:00:00Z", "2026-03-30T00:30:00Z"}, // 29 March has no 01:30
		{"Europe/London", "30 1 * * *", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"}, // the second 01:30 of 25 October
		{"Europe/London", "0 * * * *", "2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z"},  // every hour is one
		{"America/New_York", "15 1 * * *", "2026-11-01T05:15:00Z", "2026-11-02T06:15:00Z"},
		{"Australia/Lord_Howe", "45 1 * * *", "2026-04-04T14:45:00Z", "2026-04-05T15:15:00Z"}, // set back by half an hour
		{"UTC", "0 0 29 2 *", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z"},
	} {
		from, err := time.Parse(time.RFC3339, c.from)
		if err != nil {
			t.Fatal(err)
		}
		s := job.Cron("s", c.cron, job.New("j", one(), nil), &job.ScheduleOptions{TimeZone: c.zone})
		if got := s.Next(from).UTC().Format(time.RFC3339); got != c.want || len(s.Mistakes()) != 0 {
			t.Errorf("%s in %s after %s: %s, want %s %v", c.cron, c.zone, c.from, got, c.want, s.Mistakes())
		}
	}
}
