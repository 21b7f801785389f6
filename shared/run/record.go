// Package run is what there is to know about one run: its id, request and status, what its steps,
// assets and checks came to. Commands, checks, assets and sensors all see these types.
//
// It imports fault and metadata of ours.
package run

import (
	"slices"
	"time"
)

// AssetKey names an asset; package asset calls it Key.
type AssetKey string

// StepKey names a step of a run: the key of its asset, or "asset:check" for a check.
type StepKey string

// CheckStep is the step that evaluates a check.
func CheckStep(asset AssetKey, check string) StepKey { return StepKey(string(asset) + ":" + check) }

// Record is a run as its log tells it.
type Record struct {
	ID        ID
	Request   Request
	Status    Status
	Reason    Reason // of FAILURE; empty for others
	Error     string // the first real error; empty where nothing failed
	WillRetry bool   // another run of the request follows
	Launched  time.Time
	Started   time.Time // zero: not started
	Ended     time.Time // zero: not ended
	StepCount int       // steps of the plan; 0 before the run starts

	Steps            []Step // those with an event, in the order of their first
	Materializations []Materialization
	Checks           []CheckResult
}

// Duration is how long the run took, or has taken by now.
func (r Record) Duration(now time.Time) time.Duration {
	switch {
	case r.Started.IsZero():
		return 0
	case r.Ended.IsZero():
		return max(0, now.Sub(r.Started))
	default:
		return r.Ended.Sub(r.Started)
	}
}

// Step returns the step with a key, or nil.
func (r Record) Step(key StepKey) *Step {
	for i := range r.Steps {
		if r.Steps[i].Key == key {
			return &r.Steps[i]
		}
	}
	return nil
}

// Failed lists the steps that failed, in order.
func (r Record) Failed() []Step { return r.with(StepFailed) }

// Skipped lists the steps that did not run because of others, in order.
func (r Record) Skipped() []Step { return r.with(StepSkipped) }

func (r Record) with(status StepStatus) []Step {
	var steps []Step
	for _, s := range r.Steps {
		if s.Status == status {
			steps = append(steps, s)
		}
	}
	return steps
}

// Clone copies the record's lists, so that the copy does not change with the run.
func (r Record) Clone() Record {
	r.Steps, r.Materializations, r.Checks = slices.Clone(r.Steps), slices.Clone(r.Materializations), slices.Clone(r.Checks)
	return r
}
