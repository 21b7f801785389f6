package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"waggle/shared/job"
	"waggle/shared/report"
	"waggle/shared/run"
	"waggle/shared/store"
)

func (s *session) jobsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "jobs",
		Short: "List jobs, their schedules and last runs",
		Example: `  waggle jobs
  waggle jobs show gallery`,
		Args: noSuchCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return s.listJobs(cmd.Context()) },
	}
	cmd.AddCommand(s.jobsShowCommand())
	return cmd
}

// jobJSON is a job in a list.
type jobJSON struct {
	Name        string   `json:"name"`
	Description string   `json:"description,omitempty"`
	Assets      int      `json:"assets"`
	Checks      int      `json:"checks"`
	Schedules   []string `json:"schedules"`
	LastRun     *runJSON `json:"last_run"`
}

func (s *session) listJobs(ctx context.Context) error {
	if err := s.app.Definitions.Validate(); err != nil {
		return err
	}
	st, err := s.look(ctx)
	if err != nil {
		return err
	}
	var list []jobJSON
	for _, j := range s.app.Definitions.Jobs {
		entry, err := s.jobOf(ctx, st, j)
		if err != nil {
			return err
		}
		list = append(list, entry)
	}
	return printList(s, list, "there is no job; add one to Definitions", func() *grid { return s.jobsGrid(list, st.Now()) })
}

func (s *session) jobOf(ctx context.Context, st *store.Store, j *job.Job) (jobJSON, error) {
	p, err := s.app.Definitions.Plan(run.Request{Job: j.Name})
	if err != nil {
		return jobJSON{}, err
	}
	entry := jobJSON{Name: j.Name, Description: j.Options.Description, Assets: p.Assets(), Checks: len(p.Steps) - p.Assets(), Schedules: []string{}}
	for _, schedule := range s.schedulesOf(j) {
		entry.Schedules = append(entry.Schedules, schedule.Cron+" "+schedule.Options.TimeZone)
	}
	page, _, err := st.Runs(ctx, store.Filter{Job: j.Name}, 1, "")
	if err != nil || len(page) == 0 {
		return entry, err
	}
	last, err := s.runOf(ctx, st, page[0])
	entry.LastRun = &last
	return entry, err
}

func (s *session) schedulesOf(j *job.Job) []*job.Schedule {
	var list []*job.Schedule
	for _, schedule := range s.app.Definitions.Schedules {
		if schedule != nil && schedule.Job == j {
			list = append(list, schedule)
		}
	}
	return list
}

func (s *session) jobsGrid(list []jobJSON, now time.Time) *grid {
	g := &grid{columns: []column{{title: "JOB", least: 12}, {title: "ASSETS", right: true}, {title: "CHECKS", right: true}, {title: "SCHEDULE", least: 12}, {title: "LAST RUN"},
		{}, {note: true}}}
	for _, j := range list {
		state, when := report.Never(), ""
		if j.LastRun != nil {
			state, when = report.OfRun(j.LastRun.Status), s.when(j.LastRun.LaunchedAt, now)
		}
		g.row(j.Name, report.Number(int64(j.Assets)), report.Number(int64(j.Checks)), strings.Join(j.Schedules, ", "), state.Painted(s.paint), when, report.OneLine(j.Description))
	}
	return g
}
