// Package event is what Waggle tells others of: that a run changed its status, an asset was materialized, a check was evaluated, a
// schedule's tick did not come in time, a message was given up.
//
// An event is ids and a status; who needs more reads it from the store. It follows from the log of a run, or from a row of the store, so
// that it can be published twice, with one id, and never differs.
//
// The folder events has the contract of each type with those who hear it on a bus: a JSON schema, samples, rules. Fields are added
// to it and never renamed or removed; a test there holds this package to that.
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
	RunStatus      Type = "Run Status Change"
	Materialized   Type = "Asset Materialized"    // once its blocking checks have answered, or the run has ended
	Evaluated      Type = "Asset Check Evaluated" //
	TickMissed     Type = "Schedule Tick Missed"  // a run was not launched when its schedule said
	DeliveryFailed Type = "Delivery Failed"       // a message, or the call of a sensor's function, was given up
)

// Types lists every type of event.
func Types() []Type { return []Type{RunStatus, Materialized, Evaluated, TickMissed, DeliveryFailed} }

// TickStatus says what became of a tick that did not come in time.
type TickStatus string

// The statuses of a missed tick.
const (
	TickLate       TickStatus = "LATE"        // its run was launched later
	TickPassedOver TickStatus = "PASSED_OVER" // it was found too late: no run is launched for it
	TickFailed     TickStatus = "FAILED"      // its run could not be launched
)

// DeliveryStatus says how a delivery ended.
type DeliveryStatus string

// The statuses of a delivery that failed.
const (
	DeliveryDead DeliveryStatus = "DEAD" // nothing more happens unless somebody has it sent again
)

// Event is one thing that happened. Fields that do not belong to its type are zero. It has less than 4 KB as JSON.
type Event struct {
	// ID is run#sequence for what the log of a run tells, else the row that tells it and its state. Two events with one id are the
	// same event.
	ID   string    `json:"id"`
	Type Type      `json:"type"`
	Time time.Time `json:"time"` // UTC, of the entry in the log; of TickMissed and DeliveryFailed, when that was stored
	// Run of TickMissed is the one that was launched late, of DeliveryFailed the one that the message tells of. Empty: none.
	Run run.ID `json:"run_id,omitempty"`
	Seq int64  `json:"sequence,omitempty"` // of the entry in the log of the run; 0: it does not follow from a log
	Job string `json:"job,omitempty"`      // empty: a selection of steps
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

	Schedule   string     `json:"schedule,omitempty"` // of TickMissed
	Tick       time.Time  `json:"tick,omitzero"`      // when the run was to be launched, UTC; of several that were passed over, the last
	TickStatus TickStatus `json:"tick_status,omitempty"`
	Ticks      int        `json:"ticks,omitempty"` // of TickPassedOver: how many were, together
	// MissedBefore and MissedAfter are how many ticks of the schedule were missed together with this one, before and after it. Who
	// tells people tells of the last alone, whose MissedAfter is 0.
	MissedBefore int `json:"missed_before,omitempty"`
	MissedAfter  int `json:"missed_after,omitempty"`

	// Of DeliveryFailed: the sensor whose message or whose call it was, and the event it was called for; or the step whose message
	// it was.
	Sensor  string      `json:"sensor,omitempty"`
	EventID string      `json:"event_id,omitempty"`
	Step    run.StepKey `json:"step,omitempty"`
	// Channel and Delivery are empty where the sensor's function failed: it gave no message.
	Channel        string         `json:"channel,omitempty"`
	Delivery       string         `json:"delivery_id,omitempty"` // of the message, as `waggle deliveries show` takes it
	DeliveryStatus DeliveryStatus `json:"delivery_status,omitempty"`
	DeliveryReason string         `json:"delivery_reason,omitempty"` // one word; there may be new ones
	Attempts       int            `json:"attempts,omitempty"`        // to send the message, or to call the function; 0: none was made
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

// OfTick is a tick of a schedule that was missed. Whoever stores it says when that was.
func OfTick(schedule, job string, tick time.Time, status TickStatus) Event {
	tick = tick.UTC()
	return Event{ID: "schedule/" + schedule + "/" + tick.Format(time.RFC3339) + "#" + string(status), Type: TickMissed, Schedule: schedule, Job: job, Tick: tick, TickStatus: status}
}

// Failed reports whether an evaluation found something wrong, or could not be done.
func (e Event) Failed() bool {
	return e.CheckStatus == run.CheckFailed || e.CheckStatus == run.CheckExecutionFailed
}
