package main

import (
	"context"
	"fmt"
	"slices"

	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/store"
)

// history is what the log of a run says, read without the engine and without the fold, whose results it is
// held against.
type history struct {
	sums    map[int64]string // of the chunks
	workers map[string]int64 // the first epoch of each
	starts  map[run.StepKey][]begun
	success map[run.StepKey]int64 // the epoch in which it was stored
	doomed  map[run.StepKey]bool  // their worker died while they ran alone
	barren  int                   // the most owners in a row that died without a result of a step
	wrong   []string
}

type begun struct {
	epoch   int64
	attempt int
	careful bool
}

func readHistory(ctx context.Context, s *store.Store, id run.ID) (*history, error) {
	h := &history{sums: map[int64]string{}, workers: map[string]int64{}, starts: map[run.StepKey][]begun{},
		success: map[run.StepKey]int64{}, doomed: map[run.StepKey]bool{}}
	open := map[run.StepKey]begun{} // started, without a result
	barren := 0
	err := s.ReadLog(ctx, id, 0, func(c store.Stored) error {
		p, err := promised(id, c.N, c.Chunk)
		if err != nil {
			return err
		}
		if h.sums[c.N] = p.Sum; int(c.N) != len(h.sums)-1 {
			h.say("chunk %d follows %d chunks", c.N, len(h.sums)-1)
		}
		events, err := s.Unpack(c.Chunk)
		if err != nil {
			return err
		}
		epoch := c.Chunk.Header.Epoch
		for _, e := range events {
			switch e.Type {
			case runlog.Owner:
				o, _ := e.Data.(*runlog.Ownership)
				if _, ok := h.workers[o.Worker]; !ok {
					h.workers[o.Worker] = epoch
				}
				if o.Died {
					barren++
					h.barren = max(h.barren, barren)
					for step, b := range open {
						if b.careful {
							h.doomed[step] = true
						}
					}
				}
				clear(open)
			case runlog.StepStart:
				data, _ := e.Data.(*runlog.Begun)
				b := begun{epoch: epoch, attempt: e.Attempt, careful: data != nil && data.Careful}
				open[e.Step] = b
				h.starts[e.Step] = append(h.starts[e.Step], b)
				if _, ok := h.success[e.Step]; ok {
					h.say("%s started in epoch %d, after its success", e.Step, epoch)
				}
			case runlog.StepSuccess:
				delete(open, e.Step)
				barren = 0
				if _, ok := h.success[e.Step]; ok {
					h.say("%s succeeded twice", e.Step)
				}
				h.success[e.Step] = epoch
			case runlog.StepFailure, runlog.StepUpForRetry, runlog.StepInterrupted:
				delete(open, e.Step)
				barren = 0
			}
		}
		return nil
	})
	return h, err
}

func (h *history) say(format string, args ...any) {
	h.wrong = append(h.wrong, fmt.Sprintf(format, args...))
}

// ran compares the executions of the run, which the steps themselves noted, with the log. It returns how many times a
// step that had done its work did it again.
func (h *history) ran(done []execution, sums map[run.StepKey]string) (again int) {
	finished := map[run.StepKey]int{}
	for _, x := range done {
		first, known := h.workers[x.Worker]
		if !known {
			h.say("%s ran in worker %s, which never owned the run", x.Step, x.Worker)
		}
		if x.Failed {
			continue
		}
		if finished[x.Step]++; finished[x.Step] > 1 {
			again++
		}
		stored, ok := h.success[x.Step]
		if ok && first > stored {
			h.say("%s ran in epoch %d, its success was stored in epoch %d", x.Step, first, stored)
		}
		if ok && first == stored && sums[x.Step] != x.Output {
			h.say("the value of %s is not the one that its function returned", x.Step)
		}
		if !x.Stored && h.mustWait(x, first) {
			h.say("%s ran in worker %s before its start was stored", x.Step, x.Worker)
		}
	}
	for step := range h.success {
		if finished[step] == 0 {
			h.say("%s has a success but never ran", step)
		}
	}
	return again
}

// mustWait says whether an execution had to wait until its start was stored: that of a step with Effects, and one that
// runs alone after a crash.
func (h *history) mustWait(x execution, epoch int64) bool {
	return x.Step == effectsStep || slices.ContainsFunc(h.starts[x.Step], func(b begun) bool {
		return b.careful && b.attempt == x.Attempt && b.epoch >= epoch
	})
}
