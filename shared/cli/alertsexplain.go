package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"waggle/shared/courier"
	"waggle/shared/run"
	"waggle/shared/store"
)

func (s *session) alertsExplainCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "explain RUN",
		Short: "Say of each sensor why it was called for a run or not, and what became of its messages",
		Long: `Answer "why was nobody told?" for a run: of each sensor why it was called for an event of the run or not, and of each message
whether it has arrived, is still on its way or was given up, and why. What is stored counts; for the rest it says how the
sensors of this program would decide now.

A table shows events with the same answer as one row, and leaves out those of a kind that a sensor never looks at; -o json
has them all.`,
		Example: `  waggle alerts explain LAST
  waggle alerts explain 0199f3c2-1a2b -o json`,
		Args:              exactly("run"),
		ValidArgsFunction: s.completeRuns,
		RunE:              func(cmd *cobra.Command, args []string) error { return s.explainAlerts(cmd.Context(), args[0]) },
	}
}

// explainedJSON is who was told of a run, and why others were not.
type explainedJSON struct {
	RunID    run.ID                `json:"run_id"`
	Job      string                `json:"job,omitempty"`
	Status   run.Status            `json:"status"`
	Launched time.Time             `json:"launched_at"`
	Ended    *time.Time            `json:"ended_at"`
	Notes    []noteJSON            `json:"notes"`
	Sensors  []explainedSensorJSON `json:"sensors"`
	Steps    []explainedMessage    `json:"steps"`    // messages of steps, and of events that are not stored any more
	Channels []channelJSON         `json:"channels"` // of the definitions, as they stand now
	Next     []string              `json:"next"`     // commands that help
}

type noteJSON struct {
	Reason string `json:"reason"`
	Text   string `json:"text"`
}

type explainedSensorJSON struct {
	Name    string           `json:"name"`
	Kind    string           `json:"kind,omitempty"` // empty: the definitions have no such sensor
	On      bool             `json:"on"`
	Since   *time.Time       `json:"switched_at"`
	Defined bool             `json:"defined"`
	Events  []explainedEvent `json:"events"`
}

// explainedEvent is what became of an event with a sensor.
type explainedEvent struct {
	RunID  run.ID `json:"run_id"`
	Sensor string `json:"sensor"`
	happenedJSON
	Reason   string             `json:"reason"`
	Text     string             `json:"text"`
	Error    string             `json:"error,omitempty"`
	State    store.EventState   `json:"state,omitempty"` // empty: nothing is stored, the matcher says it
	Attempts int                `json:"attempts"`
	Due      *time.Time         `json:"due_at"`
	Ended    *time.Time         `json:"ended_at"`
	Given    int                `json:"given"` // messages that its function gave
	Messages []explainedMessage `json:"messages"`
}

type explainedMessage struct {
	deliveryJSON
	Text string `json:"text"` // the reason in words
}

func (s *session) explainAlerts(ctx context.Context, name string) error {
	if err := s.app.Definitions.Validate(); err != nil {
		return err
	}
	st, err := s.look(ctx)
	if err != nil {
		return err
	}
	id, err := st.Find(ctx, name)
	if err != nil {
		return err
	}
	x, err := s.courier(st).Explain(ctx, id)
	if err != nil {
		return err
	}
	rel, err := relationsOf(ctx, st, x.Run)
	if err != nil {
		return err
	}
	if v := x.Run.Request.CodeVersion; v != "" && v != s.app.Version {
		x.Notes = append(x.Notes, courier.Note{Reason: "other_version", Text: "the run was launched by version " + v + ", and this is " + s.app.Version + ": where nothing is stored it says how this one decides"})
	}
	var channels []channelJSON
	for _, c := range s.app.Definitions.Channels {
		entry, err := s.channelOf(ctx, st, c)
		if err != nil {
			return err
		}
		channels = append(channels, entry)
	}
	next := s.nextOf(x, rel, channels)
	if s.format == formatTable {
		return s.writeText(s.explanation(x, channels, next, st.Now())...)
	}
	return s.printExplained(explained(x, channels, next))
}

func explained(x courier.Explanation, channels []channelJSON, next []string) explainedJSON {
	r := x.Run
	out := explainedJSON{RunID: r.ID, Job: r.Request.Job, Status: r.Status, Launched: r.Launched, Ended: orNull(r.Ended), Notes: []noteJSON{}, Sensors: []explainedSensorJSON{},
		Steps: messagesJSON(x.Steps), Channels: append([]channelJSON{}, channels...), Next: append([]string{}, next...)}
	for _, n := range x.Notes {
		out.Notes = append(out.Notes, noteJSON(n))
	}
	for _, a := range x.Sensors {
		entry := explainedSensorJSON{Name: a.Name, On: a.Switch.On, Since: orNull(a.Switch.Time), Defined: a.Sensor != nil, Events: []explainedEvent{}}
		if a.Sensor != nil {
			entry.Kind = string(a.Sensor.Kind)
		}
		for _, d := range a.Decisions {
			entry.Events = append(entry.Events, explainedEvent{r.ID, a.Name, ofHappened(d.Event), d.Reason, d.Text, d.Error, d.State, d.Attempts, orNull(d.Due), orNull(d.Ended),
				d.Given, messagesJSON(d.Messages)})
		}
		out.Sensors = append(out.Sensors, entry)
	}
	return out
}

func messagesJSON(list []courier.Told) []explainedMessage {
	out := []explainedMessage{}
	for _, m := range list {
		out = append(out, explainedMessage{toJSON(m.Delivery), m.Text})
	}
	return out
}

func orNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// printExplained prints all of it, or a line for each event of each sensor and each message of a step.
func (s *session) printExplained(x explainedJSON) error {
	if s.format == formatJSON {
		return s.printJSON(x)
	}
	for _, a := range x.Sensors {
		if err := printList(s, a.Events, "", nil); err != nil {
			return err
		}
	}
	return printList(s, x.Steps, "", nil)
}
