package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"waggle/shared/fault"
	"waggle/shared/owner"
	"waggle/shared/run"
	"waggle/shared/store/driver"
)

// Runs with limits wait in one queue. A limit's item holds the ids of the runs that have one of its slots, so that
// a slot cannot leak: it is free when its run has ended.
//
//	QUEUE       priority#run  a run that waits, with its limits
//	LIMIT#name  META          version, ids of the runs that have a slot
//
// Whoever queues looks afterwards, and whoever frees looks afterwards: so no wake-up is lost.
const queuePartition = "QUEUE"

// queued is the Data of a waiting run.
type queued struct {
	Run    run.ID      `json:"run"`
	Limits []run.Limit `json:"limits"`
}

// slots is the Data of a limit.
type slots struct {
	Holders []run.ID `json:"holders"`

	version int64
}

func queueKey(id run.ID, priority int) driver.Key {
	return driver.Key{Partition: queuePartition, Sort: fmt.Sprintf("%05d#%s", run.MaxPriority-priority, id)}
}

func limitKey(name string) driver.Key { return driver.Key{Partition: "LIMIT#" + name, Sort: "META"} }

// Enqueue puts a run into the queue, after those of its priority that were launched before it. Doing
// it twice is the same as once. The caller then calls Admit.
func (s *Store) Enqueue(ctx context.Context, id run.ID, req run.Request) error {
	data, err := json.Marshal(queued{id, req.Limits})
	if err != nil {
		return fault.Wrap(fault.Internal, "encode a queue row", err)
	}
	err = s.db.Put(ctx, driver.Item{Key: queueKey(id, req.Priority), Version: 1, Data: data}, driver.IfAbsent)
	if errors.Is(err, fault.Conflict) {
		return nil
	}
	return err
}

// Admit gives slots to the runs that wait, in their order, as far as there are any, and returns whom it admitted: the
// caller wakes them. One that nobody owns is due two seconds later, should nobody wake it. A run whose limits are full does not hold back one behind it with other limits.
func (s *Store) Admit(ctx context.Context) ([]run.ID, error) {
	a := admission{store: s, limits: map[string]*slots{}, full: map[string]bool{}}
	q := driver.Query{Partition: queuePartition}
	for {
		page, err := s.db.Query(ctx, q)
		if err != nil {
			return a.admitted, err
		}
		for _, item := range page.Items {
			if err := a.consider(ctx, item); err != nil {
				return a.admitted, err
			}
		}
		if page.Cursor == "" {
			return a.admitted, nil
		}
		q.Cursor = page.Cursor
	}
}

// admission is one walk along the queue.
type admission struct {
	store    *Store
	limits   map[string]*slots // as last read or written
	full     map[string]bool
	admitted []run.ID
}

// consider admits one waiting run if all its limits have room.
func (a *admission) consider(ctx context.Context, item driver.Item) error {
	var waiting queued
	if err := json.Unmarshal(item.Data, &waiting); err != nil {
		return fault.Wrap(fault.Corrupt, "read "+item.Key.String(), err)
	}
	for {
		room, err := a.room(ctx, waiting)
		if err != nil || !room {
			return err
		}
		err = a.move(ctx, item.Key, waiting)
		var conflict *driver.ConflictError
		switch {
		case err == nil:
			a.admitted = append(a.admitted, waiting.Run)
			a.store.call(ctx, waiting.Run)
			return nil
		case !errors.As(err, &conflict):
			return err
		case conflict.Key == item.Key:
			return nil // another admission took this run
		}
		for _, l := range waiting.Limits {
			delete(a.limits, l.Name) // read them again
		}
	}
}

// room reports whether all limits of a waiting run have a slot for it.
func (a *admission) room(ctx context.Context, waiting queued) (bool, error) {
	for _, l := range waiting.Limits {
		if a.full[l.Name] {
			return false, nil
		}
		held, err := a.slots(ctx, l.Name)
		if err != nil {
			return false, err
		}
		if slices.Contains(held.Holders, waiting.Run) || len(held.Holders) < l.Max {
			continue
		}
		if held.Holders, err = a.store.living(ctx, held.Holders); err != nil {
			return false, err
		}
		if len(held.Holders) >= l.Max {
			a.full[l.Name] = true
			return false, nil
		}
	}
	return true, nil
}

func (a *admission) slots(ctx context.Context, name string) (*slots, error) {
	if held := a.limits[name]; held != nil {
		return held, nil
	}
	held, err := a.store.slots(ctx, name)
	if err != nil {
		return nil, err
	}
	a.limits[name] = &held
	return &held, nil
}

// move takes a slot of each limit and takes the run out of the queue, in one write.
func (a *admission) move(ctx context.Context, key driver.Key, waiting queued) error {
	ops := []driver.Op{{Delete: &key, If: driver.IfVersion(1)}}
	after := map[string]*slots{}
	for _, l := range waiting.Limits {
		before := a.limits[l.Name]
		next := &slots{Holders: before.Holders, version: before.version + 1}
		if !slices.Contains(next.Holders, waiting.Run) {
			next.Holders = append(slices.Clone(next.Holders), waiting.Run)
		}
		op, err := limitOp(l.Name, before.version, next)
		if err != nil {
			return err
		}
		ops, after[l.Name] = append(ops, op), next
	}
	if err := a.store.db.Write(ctx, ops); err != nil {
		return err
	}
	for name, next := range after {
		a.limits[name] = next
	}
	return nil
}

func limitOp(name string, version int64, next *slots) (driver.Op, error) {
	data, err := json.Marshal(next)
	if err != nil {
		return driver.Op{}, fault.Wrap(fault.Internal, "encode a limit", err)
	}
	return driver.Op{Put: &driver.Item{Key: limitKey(name), Version: next.version, Data: data}, If: over(version)}, nil
}

// slots reads a limit; one that nobody ever used has version 0.
func (s *Store) slots(ctx context.Context, name string) (held slots, err error) {
	item, err := s.db.Get(ctx, limitKey(name))
	if errors.Is(err, fault.NotFound) {
		return slots{}, nil
	}
	if err == nil {
		err = json.Unmarshal(item.Data, &held)
	}
	held.version = item.Version
	return held, err
}

// living drops runs that have ended, or are gone.
func (s *Store) living(ctx context.Context, holders []run.ID) ([]run.ID, error) {
	var living []run.ID
	for _, id := range holders {
		summary, err := s.Summary(ctx, id)
		if errors.Is(err, fault.NotFound) || err == nil && summary.Status.Terminal() {
			continue
		}
		if err != nil {
			return nil, err
		}
		living = append(living, id)
	}
	return living, nil
}

// Waiting says which limit a run waits for, and who has its slots.
type Waiting struct {
	Limit   run.Limit
	Holders []run.ID
}

// String is "limit job:gallery is full: 2 of 2 slots are taken by 0199f3c2-1a2b, 0199f3c2-9b21".
func (w Waiting) String() string {
	text := fmt.Sprintf("limit %s is full: %d of %d slots taken", w.Limit.Name, len(w.Holders), w.Limit.Max)
	for i, id := range w.Holders {
		if i == 3 {
			return text + fmt.Sprintf(" and %d more", len(w.Holders)-i)
		}
		if i == 0 {
			text += " by "
		} else {
			text += ", "
		}
		text += id.Short()
	}
	return text
}

// HasSlots reports whether a run has all its slots, and if not, the first limit that it waits for.
func (s *Store) HasSlots(ctx context.Context, id run.ID, limits []run.Limit) (bool, Waiting, error) {
	for _, l := range limits {
		held, err := s.slots(ctx, l.Name)
		if err != nil {
			return false, Waiting{}, err
		}
		if !slices.Contains(held.Holders, id) {
			return false, Waiting{l, held.Holders}, nil
		}
	}
	return true, Waiting{}, nil
}

// waiting reports whether a run is in the queue, and the owner that put it there has given it up.
func waiting(meta owner.Meta[Summary]) bool {
	return meta.State.Status == run.Queued && meta.Token == "" && !meta.Died
}

// Wait looks whether a run in the queue can go on, after it has admitted whom it can, and returns these too. If it still waits, and nobody has asked to
// cancel it, it is due at until, and its summary says what it waits for. That is one write: a run that waits for hours has no owner and
// no line in its log for each look.
func (s *Store) Wait(ctx context.Context, id run.ID, until time.Time) (waits bool, admitted []run.ID, err error) {
	if admitted, err = s.Admit(ctx); err != nil {
		return false, admitted, err
	}
	meta, err := s.runs.Get(ctx, runPartition(id))
	if err != nil || !waiting(meta) {
		return false, admitted, err
	}
	has, why, err := s.HasSlots(ctx, id, meta.State.Request.Limits)
	if err != nil || has {
		return false, admitted, err
	}
	if asked, err := s.CancelRequested(ctx, id); err != nil || asked {
		return false, admitted, err
	}
	if err := s.keepLog(ctx, id); err != nil {
		return false, admitted, err
	}
	err = s.runs.Postpone(ctx, runPartition(id), meta, until, func(sum *Summary) { sum.Waiting = why.String() })
	return err == nil, admitted, err
}

// answerWithin is how long a run that has just got its slots may stand before the clock looks after it. Who attends it
// looks more often than that; where nobody does, its slots are not held in vain for long.
const answerWithin = 2 * time.Second

// call makes a run due that was given its slots, if nobody owns it. It may fail: the run is due at its time in any case.
func (s *Store) call(ctx context.Context, id run.ID) {
	for range 2 { // somebody may have looked at it meanwhile, and put it off
		meta, err := s.runs.Get(ctx, runPartition(id))
		soon := s.now().Add(answerWithin)
		if err != nil || !meta.Due.After(soon) {
			return
		}
		if err := s.runs.Postpone(ctx, runPartition(id), meta, soon, func(*Summary) {}); !errors.Is(err, fault.Conflict) {
			return
		}
	}
}

// Free gives back the slots of a run and takes it out of the queue. The caller then calls Admit.
func (s *Store) Free(ctx context.Context, id run.ID, req run.Request) error {
	if len(req.Limits) == 0 {
		return nil
	}
	if err := s.db.Delete(ctx, queueKey(id, req.Priority), driver.Any); err != nil {
		return err
	}
	for _, l := range req.Limits {
		if err := s.free(ctx, id, l.Name); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) free(ctx context.Context, id run.ID, name string) error {
	for {
		held, err := s.slots(ctx, name)
		if err != nil || !slices.Contains(held.Holders, id) {
			return err
		}
		next := &slots{version: held.version + 1, Holders: slices.DeleteFunc(slices.Clone(held.Holders), func(h run.ID) bool { return h == id })}
		op, err := limitOp(name, held.version, next)
		if err != nil {
			return err
		}
		if err := s.db.Put(ctx, *op.Put, op.If); !errors.Is(err, fault.Conflict) {
			return err
		}
	}
}
