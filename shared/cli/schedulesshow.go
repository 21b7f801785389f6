package cli

import (
	"context"

	"github.com/spf13/cobra"

	"waggle/shared/fault"
	"waggle/shared/job"
	"waggle/shared/report"
)

func (s *session) schedulesShowCommand() *cobra.Command {
	limit := 20
	cmd := &cobra.Command{
		Use:   "show SCHEDULE",
		Short: "Show a schedule and its ticks, newest first",
		Example: `  waggle schedules show gallery_daily
  waggle schedules show gallery_daily --limit 100 -o jsonl`,
		Args:              exactly("schedule"),
		ValidArgsFunction: s.completeSchedules,
		RunE: func(cmd *cobra.Command, args []string) error {
			if limit < 1 || limit > 1000 {
				return usage("give 1 to 1000", "--limit is %d", limit)
			}
			return s.showSchedule(cmd.Context(), args[0], limit)
		},
	}
	cmd.Flags().IntVar(&limit, "limit", limit, "the newest `N` ticks, up to 1,000")
	return cmd
}

func (s *session) completeSchedules(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return s.scheduleNames(), cobra.ShellCompDirectiveNoFileComp
}

func (s *session) scheduleNames() []string {
	var names []string
	for _, schedule := range s.app.Definitions.Schedules {
		if schedule != nil {
			names = append(names, schedule.Name)
		}
	}
	return names
}

// shownSchedule is a schedule in JSON.
type shownSchedule struct {
	scheduleJSON
	Description string     `json:"description,omitempty"`
	Origin      string     `json:"origin"`
	Ticks       []tickJSON `json:"ticks"`
}

func (s *session) showSchedule(ctx context.Context, name string, limit int) error {
	if err := s.app.Definitions.Validate(); err != nil {
		return err
	}
	st, err := s.look(ctx)
	if err != nil {
		return err
	}
	schedule, err := s.schedule(name)
	if err != nil {
		return err
	}
	entry, err := s.scheduleOf(ctx, st, schedule)
	if err != nil {
		return err
	}
	ticks, err := s.ticks(ctx, st, name, limit)
	if err != nil {
		return err
	}
	switch s.format {
	case formatJSON:
		return s.printJSON(shownSchedule{entry, schedule.Options.Description, schedule.Origin, ticks})
	case formatLines:
		return printList(s, ticks, "", nil)
	}
	now := st.Now()
	facts, add := s.facts()
	add("about", report.OneLine(schedule.Options.Description))
	add("cron", schedule.Cron+" "+schedule.Options.TimeZone)
	add("job", schedule.Job.Name)
	if entry.Next != nil {
		add("next", zoned(inZone(*entry.Next, entry.TimeZone))+", in "+span(entry.Next.Sub(now)))
	}
	if entry.Late != nil {
		add("late", entry.Note)
	} else {
		add("note", entry.Note)
	}
	add("defined in", schedule.Origin)
	lines := append([]string{s.paint(report.Strong, schedule.Name)}, facts.lines(s)...)
	if len(ticks) == 0 {
		return s.writeText(append(lines, "", "No tick of it was launched yet.")...)
	}
	g := &grid{indent: 2, columns: []column{{title: "TICK"}, {title: "RUN"}, {title: "STATUS"}, {note: true}}}
	for _, t := range ticks {
		g.row(zoned(inZone(t.Time, entry.TimeZone)), t.RunID.Short(), t.state().Painted(s.paint), s.paint(report.Warn, t.late()))
	}
	lines = append(lines, "")
	lines = append(lines, s.part("Ticks", g, 0, "")...)
	return s.writeText(lines[:len(lines)-1]...)
}

// schedule is the schedule with a name.
func (s *session) schedule(name string) (*job.Schedule, error) {
	for _, schedule := range s.app.Definitions.Schedules {
		if schedule.Name == name {
			return schedule, nil
		}
	}
	return nil, fault.Unknown("schedule", name, s.scheduleNames())
}
