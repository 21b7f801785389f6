package store

import (
	"context"
	"log/slog"

	"waggle/shared/run"
	"waggle/shared/runlog"
)

// LastLogs returns the newest n log records of each of some steps of a run, oldest first.
func (s *Store) LastLogs(ctx context.Context, id run.ID, n int, steps ...run.StepKey) (map[run.StepKey][]runlog.Event, error) {
	tails := make(map[run.StepKey][]runlog.Event, len(steps))
	for _, step := range steps {
		tails[step] = nil
	}
	err := s.ReadLog(ctx, id, 0, func(c Stored) error {
		if !c.Chunk.Header.Has(slog.LevelDebug) { // it has no log record
			return nil
		}
		events, err := s.Unpack(c.Chunk)
		if err != nil {
			return err
		}
		for _, e := range events {
			tail, asked := tails[e.Step]
			if !asked || e.Type != runlog.Log {
				continue
			}
			if len(tail) == n {
				tail = append(tail[:0], tail[1:]...)
			}
			tails[e.Step] = append(tail, e)
		}
		return nil
	})
	return tails, err
}
