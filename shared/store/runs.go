package store

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"waggle/shared/fault"
	"waggle/shared/owner"
	"waggle/shared/run"
	"waggle/shared/store/driver"
)

// Summary returns a run as its owner last wrote it.
func (s *Store) Summary(ctx context.Context, id run.ID) (Summary, error) {
	meta, err := s.runs.Get(ctx, runPartition(id))
	return s.shown(meta), err
}

// shown is the summary of a run for people: one that is owned and whose owner has not written since is STARTING.
func (s *Store) shown(meta owner.Meta[Summary]) Summary {
	if meta.State.Status == run.NotStarted && meta.Held(s.now(), s.Lease()) {
		meta.State.Status = run.Starting
	}
	return meta.State
}

// Owner returns who owns a run, or did last, and when it is due.
func (s *Store) Owner(ctx context.Context, id run.ID) (owner.Ownership, error) {
	meta, err := s.runs.Get(ctx, runPartition(id))
	return meta.Ownership, err
}

// Find returns the id of the run that a person names: LAST or LATEST, in any case, or the first characters of an id.
func (s *Store) Find(ctx context.Context, name string) (run.ID, error) {
	if strings.EqualFold(name, "LAST") || strings.EqualFold(name, "LATEST") {
		page, err := s.db.Query(ctx, driver.Query{Index: indexAll, Partition: allRuns, Descending: true, Limit: 1})
		if err != nil {
			return "", err
		}
		if len(page.Items) == 0 {
			return "", fault.New(fault.NotFound, "there is no run yet").WithHint("start one with `waggle run JOB`")
		}
		return idOf(page.Items[0]), nil
	}
	prefix := strings.ToLower(name)
	if err := run.CheckPrefix(prefix); err != nil {
		return "", err
	}
	page, err := s.db.Query(ctx, driver.Query{Index: indexAll, Partition: allRuns, From: prefix, To: prefix + lastSort, Limit: 5})
	switch {
	case err != nil:
		return "", err
	case len(page.Items) == 0:
		return "", fault.New(fault.NotFound, "no run starts with %q", name).WithHint("`waggle runs` lists them")
	case len(page.Items) == 1:
		return idOf(page.Items[0]), nil
	}
	var ids []string
	for _, item := range page.Items {
		ids = append(ids, string(idOf(item))) // runs of one millisecond have the same short id
	}
	return "", fault.New(fault.Invalid, "%q is the start of several runs: %s", name, strings.Join(ids, ", ")).WithHint("give more characters")
}

func idOf(item driver.Item) run.ID { return run.ID(strings.TrimPrefix(item.Partition, "RUN#")) }

// Filter chooses runs. The zero value is all of them.
type Filter struct {
	Job    string     // empty: any
	Status run.Status // empty: any
	Since  time.Time  // launched then or later; zero: whenever
}

// Runs returns a page of runs, newest first, and the cursor of the next; "" where there is none. A page costs the
// same wherever it lies.
func (s *Store) Runs(ctx context.Context, f Filter, limit int, cursor string) ([]Summary, string, error) {
	if f.Status != "" && !f.Status.Terminal() {
		active, err := s.active(ctx, f)
		return active, "", err
	}
	q := driver.Query{Index: indexAll, Partition: allRuns, Descending: true, Limit: limit, Cursor: cursor}
	switch {
	case f.Job != "" && f.Status != "":
		q.Index, q.Partition = indexJobStatus, f.Job+"#"+string(f.Status)
	case f.Job != "":
		q.Index, q.Partition = indexJob, f.Job
	case f.Status != "":
		q.Index, q.Partition = indexStatus, string(f.Status)
	}
	if !f.Since.IsZero() {
		q.From = string(run.FirstID(f.Since))
	}
	page, err := s.db.Query(ctx, q)
	if err != nil {
		return nil, "", err
	}
	list, err := s.summaries(page.Items)
	return list, page.Cursor, err
}

// active lists the runs that have not ended: all are due some time.
func (s *Store) active(ctx context.Context, f Filter) ([]Summary, error) {
	var found []Summary
	for shard := range dueShards {
		q := driver.Query{Index: indexDue, Partition: shardName(shard)}
		for {
			page, err := s.db.Query(ctx, q)
			if err != nil {
				return nil, err
			}
			list, err := s.summaries(page.Items)
			if err != nil {
				return nil, err
			}
			found = append(found, list...)
			if q.Cursor = page.Cursor; q.Cursor == "" {
				break
			}
		}
	}
	found = slices.DeleteFunc(found, func(r Summary) bool {
		return r.Status != f.Status || f.Job != "" && r.Request.Job != f.Job || r.Launched.Before(f.Since)
	})
	slices.SortFunc(found, func(a, b Summary) int { return strings.Compare(string(b.ID), string(a.ID)) })
	// A run whose owner renewed its lease between two pages is on both.
	return slices.CompactFunc(found, func(a, b Summary) bool { return a.ID == b.ID }), nil
}

// Due lists runs that somebody must look at, those due longest first; at most limit. It asks all shards at once.
func (s *Store) Due(ctx context.Context, limit int) ([]run.ID, error) {
	var pages [dueShards]driver.Page
	var failed [dueShards]error
	to := s.now().UTC().Format(keyTime)
	var shards sync.WaitGroup
	for shard := range dueShards {
		shards.Go(func() {
			pages[shard], failed[shard] = s.db.Query(ctx, driver.Query{Index: indexDue, Partition: shardName(shard), To: to, Limit: limit})
		})
	}
	shards.Wait()
	if err := cmp.Or(failed[:]...); err != nil {
		return nil, err
	}
	var due []driver.Entry
	for _, page := range pages {
		for _, item := range page.Items {
			i := slices.IndexFunc(item.Entries, func(e driver.Entry) bool { return e.Index == indexDue })
			if i >= 0 {
				due = append(due, item.Entries[i])
			}
		}
	}
	slices.SortFunc(due, func(a, b driver.Entry) int { return strings.Compare(a.Sort, b.Sort) })
	ids := make([]run.ID, min(limit, len(due)))
	for i := range ids {
		_, id, _ := strings.Cut(due[i].Sort, "#")
		ids[i] = run.ID(id)
	}
	return ids, nil
}

func shardName(shard int) string { return string(rune('0' + shard)) }

func (s *Store) summaries(items []driver.Item) ([]Summary, error) {
	list := make([]Summary, 0, len(items))
	for _, item := range items {
		meta, err := owner.Decode[Summary](item)
		if err != nil {
			return nil, err
		}
		list = append(list, s.shown(meta))
	}
	return list, nil
}
