package store

import (
	"context"
	"time"

	"waggle/shared/owner"
	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/store/driver"
)

// DefaultRetention is how long the log of a run is kept after its end.
const DefaultRetention = 90 * 24 * time.Hour

// metaSort is the sort key of what stays of a run: request, ownership and summary.
const metaSort = "META"

// LetExpire gives the log and the notes of a run that is settled their end: the retention, counted from when the run
// ended. Doing it twice is the same as once.
//
// While a run is not settled nothing of it expires, however long it takes and however long nobody looks at it: a
// laptop may lie in a drawer for half a year, and the run goes on where it was. The price is a second write of each
// chunk. All chunks end in the same second, so a log is whole or gone. What a process that dies just before this call
// leaves, GC deletes. Where writes are paid by size it is otherwise: see Options.PaidBySize.
func (s *Store) LetExpire(ctx context.Context, id run.ID, ended time.Time) error {
	if s.retention < 0 {
		return nil
	}
	expires := ended.Add(s.retention)
	return s.endAll(ctx, id, func(now time.Time) time.Time {
		if now.Before(expires) { // or zero: it has no end
			return expires
		}
		return now
	})
}

// endAll changes when the log and the notes of a run end.
func (s *Store) endAll(ctx context.Context, id run.ID, change func(time.Time) time.Time) error {
	return s.besidesMeta(ctx, id, func(items []driver.Item) error {
		var changed []driver.Item
		for _, item := range items {
			if ends := change(item.Expires); !ends.Equal(item.Expires) {
				item.Expires = ends
				changed = append(changed, item)
			}
		}
		if len(changed) == 0 {
			return nil
		}
		return s.db.PutAll(ctx, changed)
	})
}

// bearsEnd reports whether the chunks of a run's log bear their end as they are written, and when the run was launched, from which it counts.
//
// So it is where writes are paid by size: a chunk is written once. Its end, the same for all chunks, is a thirtieth of the retention later than
// the rule of LetExpire for a run that ends at once: one that ends within that time has its log for as long as any, and LetExpire leaves it
// alone. A run that lasts gets ends by the rule when it is settled; until then see keepLog.
func (s *Store) bearsEnd(id run.ID) (launched time.Time, ok bool) {
	launched, err := id.Time()
	return launched, err == nil && s.paid && s.retention >= 0
}

// old reports whether a run was launched so long ago that its log must not end before the run does.
func (s *Store) old(launched time.Time) bool { return s.now().Sub(launched) >= s.retention/2 }

// endOf is the end that a chunk of a run's log gets as it is written; zero: it learns it when the run is settled.
func (s *Store) endOf(id run.ID) time.Time {
	launched, ok := s.bearsEnd(id)
	if !ok || s.old(launched) {
		return time.Time{}
	}
	return launched.Add(s.retention + s.retention/30)
}

// keepLog takes the ends off the log of a run that is old and not settled: whoever looks after one calls it. In a deployment that is each minute.
// Only a run at which nobody looks from half of the retention on, as its deployment was deleted in the middle of it, may lose its log.
func (s *Store) keepLog(ctx context.Context, id run.ID) error {
	launched, ok := s.bearsEnd(id)
	if !ok || !s.old(launched) {
		return nil
	}
	return s.endAll(ctx, id, func(time.Time) time.Time { return time.Time{} })
}

// besidesMeta visits, page by page, what a run has in its partition besides its META: log and notes.
func (s *Store) besidesMeta(ctx context.Context, id run.ID, visit func([]driver.Item) error) error {
	for _, q := range []driver.Query{
		{Partition: runPartition(id), To: metaSort},
		{Partition: runPartition(id), From: metaSort + "\x01"},
	} {
		for {
			page, err := s.db.Query(ctx, q)
			if err != nil {
				return err
			}
			if len(page.Items) > 0 {
				if err := visit(page.Items); err != nil {
					return err
				}
			}
			if q.Cursor = page.Cursor; q.Cursor == "" {
				break
			}
		}
	}
	return nil
}

// Sweep deletes up to limit items that have expired, and returns how many: the monitor calls it now and then. Nothing reads an
// expired item in any case. On a database that deletes them by itself it does nothing.
func (s *Store) Sweep(ctx context.Context, limit int) (int, error) {
	sweeper, ok := s.db.(driver.Sweeper)
	if !ok {
		return 0, nil
	}
	return sweeper.Sweep(ctx, limit)
}

// Standing reports whether a run is settled: it has ended, all that follows from its log is done, and it never changes again. Or else whether nobody owns
// it and it waits for its slots.
func (s *Store) Standing(ctx context.Context, id run.ID) (isSettled, waits bool, err error) {
	meta, err := s.runs.Get(ctx, runPartition(id))
	return err == nil && settled(meta), err == nil && waiting(meta), err
}

func settled(meta owner.Meta[Summary]) bool { return meta.State.Status.Terminal() && meta.Due.IsZero() }

// remembered is what is known of a run whose log has expired: the summary, without steps, materializations and checks.
func (s *Summary) remembered() *runlog.Fold {
	fold := runlog.NewFold(s.ID, s.Request, s.Launched)
	fold.Expired = true
	r := &fold.Record
	r.Status, r.Reason, r.Error, r.Started, r.Ended, r.StepCount = s.Status, s.Reason, s.Error, s.Started, s.Ended, s.Steps
	return fold
}
