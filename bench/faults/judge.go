package main

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"gocloud.dev/blob/memblob"

	"waggle/bench/figures"
	"waggle/shared/asset"
	"waggle/shared/engine"
	"waggle/shared/fault"
	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/store"
	"waggle/shared/store/driver"
	"waggle/shared/store/memorydriver"
)

// result is what a run comes to, ids and times aside. It is the same for each.
type result struct {
	Status run.Status
	Steps  map[run.StepKey]run.StepStatus
	Assets map[run.AssetKey]run.Materialization
	Values map[run.AssetKey]string // sums
	Checks map[string]run.CheckResult
}

// judge compares what is stored with what was promised and with a run that nothing disturbed.
type judge struct {
	db     driver.Driver
	store  *store.Store
	want   result
	assets map[run.ID][]run.Materialization // rows, all of the table
	checks map[run.ID][]run.CheckResult

	lost, wrong, owners int
}

func newJudge(ctx context.Context, db driver.Driver, blobs store.Blobs) (*judge, error) {
	j := &judge{db: db, store: store.New(db, blobs, nil)}
	want, err := undisturbed(ctx)
	j.want = want
	return j, err
}

// undisturbed is what the job comes to in memory.
func undisturbed(ctx context.Context) (result, error) {
	db, blobs := memorydriver.New(nil), store.NewBlobs(memblob.OpenBucket(nil))
	j := &judge{db: db, store: store.New(db, blobs, nil)}
	id, err := j.store.Launch(ctx, request(0))
	if err == nil {
		_, err = engine.New(j.store, definitions(), nil).Run(ctx, id, nil)
	}
	if err == nil {
		err = j.readRows(ctx)
	}
	if err != nil {
		return result{}, err
	}
	fold, _, err := j.store.Fold(ctx, id)
	if err != nil {
		return result{}, err
	}
	got := j.result(ctx, fold.Record)
	if j.lost+j.wrong > 0 || got.Status != run.Success || len(got.Assets) != len(definitions().Assets) {
		return result{}, fmt.Errorf("the undisturbed run came to %+v", got)
	}
	return got, nil
}

// all judges every run that was promised, and that there is nothing else.
func (j *judge) all(ctx context.Context, p *promises) error {
	if err := j.readRows(ctx); err != nil {
		return err
	}
	for id := range p.runs {
		if err := j.run(ctx, id, p.chunks[id]); err != nil {
			return fmt.Errorf("judge run %s: %w", id, err)
		}
	}
	for id := range p.chunks {
		if _, known := p.runs[id]; !known {
			j.differs(id, "its log was written and its launch not acknowledged")
		}
	}
	if err := j.lists(ctx, p); err != nil {
		return err
	}
	return j.leftovers(ctx)
}

func (j *judge) misses(id run.ID, format string, args ...any) {
	j.lost++
	figures.Say("lost: run %s: %s", id, fmt.Sprintf(format, args...))
}

func (j *judge) differs(id run.ID, format string, args ...any) {
	j.wrong++
	figures.Say("wrong: run %s: %s", id, fmt.Sprintf(format, args...))
}

// run judges one run: its summary, its log, its rows.
func (j *judge) run(ctx context.Context, id run.ID, chunks map[int64]string) error {
	summary, err := j.store.Summary(ctx, id)
	if errors.Is(err, fault.NotFound) {
		j.misses(id, "it is gone")
		return nil
	}
	if err != nil {
		return err
	}
	o, err := j.store.Owner(ctx, id)
	if err != nil {
		return err
	}
	j.owners += int(o.Epoch)
	last, err := j.log(ctx, id, chunks)
	if err != nil {
		return err
	}
	fold, _, err := j.store.Fold(ctx, id)
	if err != nil {
		j.differs(id, "its log does not fold: %v", err)
		return nil
	}
	r := fold.Record
	if !r.Status.Terminal() || o.Token != "" || !o.Due.IsZero() {
		j.misses(id, "it is %s, owned by %q and due %s", r.Status, o.Token, o.Due)
		return nil
	}
	told := summary
	told.Tell(fold)
	if !reflect.DeepEqual(told, summary) || summary.Settled != last {
		j.differs(id, "its summary says %+v, its log of %d chunks %+v", summary, last+1, told)
	}
	if got := j.result(ctx, r); !reflect.DeepEqual(got, j.want) {
		j.differs(id, "it came to %+v (%s), want %+v", got, r.Error, j.want)
	}
	return nil
}

// log compares the chunks with those that were acknowledged, and returns the number of the last. No step may succeed twice.
func (j *judge) log(ctx context.Context, id run.ID, promised map[int64]string) (last int64, err error) {
	stored, done := map[int64]string{}, map[run.StepKey]int{}
	err = j.store.ReadLog(ctx, id, 0, func(c store.Stored) error {
		if stored[c.N] = sum(c.Chunk.Body); c.N != int64(len(stored)-1) {
			j.misses(id, "chunk %d follows %d others", c.N, len(stored)-1)
		}
		last = c.N
		events, err := j.store.Unpack(c.Chunk)
		for i := range events {
			if events[i].Type == runlog.StepSuccess {
				done[events[i].Step]++
			}
		}
		return err
	})
	for n, want := range promised {
		if stored[n] != want {
			j.misses(id, "chunk %d is gone or another", n)
		}
	}
	for step, times := range done {
		if times > 1 {
			j.differs(id, "%s succeeded %d times", step, times)
		}
	}
	return last, err
}

// everything is more rows than there are.
const everything = 1 << 20

// readRows reads all rows of assets and checks.
func (j *judge) readRows(ctx context.Context) error {
	j.assets, j.checks = map[run.ID][]run.Materialization{}, map[run.ID][]run.CheckResult{}
	defs := definitions()
	for _, a := range defs.Assets {
		rows, err := j.store.History(ctx, a.Definition().Key, everything)
		if err != nil {
			return err
		}
		for _, m := range rows {
			j.assets[m.Run] = append(j.assets[m.Run], m)
		}
	}
	for _, c := range []struct{ asset, check string }{{"numbers", "some"}, {"long", "short"}} {
		rows, err := j.store.CheckHistory(ctx, asset.Key(c.asset), c.check, everything)
		if err != nil {
			return err
		}
		for _, r := range rows {
			j.checks[r.Run] = append(j.checks[r.Run], r)
		}
	}
	return nil
}

// result gathers what a run came to, and compares its rows with its log on the way.
func (j *judge) result(ctx context.Context, r run.Record) result {
	got := result{r.Status, map[run.StepKey]run.StepStatus{}, map[run.AssetKey]run.Materialization{}, map[run.AssetKey]string{}, map[string]run.CheckResult{}}
	for _, s := range r.Steps {
		got.Steps[s.Key] = s.Status
	}
	if a, c := len(j.assets[r.ID]), len(j.checks[r.ID]); a > len(r.Materializations) || c > len(r.Checks) {
		j.differs(r.ID, "it has %d and %d rows, its log %d and %d", a, c, len(r.Materializations), len(r.Checks))
	}
	for _, m := range r.Materializations {
		if !slices.ContainsFunc(j.assets[r.ID], func(row run.Materialization) bool { return reflect.DeepEqual(row, m) }) {
			j.misses(r.ID, "no row says %+v", m)
		}
		if _, twice := got.Assets[m.Asset]; twice {
			j.differs(r.ID, "%s is materialized twice", m.Asset)
		}
		got.Values[m.Asset] = j.value(ctx, r.ID, m)
		m.Run, m.Seq, m.Time, m.Duration, m.Value = "", 0, time.Time{}, 0, nil
		got.Assets[m.Asset] = m
	}
	for _, c := range r.Checks {
		if !slices.ContainsFunc(j.checks[r.ID], func(row run.CheckResult) bool { return reflect.DeepEqual(row, c) }) {
			j.misses(r.ID, "no row says %+v", c)
		}
		c.Run, c.Seq, c.Time = "", 0, time.Time{}
		got.Checks[c.Check] = c
	}
	return got
}

// value is the sum of a stored value.
func (j *judge) value(ctx context.Context, id run.ID, m run.Materialization) string {
	if m.Value == nil {
		return ""
	}
	data := m.Value.Inline
	if m.Value.Blob != "" {
		var err error
		if data, err = j.store.GetBlob(ctx, m.Value.Blob); err != nil {
			j.misses(id, "the value of %s: %v", m.Asset, err)
		}
	}
	return sum(data)
}

// lists compares the lists of runs with those promised: each lists every run once, and no other.
func (j *judge) lists(ctx context.Context, p *promises) error {
	for name, f := range map[string]store.Filter{
		"all": {}, "job": {Job: jobName}, "status": {Status: run.Success}, "job and status": {Job: jobName, Status: run.Success},
	} {
		seen := map[run.ID]int{}
		for cursor := ""; ; {
			page, next, err := j.store.Runs(ctx, f, 50, cursor)
			if err != nil {
				return err
			}
			for _, summary := range page {
				seen[summary.ID]++
			}
			if cursor = next; cursor == "" {
				break
			}
		}
		for id, n := range seen {
			if _, promised := p.runs[id]; !promised || n > 1 {
				j.differs(id, "the list %q has it %d times; promised: %t", name, n, promised)
			}
		}
		for id := range p.runs {
			if seen[id] == 0 {
				j.misses(id, "the list %q lacks it", name)
			}
		}
	}
	return nil
}

// leftovers are runs still due, in the queue, or with a slot.
func (j *judge) leftovers(ctx context.Context) error {
	for shard := range 8 {
		page, err := j.db.Query(ctx, driver.Query{Index: "due", Partition: fmt.Sprint(shard)})
		if err != nil {
			return err
		}
		for _, item := range page.Items {
			j.differs(run.ID(item.Partition), "it is still due")
		}
	}
	page, err := j.db.Query(ctx, driver.Query{Partition: "QUEUE"})
	if err != nil {
		return err
	}
	for _, item := range page.Items {
		j.differs(run.ID(item.Sort), "it is still in the queue")
	}
	_, waiting, err := j.store.HasSlots(ctx, "nobody", []run.Limit{limit})
	for _, id := range waiting.Holders {
		j.differs(id, "it still has a slot")
	}
	return err
}
