package store

import (
	"context"
	"encoding/json"
	"time"

	"waggle/shared/fault"
	"waggle/shared/store/driver"
)

// Switch says that a sensor was switched on or off.
type Switch struct {
	On   bool      `json:"on"`
	Time time.Time `json:"time"`
	By   string    `json:"by,omitempty"` // host and process, for people
}

// Switch switches a sensor on or off.
func (s *Store) Switch(ctx context.Context, sensor string, on bool, by string) error {
	at := s.now().UTC()
	data, err := json.Marshal(Switch{On: on, Time: at, By: by})
	if err != nil {
		return fault.Wrap(fault.Internal, "encode a switch", err)
	}
	return s.db.Put(ctx, driver.Item{Key: driver.Key{Partition: sensorPartition(sensor), Sort: "SWITCH#" + at.Format(keyTime)}, Data: data}, driver.Any)
}

// Switched returns how a sensor was switched last. A sensor that nobody has switched is on, since the zero time.
func (s *Store) Switched(ctx context.Context, sensor string) (Switch, error) {
	last := Switch{On: true}
	err := s.newest(ctx, sensorPartition(sensor), "SWITCH#", 1, func(item driver.Item) (bool, error) {
		last = Switch{}
		if err := json.Unmarshal(item.Data, &last); err != nil {
			return false, fault.Wrap(fault.Corrupt, "read "+item.Key.String(), err)
		}
		return false, nil
	})
	return last, err
}
