package cli

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"waggle/shared/courier"
	"waggle/shared/fault"
	"waggle/shared/notify"
	"waggle/shared/report"
	"waggle/shared/store"
)

func (s *session) channelsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "channels",
		Short: "List channels: whether they can send, and what waits in them",
		Example: `  waggle channels
  waggle channels test slack`,
		Args: noSuchCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return s.listChannels(cmd.Context()) },
	}
	cmd.AddCommand(s.channelsTestCommand())
	return cmd
}

// channelJSON is a channel in a list.
type channelJSON struct {
	Name    string     `json:"name"`
	Kind    string     `json:"kind"`
	State   string     `json:"state"` // ready, waiting, parked
	Waiting int        `json:"waiting"`
	Reason  string     `json:"reason,omitempty"`
	Error   string     `json:"error,omitempty"`
	Missing []string   `json:"missing,omitempty"` // what would configure it: its messages go to the outbox
	Due     *time.Time `json:"due_at"`            // when it is tried again; null: it is ready
	Origin  string     `json:"origin"`
}

func (s *session) listChannels(ctx context.Context) error {
	if err := s.app.Definitions.Validate(); err != nil {
		return err
	}
	st, err := s.look(ctx)
	if err != nil {
		return err
	}
	var list []channelJSON
	for _, c := range s.app.Definitions.Channels {
		entry, err := s.channelOf(ctx, st, c)
		if err != nil {
			return err
		}
		list = append(list, entry)
	}
	return printList(s, list, "there is no channel; add one to Definitions", func() *grid {
		g := &grid{columns: []column{{title: "CHANNEL", least: 10}, {title: "KIND"}, {title: "STATE"}, {title: "WAITING", right: true}, {title: "TRIED AGAIN"}, {least: 20, wrap: true}}}
		for _, c := range list {
			due := ""
			if c.Due != nil {
				due = s.nextText(c.Due.UTC(), st.Now())
			}
			g.row(c.Name, c.Kind, c.state().Painted(s.paint), report.Number(int64(c.Waiting)), due, report.OneLine(cmp.Or(c.Error, c.standIn())))
		}
		return g
	})
}

// standIn says where messages go while a channel is not configured; "" where it is.
func (c channelJSON) standIn() string {
	if len(c.Missing) == 0 {
		return ""
	}
	return "its messages go to the outbox; " + setOne(c.Missing)
}

// setOne says which settings would configure a channel.
func setOne(missing []string) string {
	var names []string
	for _, name := range missing {
		names = append(names, strings.TrimPrefix(name, "env:"))
	}
	return "set " + strings.Join(names, " or ")
}

func (c channelJSON) state() report.State {
	switch {
	case c.State == "parked":
		return report.State{Sign: "✗", Word: "PARKED", Role: report.Bad}
	case c.State == "waiting":
		return report.State{Sign: "▲", Word: "WAITING", Role: report.Warn}
	case len(c.Missing) > 0:
		return outboxed
	}
	return report.State{Sign: "✓", Word: "READY", Role: report.Good}
}

func (s *session) channelOf(ctx context.Context, st *store.Store, channel *notify.Channel) (channelJSON, error) {
	def := channel.Definition()
	entry := channelJSON{Name: def.Name, Kind: string(def.Kind), State: "ready", Origin: def.Origin}
	state, _, err := st.ChannelState(ctx, def.Name)
	if err != nil {
		return entry, err
	}
	for cursor := ""; ; {
		outs, more, err := st.Waiting(ctx, def.Name, 1000, cursor)
		if err != nil {
			return entry, err
		}
		entry.Waiting += len(outs)
		if cursor = more; cursor == "" {
			break
		}
	}
	if !state.Parked.IsZero() {
		entry.State = "parked"
	} else if state.NotBefore.After(st.Now()) {
		entry.State = "waiting"
	}
	if entry.State != "ready" {
		entry.Reason, entry.Error, entry.Due = state.Reason, state.Error, &state.NotBefore
	}
	if s.environment != "" { // the settings of this machine are not the deployment's
		return entry, nil
	}
	of, err := s.sendersOf(ctx, notify.List{channel})
	if err != nil {
		if entry.State == "ready" {
			entry.State, entry.Reason, entry.Error = "parked", courier.ReasonNotConfigured, err.Error()
		}
		return entry, nil
	}
	sender, err := of(def)
	if s, ok := sender.(notify.StandIn); ok {
		entry.Missing = s.Missing()
	}
	return entry, err
}

func (s *session) channelsTestCommand() *cobra.Command {
	return &cobra.Command{
		Use:         "test CHANNEL",
		Short:       "Send a test message to a channel, now and past all that waits",
		Example:     "  waggle channels test slack",
		Annotations: map[string]string{localOnly: "it would send by this machine's settings and not by the deployment's"},
		Args:        exactly("channel"),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return s.channelNames(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error { return s.testChannel(cmd.Context(), args[0]) },
	}
}

func (s *session) channelNames() []string {
	var names []string
	for _, c := range s.app.Definitions.Channels {
		if def := c.Definition(); def != nil {
			names = append(names, def.Name)
		}
	}
	return names
}

// testedJSON is how a channel answered.
type testedJSON struct {
	Channel    string   `json:"channel"`
	Answer     string   `json:"answer"`
	Reason     string   `json:"reason,omitempty"`
	Error      string   `json:"error,omitempty"`
	Ref        string   `json:"ref,omitempty"`
	Where      string   `json:"where,omitempty"` // the page of the outbox
	Rung       int      `json:"rung,omitempty"`  // the size that was tried last; 0 is the full one
	Refused    []string `json:"refused,omitempty"`
	DurationMS float64  `json:"duration_ms"`
}

func (s *session) testChannel(ctx context.Context, name string) error {
	if err := s.app.Definitions.Validate(); err != nil {
		return err
	}
	def := s.app.Definitions.Channel(name)
	if def == nil {
		return fault.Unknown("channel", name, s.channelNames())
	}
	if err := s.openSenders(ctx); err != nil {
		return err
	}
	sender, err := s.sender(def)
	if err != nil {
		return err
	}
	st, err := s.store(ctx)
	if err != nil {
		return err
	}
	token, err := st.Token()
	if err != nil {
		return err
	}
	content, err := notify.Message{Subject: "[Waggle] test of channel " + name, Text: "This is a test of channel " + name + ", asked for by " + s.app.Worker + " at " + utc(st.Now()) + "."}.Content(notify.Full)
	if err != nil {
		return err
	}
	began := time.Now()
	a := sender.Send(ctx, "test-"+token, content, notify.Thread{})
	took := time.Since(began)
	if in, ok := sender.(notify.StandIn); ok && a.Kind == notify.Sent {
		s.say("nothing was sent: %s is not configured; %s", name, setOne(in.Missing()))
	}
	if s.format != formatTable {
		err = s.printJSON(testedJSON{name, string(a.Kind), string(a.Reason), a.Error, a.Ref, a.Where, 0, a.Refused, float64(took.Microseconds()) / 1000})
	} else if a.Reason == notify.ReasonStored {
		err = s.write("put into the outbox: " + s.paint(report.Muted, a.Where))
	} else if a.Kind == notify.Sent {
		err = s.write("sent to " + name + " " + s.paint(report.Muted, a.Ref))
	}
	if err == nil && a.Kind == notify.Sent { // what waits because the channel was broken need not wait any more
		if err = s.courier(st).Unhold(ctx, name); err == nil {
			err = s.deliverOnce(ctx, st)
		}
	}
	if err != nil || a.Kind == notify.Sent {
		return err
	}
	return fault.New(fault.Unavailable, "channel %q did not take the test message: %s %s", name, a.Reason, report.OneLine(a.Error))
}
