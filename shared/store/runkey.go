package store

import (
	"context"
	"encoding/json"
	"errors"

	"waggle/shared/fault"
	"waggle/shared/run"
	"waggle/shared/store/driver"
)

// keyRow is the Data of a run key: KEY#job#key / META.
type keyRow struct {
	Run run.ID `json:"run"`
}

func runKey(job, key string) driver.Key {
	return driver.Key{Partition: "KEY#" + job + "#" + key, Sort: "META"}
}

// LaunchOnce is Launch for a job and key of which there is one run at most: it returns the run that the key has, and whether
// this call launched it. The run and its key are one write.
func (s *Store) LaunchOnce(ctx context.Context, req run.Request, key string) (id run.ID, launched bool, err error) {
	return s.launchOnce(ctx, req, key, func(run.ID) ([]driver.Item, error) { return nil, nil })
}

// launchOnce writes further rows of the run in the same write.
func (s *Store) launchOnce(ctx context.Context, req run.Request, key string, rows func(run.ID) ([]driver.Item, error)) (id run.ID, launched bool, err error) {
	if id, found, err := s.RunOf(ctx, req.Job, key); err != nil || found {
		return id, false, err
	}
	id, item, err := s.newRun(req)
	if err != nil {
		return "", false, err
	}
	more, err := rows(id)
	if err != nil {
		return "", false, err
	}
	data, err := json.Marshal(keyRow{id})
	if err != nil {
		return "", false, fault.Wrap(fault.Internal, "encode a run key", err)
	}
	ops := []driver.Op{{Put: &driver.Item{Key: runKey(req.Job, key), Version: 1, Data: data}, If: driver.IfAbsent}, {Put: &item, If: driver.IfAbsent}}
	for i := range more {
		ops = append(ops, driver.Op{Put: &more[i], If: driver.IfAbsent})
	}
	err = s.db.Write(ctx, ops)
	if err == nil {
		return id, true, nil
	}
	if !errors.Is(err, fault.Conflict) && !fault.Retryable(err) {
		return "", false, err
	}
	// Another launch was first, or this one's answer was lost.
	kept, found, getErr := s.RunOf(ctx, req.Job, key)
	switch {
	case getErr != nil:
		return "", false, getErr
	case !found:
		return "", false, err
	}
	return kept, kept == id, nil
}

// RunOf returns the run that a job's key has, and whether it has one.
func (s *Store) RunOf(ctx context.Context, job, key string) (id run.ID, found bool, err error) {
	item, err := s.db.Get(ctx, runKey(job, key))
	if errors.Is(err, fault.NotFound) {
		return "", false, nil
	}
	if err != nil {
		return "", false, err
	}
	var row keyRow
	if err := json.Unmarshal(item.Data, &row); err != nil {
		return "", false, fault.Wrap(fault.Corrupt, "read "+item.Key.String(), err)
	}
	return row.Run, true, nil
}
