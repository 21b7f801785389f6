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
	q := driver.Query{Index: indexDue, Partition: dueSensors}
	var rows []SensorEvent
	for {
		page, err := s.db.Query(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, item := range page.Items {
			row, err := decodeSensorEvent(item)
			if err != nil {
				return nil, err
			}
			if row.Event.Run == id {
				rows = append(rows, row)
			}
		}
		if q.Cursor = page.Cursor; q.Cursor == "" {
			return rows, nil
		}
	}
}

// WaitingChannels returns the channels in which a message waits, or whose owner is at work, also those that no definitions have any more.
// An index may lag.
func (s *Store) WaitingChannels(ctx context.Context) ([]string, error) {
	q := driver.Query{Index: indexDue, Partition: dueChannels}
	var names []string
	for {
		page, err := s.db.Query(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, item := range page.Items {
			if name := item.Partition[len(channelPartition("")):]; !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		if q.Cursor = page.Cursor; q.Cursor == "" {
			return names, nil
		}
	}
}
