package cli

import (
	"context"
	"strings"
	"time"

	"waggle/shared/courier"
	"waggle/shared/duration"
	"waggle/shared/report"
	"waggle/shared/run"
	"waggle/shared/store"
)

// episodeJSON is an episode in a list.
type episodeJSON struct {
	ID       string     `json:"id"`
	Sensor   string     `json:"sensor"`
	Subject  string     `json:"subject"`
	State    string     `json:"state"` // FAILED or RESOLVED
	Since    time.Time  `json:"since"` // when the first of the failures in a row ended
	Opened   time.Time  `json:"opened_at"`
	Opener   run.ID     `json:"opened_by"`
	Failures int        `json:"failures"`
	Failed   run.ID     `json:"last_failure"`
	Error    string     `json:"error,omitempty"`
	Told     time.Time  `json:"told_at"`
	Resolved *time.Time `json:"resolved_at"`
	Fixed    run.ID     `json:"fixed_by,omitempty"`
	Channels []string   `json:"channels"`
}

func episodeOf(e courier.Episode) episodeJSON {
	j := episodeJSON{ID: e.ID, Sensor: e.Source, Subject: e.Subject, State: "FAILED", Since: e.Since, Opened: e.Opened, Opener: e.Opener, Failures: e.Failures,
		Failed: e.Failed, Error: e.Error, Told: e.Told, Fixed: e.Fixed, Channels: e.Channels}
	if !e.Open() {
		j.State, j.Resolved = "RESOLVED", &e.Resolved
	}
	return j
}

func episodeState(e episodeJSON) report.State {
	if e.Resolved != nil {
		return report.State{Sign: "✓", Word: "RESOLVED", Role: report.Good}
	}
	return report.State{Sign: "✗", Word: "FAILED", Role: report.Bad}
}

func (s *session) episodes(ctx context.Context, all bool) (*store.Store, []courier.Episode, error) {
	if err := s.app.Definitions.Validate(); err != nil {
		return nil, nil, err
	}
	st, err := s.look(ctx)
	if err != nil {
		return nil, nil, err
	}
	list, err := s.courier(st).Episodes(ctx, all)
	return st, list, err
}

func (s *session) listAlerts(ctx context.Context, all bool) error {
	st, episodes, err := s.episodes(ctx, all)
	if err != nil {
		return err
	}
	var list []episodeJSON
	for _, e := range episodes {
		list = append(list, episodeOf(e))
	}
	empty := "nothing fails that people were told of"
	if all {
		empty = "people were told of no failure yet"
	}
	return printList(s, list, empty, func() *grid {
		g := &grid{columns: []column{{title: "ALERT"}, {title: "SUBJECT", least: 12}, {title: "STATE"}, {title: "SINCE"}, {title: "FAILURES", right: true}, {title: "SENSOR", least: 10},
			{title: "TOLD", least: 8}, {note: true}}}
		for _, e := range list {
			g.row(e.ID, e.Subject, episodeState(e).Painted(s.paint), s.when(e.Since, st.Now()), report.Number(int64(e.Failures)), e.Sensor, strings.Join(e.Channels, ", "),
				report.OneLine(e.Error))
		}
		return g
	})
}

// shownEpisode is an episode in JSON.
type shownEpisode struct {
	episodeJSON
	Deliveries []deliveryJSON `json:"deliveries"` // in the order of what they tell of
}

func (s *session) showAlert(ctx context.Context, id string) error {
	st, episodes, err := s.episodes(ctx, true)
	if err != nil {
		return err
	}
	episode, err := named(episodes, func(e courier.Episode) string { return e.ID }, "alert", id, 1, s.call("alerts", "--all"))
	if err != nil {
		return err
	}
	e := episodeOf(episode)
	deliveries, err := s.courier(st).EpisodeDeliveries(ctx, episode)
	if err != nil {
		return err
	}
	shown := shownEpisode{episodeJSON: e, Deliveries: []deliveryJSON{}}
	for _, d := range deliveries {
		shown.Deliveries = append(shown.Deliveries, toJSON(d))
	}
	if s.format != formatTable {
		return s.printJSON(shown)
	}
	facts, add := s.facts()
	add("state", episodeState(e).Painted(s.paint))
	add("sensor", e.Sensor)
	add("since", utc(e.Since))
	if e.Resolved != nil {
		add("resolved", utc(*e.Resolved)+", after "+duration.Text(e.Resolved.Sub(e.Since))+", by run "+e.Fixed.Short())
	}
	add("failures", report.Number(int64(e.Failures)))
	add("last failure", string(e.Failed))
	add("error", report.OneLine(e.Error))
	add("told", strings.Join(e.Channels, ", ")+", last "+utc(e.Told))
	lines := append([]string{s.paint(report.Strong, e.ID+" "+e.Subject)}, facts.lines(s)...)
	lines = append(lines, "")
	told := &grid{indent: 2, columns: []column{{title: "HAPPENED"}, {title: "RUN"}, {title: "CHANNEL", least: 8}, {title: "STATE"}, {title: "DECISION"}, {note: true}}}
	for _, d := range shown.Deliveries {
		decision := d.Decision
		if decision == "" {
			decision = d.Reason
		}
		told.row(utc(d.Happened), d.RunID.Short(), d.Channel, deliveryState(d.State).Painted(s.paint), decision, d.ID)
	}
	lines = append(lines, s.part("Deliveries", told, 0, "")...)
	return s.writeText(lines...)
}
