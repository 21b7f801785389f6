package alerts

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"waggle/bench/figures"
	"waggle/bench/receiver"
	"waggle/bench/workload"
	"waggle/shared/run"
)

// verdict is what the judge found.
type verdict struct {
	runs, lost, repeated, inWindow, unexplained int
}

// truth is all that is known of what should and did happen.
type truth struct {
	promised []run.ID            // launches that a worker told
	ended    map[run.ID]string   // of the runs that are stored: "", or why they, or their message, are not over
	sent     map[run.ID]int      // messages that are stored as sent
	windows  map[run.ID]exposure // of messages
	posts    []receiver.Message
	refused  []string
}

// judge compares what the server received with what is stored.
func judge(t truth, say func(string, ...any)) (v verdict) {
	ids := slices.Clone(t.promised)
	for id := range t.ended {
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	senders := map[run.ID][]int{} // who sent a message about it, in order
	for _, p := range t.posts {
		about := p.Runs()
		if len(about) != 1 || !slices.Contains(ids, about[0]) {
			v.unexplained++
			say("unexplained: a message tells of the runs %v", about)
			continue
		}
		senders[about[0]] = append(senders[about[0]], worker(p.Path))
	}
	for _, why := range t.refused {
		v.unexplained++
		say("unexplained: the server refused a message: %s", why)
	}
	for _, id := range ids {
		v.runs++
		why, stored := t.ended[id]
		switch by := senders[id]; {
		case !stored:
			v.lost++
			say("lost: run %s is gone", id)
		case len(by) == 0:
			v.lost++
			say("lost: nobody was told of run %s (%s)", id, why)
		case why != "" || t.sent[id] != 1:
			v.unexplained++
			say("unexplained: run %s was told of by %v, %d messages are stored as sent; %s", id, by, t.sent[id], why)
		}
		if len(senders[id]) == 0 {
			continue
		}
		repeated, inWindow := repeats(senders[id], t.windows[id])
		v.repeated += repeated
		v.inWindow += inWindow
		if repeated != inWindow {
			v.unexplained += repeated - inWindow
			say("unexplained: run %s was told of by the workers %v, and only %v died between send and store", id, senders[id], t.windows[id])
		}
	}
	return v
}

// repeats counts how often a message came more than once, and how many of these have their reason: the worker that had sent it before
// died before that was stored.
func repeats(senders []int, died exposure) (repeated, inWindow int) {
	seen := map[int]bool{}
	for _, w := range senders[:len(senders)-1] {
		if repeated++; died[w] && !seen[w] {
			inWindow++
		}
		seen[w] = true
	}
	return repeated, inWindow
}

// gather reads what is stored in the end.
func (k *killer) gather(ctx context.Context) (t truth, err error) {
	s, err := open(ctx, k.home)
	if err != nil {
		return t, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	t = truth{promised: k.promised, ended: map[run.ID]string{}, windows: k.windows}
	t.posts, _, t.refused = k.inbox.Received()
	waiting, sent, err := messages(ctx, s)
	if err != nil {
		return t, err
	}
	t.sent = sent
	ids, err := runs(ctx, s)
	if err != nil {
		return t, err
	}
	for _, id := range ids {
		summary, err := s.Summary(ctx, id)
		if err != nil {
			return t, err
		}
		events, err := s.SensorEventsOf(ctx, workload.AlarmSensor, id)
		if err != nil {
			return t, err
		}
		t.ended[id] = ""
		switch {
		case summary.Status != run.Failure:
			t.ended[id] = fmt.Sprintf("it is %s", summary.Status)
		case len(events) != 1 || !events[0].State.Ended():
			t.ended[id] = fmt.Sprintf("the sensor has %+v", events)
		case waiting[id] > 0:
			t.ended[id] = "its message waits"
		}
	}
	return t, nil
}

func (k *killer) sentence(ctx context.Context) (verdict, error) {
	t, err := k.gather(ctx)
	if err != nil {
		return verdict{}, err
	}
	return judge(t, figures.Say), nil
}
