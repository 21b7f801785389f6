package alerts

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"waggle/bench/receiver"
	"waggle/bench/workload"
	"waggle/shared/run"
	"waggle/shared/store"
)

// verdict is what the judge found.
type verdict struct {
	failed   int // runs
	lost     int // runs that are gone or not over, and failures that no message told of
	wrong    int // all else that is not as it must be
	repeated int // messages about a run after the first
}

// truth is all that is known of what should and did happen.
type truth struct {
	fails     map[run.ID]bool   // of all launches: whether it must fail
	ended     map[run.ID]ending // of those that are stored
	posts     []receiver.Message
	refused   []string // posts that no channel may send
	ambiguous int      // sends of which nobody may know that they arrived
}

// ending is what became of a run.
type ending struct {
	status run.Status
	owed   string // what is not over; empty: nothing
	sent   int    // messages about it that are stored as sent
}

// judge compares what the server received with what is stored and with what was launched.
func judge(t truth, say func(string, ...any)) (v verdict) {
	lost := func(format string, args ...any) { v.lost++; say("lost: "+format, args...) }
	wrong := func(format string, args ...any) { v.wrong++; say("wrong: "+format, args...) }
	told := map[run.ID]int{}
	for _, p := range t.posts {
		about := p.Runs()
		if len(about) == 1 {
			if _, launched := t.fails[about[0]]; launched {
				told[about[0]]++
				continue
			}
		}
		wrong("a message tells of the runs %v", about)
	}
	for _, why := range t.refused {
		wrong("the server got what no channel may send: %s", why)
	}
	for _, id := range slices.Sorted(maps.Keys(t.fails)) {
		end, stored := t.ended[id]
		switch {
		case !stored:
			lost("run %s is gone", id)
			continue
		case !end.status.Terminal() || end.owed != "":
			lost("run %s is %s: %s", id, end.status, end.owed)
		case t.fails[id] && end.status != run.Failure:
			wrong("run %s must fail and is %s", id, end.status)
		case !t.fails[id] && end.status != run.Failure && end.status != run.Success:
			wrong("run %s is %s", id, end.status)
		}
		if end.status != run.Failure {
			if told[id]+end.sent > 0 {
				wrong("run %s is %s and was told of %d times, by the store %d", id, end.status, told[id], end.sent)
			}
			continue
		}
		v.failed++
		if told[id] == 0 {
			lost("nobody was told of run %s", id)
			continue
		}
		if v.repeated += told[id] - 1; end.sent != 1 {
			wrong("run %s was told of %d times, %d messages are stored as sent", id, told[id], end.sent)
		}
	}
	return v
}

// gather reads what is stored in the end.
func gather(ctx context.Context, s *store.Store, fails map[run.ID]bool, inbox *receiver.Receiver, ambiguous int) (truth, error) {
	t := truth{fails: fails, ended: map[run.ID]ending{}, ambiguous: ambiguous}
	t.posts, _, t.refused = inbox.Received()
	sent, err := sentMessages(ctx, s)
	if err != nil {
		return t, err
	}
	for id := range fails {
		summary, err := s.Summary(ctx, id)
		if err != nil {
			return t, err
		}
		o, err := s.Owner(ctx, id)
		if err != nil {
			return t, err
		}
		events, err := s.SensorEventsOf(ctx, workload.AlarmSensor, id)
		if err != nil {
			return t, err
		}
		end := ending{status: summary.Status, sent: sent[id]}
		switch {
		case !o.Due.IsZero():
			end.owed = "it is due"
		case summary.Status == run.Failure && (len(events) != 1 || events[0].State != store.EventDone):
			end.owed = fmt.Sprintf("the sensor has %+v", events)
		}
		t.ended[id] = end
	}
	return t, nil
}

// sentMessages counts the messages that are stored as sent, by the run that they tell of.
func sentMessages(ctx context.Context, s *store.Store) (map[run.ID]int, error) {
	list, err := s.Messages(ctx, workload.AlarmChannel, time.Time{}, 1<<20)
	sent := map[run.ID]int{}
	for _, m := range list {
		if m.State != store.MessageSent {
			continue
		}
		for _, o := range m.Outs {
			sent[o.Run]++
		}
	}
	return sent, err
}
