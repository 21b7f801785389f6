package job_test

import (
	"fmt"
	"time"

	"waggle/shared/asset"
	"waggle/shared/job"
)

// The job and schedule of docs/operating.md.
func ExampleJob_Limits() {
	salesOutput := asset.New("sales_output", func(*asset.Context) (int, error) { return 1, nil }, nil)
	nightly := job.New("nightly", asset.List{salesOutput}, &job.Options{
		MaxRuns:   1,                                          // one run of this job at once
		TagLimits: []job.TagLimit{{Tag: "warehouse", Max: 2}}, // of all jobs, two runs per warehouse
		Tags:      map[string]string{"warehouse": "london"},
		Priority:  10, // before runs with a lower one
		Timeout:   time.Hour,
		Retry:     job.Retry{Max: 2}, // two more runs, from failure
	})
	atTwo := job.Cron("nightly_at_two", "0 2 * * *", nightly, &job.ScheduleOptions{TimeZone: "Europe/London"})
	fmt.Println(nightly.Limits(nightly.Options.Tags), len(nightly.Mistakes())+len(atTwo.Mistakes()))
	// Output: [{job:nightly 1} {tag:warehouse=london 2}] 0
}
