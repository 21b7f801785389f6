package store

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"waggle/shared/fault"
	"waggle/shared/run"
	"waggle/shared/store/driver"
)

// A schedule's rows: how far it has come, and one row a tick.
//
//	SCHEDULE#name  META       the expression it ran with, and the last tick that was launched
//	SCHEDULE#name  TICK#time  the run of the tick, put with the run in one write

// Schedule is how far a schedule has come.
type Schedule struct {
	Definition string    `json:"definition"` // cron expression, time zone and job; another one starts anew
	Last       time.Time `json:"last"`       // every tick up to here was launched

	version int64
}

// Tick is one time at which a schedule fired.
type Tick struct {
	Time     time.Time `json:"-"`
	Run      run.ID    `json:"run"`
	Launched time.Time `json:"launched"`
	Late     bool      `json:"late,omitempty"`
}

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

// PutSchedule stores how far a schedule has come, over what was read before. fault.Conflict says that another
// process was faster.
func (s *Store) PutSchedule(ctx context.Context, name string, before, next Schedule) error {
	data, err := json.Marshal(next)
	if err != nil {
		return fault.Wrap(fault.Internal, "encode a schedule", err)
	}
	return s.db.Put(ctx, driver.Item{Key: scheduleKey(name), Version: before.version + 1, Data: data}, over(before.version))
}

// LaunchTick launches the run of a tick, once: a tick that has its run returns that. It reports whether this call launched it.
func (s *Store) LaunchTick(ctx context.Context, name string, at time.Time, late bool, req run.Request) (run.ID, bool, error) {
	key := at.UTC().Format(time.RFC3339)
	launched := s.now().UTC()
	return s.launchOnce(ctx, req, "schedule/"+name+"/"+key, func(id run.ID) ([]driver.Item, error) {
		data, err := json.Marshal(Tick{Run: id, Launched: launched, Late: late})
		if err != nil {
			return nil, fault.Wrap(fault.Internal, "encode a tick", err)
		}
		return []driver.Item{{Key: driver.Key{Partition: schedulePartition(name), Sort: "TICK#" + at.UTC().Format(keyTime)}, Data: data}}, nil
	})
}

// Ticks returns the newest ticks of a schedule, newest first; at most limit.
func (s *Store) Ticks(ctx context.Context, name string, limit int) ([]Tick, error) {
	var ticks []Tick
	err := s.newest(ctx, schedulePartition(name), "TICK#", limit, func(item driver.Item) (bool, error) {
		var t Tick
		at, err := time.Parse("TICK#"+keyTime, item.Sort)
		if err == nil {
			err = json.Unmarshal(item.Data, &t)
		}
		if err != nil {
			return false, fault.Wrap(fault.Corrupt, "read "+item.Key.String(), err)
		}
		t.Time = at
		ticks = append(ticks, t)
		return len(ticks) < limit, nil
	})
	return ticks, err
}
