package store

import (
	"context"
	"slices"

	"waggle/shared/run"
	"waggle/shared/store/driver"
)

// UnendedEvents returns the events of a run that are not evaluated to their end, of any sensor, also one that no definitions have any
// more. It reads all that is due some time; an index may lag.
func (s *Store) UnendedEvents(ctx context.Context, id run.ID) ([]SensorEvent, error) {
	var rows []SensorEvent
	err := s.eachDue(ctx, driver.Query{Partition: dueSensors}, func(item driver.Item) (bool, error) {
		row, err := decodeSensorEvent(item)
		if err == nil && row.Event.Run == id {
			rows = append(rows, row)
		}
		return true, err
	})
	return rows, err
}

// WaitingChannels returns the channels in which a message waits, or whose owner is at work, also those that no definitions have any more.
// An index may lag.
func (s *Store) WaitingChannels(ctx context.Context) ([]string, error) {
	var names []string
	err := s.eachDue(ctx, driver.Query{Partition: dueChannels}, func(item driver.Item) (bool, error) {
		if name := item.Partition[len(channelPartition("")):]; !slices.Contains(names, name) {
			names = append(names, name)
		}
		return true, nil
	})
	return names, err
}

// eachDue visits what a query of the index of what is due finds, also what is due later, until visit wants no more.
func (s *Store) eachDue(ctx context.Context, q driver.Query, visit func(driver.Item) (more bool, err error)) error {
	q.Index = indexDue
	for {
		page, err := s.db.Query(ctx, q)
		if err != nil {
			return err
		}
		for _, item := range page.Items {
			if more, err := visit(item); err != nil || !more {
				return err
			}
		}
		if q.Cursor = page.Cursor; q.Cursor == "" {
			return nil
		}
	}
}
