package alerts

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"waggle/bench/home"
	"waggle/bench/workload"
	"waggle/shared/fault"
	"waggle/shared/run"
	"waggle/shared/store"
	"waggle/shared/store/driver"
)

// state is how far a run and its message had come when a worker died.
type state string

const (
	goesOn   state = "run_going"              // that it failed is not stored
	unheard  state = "failed_not_with_sensor" // stored, and the sensor has no event
	pending  state = "event_not_evaluated"    // the sensor has it, and no message is stored
	waits    state = "message_not_sent"       // the message is stored, and this worker had not sent it
	window   state = "sent_not_stored"        // the server has it from this worker, and nobody stored that
	over     state = "sent_and_stored"        //
	notBegun state = "no_run"                 // nothing was launched yet
)

// path is that of a worker's webhook: the server knows by it who sent a message.
func path(worker int) string { return "/services/" + strconv.Itoa(worker) }

// worker is whose webhook a path is; 0 for none.
func worker(path string) int {
	n, _ := strconv.Atoi(strings.TrimPrefix(path, "/services/"))
	return n
}

// look sees what a dead worker left, of its own run and of others that wait.
func (k *killer) look(ctx context.Context, own run.ID) (err error) {
	quiet, err := k.inbox.Quiet(10 * time.Second)
	if err != nil {
		return err
	}
	if !quiet {
		return errors.New("the connections of a dead worker do not end")
	}
	drain(k.heard)
	s, err := open(ctx, k.home)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	waiting, sent, err := messages(ctx, s)
	if err != nil {
		return err
	}
	sentNow := k.sentBy(k.number)
	for id := range k.waiting {
		if sent[id] > 0 {
			delete(k.waiting, id)
		}
		if waiting[id] > 0 && sentNow[id] {
			if k.windows[id] == nil {
				k.windows[id] = exposure{}
			}
			k.windows[id][k.number] = true
		}
	}
	if own == "" {
		k.byState[notBegun]++
		return nil
	}
	switch {
	case sent[own] > 0:
		k.byState[over]++
	case waiting[own] > 0 && sentNow[own]:
		k.byState[window]++
	case waiting[own] > 0:
		k.byState[waits]++
	default:
		before, err := stateOf(ctx, s, own)
		if err != nil {
			return err
		}
		k.byState[before]++
	}
	return nil
}

// stateOf is how far a run has come that has no message yet.
func stateOf(ctx context.Context, s *store.Store, id run.ID) (state, error) {
	fold, _, err := s.Fold(ctx, id)
	if err != nil && !errors.Is(err, fault.NotFound) {
		return "", err
	}
	if err != nil || fold.Record.Status != run.Failure {
		return goesOn, nil
	}
	events, err := s.SensorEventsOf(ctx, workload.AlarmSensor, id)
	if err != nil {
		return "", err
	}
	if len(events) == 0 {
		return unheard, nil
	}
	if events[0].State.Ended() {
		return "", fmt.Errorf("the event of run %s is %s (%s), and there is no message", id, events[0].State, events[0].Reason)
	}
	return pending, nil
}

// sentBy are the runs that the server has messages of, from a worker.
func (k *killer) sentBy(number int) map[run.ID]bool {
	posts, _, _ := k.inbox.Received()
	sent := map[run.ID]bool{}
	for _, p := range posts {
		if worker(p.Path) != number {
			continue
		}
		for _, id := range p.Runs() {
			sent[id] = true
		}
	}
	return sent
}

// messages counts what waits in the channel, and what was sent, by run.
func messages(ctx context.Context, s *store.Store) (waiting, sent map[run.ID]int, err error) {
	waiting, sent = map[run.ID]int{}, map[run.ID]int{}
	for cursor := ""; ; {
		outs, more, err := s.Waiting(ctx, workload.AlarmChannel, 100, cursor)
		if err != nil {
			return nil, nil, err
		}
		for _, o := range outs {
			waiting[o.Run]++
		}
		if cursor = more; cursor == "" {
			break
		}
	}
	list, err := s.Messages(ctx, workload.AlarmChannel, time.Time{}, everything)
	for _, m := range list {
		for _, o := range m.Outs {
			if m.State == store.MessageSent {
				sent[o.Run]++
			}
		}
	}
	return waiting, sent, err
}

// everything is more messages than there are.
const everything = 1 << 20

func open(ctx context.Context, dir string) (*store.Store, error) {
	return home.Open(ctx, dir, &store.Options{Lease: lease}, func(db driver.Driver) driver.Driver { return db })
}

func drain(marks chan mark) {
	for {
		select {
		case <-marks:
		default:
			return
		}
	}
}
