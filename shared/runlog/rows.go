package runlog

import (
	"math"
	"slices"
	"strings"
	"time"

	"waggle/shared/run"
)

// Rows are what events leave outside the log: materializations and check results, and the changes of status that others are told of.
type Rows struct {
	Materializations []run.Materialization
	Checks           []run.CheckResult
	Statuses         []StatusChange
}

// StatusChange is a new status of the run.
type StatusChange struct {
	Seq       int64 // of its event
	Time      time.Time
	Status    run.Status
	Reason    run.Reason // of FAILURE
	WillRetry bool       // of FAILURE
}

// Empty reports whether nothing follows.
func (r Rows) Empty() bool {
	return len(r.Materializations) == 0 && len(r.Checks) == 0 && len(r.Statuses) == 0
}

// Add appends the rows of later events.
func (r *Rows) Add(later Rows) {
	r.Materializations = append(r.Materializations, later.Materializations...)
	r.Checks = append(r.Checks, later.Checks...)
	r.Statuses = append(r.Statuses, later.Statuses...)
}

// Projector turns events, in order and from the first, into rows. A materialization becomes one when its
// asset's blocking checks have answered, so that its row carries the verdict, at the latest when the run ends.
// The same events give the same rows, so writing them again is harmless. Make it with NewProjector.
type Projector struct {
	id      run.ID
	waiting map[run.AssetKey]*awaited
}

type awaited struct {
	m       run.Materialization
	answers []string // blocking checks that have not answered
}

// NewProjector returns a projector at the start of a run's log.
func NewProjector(id run.ID) *Projector {
	return &Projector{id: id, waiting: map[run.AssetKey]*awaited{}}
}

// Take adds the next event, and what follows from it to rows.
func (p *Projector) Take(e *Event, rows *Rows) {
	if next, ok := statusAfter[e.Type]; ok {
		change := StatusChange{Seq: e.Seq, Time: e.Time, Status: next}
		if f, ok := e.Data.(*Failure); ok {
			change.Reason, change.WillRetry = f.Reason, f.WillRetry
		}
		rows.Statuses = append(rows.Statuses, change)
	}
	switch data := e.Data.(type) {
	case *Materialized:
		m := data.materialization(p.id, e)
		if len(data.Blocking) == 0 {
			rows.Materializations = append(rows.Materializations, m)
			return
		}
		p.waiting[m.Asset] = &awaited{m, slices.Clone(data.Blocking)}
	case *Evaluated:
		c := data.result(p.id, e)
		rows.Checks = append(rows.Checks, c)
		if w := p.waiting[c.Asset]; w != nil && c.Blocking {
			w.answers = slices.DeleteFunc(w.answers, func(name string) bool { return name == c.Check })
			if c.Blocks() {
				w.m.Verdict = run.Bad
			}
			if len(w.answers) == 0 {
				rows.Materializations = append(rows.Materializations, w.m)
				delete(p.waiting, c.Asset)
			}
		}
	default:
		if next, ok := statusAfter[e.Type]; ok && next.Terminal() {
			p.end(rows)
		}
	}
}

// end writes what no check will judge any more.
func (p *Projector) end(rows *Rows) {
	keys := make([]run.AssetKey, 0, len(p.waiting))
	for key := range p.waiting {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		m := p.waiting[key].m
		if m.Verdict == run.Good {
			m.Verdict = run.Unchecked
		}
		rows.Materializations = append(rows.Materializations, m)
	}
	clear(p.waiting)
}

// AssetOf is the asset of a step: the key itself, or what stands before the check's name.
func AssetOf(step run.StepKey) run.AssetKey {
	asset, _, _ := strings.Cut(string(step), ":")
	return run.AssetKey(asset)
}

func checkOf(step run.StepKey) string {
	_, name, _ := strings.Cut(string(step), ":")
	return name
}

func milliseconds(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }

// Milliseconds is a duration as events hold it: to the microsecond.
func Milliseconds(d time.Duration) float64 {
	return math.Round(float64(d)/float64(time.Microsecond)) / 1000
}
