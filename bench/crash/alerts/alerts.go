// Package alerts kills processes between the failure of a run and the message that tells of it, and counts what was not told, or told twice.
package alerts

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"time"

	"waggle/bench/receiver"
	"waggle/shared/run"
)

// Figure is the line of output. README.md says how to read it.
type Figure struct {
	Kills            int           `json:"kills"`
	Lost             int           `json:"lost"`
	Repeated         int           `json:"repeated"`
	RepeatedInWindow int           `json:"repeated_in_window"`
	Unexplained      int           `json:"unexplained"`
	Runs             int           `json:"runs"`
	KillsByState     map[state]int `json:"kills_by_state"`
	Seed             uint64        `json:"seed"`
}

// slowest is how long the server may take for an answer; Slack takes longer.
const slowest = 6 * time.Millisecond

// Bench kills so many workers, and judges what came of their runs.
func Bench(ctx context.Context, dir string, kills int, seed uint64) (f Figure, err error) {
	k := &killer{home: filepath.Join(dir, "home"), random: rand.New(rand.NewPCG(seed, 1)), calm: true, heard: make(chan mark, 1024),
		took: map[point][]time.Duration{}, byState: map[state]int{}, windows: map[run.ID]exposure{}, waiting: map[run.ID]bool{}}
	answers := make(chan time.Duration, 64)
	go func() { // of its own: a generator is not safe for several goroutines
		for random := rand.New(rand.NewPCG(seed, 2)); ; {
			select {
			case answers <- time.Duration(random.Int64N(int64(slowest))):
			case <-ctx.Done():
				return
			}
		}
	}()
	k.inbox, err = receiver.Open(dir, &receiver.Options{Before: func(m receiver.Message) {
		for _, id := range m.Runs() {
			k.heard <- mark{received, id}
		}
		select {
		case wait := <-answers:
			time.Sleep(wait)
		case <-ctx.Done():
		}
	}})
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, k.inbox.Close()) }()
	if err := k.loop(ctx, kills); err != nil {
		return f, err
	}
	v, err := k.sentence(ctx)
	return Figure{Kills: k.kills, Lost: v.lost, Repeated: v.repeated, RepeatedInWindow: v.inWindow, Unexplained: v.unexplained, Runs: v.runs,
		KillsByState: k.byState, Seed: seed}, err
}

// leastShare is the share of kills that must fall into each phase, in percent, where there are many.
const leastShare, many = 5, 100

// Violation is what the figure says that must not be.
func (f Figure) Violation() error {
	if f.Lost > 0 || f.Unexplained > 0 {
		return errors.New("somebody was not told of a failure, or was told twice without a reason")
	}
	if f.Kills < many {
		return nil
	}
	for phase, n := range map[string]int{"the run goes on": f.KillsByState[goesOn], "it failed and nobody evaluated that": f.KillsByState[unheard] + f.KillsByState[pending],
		"the message waits": f.KillsByState[waits], "the message is sent and that is not stored": f.KillsByState[window]} {
		if 100*n < leastShare*f.Kills {
			return fmt.Errorf("only %d of %d kills fell where %s, %d %% must", n, f.Kills, phase, leastShare)
		}
	}
	return nil
}
