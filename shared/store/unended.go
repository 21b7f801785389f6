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
	err := s.eachDue(ctx, dueSensors, func(item driver.Item) error {
		row, err := decodeSensorEvent(item)
		if err == nil && row.Event.Run == id {
			rows = append(rows, row)
		}
		return err
	})
	return rows, err
}

// WaitingChannels returns the channels in which a message waits, or whose owner is at work, also those that no definitions have any more.
// An index may lag.
func (s *Store) WaitingChannels(ctx context.Context) ([]string, error) {
	var names []string
	err := s.eachDue(ctx, dueChannels, func(item driver.Item) error {
		if name := item.Partition[len(channelPartition("")):]; !slices.Contains(names, name) {
			names = append(names, name)
		}
		return nil
	})
	return names, err
}

// eachDue visits all that is in a partition of the index of what is due, also what is due later.
func (s *Store) eachDue(ctx context.Context, partition string, visit func(driver.Item) error) error {
	q := driver.Query{Index: indexDue, Partition: partition}
	for {
		page, err := s.db.Query(ctx, q)
		if err != nil {
			return err
		}
		for _, item := range page.Items {
			if err := visit(item); err != nil {
				return err
			}
		}
		if q.Cursor = page.Cursor; q.Cursor == "" {
			return nil
		}
	}
}
