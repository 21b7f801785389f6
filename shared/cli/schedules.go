package cli

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"waggle/shared/fault"
	"waggle/shared/job"
	"waggle/shared/report"
	"waggle/shared/run"
	"waggle/shared/scheduler"
	"waggle/shared/store"
)

func (s *session) schedulesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "schedules",
		Short: "List schedules: when they ran last and will run next",
		Example: `  waggle schedules
  waggle schedules show gallery_daily`,
		Args: noSuchCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return s.listSchedules(cmd.Context()) },
	}
	cmd.AddCommand(s.schedulesShowCommand())
	return cmd
}

// scheduleJSON is a schedule in a list.
type scheduleJSON struct {
	Name     string     `json:"name"`
	Cron     string     `json:"cron"`
	TimeZone string     `json:"time_zone"`
	Job      string     `json:"job"`
	Next     *time.Time `json:"next"`
	Last     *tickJSON  `json:"last"`
	// Late is the first tick that should have been launched by now and was not.
	Late *time.Time `json:"late"`
	Note string     `json:"note,omitempty"`
}

// tickJSON is a tick and its run.
type tickJSON struct {
	Time     time.Time  `json:"time"`
	Launched time.Time  `json:"launched_at"`
	Late     bool       `json:"late"`
	RunID    run.ID     `json:"run_id"`
	Status   run.Status `json:"status,omitempty"` // empty: the run is not in the store
}

func (s *session) listSchedules(ctx context.Context) error {
	if err := s.app.Definitions.Validate(); err != nil {
		return err
	}
	st, err := s.look(ctx)
	if err != nil {
		return err
	}
	var list []scheduleJSON
	for _, schedule := range s.app.Definitions.Schedules {
		entry, err := s.scheduleOf(ctx, st, schedule)
		if err != nil {
			return err
		}
		list = append(list, entry)
	}
	return printList(s, list, "there is no schedule; add one to Definitions", func() *grid { return s.schedulesGrid(list, st.Now()) })
}

// scheduleOf reads how a schedule stands.
func (s *session) scheduleOf(ctx context.Context, st *store.Store, schedule *job.Schedule) (scheduleJSON, error) {
	now := st.Now()
	entry := scheduleJSON{Name: schedule.Name, Cron: schedule.Cron, TimeZone: schedule.Options.TimeZone, Job: schedule.Job.Name}
	if next := schedule.Next(now).UTC(); !next.IsZero() {
		entry.Next = &next
	}
	ticks, err := s.ticks(ctx, st, schedule.Name, 1)
	if err != nil {
		return entry, err
	}
	if len(ticks) > 0 {
		entry.Last = &ticks[0]
	}
	at, err := st.Schedule(ctx, schedule.Name)
	if err != nil {
		return entry, err
	}
	switch overdue := schedule.Next(at.Last).UTC(); {
	case at.Definition != scheduler.Definition(schedule):
		entry.Note = s.unless("begins with " + s.call("dev"))
	case !overdue.IsZero() && now.Sub(overdue) > scheduler.LateAfter:
		entry.Late = &overdue
		entry.Note = "not launched since " + zoned(inZone(overdue, entry.TimeZone)) + "; " + s.unless("launch it with: "+s.call("monitor", "--once"))
	}
	return entry, nil
}

// ticks reads the newest ticks of a schedule, with how their runs stand.
func (s *session) ticks(ctx context.Context, st *store.Store, name string, limit int) ([]tickJSON, error) {
	ticks, err := st.Ticks(ctx, name, limit)
	if err != nil {
		return nil, err
	}
	list := make([]tickJSON, len(ticks))
	for i, t := range ticks {
		list[i] = tickJSON{Time: t.Time, Launched: t.Launched, Late: t.Late, RunID: t.Run}
		switch summary, err := st.Summary(ctx, t.Run); {
		case err == nil:
			list[i].Status = summary.Status
		case !errors.Is(err, fault.NotFound):
			return nil, err
		}
	}
	return list, nil
}

func (t tickJSON) state() report.State {
	if t.Status == "" {
		return report.Never()
	}
	return report.OfRun(t.Status)
}

// late says how late a tick was launched; "" for one in time.
func (t tickJSON) late() string {
	if !t.Late {
		return ""
	}
	return "late by " + span(t.Launched.Sub(t.Time))
}

func (s *session) schedulesGrid(list []scheduleJSON, now time.Time) *grid {
	g := &grid{columns: []column{{title: "SCHEDULE", least: 12}, {title: "CRON", least: 9}, {title: "TIME ZONE", least: 9}, {title: "JOB", least: 8}, {title: "NEXT"}, {title: "LAST TICK"}, {}, {title: "RUN"},
		{note: true}}}
	for _, e := range list {
		next, last, state, id, note := "", "", report.Never().Painted(s.paint), "", e.Note
		if e.Next != nil {
			next = s.nextText(inZone(*e.Next, e.TimeZone), now)
		}
		if e.Last != nil {
			last, state, id = s.tickTime(e.Last.Time, e.TimeZone, now), e.Last.state().Painted(s.paint), e.Last.RunID.Short()
			if note == "" {
				note = e.Last.late()
			}
		}
		if e.Late != nil {
			note = s.paint(report.Warn, "▲ LATE") + " " + note
		}
		g.row(e.Name, e.Cron, e.TimeZone, e.Job, next, last, state, id, note)
	}
	return g
}

// nextText is a time to come: how soon on a terminal, else with its zone.
func (s *session) nextText(t, now time.Time) string {
	if s.outTTY != nil {
		return "in " + span(t.Sub(now))
	}
	return zoned(t)
}

// tickTime is the time of a tick: how long ago on a terminal, else in the zone of its schedule.
func (s *session) tickTime(t time.Time, zone string, now time.Time) string {
	if s.outTTY != nil {
		return ago(now.Sub(t))
	}
	return zoned(inZone(t, zone))
}

// inZone is a time as the clocks of a zone show it.
func inZone(t time.Time, zone string) time.Time {
	location, err := time.LoadLocation(zone)
	if err != nil {
		return t.UTC()
	}
	return t.In(location)
}
