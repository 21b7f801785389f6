package main

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"time"

	"waggle/bench/figures"
	"waggle/bench/home"
	"waggle/shared/fault"
	"waggle/shared/run"
	"waggle/shared/store/driver"
	"waggle/shared/store/sqlitedriver"
)

// place is a run's way through the queue, by the numbers of the lines; -1: not yet.
type place struct {
	priority int
	queued   int // the store had acknowledged it here
	looked   int // the walk that admitted it began here
	admits   int // it was not admitted before this line
	admitted int // and was after this one
}

// judge reads the ledger. It counts starts of steps while as many as may run at once did already, and runs that were overtaken.
func judge(lines []line, limit int) figure {
	f := figure{}
	running := map[run.ID]int{} // run: its process
	places := map[run.ID]*place{}
	at := func(id run.ID) *place {
		if places[id] == nil {
			places[id] = &place{queued: -1, looked: -1, admits: -1, admitted: -1}
		}
		return places[id]
	}
	type walk struct {
		pid int
		n   int64
	}
	began := map[walk]int{}
	owner := map[run.ID]int{} // the process that launched it
	waiting := map[run.ID]bool{}
	ran := map[run.ID]bool{}
	var first, last time.Time
	for n, what := range lines {
		p := at(what.Run)
		switch what.Kind {
		case launched:
			p.priority, owner[what.Run] = what.Priority, what.PID
			if first.IsZero() {
				first = what.At
			}
		case queued:
			p.queued = n
			waiting[what.Run] = true
			f.MostWaiting = max(f.MostWaiting, len(waiting))
		case looks:
			began[walk{what.PID, what.Walk}] = n
		case admits:
			if p.admits < 0 {
				p.admits = n
			}
		case admitted:
			p.looked, p.admitted = began[walk{what.PID, what.Walk}], n
			delete(waiting, what.Run)
		case starts:
			if len(running) >= limit {
				f.OverLimit++
				figures.Say("over the limit: run %s starts as number %d", what.Run, len(running)+1)
			}
			if ran[what.Run] {
				f.StepsRerun++
			}
			ran[what.Run], running[what.Run] = true, what.PID
			delete(waiting, what.Run) // whoever admitted it may have died before it could say so
			f.MostAtOnce = max(f.MostAtOnce, len(running))
		case ends:
			delete(running, what.Run)
		case over:
			last = what.At
		case killed_:
			for id, pid := range running {
				if pid == what.PID {
					delete(running, id)
					f.KilledRunning++
				}
			}
			for id := range waiting {
				if owner[id] == what.PID {
					f.KilledWaiting++
				}
			}
		}
	}
	delete(places, "")
	f.OrderViolations = overtaken(places)
	if took := last.Sub(first).Seconds(); took > 0 {
		f.LaunchesPerS = figures.Round(float64(len(owner)) / took)
	}
	return f
}

// overtaken counts runs that another one overtook, for sure and not by a race: the store had acknowledged that the run waits before the
// admission of the other began to look, the run comes first in the queue's order (priority, then launch), and nobody had
// begun to admit it when the other had its slot.
func overtaken(places map[run.ID]*place) (n int) {
	for id, p := range places {
		if p.queued < 0 {
			continue
		}
		for other, o := range places {
			before := p.priority > o.priority || p.priority == o.priority && id < other
			if before && o.admitted >= 0 && p.queued < o.looked && (p.admits < 0 || p.admits > o.admitted) {
				n++
				figures.Say("overtaken: run %s (priority %d) by %s (priority %d)", id, p.priority, other, o.priority)
				break
			}
		}
	}
	return n
}

// unsettled lists the runs of the ledger that are not over.
func unsettled(ctx context.Context, dir string, lines []line) (left []run.ID, err error) {
	s, err := home.Open(ctx, homeOf(dir), nil, func(db driver.Driver) driver.Driver { return db })
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	for _, what := range lines {
		if what.Kind != launched {
			continue
		}
		settled, _, err := s.Standing(ctx, what.Run)
		if err != nil && !errors.Is(err, fault.NotFound) {
			return nil, err
		}
		if !settled {
			left = append(left, what.Run)
		}
	}
	return left, nil
}

// stuck counts runs that did not end or are missing, rows that wait, and slots that nobody gave back.
func stuck(ctx context.Context, dir string, lines []line, runs int) (n int, err error) {
	left, err := unsettled(ctx, dir, lines)
	if err != nil {
		return 0, err
	}
	for _, id := range left {
		figures.Say("stuck: run %s", id)
	}
	there := map[run.ID]bool{}
	for _, what := range lines {
		if what.Kind == launched {
			there[what.Run] = true
		}
	}
	if len(there) != runs {
		figures.Say("stuck: %d runs were launched, not %d", len(there), runs)
	}
	n = len(left) + max(runs-len(there), len(there)-runs)
	db, err := sqlitedriver.Open(ctx, filepath.Join(homeOf(dir), "waggle.db"), nil)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	page, err := db.Query(ctx, driver.Query{Partition: queuePartition})
	if err != nil {
		return 0, err
	}
	for _, item := range page.Items {
		figures.Say("stuck: row %s", item.Key)
		n++
	}
	item, err := db.Get(ctx, driver.Key{Partition: "LIMIT#job:" + jobName, Sort: "META"})
	if err != nil {
		return 0, err // a limit that was never used means that nothing was measured
	}
	var held struct {
		Holders []run.ID `json:"holders"`
	}
	if err := json.Unmarshal(item.Data, &held); err != nil {
		return 0, err
	}
	for _, id := range held.Holders {
		figures.Say("stuck: a slot is held by run %s", id)
		n++
	}
	return n, nil
}
