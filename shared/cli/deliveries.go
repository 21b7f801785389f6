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
	"waggle/shared/notify"
	"waggle/shared/report"
	"waggle/shared/run"
	"waggle/shared/store"
)

func (s *session) deliveriesCommand() *cobra.Command {
	var state string
	limit := 50
	cmd := &cobra.Command{
		Use:   "deliveries",
		Short: "List what sensors told, or are about to tell, newest first",
		Example: `  waggle deliveries
  waggle deliveries --state dead
  waggle deliveries show 0123456789ab
  waggle deliveries retry --dead`,
		Args: noSuchCommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit < 1 || limit > 10_000 {
				return usage("give 1 to 10000", "--limit is %d", limit)
			}
			only := courier.State(strings.ToUpper(state))
			if state != "" && !slices.Contains(courier.States(), only) {
				return usage("one of "+joined(courier.States()), "unknown state %q", state)
			}
			return s.listDeliveries(cmd.Context(), only, limit)
		},
	}
	cmd.Flags().StringVar(&state, "state", "", "only those of a `STATE`: evaluating, queued, retrying, parked, sent, folded or dead")
	cmd.Flags().IntVar(&limit, "limit", limit, "the newest `N`, up to 10,000")
	cmd.AddCommand(s.deliveriesShowCommand(), s.deliveriesRetryCommand())
	return cmd
}

// deliveryJSON is a delivery in a list.
type deliveryJSON struct {
	ID        string        `json:"id,omitempty"` // empty: it is evaluated
	Sensor    string        `json:"sensor"`
	Channel   string        `json:"channel"`
	State     courier.State `json:"state"`
	Decision  string        `json:"decision,omitempty"` // what it did to the episode of its job
	Reason    string        `json:"reason,omitempty"`
	Error     string        `json:"error,omitempty"`
	Attempts  int           `json:"attempts"`
	EventID   string        `json:"event_id"`
	RunID     run.ID        `json:"run_id"`
	Title     string        `json:"title,omitempty"`
	Happened  time.Time     `json:"happened_at"`
	Ended     *time.Time    `json:"ended_at"`
	Due       *time.Time    `json:"due_at"`
	LatencyMS *float64      `json:"latency_ms"` // from what happened to its end; null: it has not ended
}

func toJSON(d courier.Delivery) deliveryJSON {
	j := deliveryJSON{ID: d.ID, Sensor: d.Source, Channel: d.Channel, State: d.State, Decision: d.Message.Decision, Reason: d.Reason, Error: d.Error, Attempts: d.Attempts, EventID: d.EventID,
		RunID: d.Run, Title: d.Title, Happened: d.Happened}
	if !d.Ended.IsZero() {
		latency := float64(d.Ended.Sub(d.Happened).Microseconds()) / 1000
		j.Ended, j.LatencyMS = &d.Ended, &latency
	} else if !d.Due.IsZero() {
		j.Due = &d.Due
	}
	return j
}

func deliveryState(state courier.State) report.State {
	switch state {
	case courier.Sent:
		return report.State{Sign: "✓", Word: "SENT", Role: report.Good}
	case courier.Folded:
		return report.State{Sign: "–", Word: "FOLDED", Role: report.Idle}
	case courier.Dead:
		return report.State{Sign: "✗", Word: "DEAD", Role: report.Bad}
	case courier.Retrying, courier.Parked:
		return report.State{Sign: "▲", Word: string(state), Role: report.Warn}
	}
	return report.State{Sign: "○", Word: string(state), Role: report.Idle}
}

func (s *session) listDeliveries(ctx context.Context, only courier.State, limit int) error {
	if err := s.app.Definitions.Validate(); err != nil {
		return err
	}
	st, err := s.look(ctx)
	if err != nil {
		return err
	}
	all, err := s.courier(st).Deliveries(ctx, courier.Query{Limit: limit})
	if err != nil {
		return err
	}
	var list []deliveryJSON
	for _, d := range all {
		if (only == "" || d.State == only) && len(list) < limit {
			list = append(list, toJSON(d))
		}
	}
	empty := "nothing has been told yet"
	if only != "" {
		empty = "no delivery is " + strings.ToLower(string(only))
	}
	return printList(s, list, empty, func() *grid {
		g := &grid{columns: []column{{title: "ID"}, {title: "HAPPENED"}, {title: "RUN"}, {title: "SENSOR", least: 10}, {title: "CHANNEL", least: 8}, {title: "STATE"},
			{title: "TRIES", right: true}, {note: true}}}
		for _, d := range list {
			note := d.Title
			switch {
			case d.Error != "":
				note = d.Error
			case d.State == courier.Folded:
				note = d.Reason
			case note == "":
				note = d.Decision
			}
			g.row(d.ID, s.when(d.Happened, st.Now()), d.RunID.Short(), d.Sensor, d.Channel, deliveryState(d.State).Painted(s.paint), report.Number(int64(d.Attempts)), report.OneLine(note))
		}
		return g
	})
}

func (s *session) deliveriesShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "show ID",
		Short:   "Show a delivery: what it says, and every try to send it",
		Example: "  waggle deliveries show 0123456789ab",
		Args:    exactly("delivery"),
		RunE:    func(cmd *cobra.Command, args []string) error { return s.showDelivery(cmd.Context(), args[0]) },
	}
}

// shownDelivery is a delivery in JSON.
type shownDelivery struct {
	deliveryJSON
	Ref     string              `json:"ref,omitempty"`
	Where   string              `json:"where,omitempty"`
	Rung    int                 `json:"rung"`
	Refused []string            `json:"refused,omitempty"`
	History []store.SendAttempt `json:"history"`
	Payload notify.Content      `json:"payload"`
}

// delivery is the one whose id starts with what a person gave.
func (s *session) delivery(ctx context.Context, st *store.Store, id string) (courier.Delivery, error) {
	all, err := s.courier(st).Deliveries(ctx, courier.Query{Limit: 10_000})
	if err != nil {
		return courier.Delivery{}, err
	}
	return named(all, func(d courier.Delivery) string { return d.ID }, "delivery", id, 4, s.call("deliveries"))
}

// named is the one of a list whose id starts with what a person gave: least characters or more. list is the command that lists them.
func named[T any](all []T, idOf func(T) string, noun, given string, least int, list string) (one T, err error) {
	found := 0
	for _, each := range all {
		if id := idOf(each); id != "" && strings.HasPrefix(id, strings.ToLower(given)) {
			one = each
			found++
		}
	}
	switch {
	case found == 0:
		return one, fault.New(fault.NotFound, "no %s starts with %q", noun, given).WithHint("`%s` lists them", list)
	case found > 1 || len(given) < least:
		return one, fault.New(fault.Invalid, "%q is too short to name %s %s", given, article(noun), noun).WithHint("give more characters of its id")
	}
	return one, nil
}

func (s *session) showDelivery(ctx context.Context, id string) error {
	if err := s.app.Definitions.Validate(); err != nil {
		return err
	}
	st, err := s.look(ctx)
	if err != nil {
		return err
	}
	d, err := s.delivery(ctx, st, id)
	if err != nil {
		return err
	}
	content, err := s.courier(st).Content(ctx, d)
	if err != nil {
		return err
	}
	if s.format != formatTable {
		return s.printJSON(shownDelivery{toJSON(d), d.Ref, d.Message.Where, max(d.Out.Rung, d.Message.Rung), d.Message.Refused, append([]store.SendAttempt{}, d.History...), content})
	}
	facts, add := s.facts()
	j := toJSON(d)
	add("state", deliveryState(d.State).Painted(s.paint))
	add("sensor", d.Source)
	add("channel", d.Channel)
	add("run", string(d.Run))
	add("happened", utc(d.Happened))
	if j.Ended != nil {
		add("ended", utc(d.Ended)+", after "+duration.Text(d.Ended.Sub(d.Happened)))
	} else if j.Due != nil {
		add("tried again", utc(d.Due))
	}
	add("decision", d.Message.Decision)
	add("reason", d.Reason)
	add("error", report.OneLine(d.Error))
	add("reference", d.Ref)
	add("page", d.Message.Where)
	add("refused", strings.Join(d.Message.Refused, ", "))
	lines := append([]string{s.paint(report.Strong, d.ID)}, facts.lines(s)...)
	lines = append(lines, "")
	tries := &grid{indent: 2, columns: []column{{title: "TRY"}, {title: "ANSWER"}, {title: "TOOK", right: true}, {note: true}}}
	for _, a := range d.History {
		tries.row(utc(a.Time), a.Answer, duration.Text(time.Duration(a.DurationMS*float64(time.Millisecond))), strings.TrimSpace(a.Reason+" "+report.OneLine(a.Error)))
	}
	lines = append(lines, s.part("Tries", tries, 0, "")...)
	if content.Line == "" {
		return s.writeText(append(lines, "Nothing was said: people knew it already.")...)
	}
	lines = append(lines, s.paint(report.Strong, "Message"))
	for _, line := range strings.Split(strings.TrimSpace(content.Line+"\n\n"+content.Text), "\n") {
		lines = append(lines, strings.TrimRight("  "+line, " "))
	}
	for _, a := range content.Attachments {
		lines = append(lines, "  attached: "+a.Name+", "+report.Bytes(int64(len(a.Data))))
	}
	return s.writeText(lines...)
}

func (s *session) deliveriesRetryCommand() *cobra.Command {
	var dead bool
	cmd := &cobra.Command{
		Use:   "retry ID | --dead",
		Short: "Send a delivery that was given up once more, or all of them, now",
		Example: `  waggle deliveries retry 0123456789ab
  waggle deliveries retry --dead`,
		Args: func(cmd *cobra.Command, args []string) error {
			if dead == (len(args) > 0) || len(args) > 1 {
				return usage(cmd.UseLine(), "%s needs the id of a delivery, or --dead", cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			id := ""
			if len(args) > 0 {
				id = args[0]
			}
			return s.retryDeliveries(cmd.Context(), id)
		},
	}
	cmd.Flags().BoolVar(&dead, "dead", false, "every delivery that was given up")
	return cmd
}

func (s *session) retryDeliveries(ctx context.Context, id string) error {
	if err := s.app.Definitions.Validate(); err != nil {
		return err
	}
	if err := s.openSenders(ctx); err != nil {
		return err
	}
	st, err := s.look(ctx)
	if err != nil {
		return err
	}
	var again []courier.Delivery
	if id != "" {
		d, err := s.delivery(ctx, st, id)
		if err != nil {
			return err
		}
		switch d.State {
		case courier.Sent:
			return fault.New(fault.Invalid, "delivery %s was sent %s", d.ID, s.moment(d.Ended, st.Now()))
		case courier.Folded:
			return fault.New(fault.Invalid, "delivery %s said nothing new (%s)", d.ID, d.Reason).WithHint("`%s` shows what people were told", s.call("alerts"))
		}
		again = append(again, d)
	} else {
		all, err := s.courier(st).Deliveries(ctx, courier.Query{Limit: 10_000})
		if err != nil {
			return err
		}
		for _, d := range all {
			if d.State == courier.Dead {
				again = append(again, d)
			}
		}
	}
	if err := s.courier(st).Again(ctx, again); err != nil {
		return err
	}
	if err := s.deliverOnce(ctx, st); err != nil {
		return err
	}
	all, err := s.courier(st).Deliveries(ctx, courier.Query{Limit: 10_000})
	if err != nil {
		return err
	}
	var list []deliveryJSON
	for _, d := range all {
		if slices.ContainsFunc(again, func(a courier.Delivery) bool {
			return a.EventID == d.EventID && a.Source == d.Source && (a.ID == "" || a.ID == d.ID)
		}) {
			list = append(list, toJSON(d))
		}
	}
	return printList(s, list, "nothing was given up", func() *grid {
		g := &grid{columns: []column{{title: "ID"}, {title: "SENSOR", least: 10}, {title: "CHANNEL", least: 8}, {title: "STATE"}, {note: true}}}
		for _, d := range list {
			g.row(d.ID, d.Sensor, d.Channel, deliveryState(d.State).Painted(s.paint), report.OneLine(d.Error))
		}
		return g
	})
}
