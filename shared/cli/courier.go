package cli

import (
	"context"
	"os"
	"slices"
	"time"

	"waggle/shared/courier"
	"waggle/shared/fault"
	"waggle/shared/notify"
	"waggle/shared/report"
	"waggle/shared/store"
)

// courier returns what brings the messages of sensors to their channels.
func (s *session) courier(st *store.Store) *courier.Courier {
	if s.messages == nil {
		s.messages = courier.New(st, s.app.Definitions, &courier.Options{Sender: s.sender, Look: s.app.Look, Polls: s.polls, Worker: s.app.Worker})
	}
	return s.messages
}

// openSenders opens what sends to the channels, so that a setting or a secret that is wrong is found before anything runs.
func (s *session) openSenders(ctx context.Context) error {
	if s.senders != nil || len(s.app.Definitions.Channels) == 0 || s.environment != "" { // a deployment has its own
		return nil
	}
	of, err := s.sendersOf(ctx, s.app.Definitions.Channels)
	s.senders = of
	return err
}

func (s *session) sendersOf(ctx context.Context, channels notify.List) (func(*notify.Definition) (notify.Sender, error), error) {
	if s.app.Senders == nil {
		return nil, fault.New(fault.Invalid, "this program has no senders")
	}
	return s.app.Senders(ctx, s.homeDir(), channels)
}

// sender is what sends to a channel, for commands that have called openSenders.
func (s *session) sender(channel *notify.Definition) (notify.Sender, error) {
	if s.senders == nil {
		return nil, fault.New(fault.Invalid, "this command sends nothing")
	}
	return s.senders(channel)
}

// deliver works off what is due, of this run and others, until the returned function is called. A message that is on its way then is
// waited for.
func (s *session) deliver(ctx context.Context, st *store.Store) (stop func()) {
	if len(s.app.Definitions.Sensors)+len(s.app.Definitions.Channels) == 0 || s.deployed != nil {
		return func() {}
	}
	c := s.courier(st)
	ctx, cancel := context.WithCancel(ctx)
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		c.Keep(ctx, func(err error) { s.trouble.Store(&err) })
	}()
	return func() {
		cancel()
		<-kept
	}
}

// settle waits for the deliveries of a run and tells how they stand. The run is what it is either way.
func (s *session) settle(ctx context.Context, st *store.Store, r *report.Report, interrupts <-chan os.Signal) {
	if len(s.app.Definitions.Sensors)+len(s.app.Definitions.Channels) == 0 {
		return
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		select {
		case <-interrupts:
			stop()
		case <-ctx.Done():
		}
	}()
	list, err := s.courier(st).Settle(ctx, r.ID, r.Launched, s.app.Settle)
	if err != nil {
		s.warn("how the messages about the run stand is not known: %v", err)
		return
	}
	if trouble := s.trouble.Load(); trouble != nil && slices.ContainsFunc(list, func(d courier.Delivery) bool { return !d.State.Ended() }) {
		s.warn("deliveries: %s", report.OneLine((*trouble).Error()))
	}
	for _, d := range list {
		r.Deliveries = append(r.Deliveries, report.Delivery{Sensor: d.Source, Channel: d.Channel, State: string(d.State), Attempts: d.Attempts, EventID: d.EventID})
		switch {
		case d.State == courier.Sent:
			s.say("told %s (%s)%s", d.Channel, d.Source, where(d))
		case d.State == courier.Folded:
			s.say("%s knows (%s)%s", d.Channel, d.Source, known[d.Reason])
		case d.State == courier.Dead && d.Channel == "":
			s.warn("sensor %s failed: %s; see why with: %s", d.Source, report.OneLine(d.Error), s.call("sensors", "show", d.Source))
		case d.State == courier.Dead:
			s.warn("%s was not told (%s): %s; see why with: %s", d.Channel, d.Source, report.OneLine(d.Error), s.call("deliveries", "show", d.ID))
		case d.Channel == "":
			s.warn("sensor %s has not been called yet%s; it is %s", d.Source, because(d), s.by("monitor", "--once"))
		default:
			s.warn("%s has not been told yet (%s)%s; it is %s %s", d.Channel, d.Source, because(d), triedFrom(d.Due), s.by("dev"))
		}
	}
}

// triedFrom says when a message is tried again; the zero time is that of one whose try was not noted.
func triedFrom(due time.Time) string {
	if due.IsZero() {
		return "sent"
	}
	return "tried again " + utc(due)
}

// by says who does what is left.
func (s *session) by(words ...string) string {
	if s.environment != "" {
		return "by the deployment"
	}
	return "with: " + s.call(words...)
}

// known says why a channel was told nothing, by the reason.
var known = map[string]string{
	courier.ReasonSameFailure: ": the same failure was told before",
	courier.ReasonOlderEvent:  ": something newer was told",
	courier.ReasonNothingOpen: ": no failure was told that ends",
}

// where says in which file a message is that went to the outbox.
func where(d courier.Delivery) string {
	if d.Message.Where == "" {
		return ""
	}
	return ": " + d.Message.Where
}

func because(d courier.Delivery) string {
	if d.Error == "" {
		return ""
	}
	return ": " + report.OneLine(d.Error)
}

// deliverOnce does what is due of sensors and channels, and tells how much that was.
func (s *session) deliverOnce(ctx context.Context, st *store.Store) error {
	if s.deployed != nil {
		return s.deployed.Sensor(ctx)
	}
	c := s.courier(st)
	err := c.Once(ctx)
	t := c.Tally()
	if t.Launched > 0 {
		s.say("%s launched by sensors; run with: %s", report.Count(t.Launched, "run"), s.call("monitor", "--once"))
	}
	if t.Sent > 0 {
		s.say("%s sent", report.Count(t.Sent, "message"))
	}
	if t.Dead > 0 {
		s.warn("%s given up; see them with: %s", report.Count(t.Dead, "message"), s.call("deliveries", "--state", "dead"))
	}
	return err
}
