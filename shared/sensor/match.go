package sensor

import (
	"slices"

	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/event"
	"waggle/shared/job"
	"waggle/shared/run"
)

// Reason says why a sensor is called for an event, or why not.
type Reason string

// The reasons of Match.
const (
	Matched       Reason = "matched"
	Resolves      Reason = "resolves"        // it is not called; what it told of failures of the job ends
	OtherEvent    Reason = "other_event"     // another type of event
	OtherStatus   Reason = "other_status"    // the run came to another status
	OtherJob      Reason = "other_job"       // Jobs does not list its job
	WillBeRetried Reason = "will_be_retried" // the run failed and is run again; the last one counts
	OtherAsset    Reason = "other_asset"
	Refused       Reason = "refused" // a blocking check failed, or did not answer
	Passed        Reason = "passed"  // the check did not fail
	OtherCheck    Reason = "other_check"
	LessSevere    Reason = "less_severe"  // under the sensor's Severity
	LaterMissed   Reason = "later_missed" // a later tick of the schedule was missed with it, and is told of
)

// Reasons lists every reason of Match.
func Reasons() []Reason {
	return []Reason{Matched, Resolves, OtherEvent, OtherStatus, OtherJob, WillBeRetried, OtherAsset, Refused, Passed, OtherCheck, LessSevere, LaterMissed}
}

// Match says whether the sensor is called for an event. It is the only place that decides.
func (d *Definition) Match(e event.Event) Reason {
	reason := d.matchKind(e)
	if reason != Matched && reason != Resolves {
		return reason
	}
	if len(d.Options.Jobs) > 0 && !slices.ContainsFunc(d.Options.Jobs, func(j *job.Job) bool { return j != nil && j.Name == e.Job }) {
		return OtherJob
	}
	return reason
}

// Hears is the type of the events that the sensor is called for: what a bus hands on to it. That of a polled sensor, and of a daily summary, is Tick, which no bus
// sees.
func (d *Definition) Hears() event.Type {
	return map[Kind]event.Type{RunFailure: event.RunStatus, RunStatus: event.RunStatus, Asset: event.Materialized, CheckFailed: event.Evaluated,
		TickMissed: event.TickMissed, Polled: Tick, DailySummary: Tick}[d.Kind]
}

func (d *Definition) matchKind(e event.Event) Reason {
	if e.Type != d.Hears() {
		return OtherEvent
	}
	switch d.Kind {
	case RunFailure:
		switch {
		case e.Status == run.Failure && e.WillRetry:
			return WillBeRetried
		case e.Status == run.Success && e.Job != "":
			return Resolves
		case e.Status != run.Failure && (e.Status != run.Canceled || e.Retries == 0):
			return OtherStatus
		}
	case RunStatus:
		switch {
		case slices.Contains(d.Statuses, e.Status):
		case e.Status == run.Success && e.Job != "" && slices.Contains(d.Statuses, run.Failure):
			return Resolves
		default:
			return OtherStatus
		}
	case Asset:
		return d.matchAsset(e)
	case CheckFailed:
		return d.matchCheck(e)
	case TickMissed:
		if e.MissedAfter > 0 {
			return LaterMissed
		}
	}
	return Matched
}

func (d *Definition) matchAsset(e event.Event) Reason {
	switch {
	case d.Asset == nil || d.Asset.Key != asset.Key(e.Asset):
		return OtherAsset
	case e.Verdict != run.Good:
		return Refused
	}
	return Matched
}

func (d *Definition) matchCheck(e event.Event) Reason {
	ours := func(c *check.Check) bool {
		def := c.Definition()
		return def != nil && def.Name == e.Check && def.Asset != nil && def.Asset.Key == e.Asset
	}
	switch {
	case !e.Failed():
		return Passed
	case len(d.Options.Checks) > 0 && !slices.ContainsFunc(d.Options.Checks, ours):
		return OtherCheck
	case d.Options.Severity == check.Error && e.Severity == check.Warn && e.CheckStatus != run.CheckExecutionFailed:
		return LessSevere
	}
	return Matched
}
