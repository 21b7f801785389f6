// Package event is what Waggle tells others of: that a run changed its status, an asset was materialized, a check was evaluated.
//
// An event is ids and a status; who needs more reads it from the store. It follows from the log of a run, so that it can be
// published twice, with one id, and never differs.
//
// It imports run and runlog of ours.
package event

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"waggle/shared/run"
	"waggle/shared/runlog"
)

// Type says what happened. The words are the detail-types on the bus.
type Type string

// The types of events.
const (
	RunStatus    Type = "Run Status Change"
	Materialized Type = "Asset Materialized"    // once its blocking checks have answered, or the run has ended
	Evaluated    Type = "Asset Check Evaluated" //
)

// Event is one thing that happened in a run. Fields that do not belong to its type are zero. It has less than 4 KB as JSON.
type Event struct {
	ID   string    `json:"id"` // run#sequence: two events with one id are the same event
	Type Type      `json:"type"`
	Time time.Time `json:"time"` // UTC, of the entry in the log
	Run  run.ID    `json:"run_id"`
	Seq  int64     `json:"sequence"`      // of the entry in the log of the run
	Job  string    `json:"job,omitempty"` // empty: a selection of steps
	// Retries is how many runs the run retries: 0 is the first of its chain.
	Retries int `json:"retries,omitempty"`

	Status    run.Status `json:"status,omitempty"`     // of RunStatus
	Reason    run.Reason `json:"reason,omitempty"`     // of FAILURE
	WillRetry bool       `json:"will_retry,omitempty"` // of FAILURE: another run of the request follows

	Asset   run.AssetKey `json:"asset,omitempty"`   // of Materialized and Evaluated
	Verdict run.Verdict  `json:"verdict,omitempty"` // of Materialized

	Check       string          `json:"check,omitempty"` // of Evaluated
	CheckStatus run.CheckStatus `json:"check_status,omitempty"`
	Severity    run.Severity    `json:"severity,omitempty"`
	Blocking    bool            `json:"blocking,omitempty"`
}

// Of lists the events that follow from what the log of a run left, in the order of the log.
func Of(id run.ID, req run.Request, rows runlog.Rows) []Event {
	events := make([]Event, 0, len(rows.Statuses)+len(rows.Materializations)+len(rows.Checks))
	add := func(kind Type, seq int64, at time.Time, fill func(*Event)) {
		e := Event{ID: string(id) + "#" + strconv.FormatInt(seq, 10), Type: kind, Time: at, Run: id, Seq: seq, Job: req.Job, Retries: req.Retries}
		fill(&e)
		events = append(events, e)
	}
	for _, s := range rows.Statuses {
		add(RunStatus, s.Seq, s.Time, func(e *Event) { e.Status, e.Reason, e.WillRetry = s.Status, s.Reason, s.WillRetry })
	}
	for _, m := range rows.Materializations {
		add(Materialized, m.Seq, m.Time, func(e *Event) { e.Asset, e.Verdict = m.Asset, m.Verdict })
	}
	for _, c := range rows.Checks {
		add(Evaluated, c.Seq, c.Time, func(e *Event) {
			e.Asset, e.Check, e.CheckStatus, e.Severity, e.Blocking = c.Asset, c.Check, c.Status, c.Severity, c.Blocking
		})
	}
	slices.SortFunc(events, func(a, b Event) int { return cmp.Compare(a.Seq, b.Seq) })
	return events
}

// Failed reports whether an evaluation found something wrong, or could not be done.
func (e Event) Failed() bool {
	return e.CheckStatus == run.CheckFailed || e.CheckStatus == run.CheckExecutionFailed
}
