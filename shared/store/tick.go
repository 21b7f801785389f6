package store

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"waggle/shared/event"
	"waggle/shared/fault"
	"waggle/shared/run"
	"waggle/shared/store/driver"
)

// A schedule's rows: how far it has come, and one row a tick.
//
//	SCHEDULE#name  META       the expression it ran with, and the last tick that was launched or passed over
//	SCHEDULE#name  TICK#time  the run of the tick, put with the run in one write

// Schedule is how far a schedule has come.
type Schedule struct {
	Definition string    `json:"definition"` // cron expression, time zone and job; another one starts anew
	Last       time.Time `json:"last"`       // every tick up to here was launched, or passed over
	Owes       *Debt     `json:"owes,omitempty"`

	version int64
}

// Tick is one time at which a schedule fired.
type Tick struct {
	Time     time.Time `json:"-"`
	Run      run.ID    `json:"run"`
	Launched time.Time `json:"launched"`
	Late     bool      `json:"late,omitempty"`
	// MissedBefore and MissedAfter are how many others were missed together with a late one: see event.Event.
	MissedBefore int   `json:"missed_before,omitempty"`
	MissedAfter  int   `json:"missed_after,omitempty"`
	Owes         *Debt `json:"owes,omitempty"`
}

const tickPrefix = "TICK#"

func schedulePartition(name string) string { return "SCHEDULE#" + name }

func scheduleKey(name string) driver.Key {
	return driver.Key{Partition: schedulePartition(name), Sort: "META"}
}

// Schedule returns how far a schedule has come; the zero value for one that never ran.
func (s *Store) Schedule(ctx context.Context, name string) (Schedule, error) {
	item, err := s.db.Get(ctx, scheduleKey(name))
	if errors.Is(err, fault.NotFound) {
		return Schedule{}, nil
	}
	if err != nil {
		return Schedule{}, err
	}
	var at Schedule
	if err := json.Unmarshal(item.Data, &at); err != nil {
		return Schedule{}, fault.Wrap(fault.Corrupt, "read "+item.Key.String(), err)
	}
	at.version = item.Version
	return at, nil
}

// PutSchedule stores how far a schedule has come, over what was read before. missed are the events of ticks that got no run; their time is
// now. fault.Conflict says that another process was faster.
func (s *Store) PutSchedule(ctx context.Context, name string, before, next Schedule, missed ...event.Event) error {
	now := s.now().UTC()
	for i := range missed {
		missed[i].Time = now
	}
	next.Owes = s.debt(missed...).with(before.Owes)
	data, err := encodeRow("schedule "+name, next)
	if err != nil {
		return err
	}
	key := scheduleKey(name)
	return s.db.Put(ctx, driver.Item{Key: key, Version: before.version + 1, Data: data, Entries: next.Owes.entries(now, key)}, over(before.version))
}

// LaunchTick launches the run of a tick, once: a tick that has its run returns that. It reports whether this call launched it. missed is
// the event of a late one, whose run and time are filled in here; nil: it is launched in time.
func (s *Store) LaunchTick(ctx context.Context, name string, at time.Time, req run.Request, missed *event.Event) (run.ID, bool, error) {
	launched := s.now().UTC()
	return s.launchOnce(ctx, req, "schedule/"+name+"/"+at.UTC().Format(time.RFC3339), func(id run.ID) ([]driver.Item, error) {
		tick := Tick{Run: id, Launched: launched}
		if missed != nil {
			e := *missed
			e.Run, e.Time = id, launched
			tick.Late, tick.MissedBefore, tick.MissedAfter, tick.Owes = true, e.MissedBefore, e.MissedAfter, s.debt(e)
		}
		data, err := encodeRow("a tick of "+name, tick)
		key := driver.Key{Partition: schedulePartition(name), Sort: tickPrefix + at.UTC().Format(keyTime)}
		return []driver.Item{{Key: key, Version: 1, Data: data, Entries: tick.Owes.entries(launched, key)}}, err
	})
}

// Ticks returns the newest ticks of a schedule, newest first; at most limit.
func (s *Store) Ticks(ctx context.Context, name string, limit int) ([]Tick, error) {
	var ticks []Tick
	err := s.newest(ctx, schedulePartition(name), tickPrefix, limit, func(item driver.Item) (bool, error) {
		t, err := decodeTick(item)
		ticks = append(ticks, t)
		return len(ticks) < limit, err
	})
	return ticks, err
}

// mostTicks is how many ticks before the launch of a run are looked through: those of a day by the minute, and some.
const mostTicks = 2_000

// TickOf returns the tick of a schedule that launched a run, and whether there is one. launched is when that was.
func (s *Store) TickOf(ctx context.Context, name string, id run.ID, launched time.Time) (tick Tick, found bool, err error) {
	q := driver.Query{Partition: schedulePartition(name), From: tickPrefix, To: tickPrefix + launched.Add(time.Second).UTC().Format(keyTime), Descending: true, Limit: 100}
	for seen := 0; seen < mostTicks; {
		page, err := s.db.Query(ctx, q)
		if err != nil {
			return Tick{}, false, err
		}
		for _, item := range page.Items {
			if t, err := decodeTick(item); err != nil || t.Run == id {
				return t, err == nil, err
			}
		}
		seen += len(page.Items)
		if q.Cursor = page.Cursor; q.Cursor == "" {
			break
		}
	}
	return Tick{}, false, nil
}

func decodeTick(item driver.Item) (Tick, error) {
	var t Tick
	at, err := time.Parse(tickPrefix+keyTime, item.Sort)
	if err == nil {
		err = json.Unmarshal(item.Data, &t)
	}
	t.Time = at
	return t, fault.Wrap(fault.Corrupt, "read "+item.Key.String(), err)
}
