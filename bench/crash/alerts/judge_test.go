package alerts

import (
	"fmt"
	"maps"
	"testing"

	"waggle/bench/receiver"
	"waggle/shared/run"
)

func id(n int) run.ID { return run.ID(fmt.Sprintf("01a214b7-edae-7d20-be6e-%012d", n)) }

func post(worker int, about ...run.ID) receiver.Message {
	return receiver.Message{Path: path(worker), Body: fmt.Sprintf("run: %q", about)}
}

// setup is three runs that were told of; worker 2 died after it had sent and before that was stored, so that 3 sent it again.
func setup() truth {
	return truth{
		promised: []run.ID{id(1), id(2)}, // the worker of the third died before it could tell of its launch
		ended:    map[run.ID]string{id(1): "", id(2): "", id(3): ""},
		sent:     map[run.ID]int{id(1): 1, id(2): 1, id(3): 1},
		windows:  map[run.ID]exposure{id(2): {2: true}},
		posts:    []receiver.Message{post(1, id(1)), post(2, id(2)), post(3, id(2)), post(3, id(3))},
	}
}

func TestARepeatWithAReasonIsCountedAndNothingElseIs(t *testing.T) {
	t.Parallel()
	if v := judge(setup(), t.Logf); v != (verdict{runs: 3, repeated: 1, inWindow: 1}) {
		t.Errorf("%+v", v)
	}
}

func TestEveryDamageIsFound(t *testing.T) {
	t.Parallel()
	sound := verdict{runs: 3, repeated: 1, inWindow: 1}
	change := func(by func(*verdict)) verdict { v := sound; by(&v); return v }
	for name, c := range map[string]struct {
		damage func(*truth)
		want   verdict
	}{
		"a message that never came":                   {func(t *truth) { t.posts = t.posts[1:] }, change(func(v *verdict) { v.lost = 1 })},
		"a run that is gone":                          {func(t *truth) { delete(t.ended, id(1)) }, change(func(v *verdict) { v.lost = 1 })},
		"a run that nobody promised and nobody heard": {func(t *truth) { t.posts = t.posts[:3] }, change(func(v *verdict) { v.lost = 1 })},
		"a message that waits although it was sent":   {func(t *truth) { t.ended[id(1)], t.sent[id(1)] = "its message waits", 0 }, change(func(v *verdict) { v.unexplained = 1 })},
		"a message that is stored as sent twice":      {func(t *truth) { t.sent[id(3)] = 2 }, change(func(v *verdict) { v.unexplained = 1 })},
		"a repeat without a death":                    {func(t *truth) { t.windows = nil }, change(func(v *verdict) { v.inWindow, v.unexplained = 0, 1 })},
		"a repeat after another death":                {func(t *truth) { t.windows = map[run.ID]exposure{id(2): {3: true}} }, change(func(v *verdict) { v.inWindow, v.unexplained = 0, 1 })},
		"a worker that sent twice and died": {func(t *truth) { t.posts = append(t.posts[:2:2], post(2, id(2)), post(3, id(2)), post(3, id(3))) },
			change(func(v *verdict) { v.repeated, v.unexplained = 2, 1 })},
		"a message of an unknown run": {func(t *truth) { t.posts = append(t.posts, post(1, id(9))) }, change(func(v *verdict) { v.unexplained = 1 })},
		"a message of no run":         {func(t *truth) { t.posts = append(t.posts, post(1)) }, change(func(v *verdict) { v.unexplained = 1 })},
		"a message of two runs":       {func(t *truth) { t.posts = append(t.posts, post(1, id(1), id(2))) }, change(func(v *verdict) { v.unexplained = 1 })},
		"a message that was refused":  {func(t *truth) { t.refused = []string{"no text"} }, change(func(v *verdict) { v.unexplained = 1 })},
	} {
		damaged := setup()
		damaged.ended, damaged.sent = maps.Clone(damaged.ended), maps.Clone(damaged.sent)
		c.damage(&damaged)
		if v := judge(damaged, t.Logf); v != c.want {
			t.Errorf("%s: %+v, want %+v", name, v, c.want)
		}
	}
}

func TestAFigureWithAnythingLostOrUnexplainedOrBadlySpreadIsAViolation(t *testing.T) {
	t.Parallel()
	spread := map[state]int{goesOn: 20, unheard: 5, pending: 25, waits: 25, window: 25}
	for _, c := range []struct {
		f  Figure
		ok bool
	}{
		{Figure{Kills: 100, KillsByState: spread, Repeated: 3, RepeatedInWindow: 3}, true},
		{Figure{Kills: 100, KillsByState: spread, Lost: 1}, false},
		{Figure{Kills: 10, Unexplained: 1}, false},
		{Figure{Kills: 10}, true},
		{Figure{Kills: 100, KillsByState: map[state]int{goesOn: 50, pending: 25, waits: 25}}, false},
	} {
		if err := c.f.Violation(); (err == nil) != c.ok {
			t.Errorf("%+v: %v", c.f, err)
		}
	}
}
