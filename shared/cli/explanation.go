package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"waggle/shared/courier"
	"waggle/shared/notify"
	"waggle/shared/report"
	"waggle/shared/sensor"
)

// explanation is what a person reads.
func (s *session) explanation(x courier.Explanation, channels []channelJSON, next []string, now time.Time) []string {
	r := x.Run
	facts := &grid{columns: []column{{}, {least: 20, wrap: true}}, indent: 2}
	facts.row(s.paint(report.Muted, "run"), string(r.ID))
	facts.row(s.paint(report.Muted, "launched"), s.absolute(r.Launched, now))
	if !r.Ended.IsZero() {
		facts.row(s.paint(report.Muted, "ended"), s.absolute(r.Ended, now))
	}
	facts.row(s.paint(report.Muted, "told"), answerText(x))
	for _, n := range x.Notes {
		facts.row(s.paint(report.Muted, "note"), n.Text)
	}
	lines := append([]string{report.OfRun(r.Status).Painted(s.paint) + " " + s.paint(report.Strong, r.Request.Name())}, facts.lines(s)...)
	lines = append(lines, "")
	sensors := &grid{indent: 2, columns: append([]column{{title: "SENSOR", least: 12}}, decisionColumns...)}
	messages := &grid{indent: 2, columns: []column{{title: "ID"}, {title: "FROM", least: 10}, {title: "CHANNEL", least: 8}, {title: "STATE"}, {title: "REASON"}, {title: "TRIES", right: true},
		{title: "WHEN"}, {title: "WHY", least: 20, wrap: true}}}
	for _, a := range x.Sensors {
		name := a.Name
		if !a.Switch.On {
			name += " (OFF)"
		}
		for _, row := range s.decisionRows(a.Decisions) {
			sensors.row(append([]string{name}, row...)...)
		}
		for _, d := range a.Decisions {
			for _, m := range d.Messages {
				messages.row(s.messageRow(m, now)...)
			}
		}
	}
	for _, m := range x.Steps {
		messages.row(s.messageRow(m, now)...)
	}
	lines = append(lines, s.part("Sensors", sensors, 0, "")...)
	lines = append(lines, s.part("Messages", messages, 0, "")...)
	broken := &grid{indent: 2, columns: []column{{title: "CHANNEL", least: 10}, {title: "STATE"}, {title: "REASON"}, {title: "WHY", least: 20, wrap: true}}}
	for _, c := range channels {
		switch {
		case c.State != "ready":
			broken.row(c.Name, c.state().Painted(s.paint), c.Reason, report.OneLine(c.Error))
		case len(c.Missing) > 0:
			broken.row(c.Name, c.state().Painted(s.paint), courier.ReasonNotConfigured, c.standIn())
		}
	}
	lines = append(lines, s.part("Channels that send nothing now", broken, 0, "")...)
	if len(next) > 0 {
		lines = append(lines, s.paint(report.Strong, "What helps"))
		for _, command := range next {
			lines = append(lines, "  "+command)
		}
		lines = append(lines, "")
	}
	return lines[:len(lines)-1]
}

// outboxed is the state of a channel whose messages a folder gets.
var outboxed = report.State{Sign: "○", Word: "OUTBOX", Role: report.Idle}

// answerText says in a line who was told. What is in the outbox has reached nobody.
func answerText(x courier.Explanation) string {
	counts := map[courier.State]int{}
	total, stored := 0, 0
	count := func(list []courier.Told) {
		for _, m := range list {
			if total++; m.Reason == string(notify.ReasonStored) {
				stored++
				continue
			}
			counts[m.State]++
		}
	}
	for _, a := range x.Sensors {
		for _, d := range a.Decisions {
			count(d.Messages)
		}
	}
	count(x.Steps)
	if total == 0 {
		return "nobody"
	}
	var parts []string
	for _, state := range courier.States() {
		if n := counts[state]; n > 0 {
			parts = append(parts, report.Number(int64(n))+" "+strings.ToLower(string(state)))
		}
	}
	if stored > 0 {
		parts = append(parts, report.Number(int64(stored))+" in the outbox")
	}
	return report.Count(total, "message") + ": " + strings.Join(parts, ", ")
}

var decisionColumns = []column{{title: "EVENT", least: 12}, {title: "STATE"}, {title: "REASON"}, {title: "WHY", least: 20, wrap: true}}

// shownEvents is how many events with one answer a table names.
const shownEvents = 3

// decisionRows are decisions with the same answer as one row each. Events of a kind that the sensor never looks at show only where there
// is nothing else.
func (s *session) decisionRows(list []courier.Decision) [][]string {
	type answer struct {
		state       report.State
		reason, why string
	}
	var order []answer
	events := map[answer][]string{}
	other := string(sensor.OtherEvent)
	for _, d := range list {
		if d.Reason == other && slices.ContainsFunc(list, func(d courier.Decision) bool { return d.Reason != other }) {
			continue
		}
		a := answer{decisionState(d), d.Reason, d.Text}
		if d.Error != "" {
			a.why += ": " + report.OneLine(d.Error)
		}
		if events[a] == nil {
			order = append(order, a)
		}
		events[a] = append(events[a], ofHappened(d.Event).What)
	}
	var rows [][]string
	for _, a := range order {
		names := events[a]
		text := strings.Join(names[:min(shownEvents, len(names))], ", ")
		if n := len(names) - shownEvents; n > 0 {
			text += fmt.Sprintf(" and %s more", report.Number(int64(n)))
		}
		rows = append(rows, []string{text, a.state.Painted(s.paint), a.reason, a.why})
	}
	return rows
}

func (s *session) decisionGrid(list []courier.Decision) *grid {
	g := &grid{indent: 2, columns: decisionColumns}
	g.rows = s.decisionRows(list)
	return g
}

func decisionState(d courier.Decision) report.State {
	switch {
	case d.Stored:
		return eventState(sensedJSON{State: d.State, Reason: d.Reason, Error: d.Error})
	case d.Reason == courier.ReasonNotTold:
		return report.State{Sign: "▲", Word: "NOT TOLD", Role: report.Warn}
	case d.Reason == courier.ReasonNotPublished:
		return report.State{Sign: "○", Word: "WAITING", Role: report.Idle}
	}
	return report.State{Sign: "–", Word: "NOT CALLED", Role: report.Idle}
}

func (s *session) messageRow(m courier.Told, now time.Time) []string {
	when := s.when(m.Ended, now)
	if m.Ended.IsZero() && !m.Due.IsZero() {
		when = "again " + s.nextText(m.Due.UTC(), now)
	}
	why := m.Text
	switch {
	case m.Error != "":
		why += ": " + report.OneLine(m.Error)
	case m.Message.Where != "":
		why += ": " + m.Message.Where
	}
	return []string{m.ID, m.Source, m.Channel, deliveryState(m.State).Painted(s.paint), m.Reason, report.Number(int64(m.Attempts)), when, why}
}

// nextOf lists commands that help, each once. On a deployment the doctor looks at channels, and what is due is seen to without a command.
func (s *session) nextOf(x courier.Explanation, rel relations, channels []channelJSON) []string {
	var next []string
	add := func(words ...string) {
		if command := s.call(words...); !slices.Contains(next, command) {
			next = append(next, command)
		}
	}
	look := func() {
		if s.environment == "" {
			add("monitor", "--once")
		}
	}
	test := func(channel string) {
		if s.environment == "" {
			add("channels", "test", channel)
			return
		}
		add("doctor")
	}
	message := func(m courier.Told) {
		switch m.State {
		case courier.Dead:
			add("deliveries", "retry", m.ID)
		case courier.Parked:
			test(m.Channel)
		case courier.Queued, courier.Retrying:
			look()
		}
	}
	if rel.retriedBy != "" {
		add("alerts", "explain", rel.retriedBy.Short())
	}
	for _, a := range x.Sensors {
		for _, d := range a.Decisions {
			switch d.Reason {
			case courier.ReasonPending, courier.ReasonRetrying, courier.ReasonNotPublished:
				look()
			case courier.ReasonHandlerFailed, courier.ReasonMistake:
				add("sensors", "show", a.Name)
				add("sensors", "test", a.Name, "--run", x.Run.ID.Short())
				add("deliveries", "retry", "--dead")
			case courier.ReasonNotTold:
				words := []string{"sensors", "test", a.Name, "--run", x.Run.ID.Short()}
				if s.environment == "" {
					words = append(words, "--send")
				}
				add(words...)
			}
			for _, m := range d.Messages {
				message(m)
			}
		}
		if !a.Switch.On && a.Sensor != nil {
			add("sensors", "on", a.Name)
		}
	}
	for _, m := range x.Steps {
		message(m)
	}
	for _, c := range channels {
		if c.State == "parked" {
			test(c.Name)
		}
	}
	return next
}
