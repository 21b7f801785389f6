package waggletest

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"testing"

	"waggle/shared/courier"
	"waggle/shared/notify"
	"waggle/shared/waggle"
)

// Sent is a message that a sensor gave to a channel, in the forms that channels of its kind send.
type Sent struct {
	Channel string
	notify.Content
}

// Sent lists what was told of the run, by channel, those of one channel in order.
func (r *Run) Sent() []Sent {
	r.sent.mu.Lock()
	defer r.sent.mu.Unlock()
	list := slices.Clone(r.sent.messages)
	slices.SortStableFunc(list, func(a, b Sent) int { return cmp.Compare(a.Channel, b.Channel) })
	return list
}

// mailbox takes what is sent to any channel.
type mailbox struct {
	mu       sync.Mutex
	messages []Sent
}

func (m *mailbox) of(channel *notify.Definition) (notify.Sender, error) {
	return slot{m, channel.Name}, nil
}

type slot struct {
	*mailbox
	channel string
}

func (s slot) Send(_ context.Context, _ string, c notify.Content, _ notify.Thread) notify.Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages = append(s.messages, Sent{s.channel, c})
	return notify.Answer{Kind: notify.Sent}
}

// tell calls the sensors. One whose function fails fails the test.
func (r *Run) tell(ctx context.Context, t testing.TB, c *courier.Courier, defs waggle.Definitions) {
	t.Helper()
	if err := c.Once(ctx); err != nil {
		t.Fatalf("waggletest: call the sensors: %v", err)
	}
	for _, s := range defs.Sensors {
		name := s.Definition().Name
		rows, err := r.store.SensorEventsOf(ctx, name, r.ID)
		if err != nil {
			t.Fatalf("waggletest: sensor %s: %v", name, err)
		}
		for _, row := range rows {
			if row.Error != "" {
				t.Errorf("waggletest: sensor %s: %s", name, row.Error)
			}
		}
	}
}
