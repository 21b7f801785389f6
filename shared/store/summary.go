package store

import (
	"time"

	"waggle/shared/owner"
	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/store/driver"
)

// Summary is what a page of runs shows of one: its request, and how far it had come when its owner last wrote.
type Summary struct {
	ID       run.ID      `json:"id"`
	Request  run.Request `json:"request"`
	Status   run.Status  `json:"status"`
	Reason   run.Reason  `json:"reason,omitempty"`
	Error    string      `json:"error,omitempty"`   // the first, cut
	Waiting  string      `json:"waiting,omitempty"` // what a queued run waits for
	Launched time.Time   `json:"launched"`
	Started  time.Time   `json:"started,omitzero"`
	Ended    time.Time   `json:"ended,omitzero"`

	Steps        int `json:"steps"` // of the plan
	Done         int `json:"done"`  // steps with a result
	Failed       int `json:"failed,omitempty"`
	Assets       int `json:"assets,omitempty"` // materialized
	Checks       int `json:"checks,omitempty"` // evaluated
	ChecksFailed int `json:"checks_failed,omitempty"`

	// Settled is the number of the last chunk whose rows are written; -1: none.
	Settled int64 `json:"settled"`
}

// maxSummaryError is how much of an error a page of runs carries.
const maxSummaryError = 300

// Tell brings the summary up to what the log says.
func (s *Summary) Tell(f *runlog.Fold) {
	r := f.Record
	s.Status, s.Reason, s.Started, s.Ended, s.Steps = r.Status, r.Reason, r.Started, r.Ended, r.StepCount
	s.Error = cut(r.Error, maxSummaryError)
	s.Done, s.Failed, s.Checks, s.ChecksFailed = 0, 0, len(r.Checks), 0
	s.Assets = len(r.Materializations)
	for _, step := range r.Steps {
		if step.Status.Done() {
			s.Done++
		}
		if step.Status == run.StepFailed {
			s.Failed++
		}
	}
	for _, c := range r.Checks {
		if !c.Passed {
			s.ChecksFailed++
		}
	}
}

func cut(s string, n int) string {
	for i := range s {
		if i > n {
			return s[:i] + "…"
		}
	}
	return s
}

// runEntries are the index rows of a run. The indexes by status list only runs that ended: there is nothing to
// rewrite while a run goes on, and active ones are all in the index of what is due.
func runEntries(s *Summary, o owner.Ownership) []driver.Entry {
	id := string(s.ID)
	entries := []driver.Entry{{Index: indexAll, Partition: allRuns, Sort: id}}
	if s.Request.Job != "" {
		entries = append(entries, driver.Entry{Index: indexJob, Partition: s.Request.Job, Sort: id})
	}
	if s.Status.Terminal() {
		entries = append(entries, driver.Entry{Index: indexStatus, Partition: string(s.Status), Sort: id})
		if s.Request.Job != "" {
			entries = append(entries, driver.Entry{Index: indexJobStatus, Partition: s.Request.Job + "#" + string(s.Status), Sort: id})
		}
	}
	if !o.Due.IsZero() {
		entries = append(entries, driver.Entry{Index: indexDue, Partition: dueShard(s.ID), Sort: o.Due.UTC().Format(keyTime) + "#" + id})
	}
	return entries
}
