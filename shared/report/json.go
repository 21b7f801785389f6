package report

import (
	"encoding/json"
	"time"

	"waggle/shared/metadata"
	"waggle/shared/run"
	"waggle/shared/runlog"
)

// Times in JSON are UTC, RFC 3339 to the microsecond; what is not there is null.
type reportJSON struct {
	RunID      run.ID      `json:"run_id"`
	Job        *string     `json:"job"`
	Status     run.Status  `json:"status"`
	Reason     *run.Reason `json:"failure_reason"`
	Error      string      `json:"error,omitempty"`
	LaunchedAt *time.Time  `json:"launched_at"`
	StartedAt  *time.Time  `json:"started_at"`
	EndedAt    *time.Time  `json:"ended_at"`
	DurationMS *float64    `json:"duration_ms"`
	Assets     []assetJSON `json:"assets"`
	Checks     []checkJSON `json:"checks"`
	Deliveries []Delivery  `json:"deliveries"`

	Selection []run.StepKey     `json:"selection,omitempty"`
	Config    run.Config        `json:"config,omitempty"`
	Tags      map[string]string `json:"tags,omitempty"`
}

type assetJSON struct {
	Key        run.AssetKey    `json:"key"`
	Status     run.StepStatus  `json:"status"`
	Group      string          `json:"group,omitempty"`
	Attempt    int             `json:"attempt,omitempty"`
	StartedAt  *time.Time      `json:"started_at"`
	DurationMS *float64        `json:"duration_ms"`
	Metadata   metadata.Values `json:"metadata"`
	Verdict    run.Verdict     `json:"verdict,omitempty"`
	Error      *run.Error      `json:"error,omitempty"`
	Skipped    *run.Skip       `json:"skipped,omitempty"`
}

type checkJSON struct {
	Asset       run.AssetKey    `json:"asset"`
	Name        string          `json:"name"`
	Status      run.CheckStatus `json:"status"`
	Passed      bool            `json:"passed"`
	Blocking    bool            `json:"blocking"`
	Severity    run.Severity    `json:"severity"`
	Description string          `json:"description,omitempty"`
	DurationMS  *float64        `json:"duration_ms"`
	Metadata    metadata.Values `json:"metadata"`
	Error       string          `json:"error,omitempty"`
	Skipped     *run.Skip       `json:"skipped,omitempty"`
}

// MarshalJSON writes the report as `waggle run --json` prints it.
func (r *Report) MarshalJSON() ([]byte, error) {
	out := reportJSON{RunID: r.ID, Status: r.Status, Error: r.Error, LaunchedAt: at(r.Launched), StartedAt: at(r.Started), EndedAt: at(r.Ended),
		Assets: make([]assetJSON, len(r.Assets)), Checks: make([]checkJSON, len(r.Checks)), Deliveries: append([]Delivery{}, r.Deliveries...),
		Selection: r.Request.Selection, Config: r.Request.Config, Tags: r.Request.Tags}
	if r.Request.Job != "" {
		out.Job = &r.Request.Job
	}
	if r.Reason != "" {
		out.Reason = &r.Reason
	}
	if !r.Started.IsZero() {
		out.DurationMS = ms(r.Duration)
	}
	for i, a := range r.Assets {
		out.Assets[i] = assetJSON{Key: a.Key, Status: a.Status, Group: a.Group, Attempt: a.Attempt, StartedAt: at(a.Started), Metadata: orEmpty(a.Metadata),
			Verdict: a.Verdict, Error: a.Error, Skipped: a.Skipped}
		if a.Status == run.StepSucceeded || a.Status == run.StepFailed {
			out.Assets[i].DurationMS = ms(a.Duration)
		}
	}
	for i, c := range r.Checks {
		out.Checks[i] = checkJSON{Asset: c.Asset, Name: c.Check, Status: c.Status, Passed: c.Passed, Blocking: c.Blocking, Severity: c.Severity,
			Description: c.Description, Metadata: orEmpty(c.Metadata), Error: c.Error, Skipped: c.Skipped}
		if c.Status != run.CheckSkipped && c.Status != run.CheckInProgress {
			out.Checks[i].DurationMS = ms(c.Duration)
		}
	}
	return json.Marshal(out)
}

func at(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC().Truncate(time.Microsecond)
	return &t
}

func ms(d time.Duration) *float64 {
	v := runlog.Milliseconds(d)
	return &v
}

func orEmpty(values metadata.Values) metadata.Values {
	if values == nil {
		return metadata.Values{}
	}
	return values
}
