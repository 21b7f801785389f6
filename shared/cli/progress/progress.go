// Package progress follows the steps of a run by its events, and draws them: one line a finished step, or frames that fit a
// window.
//
// It knows no terminal: it returns lines, and takes the time and the size of the window as arguments. It imports duration,
// plan, report, run and runlog of ours.
package progress

import (
	"time"

	"waggle/shared/duration"
	"waggle/shared/plan"
	"waggle/shared/report"
	"waggle/shared/run"
	"waggle/shared/runlog"
)

// Progress is what the steps of a run are doing. It is not safe for several goroutines.
type Progress struct {
	id     run.ID
	name   string
	status run.Status
	start  time.Time
	end    time.Time

	groups []*group
	steps  map[run.StepKey]*step
	order  []*step
	count  map[run.StepStatus]int

	keyWidth, stepWidth, rowsWidth int
}

// group is the steps that are listed together: assets with their checks below them, or checks of assets that the
// run does not make.
type group struct {
	name  string
	steps []*step
}

type step struct {
	key      run.StepKey
	label    string
	status   run.StepStatus
	attempt  int
	started  time.Time
	duration time.Duration
	rows     string
	err      string
	by       string
	checked  *runlog.Evaluated // of a check with a result
	checks   []*step           // of an asset
	isCheck  bool
}

// New returns the progress of a run that has not begun.
func New(id run.ID, name string, p *plan.Plan) *Progress {
	g := &Progress{id: id, name: name, status: run.NotStarted, steps: map[run.StepKey]*step{}, count: map[run.StepStatus]int{}}
	byName := map[string]*group{}
	for _, planned := range p.Steps {
		s := &step{key: planned.Key, label: string(planned.Key), status: run.StepPending, isCheck: planned.Check != nil}
		g.steps[s.key] = s
		g.order = append(g.order, s)
		g.count[run.StepPending]++
		g.stepWidth = min(max(g.stepWidth, len(s.label)), 48)
		if s.isCheck {
			if asset := g.steps[run.StepKey(planned.Asset.Key)]; asset != nil {
				asset.checks = append(asset.checks, s)
				continue
			}
		}
		name := planned.Group()
		if byName[name] == nil {
			byName[name] = &group{name: name}
			g.groups = append(g.groups, byName[name])
		}
		byName[name].steps = append(byName[name].steps, s)
		g.keyWidth = max(g.keyWidth, len(s.label))
	}
	return g
}

// Take takes the next event. It returns the keys of the steps that came to their result by it: none or one.
func (g *Progress) Take(e *runlog.Event) (run.StepKey, bool) {
	s := g.steps[e.Step]
	if s == nil {
		g.takeOfRun(e)
		return "", false
	}
	switch e.Type {
	case runlog.StepStart:
		g.become(s, run.StepRunning)
		s.started, s.attempt = e.Time, e.Attempt
	case runlog.StepSuccess:
		g.become(s, run.StepSucceeded)
		s.err = ""
	case runlog.StepFailure:
		g.become(s, run.StepFailed)
	case runlog.StepUpForRetry:
		g.become(s, run.StepRetrying)
	case runlog.StepInterrupted:
		g.become(s, run.StepPending)
	case runlog.StepSkipped:
		g.become(s, run.StepSkipped)
	case runlog.StepCanceled:
		g.become(s, run.StepCanceled)
	}
	switch data := e.Data.(type) {
	case *runlog.Outcome:
		s.duration = time.Duration(data.DurationMS * float64(time.Millisecond))
		if data.Error != nil {
			s.err = report.OneLine(data.Error.Message)
		}
	case *runlog.Materialized:
		if n, ok := report.Rows(data.Metadata); ok {
			s.rows = report.Count(int(n), "row")
			g.rowsWidth = max(g.rowsWidth, len(s.rows))
		}
	case *runlog.Evaluated:
		s.checked = data
	case *run.Skip:
		s.by = report.By(data)
	}
	return s.key, s.status.Done() && e.Type != runlog.Log && e.Type != runlog.Materialization && e.Type != runlog.CheckEvaluation
}

func (g *Progress) takeOfRun(e *runlog.Event) {
	switch e.Type {
	case runlog.RunEnqueued:
		g.status = run.Queued
	case runlog.RunDequeued:
		g.status = run.NotStarted
	case runlog.RunStart:
		g.status, g.start = run.Started, e.Time
	case runlog.RunCanceling:
		g.status = run.Canceling
	case runlog.RunSuccess:
		g.status, g.end = run.Success, e.Time
	case runlog.RunFailure:
		g.status, g.end = run.Failure, e.Time
	case runlog.RunCanceled:
		g.status, g.end = run.Canceled, e.Time
		for _, s := range g.order {
			if !s.status.Done() {
				g.become(s, run.StepCanceled)
			}
		}
	}
}

func (g *Progress) become(s *step, status run.StepStatus) {
	g.count[s.status]--
	s.status = status
	g.count[status]++
}

// done is how many steps have their result.
func (g *Progress) done() int {
	return g.count[run.StepSucceeded] + g.count[run.StepFailed] + g.count[run.StepSkipped] + g.count[run.StepCanceled]
}

// state is how the step stands; a check that has a result stands as that.
func (s *step) state() report.State {
	if s.checked != nil && s.status.Done() {
		return report.OfCheck(s.checked.Status, s.checked.Severity)
	}
	return report.OfStep(s.status)
}

// why is what is said below the step: the error of one that failed, what a check found that did not pass.
func (s *step) why() string {
	switch {
	case s.err != "" && s.status != run.StepSucceeded && s.status != run.StepCanceled:
		return s.err
	case s.checked != nil && !s.checked.Passed:
		return report.OneLine(report.Check{CheckResult: run.CheckResult{Description: s.checked.Description, Metadata: s.checked.Metadata}}.Why())
	}
	return ""
}

// time is how long the step took, or has taken by now.
func (s *step) time(now time.Time) string {
	switch s.status {
	case run.StepRunning:
		return Elapsed(now.Sub(s.started))
	case run.StepSucceeded, run.StepFailed, run.StepRetrying:
		return duration.Text(s.duration)
	}
	return ""
}

// verdicts says how many of the asset's checks have passed.
func (s *step) verdicts() string {
	passed, answered := 0, 0
	for _, c := range s.checks {
		if c.checked != nil {
			answered++
			if c.checked.Passed {
				passed++
			}
		}
	}
	if answered == 0 {
		return ""
	}
	return report.Number(int64(passed)) + " of " + report.Number(int64(len(s.checks))) + " passed"
}
