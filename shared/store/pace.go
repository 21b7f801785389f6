package store

import (
	"context"
	"errors"
	"time"

	"waggle/shared/fault"
	"waggle/shared/store/driver"
)

// A sensor that must not tell too often has a row.
//
//	SENSOR#name  PACE  when its next messages may leave
const paceSort = "PACE"

// pace is when the next messages of a sensor may leave, and whether some wait for that.
type pace struct {
	Next time.Time `json:"next"`
	Held bool      `json:"held,omitempty"`
}

// Pace returns when the messages that a sensor gives now may leave, for no two to leave within an interval; zero: at once. Those that are
// held back leave together.
func (s *Store) Pace(ctx context.Context, sensor string, interval time.Duration) (time.Time, error) {
	key := driver.Key{Partition: sensorPartition(sensor), Sort: paceSort}
	for {
		var p pace
		item, err := s.db.Get(ctx, key) // of none the version is 0
		if err == nil {
			err = decodeRow(item, &p)
		}
		if err != nil && !errors.Is(err, fault.NotFound) {
			return time.Time{}, err
		}
		due := p.take(s.now().UTC(), interval)
		data, err := encodeRow("the pace of sensor "+sensor, p)
		if err != nil {
			return time.Time{}, err
		}
		err = s.db.Put(ctx, driver.Item{Key: key, Version: item.Version + 1, Data: data}, over(item.Version))
		if !errors.Is(err, fault.Conflict) {
			return due, err
		}
	}
}

// take returns when what is given now may leave; zero: at once.
func (p *pace) take(now time.Time, interval time.Duration) time.Time {
	switch {
	case now.Before(p.Next):
	case p.Held && now.Before(p.Next.Add(interval)): // what was held left at Next
		p.Next = p.Next.Add(interval)
	default:
		p.Next, p.Held = now.Add(interval), false
		return time.Time{}
	}
	p.Held = true
	return p.Next
}
