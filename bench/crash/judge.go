package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"waggle/bench/figures"
	"waggle/shared/fault"
	"waggle/shared/plan"
	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/store"
)

// verdict is what the judge found.
type verdict struct {
	runs, lostRuns int
	lostEvents     int64
	wrong, again   int
	blamed         int // runs that failed, as they must, since a step's worker died while it ran alone
	crashed        int // runs that were given up, as they must, after three deaths without a result
}

// results is what a run came to, by step and without times: equal for every run of the job.
type results struct {
	steps  map[run.StepKey]run.StepStatus
	values map[run.StepKey]string // sums of the bytes
	assets map[run.StepKey]run.Materialization
	checks map[run.StepKey]run.CheckResult
}

// judge compares everything in a home with what was promised and with the results of an undisturbed run.
type judge struct {
	store *store.Store
	want  results
	plan  *plan.Plan
	rows  map[run.ID]runlog.Rows // as stored outside the logs
	v     verdict
}

// reference returns what the job comes to when nobody disturbs it: the same in each of the runs in a folder.
func reference(ctx context.Context, dir string) (want results, err error) {
	j, err := newJudge(ctx, dir)
	if err != nil {
		return want, err
	}
	defer func() { err = errors.Join(err, j.store.Close()) }()
	stored, err := ids(ctx, j.store)
	if err != nil {
		return want, err
	}
	for i, id := range stored {
		fold, _, err := j.store.Fold(ctx, id)
		if err != nil {
			return want, err
		}
		h := &history{}
		got := j.results(ctx, fold.Record, h)
		switch {
		case fold.Record.Status != run.Success || len(got.steps) != len(j.plan.Steps) || len(h.wrong) > 0:
			return want, fmt.Errorf("undisturbed run %s ended %s: %s %v", id, fold.Record.Status, fold.Record.Error, h.wrong)
		case i > 0 && !reflect.DeepEqual(got, want):
			return want, fmt.Errorf("two undisturbed runs differ: %+v and %+v", got, want)
		}
		want = got
	}
	return want, nil
}

// sentence judges all that is in a folder.
func sentence(ctx context.Context, dir string, want results) (v verdict, err error) {
	j, err := newJudge(ctx, dir)
	if err != nil {
		return v, err
	}
	defer func() { err = errors.Join(err, j.store.Close()) }()
	j.want = want
	return j.all(ctx, dir)
}

func newJudge(ctx context.Context, dir string) (*judge, error) {
	p, err := definitions(nil).Plan(run.Request{Job: jobName})
	if err != nil {
		return nil, err
	}
	s, _, err := open(ctx, dir, func() {})
	if err != nil {
		return nil, err
	}
	j := &judge{store: s, plan: p}
	return j, j.read(ctx)
}

// all judges every run that is stored or was promised.
func (j *judge) all(ctx context.Context, dir string) (verdict, error) {
	promised, err := promises(dir).all()
	if err != nil {
		return j.v, err
	}
	done, err := executions(dir).all()
	if err != nil {
		return j.v, err
	}
	stored, err := ids(ctx, j.store)
	if err != nil {
		return j.v, err
	}
	promisesOf, doneOf := map[run.ID][]promise{}, map[run.ID][]execution{}
	for _, p := range promised {
		if promisesOf[p.Run] = append(promisesOf[p.Run], p); !slices.Contains(stored, p.Run) {
			stored = append(stored, p.Run)
		}
	}
	for _, x := range done {
		doneOf[x.Run] = append(doneOf[x.Run], x)
	}
	for _, id := range stored {
		j.v.runs++
		if err := j.run(ctx, id, promisesOf[id], doneOf[id]); err != nil {
			return j.v, fmt.Errorf("judge run %s: %w", id, err)
		}
	}
	return j.v, nil
}

func ids(ctx context.Context, s *store.Store) (all []run.ID, err error) {
	for cursor := ""; ; {
		page, next, err := s.Runs(ctx, store.Filter{}, 100, cursor)
		if err != nil {
			return nil, err
		}
		for _, summary := range page {
			all = append(all, summary.ID)
		}
		if cursor = next; cursor == "" {
			return all, nil
		}
	}
}

// read reads the rows of all runs.
func (j *judge) read(ctx context.Context) error {
	j.rows = map[run.ID]runlog.Rows{}
	for _, s := range j.plan.Steps {
		if s.Check != nil {
			list, err := j.store.CheckHistory(ctx, s.Asset.Key, s.Check.Name, everything)
			if err != nil {
				return err
			}
			for _, c := range list {
				rows := j.rows[c.Run]
				rows.Checks = append(rows.Checks, c)
				j.rows[c.Run] = rows
			}
			continue
		}
		list, err := j.store.History(ctx, s.Asset.Key, everything)
		if err != nil {
			return err
		}
		for _, m := range list {
			rows := j.rows[m.Run]
			rows.Materializations = append(rows.Materializations, m)
			j.rows[m.Run] = rows
		}
	}
	return nil
}

// everything is more rows than there are.
const everything = 1 << 20

// run judges one run.
func (j *judge) run(ctx context.Context, id run.ID, promised []promise, done []execution) error {
	o, err := j.store.Owner(ctx, id)
	if errors.Is(err, fault.NotFound) {
		j.lose(id, "it is gone")
		j.missing(id, promised, nil)
		return nil
	}
	if err != nil {
		return err
	}
	h, err := readHistory(ctx, j.store, id)
	if err != nil {
		return err
	}
	j.missing(id, promised, h.sums)
	fold, next, err := j.store.Fold(ctx, id)
	if err != nil {
		return err
	}
	summary, err := j.store.Summary(ctx, id)
	if err != nil {
		return err
	}
	switch {
	case !fold.Record.Status.Terminal() || !o.Due.IsZero():
		j.lose(id, fmt.Sprintf("it is %s and due %s", fold.Record.Status, o.Due))
		return nil
	case summary.Status != fold.Record.Status || summary.Settled != next-1:
		h.say("its summary says %s, settled to %d; its log %s in %d chunks", summary.Status, summary.Settled, fold.Record.Status, next)
	}
	got := j.results(ctx, fold.Record, h)
	j.v.again += h.ran(done, got.values)
	j.compare(fold.Record, got, h)
	for _, text := range h.wrong {
		j.v.wrong++
		figures.Say("wrong: run %s: %s", id, text)
	}
	return nil
}

func (j *judge) lose(id run.ID, why string) {
	j.v.lostRuns++
	figures.Say("lost: run %s: %s", id, why)
}

// missing counts the events of chunks that were acknowledged and are gone or changed.
func (j *judge) missing(id run.ID, promised []promise, sums map[int64]string) {
	for _, p := range promised {
		if p.Sum != "" && sums[p.N] != p.Sum {
			j.v.lostEvents += p.Events
			figures.Say("lost: chunk %d of run %s, %d events", p.N, id, p.Events)
		}
	}
}

// results gathers what a run came to, and compares its rows with its log on the way.
func (j *judge) results(ctx context.Context, r run.Record, h *history) results {
	got := results{map[run.StepKey]run.StepStatus{}, map[run.StepKey]string{}, map[run.StepKey]run.Materialization{}, map[run.StepKey]run.CheckResult{}}
	for _, s := range r.Steps {
		got.steps[s.Key] = s.Status
	}
	rows := j.rows[r.ID]
	if len(rows.Materializations) != len(r.Materializations) || len(rows.Checks) != len(r.Checks) {
		h.say("%d and %d rows, its log has %d materializations and %d check results", len(rows.Materializations), len(rows.Checks), len(r.Materializations), len(r.Checks))
	}
	for _, m := range r.Materializations {
		step := run.StepKey(m.Asset)
		if _, twice := got.assets[step]; twice {
			h.say("%s has two materializations", step)
		}
		if !slices.ContainsFunc(rows.Materializations, func(row run.Materialization) bool { return reflect.DeepEqual(row, m) }) {
			h.say("%s has no row that says %+v", step, m)
		}
		got.values[step] = j.value(ctx, m, h)
		m.Run, m.Seq, m.Time, m.Duration, m.Value = "", 0, time.Time{}, 0, nil
		got.assets[step] = m
	}
	for _, c := range r.Checks {
		step := run.CheckStep(c.Asset, c.Check)
		if !slices.ContainsFunc(rows.Checks, func(row run.CheckResult) bool { return reflect.DeepEqual(row, c) }) {
			h.say("%s has no row that says %+v", step, c)
		}
		c.Run, c.Seq, c.Time = "", 0, time.Time{}
		got.checks[step] = c
	}
	return got
}

// value is the sum of a stored value; empty for an asset without one.
func (j *judge) value(ctx context.Context, m run.Materialization, h *history) string {
	if m.Value == nil {
		return ""
	}
	data := m.Value.Inline
	if m.Value.Blob != "" {
		var err error
		if data, err = j.store.GetBlob(ctx, m.Value.Blob); err != nil {
			h.say("the value of %s: %v", m.Asset, err)
		}
	}
	return sum(data)
}

// compare holds a run against the undisturbed one. Where a worker died while a step ran alone, the step must have
// failed and what follows from it been skipped; all else must be the same.
func (j *judge) compare(r run.Record, got results, h *history) {
	if r.Reason == run.Crashed && h.barren >= 3 {
		j.v.crashed++
		return
	}
	want := maps.Clone(j.want.steps)
	status := run.Success
	for _, s := range j.plan.Steps {
		if h.doomed[s.Key] && want[s.Key] != run.StepSkipped {
			want[s.Key], status = run.StepFailed, run.Failure
			skip(want, s)
		}
	}
	if status == run.Failure {
		j.v.blamed++
	}
	if r.Status != status {
		h.say("it ended %s (%s %s), want %s", r.Status, r.Reason, r.Error, status)
	}
	if !maps.Equal(got.steps, want) {
		h.say("its steps are %v, want %v", got.steps, want)
	}
	for _, s := range j.plan.Steps {
		if want[s.Key] != run.StepSucceeded {
			continue
		}
		wanted := j.want.assets[s.Key]
		for _, name := range j.plan.Blocking(s) {
			if h.doomed[run.CheckStep(s.Asset.Key, name)] {
				wanted.Verdict = run.Bad
			}
		}
		if got.values[s.Key] != j.want.values[s.Key] || !reflect.DeepEqual(got.assets[s.Key], wanted) {
			h.say("%s is %+v or its value another, want %+v", s.Key, got.assets[s.Key], wanted)
		}
		if !reflect.DeepEqual(got.checks[s.Key], j.want.checks[s.Key]) {
			h.say("%s came to %+v, want %+v", s.Key, got.checks[s.Key], j.want.checks[s.Key])
		}
	}
}

// skip follows a step that has no result downstream.
func skip(want map[run.StepKey]run.StepStatus, cause *plan.Step) {
	for _, s := range cause.Follows {
		if want[s.Key] == run.StepSucceeded {
			want[s.Key] = run.StepSkipped
			skip(want, s)
		}
	}
}
