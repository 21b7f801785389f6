package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"waggle/shared/courier"
	"waggle/shared/event"
	"waggle/shared/fault"
	"waggle/shared/notify"
	"waggle/shared/report"
	"waggle/shared/run"
	"waggle/shared/sensor"
	"waggle/shared/store"
)

func (s *session) sensorsTestCommand() *cobra.Command {
	name, send := "LAST", false
	cmd := &cobra.Command{
		Use:   "test SENSOR",
		Short: "Show what a sensor would tell of a past run, or send it as a test",
		Long: `Call a sensor's function for the events of a past run that the sensor matches, and show what its channels would get. Nothing
is stored and nothing is sent; what the function does besides Notify it really does. Whether the sensor is on or off is the
same to it. A daily summary is called for the 24 hours up to now, and takes no run.

With --send the messages leave now, past what waits in their channels, marked as a test; what the services answer is shown.

Exit status: 0 the function was called, or is not called for this run; 1 it failed; 3 a channel did not take its message.`,
		Example: `  waggle sensors test on_run_failure --run 0199f3c2-1a2b
  waggle sensors test on_run_success --run LAST --send
  waggle sensors test on_run_success -o json
  waggle sensors test daily_summary`,
		Args:              exactly("sensor"),
		ValidArgsFunction: s.completeSensors,
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.testSensor(cmd.Context(), args[0], name, cmd.Flags().Changed("run"), send)
		},
	}
	cmd.Flags().StringVar(&name, "run", name, "the `RUN`: LAST or the start of its id")
	cmd.Flags().BoolVar(&send, "send", false, "send the messages")
	_ = cmd.RegisterFlagCompletionFunc("run", func(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		return s.completeRuns(cmd, nil, typed)
	})
	return cmd
}

// happenedJSON is an event of a run.
type happenedJSON struct {
	EventID  string     `json:"event_id"`
	Type     event.Type `json:"type"`
	What     string     `json:"what"` // the status, the asset, the check and its asset, the schedule and its tick's status, or the day
	Happened time.Time  `json:"happened_at"`
}

func ofHappened(e event.Event) happenedJSON {
	h := happenedJSON{EventID: e.ID, Type: e.Type, Happened: e.Time}
	switch e.Type {
	case event.Materialized:
		h.What = string(e.Asset)
	case event.Evaluated:
		h.What = e.Check + " on " + string(e.Asset)
	case event.TickMissed:
		h.What = e.Schedule + " " + string(e.TickStatus)
	case sensor.Tick:
		h.What = "the 24 hours up to now"
	default:
		h.What = string(e.Status)
	}
	return h
}

// testedSensorJSON is a sensor that was tried.
type testedSensorJSON struct {
	Sensor string            `json:"sensor"`
	RunID  run.ID            `json:"run_id"` // empty for a daily summary
	On     bool              `json:"on"`
	Calls  []calledJSON      `json:"calls"`
	Others []notMatchingJSON `json:"not_called_for"`
}

// calledJSON is a call of its function.
type calledJSON struct {
	Sensor string `json:"sensor"`
	RunID  run.ID `json:"run_id"`
	happenedJSON
	Reason   string            `json:"reason"` // notified, quiet, mistake, handler_failed, log_expired
	Error    string            `json:"error,omitempty"`
	Messages []rehearsedJSON   `json:"messages"`
	Log      []store.EventLine `json:"log"`
}

// rehearsedJSON is a message that a channel would get.
type rehearsedJSON struct {
	Channel string         `json:"channel"`
	Kind    notify.Kind    `json:"kind"`
	Call    string         `json:"call"`
	Payload notify.Content `json:"payload"`
	Sent    *testedJSON    `json:"sent"` // null: it was not sent
}

// notMatchingJSON is an event that the sensor is not called for.
type notMatchingJSON struct {
	happenedJSON
	Reason string `json:"reason"`
	Text   string `json:"text"`
}

func (s *session) testSensor(ctx context.Context, name, runName string, named, send bool) error {
	if err := s.app.Definitions.Validate(); err != nil {
		return err
	}
	def, err := s.sensor(name)
	if err != nil {
		return err
	}
	if def.Kind == sensor.Polled {
		return fault.New(fault.Invalid, "sensor %s is polled, so it is called for no run", name).WithHint("%s, `%s` shows what came of it",
			s.unless("`"+s.call("monitor", "--once")+"` calls it"), s.call("sensors", "show", name))
	}
	if def.Kind == sensor.DailySummary && named {
		return usage("leave out --run", "sensor %s sums up a day, so it is called for no run", name)
	}
	s.tellOfNewerCode()
	if send {
		if s.environment != "" {
			return usage("leave --send out to see what it would send", "sensors test --send sends by this machine's settings and not by a deployment's")
		}
		if err := s.openSenders(ctx); err != nil {
			return err
		}
	}
	st, err := s.look(ctx)
	if err != nil {
		return err
	}
	on, err := st.Switched(ctx, name)
	if err != nil {
		return err
	}
	tried, id, err := s.rehearse(ctx, st, def, runName)
	if err != nil {
		return err
	}
	out := testedSensorJSON{Sensor: name, RunID: id, On: on.On, Calls: []calledJSON{}, Others: []notMatchingJSON{}}
	for _, d := range tried.Others {
		out.Others = append(out.Others, notMatchingJSON{ofHappened(d.Event), d.Reason, d.Text})
	}
	failed, refused := false, false
	var broken error // what was sent before is shown all the same
	for _, call := range tried.Calls {
		c := calledJSON{name, id, ofHappened(call.Event), call.Reason, call.Error, []rehearsedJSON{}, append([]store.EventLine{}, call.Log...)}
		for _, m := range call.Messages {
			shown := rehearsedJSON{m.Channel.Name, m.Channel.Kind, m.Call, m.Rungs[notify.Full].Filled(), nil}
			if send && broken == nil {
				shown.Sent, broken = s.sendTest(ctx, st, m, def, call.Event)
				refused = refused || shown.Sent != nil && !notify.AnswerKind(shown.Sent.Answer).Delivered()
			}
			c.Messages = append(c.Messages, shown)
		}
		failed = failed || call.Failed()
		out.Calls = append(out.Calls, c)
	}
	if err := s.showTested(out, tried, send); err != nil {
		return err
	}
	switch {
	case broken != nil:
		return broken
	case failed:
		return exitError{fault.ExitRunFailed}
	case refused:
		return fault.New(fault.Unavailable, "not every channel took its message").WithHint("`%s` shows the channels", s.call("channels"))
	}
	return nil
}

// rehearse calls a sensor for a run that a person names, or a daily summary for the day up to now.
func (s *session) rehearse(ctx context.Context, st *store.Store, def *sensor.Definition, runName string) (tried courier.Rehearsal, id run.ID, err error) {
	if def.Kind == sensor.DailySummary {
		call, err := s.courier(st).RehearseDay(ctx, def)
		return courier.Rehearsal{Calls: []courier.Call{call}}, "", err
	}
	if id, err = st.Find(ctx, runName); err != nil {
		return tried, id, err
	}
	tried, err = s.courier(st).Rehearse(ctx, def, id)
	return tried, id, err
}

// sendTest sends a message as a test.
func (s *session) sendTest(ctx context.Context, st *store.Store, m courier.Rehearsed, def *sensor.Definition, e event.Event) (*testedJSON, error) {
	if ctx.Err() != nil {
		return nil, fault.Wrap(fault.Canceled, "send to "+m.Channel.Name, context.Cause(ctx))
	}
	token, err := st.Token()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	a, rung, err := s.courier(st).SendRehearsed(ctx, "test-"+token, m, "sensor "+def.Name, e)
	if err != nil {
		return nil, err
	}
	return &testedJSON{m.Channel.Name, string(a.Kind), string(a.Reason), a.Error, a.Ref, a.Where, int(rung), a.Refused, float64(time.Since(began).Microseconds()) / 1000}, nil
}

func (s *session) showTested(t testedSensorJSON, tried courier.Rehearsal, send bool) error {
	switch s.format {
	case formatJSON:
		return s.printJSON(t)
	case formatLines:
		return printList(s, t.Calls, "", nil)
	}
	if len(t.Calls) == 0 {
		lines := []string{s.paint(report.Strong, t.Sensor) + " is not called for run " + t.RunID.Short() + ":"}
		return s.writeText(append(lines, s.decisionGrid(tried.Others).lines(s)...)...)
	}
	var lines []string
	messages := 0
	for _, c := range t.Calls {
		what := c.What
		if c.RunID != "" {
			what += " of run " + c.RunID.Short()
		}
		lines = append(lines, s.paint(report.Strong, t.Sensor)+" is called for "+what+", "+utc(c.Happened), "")
		for _, m := range c.Messages {
			lines = append(lines, s.rehearsedLines(m)...)
			messages++
		}
		switch {
		case c.Error != "":
			lines = append(lines, s.paint(report.Bad, "✗ FAILED")+" "+c.Reason)
			lines = append(lines, stackLines(c.Error)...)
			lines = append(lines, "")
		case len(c.Messages) == 0:
			lines = append(lines, "It gives no message.", "")
		}
		logged := &grid{indent: 2, columns: []column{{title: "TIME"}, {title: "LEVEL"}, {title: "MESSAGE", least: 20, wrap: true}}}
		for _, line := range c.Log {
			logged.row(utc(line.Time), line.Level, loggedText(line))
		}
		lines = append(lines, s.part("Log", logged, 0, "")...)
	}
	if err := s.writeText(lines[:len(lines)-1]...); err != nil {
		return err
	}
	if !t.On {
		s.say("sensor %s is off: when it counts it is not called", t.Sensor)
	}
	if messages > 0 && send {
		s.say("what was sent begins with [TEST], and ends with a sentence that says what it is")
	}
	if messages > 0 && !send {
		words := []string{"sensors", "test", t.Sensor, "--run", t.RunID.Short(), "--send"}
		if t.RunID == "" {
			words = []string{"sensors", "test", t.Sensor, "--send"}
		}
		s.say("nothing was sent; send it as a test with: %s", s.call(words...))
	}
	return nil
}

// loggedText is a log record of a sensor on one line.
func loggedText(line store.EventLine) string {
	text := line.Message
	if len(line.Attrs) > 0 {
		text += " " + string(line.Attrs)
	}
	return report.OneLine(text)
}

// rehearsedLines are a message as people read it in its channel.
func (s *session) rehearsedLines(m rehearsedJSON) []string {
	facts, add := s.facts()
	add("subject", m.Payload.Subject)
	add("line", m.Payload.Line)
	add("to", strings.Join(m.Payload.To, ", "))
	for _, a := range m.Payload.Attachments {
		add("attached", a.Name+", "+report.Bytes(int64(len(a.Data))))
	}
	if a := m.Sent; a != nil {
		add("answer", answerState(notify.AnswerKind(a.Answer)).Painted(s.paint)+" "+strings.TrimSpace(a.Reason+" "+report.OneLine(a.Error)))
		if a.Rung > int(notify.Full) {
			add("size", "a smaller one, as the channel refused the whole of it")
		}
		add("reference", a.Ref)
		add("page", a.Where)
		add("refused", strings.Join(a.Refused, ", "))
	}
	lines := append([]string{s.paint(report.Strong, m.Channel) + " (" + string(m.Kind) + ")"}, facts.lines(s)...)
	lines = append(lines, "")
	for _, line := range strings.Split(strings.TrimRight(m.Payload.Text, "\n"), "\n") {
		lines = append(lines, strings.TrimRight("  "+line, " "))
	}
	return append(lines, "")
}

func answerState(kind notify.AnswerKind) report.State {
	switch kind {
	case notify.Sent:
		return report.State{Sign: "✓", Word: "SENT", Role: report.Good}
	case notify.Recipient:
		return report.State{Sign: "▲", Word: "SENT TO SOME", Role: report.Warn}
	}
	return report.State{Sign: "✗", Word: "NOT SENT", Role: report.Bad}
}
