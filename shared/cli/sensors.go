package cli

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"waggle/shared/courier"
	"waggle/shared/duration"
	"waggle/shared/fault"
	"waggle/shared/report"
	"waggle/shared/sensor"
	"waggle/shared/store"
)

func (s *session) sensorsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sensors",
		Short: "List sensors: what they look at and when they were called last",
		Example: `  waggle sensors
  waggle sensors show on_run_failure
  waggle sensors test on_run_failure --run LAST
  waggle sensors off on_run_success`,
		Args: noSuchCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return s.listSensors(cmd.Context()) },
	}
	cmd.AddCommand(s.sensorsShowCommand(), s.sensorsTestCommand(), s.sensorsSwitchCommand(true), s.sensorsSwitchCommand(false))
	return cmd
}

// sensorJSON is a sensor in a list.
type sensorJSON struct {
	Name  string     `json:"name"`
	Kind  string     `json:"kind"`
	On    bool       `json:"on"`
	Since *time.Time `json:"switched_at"` // null: nobody has switched it
	Jobs  []string   `json:"jobs"`        // empty: every run
	Of    string     `json:"of,omitempty"`
	// Fallback is the channel that is told when the sensor fails.
	Fallback string      `json:"fallback,omitempty"`
	Last     *sensedJSON `json:"last"`
}

// sensedJSON is what became of an event of a sensor.
type sensedJSON struct {
	EventID  string            `json:"event_id"`
	Type     string            `json:"type"`
	RunID    string            `json:"run_id"`
	Happened time.Time         `json:"happened_at"`
	State    store.EventState  `json:"state"`
	Reason   string            `json:"reason,omitempty"`
	Error    string            `json:"error,omitempty"`
	Attempts int               `json:"attempts"`
	Messages int               `json:"messages"`
	Due      *time.Time        `json:"due_at"`
	Launches []launchJSON      `json:"launches"` // of a polled sensor
	Log      []store.EventLine `json:"log"`
}

// launchJSON is a run that a polled sensor asked for.
type launchJSON struct {
	Job    string  `json:"job"`
	RunKey string  `json:"run_key"`
	RunID  *string `json:"run_id"` // null: not launched
	Error  string  `json:"error,omitempty"`
}

func (s *session) listSensors(ctx context.Context) error {
	if err := s.app.Definitions.Validate(); err != nil {
		return err
	}
	st, err := s.look(ctx)
	if err != nil {
		return err
	}
	var list []sensorJSON
	for _, one := range s.app.Definitions.Sensors {
		entry, _, err := s.sensorOf(ctx, st, one.Definition(), 1)
		if err != nil {
			return err
		}
		list = append(list, entry)
	}
	return printList(s, list, "there is no sensor; add one to Definitions", func() *grid {
		g := &grid{columns: []column{{title: "SENSOR", least: 12}, {title: "ON"}, {title: "LOOKS AT", least: 12}, {title: "LAST CALL"}, {}, {title: "RUN"}, {note: true}}}
		for _, e := range list {
			at, state, id, note := "", "", "", ""
			if e.Last != nil {
				at, state, id, note = s.when(e.Last.Happened, st.Now()), eventState(*e.Last).Painted(s.paint), shortRun(e.Last.RunID), e.Last.note()
			}
			g.row(e.Name, onOff(e.On), e.looksAt(), at, state, id, report.OneLine(note))
		}
		return g
	})
}

func shortRun(id string) string { return id[:min(13, len(id))] }

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "OFF"
}

// looksAt says in words what a sensor is called for.
func (e sensorJSON) looksAt() string {
	text := e.Kind
	if e.Of != "" {
		text += " " + e.Of
	}
	if len(e.Jobs) > 0 {
		return text + " of " + strings.Join(e.Jobs, ", ")
	}
	return text
}

// sensorOf reads how a sensor stands, and its newest events.
func (s *session) sensorOf(ctx context.Context, st *store.Store, def *sensor.Definition, limit int) (sensorJSON, []sensedJSON, error) {
	entry := sensorJSON{Name: def.Name, Kind: string(def.Kind), Jobs: []string{}}
	for _, j := range def.Options.Jobs {
		entry.Jobs = append(entry.Jobs, j.Name)
	}
	if to := def.Options.Fallback.Definition(); to != nil {
		entry.Fallback = to.Name
	}
	switch {
	case def.Asset != nil:
		entry.Of = string(def.Asset.Key)
	case def.Kind == sensor.Polled:
		entry.Of = "every " + duration.Text(def.Every)
	case def.Kind == sensor.DailySummary:
		entry.Of = "at " + def.At.String()
	case len(def.Statuses) > 0:
		var words []string
		for _, status := range def.Statuses {
			words = append(words, string(status))
		}
		entry.Of = strings.Join(words, ", ")
	}
	on, err := st.Switched(ctx, def.Name)
	if err != nil {
		return entry, nil, err
	}
	if entry.On = on.On; !on.Time.IsZero() {
		entry.Since = &on.Time
	}
	rows, err := st.SensorEvents(ctx, def.Name, limit)
	if err != nil {
		return entry, nil, err
	}
	var events []sensedJSON
	for _, row := range rows {
		e := sensedJSON{EventID: row.Event.ID, Type: string(row.Event.Type), RunID: string(row.Event.Run), Happened: row.Event.Time, State: row.State, Reason: row.Reason,
			Error: row.Error, Attempts: row.Attempts, Messages: row.Messages, Launches: []launchJSON{}, Log: append([]store.EventLine{}, row.Log...)}
		for _, l := range row.Launches {
			launch := launchJSON{Job: l.Request.Job, RunKey: l.Key, Error: l.Error}
			if id := string(l.Run); id != "" {
				launch.RunID = &id
			}
			e.Launches = append(e.Launches, launch)
		}
		if !row.Due.IsZero() {
			e.Due = &row.Due
		}
		events = append(events, e)
	}
	if len(events) > 0 {
		entry.Last = &events[0]
	}
	return entry, events, nil
}

// note is what a list says of an event: its error, else the runs that were launched.
func (e sensedJSON) note() string {
	if e.Error != "" {
		return report.OneLine(e.Error)
	}
	var texts []string
	for _, l := range e.Launches {
		switch {
		case l.Error != "":
			texts = append(texts, l.Job+": "+report.OneLine(l.Error))
		case l.RunID != nil:
			texts = append(texts, l.Job+" "+shortRun(*l.RunID))
		}
	}
	return strings.Join(texts, ", ")
}

func eventState(e sensedJSON) report.State {
	switch {
	case e.State == store.EventDead:
		return report.State{Sign: "✗", Word: "DEAD", Role: report.Bad}
	case e.State == store.EventDone && e.Reason == courier.ReasonLaunched:
		return report.State{Sign: "✓", Word: "LAUNCHED", Role: report.Good}
	case e.State == store.EventDone && e.Reason == courier.ReasonNotified:
		return report.State{Sign: "✓", Word: "NOTIFIED", Role: report.Good}
	case e.State == store.EventDone:
		return report.State{Sign: "–", Word: strings.ToUpper(strings.ReplaceAll(e.Reason, "_", " ")), Role: report.Idle}
	case e.Error != "":
		return report.State{Sign: "▲", Word: "RETRYING", Role: report.Warn}
	}
	return report.State{Sign: "○", Word: "WAITING", Role: report.Idle}
}

func (s *session) sensorsShowCommand() *cobra.Command {
	limit := 20
	cmd := &cobra.Command{
		Use:   "show SENSOR",
		Short: "Show a sensor and its events, newest first: what came of each, and what its function logged",
		Example: `  waggle sensors show on_run_failure
  waggle sensors show on_run_failure --limit 100 -o jsonl`,
		Args:              exactly("sensor"),
		ValidArgsFunction: s.completeSensors,
		RunE: func(cmd *cobra.Command, args []string) error {
			if limit < 1 || limit > 1000 {
				return usage("give 1 to 1000", "--limit is %d", limit)
			}
			return s.showSensor(cmd.Context(), args[0], limit)
		},
	}
	cmd.Flags().IntVar(&limit, "limit", limit, "the newest `N` events, up to 1,000")
	return cmd
}

func (s *session) completeSensors(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return s.sensorNames(), cobra.ShellCompDirectiveNoFileComp
}

func (s *session) sensorNames() []string {
	var names []string
	for _, one := range s.app.Definitions.Sensors {
		if def := one.Definition(); def != nil {
			names = append(names, def.Name)
		}
	}
	return names
}

// sensor is the sensor with a name.
func (s *session) sensor(name string) (*sensor.Definition, error) {
	if def := s.app.Definitions.Sensor(name); def != nil {
		return def, nil
	}
	return nil, fault.Unknown("sensor", name, s.sensorNames())
}

// shownSensor is a sensor in JSON.
type shownSensor struct {
	sensorJSON
	Description string       `json:"description,omitempty"`
	Origin      string       `json:"origin"`
	Events      []sensedJSON `json:"events"`
}

func (s *session) showSensor(ctx context.Context, name string, limit int) error {
	if err := s.app.Definitions.Validate(); err != nil {
		return err
	}
	st, err := s.look(ctx)
	if err != nil {
		return err
	}
	def, err := s.sensor(name)
	if err != nil {
		return err
	}
	entry, events, err := s.sensorOf(ctx, st, def, limit)
	if err != nil {
		return err
	}
	switch s.format {
	case formatJSON:
		return s.printJSON(shownSensor{entry, def.Options.Description, def.Origin, append([]sensedJSON{}, events...)})
	case formatLines:
		return printList(s, events, "", nil)
	}
	now := st.Now()
	facts := &grid{columns: []column{{}, {least: 20, wrap: true}}, indent: 2}
	if def.Options.Description != "" {
		facts.row(s.paint(report.Muted, "about"), report.OneLine(def.Options.Description))
	}
	facts.row(s.paint(report.Muted, "looks at"), entry.looksAt())
	state := onOff(entry.On)
	if entry.Since != nil {
		state += ", switched " + s.moment(*entry.Since, now)
	}
	facts.row(s.paint(report.Muted, "switch"), state)
	if entry.Fallback != "" {
		facts.row(s.paint(report.Muted, "fallback"), entry.Fallback)
	}
	facts.row(s.paint(report.Muted, "defined in"), def.Origin)
	lines := append([]string{s.paint(report.Strong, def.Name)}, facts.lines(s)...)
	if len(events) == 0 {
		return s.writeText(append(lines, "", "Nothing has happened yet that it is called for.")...)
	}
	g := &grid{indent: 2, columns: []column{{title: "HAPPENED"}, {title: "RUN"}, {title: "STATE"}, {title: "CALLS", right: true}, {title: "MESSAGES", right: true}, {note: true}}}
	for _, e := range events {
		g.row(s.when(e.Happened, now), shortRun(e.RunID), eventState(e).Painted(s.paint), report.Number(int64(e.Attempts)), report.Number(int64(e.Messages)), e.note())
	}
	lines = append(lines, "")
	lines = append(lines, s.part("Events", g, 0, "")...)
	logged := &grid{indent: 2, columns: []column{{title: "TIME"}, {title: "LEVEL"}, {title: "RUN"}, {title: "MESSAGE", least: 20, wrap: true}}}
	for _, e := range slices.Backward(events) {
		for _, line := range e.Log {
			logged.row(utc(line.Time), line.Level, shortRun(e.RunID), loggedText(line))
		}
	}
	if len(logged.rows) > 0 {
		lines = append(lines, s.part("Log", logged, 0, "")...)
	}
	return s.writeText(lines[:len(lines)-1]...)
}

func (s *session) sensorsSwitchCommand(on bool) *cobra.Command {
	word, short := "on", "Switch a sensor on: it is called for what happens from now on"
	if !on {
		word, short = "off", "Switch a sensor off: what happens from now on is recorded, and it is not called"
	}
	return &cobra.Command{
		Use:               word + " SENSOR",
		Short:             short,
		Example:           "  waggle sensors " + word + " on_run_success",
		Args:              exactly("sensor"),
		ValidArgsFunction: s.completeSensors,
		RunE: func(cmd *cobra.Command, args []string) error {
			def, err := s.sensor(args[0])
			if err != nil {
				return err
			}
			st, err := s.store(cmd.Context())
			if err != nil {
				return err
			}
			if err := st.Switch(cmd.Context(), def.Name, on, s.app.Worker); err != nil {
				return err
			}
			if s.format != formatTable {
				entry, _, err := s.sensorOf(cmd.Context(), st, def, 1)
				if err != nil {
					return err
				}
				return s.printJSON(entry)
			}
			return s.write("sensor " + def.Name + " is " + word)
		},
	}
}
