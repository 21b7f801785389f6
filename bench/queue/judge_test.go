package main

import (
	"errors"
	"os"
	"testing"

	"waggle/shared/run"
)

// story makes lines: a kind and a run, with a number for the walk or the process.
func story(lines ...line) []line { return lines }

func event(kind string, id run.ID) line { return line{Kind: kind, Run: id, PID: 1} }

func by(pid int, what line) line { what.PID = pid; return what }

func of(walk int64, what line) line { what.Walk = walk; return what }

func TestTheJudgeSeesARunOverTheLimit(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		lines []line
		want  int
	}{
		"one after the other":           {story(event(starts, "a"), event(ends, "a"), event(starts, "b")), 0},
		"two at once":                   {story(event(starts, "a"), event(starts, "b"), event(ends, "a")), 1},
		"one whose process was killed":  {story(event(starts, "a"), line{Kind: killed_, PID: 1}, by(2, event(starts, "b"))), 0},
		"another process was killed":    {story(event(starts, "a"), line{Kind: killed_, PID: 3}, by(2, event(starts, "b"))), 1},
		"three, each over the limit":    {story(event(starts, "a"), event(starts, "b"), event(starts, "c")), 2},
		"one that runs again, resumed":  {story(event(starts, "a"), line{Kind: killed_, PID: 1}, by(2, event(starts, "a")), by(2, event(ends, "a"))), 0},
		"nothing but launches and ends": {story(event(launched, "a"), event(over, "a")), 0},
	} {
		if got := judge(c.lines, 1); got.OverLimit != c.want {
			t.Errorf("%s: %d, want %d", name, got.OverLimit, c.want)
		}
	}
}

func TestTheJudgeSeesARunThatWasOvertakenButNoRace(t *testing.T) {
	t.Parallel()
	first, second := event(launched, "a"), event(launched, "b")
	urgent := event(launched, "c")
	urgent.Priority = 5
	for name, c := range map[string]struct {
		lines []line
		want  int
	}{
		"in order": {story(first, second, event(queued, "a"), event(queued, "b"), of(1, event(looks, "")),
			of(1, event(admits, "a")), of(1, event(admitted, "a")), of(1, event(admits, "b")), of(1, event(admitted, "b"))), 0},
		"overtaken": {story(first, second, event(queued, "a"), event(queued, "b"), of(1, event(looks, "")),
			of(1, event(admits, "b")), of(1, event(admitted, "b")), of(1, event(admits, "a")), of(1, event(admitted, "a"))), 1},
		"overtaken, and never admitted": {story(first, second, event(queued, "a"), event(queued, "b"), of(1, event(looks, "")),
			of(1, event(admits, "b")), of(1, event(admitted, "b"))), 1},
		"queued when the other had begun to look": {story(first, second, event(queued, "b"), of(1, event(looks, "")), event(queued, "a"),
			of(1, event(admits, "b")), of(1, event(admitted, "b"))), 0},
		"two processes at once": {story(first, second, event(queued, "a"), event(queued, "b"), of(1, event(looks, "")), by(2, of(1, event(looks, ""))),
			of(1, event(admits, "a")), by(2, of(1, event(admits, "b"))), by(2, of(1, event(admitted, "b"))), of(1, event(admitted, "a"))), 0},
		"a later one that is more urgent": {story(first, urgent, event(queued, "a"), event(queued, "c"), of(1, event(looks, "")),
			of(1, event(admits, "c")), of(1, event(admitted, "c")), of(1, event(admits, "a")), of(1, event(admitted, "a"))), 0},
		"the urgent one was overtaken": {story(first, urgent, event(queued, "a"), event(queued, "c"), of(1, event(looks, "")),
			of(1, event(admits, "a")), of(1, event(admitted, "a"))), 1},
	} {
		if got := judge(c.lines, 1); got.OrderViolations != c.want {
			t.Errorf("%s: %d, want %d", name, got.OrderViolations, c.want)
		}
	}
}

func TestALineThatWasCutIsNoLine(t *testing.T) {
	t.Parallel()
	l := ledgerOf(t.TempDir())
	if err := errors.Join(l.add(event(queued, "a")), cut(l.path), l.add(event(queued, "b")), cut(l.path)); err != nil {
		t.Fatal(err)
	}
	lines, err := l.all()
	if err != nil || len(lines) != 2 || lines[1].Run != "b" {
		t.Errorf("%+v, %v", lines, err)
	}
}

// cut appends the first half of a line.
func cut(path string) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString("\n{\"kind\":\"que")
	return errors.Join(err, f.Close())
}

func TestTheJudgeCountsWhatAKillHit(t *testing.T) {
	t.Parallel()
	got := judge(story(by(1, event(launched, "a")), by(1, event(launched, "b")), by(2, event(launched, "c")), by(1, event(queued, "b")), by(2, event(queued, "c")),
		by(1, event(starts, "a")), line{Kind: killed_, PID: 1}, by(2, event(starts, "a")), by(2, event(ends, "a"))), 2)
	if got.KilledRunning != 1 || got.KilledWaiting != 1 || got.StepsRerun != 1 || got.MostWaiting != 2 || got.OverLimit != 0 {
		t.Errorf("%+v", got)
	}
}

// A home that a bench has filled is judged as it is, and again with something wrong in it.
func TestTheBenchSeesWhatIsStuck(t *testing.T) {
	t.Parallel()
	w := worker{dir: t.TempDir(), to: 6, limit: 2}
	if err := w.work(t.Context()); err != nil {
		t.Fatal(err)
	}
	lines, err := ledgerOf(w.dir).all()
	if err != nil {
		t.Fatal(err)
	}
	if n, err := stuck(t.Context(), w.dir, lines, 6); err != nil || n != 0 {
		t.Fatalf("%d, %v", n, err)
	}
	if f := judge(lines, 2); f.OverLimit != 0 || f.OrderViolations != 0 || f.MostAtOnce == 0 || f.LaunchesPerS == 0 {
		t.Errorf("%+v", f)
	}
	if n, err := stuck(t.Context(), w.dir, lines, 7); err != nil || n != 1 {
		t.Errorf("a launch that is missing: %d, %v", n, err)
	}
	if n, err := stuck(t.Context(), w.dir, append(lines, event(launched, "0199f3c2-1a2b-7000-8000-000000000000")), 7); err != nil || n != 1 {
		t.Errorf("a run that is gone: %d, %v", n, err)
	}
	s, _, err := w.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	req := run.Request{Job: jobName, Limits: []run.Limit{{Name: "job:" + jobName, Max: 1}}}
	var ids []run.ID
	for range 2 {
		id, err := s.Launch(t.Context(), req)
		if err == nil {
			err = s.Enqueue(t.Context(), id, req)
		}
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	if _, err := s.Admit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	lines = append(lines, event(launched, ids[0]), event(launched, ids[1]))
	if n, err := stuck(t.Context(), w.dir, lines, 8); err != nil || n != 4 { // two runs, a row and a slot
		t.Errorf("two runs that nobody attends: %d, %v", n, err)
	}
}
