package notice

import (
	"maps"
	"slices"
	"time"

	"waggle/shared/run"
	"waggle/shared/runlog"
)

// The JSON of a report, version 1. Kinds are added, and fields to kinds; none is taken away or changes its meaning. What is not
// there is left out. Lists are cut, and their totals say so.

const (
	jsonList = 100   // of a list
	jsonText = 500   // characters of a text in a list
	jsonLong = 8_000 // of the first error
)

type runJSON struct {
	Kind        string            `json:"kind"`
	RunID       run.ID            `json:"run_id"`
	Job         string            `json:"job,omitempty"`
	Name        string            `json:"name"`
	Environment string            `json:"environment,omitempty"`
	Status      run.Status        `json:"status"`
	Reason      run.Reason        `json:"failure_reason,omitempty"`
	Error       string            `json:"error,omitempty"`
	Config      map[string]string `json:"config,omitempty"` // values as JSON
	Tags        map[string]string `json:"tags,omitempty"`
	CodeVersion string            `json:"code_version,omitempty"`
	LaunchedAt  *time.Time        `json:"launched_at,omitempty"`
	StartedAt   *time.Time        `json:"started_at,omitempty"`
	EndedAt     *time.Time        `json:"ended_at,omitempty"`
	DurationMS  float64           `json:"duration_ms,omitempty"`
	WillRetry   bool              `json:"will_retry,omitempty"`
	RetryOf     run.ID            `json:"retry_of,omitempty"`
	Retries     int               `json:"retries,omitempty"`

	FailingSince *time.Time   `json:"failing_since,omitempty"`
	Failures     int          `json:"failures_in_a_row,omitempty"`
	LastSuccess  *successJSON `json:"last_success,omitempty"`
	Changed      []Change     `json:"changed_since_last_success,omitempty"`

	FailedSteps  []failedJSON  `json:"failed_steps,omitempty"`
	FailedTotal  int           `json:"failed_steps_total,omitempty"`
	Skipped      []skippedJSON `json:"skipped_steps,omitempty"`
	SkippedTotal int           `json:"skipped_steps_total,omitempty"`
	Assets       []assetJSON   `json:"assets,omitempty"`
	AssetsTotal  int           `json:"assets_total,omitempty"`
	Checks       []checkJSON   `json:"checks,omitempty"`
	ChecksTotal  int           `json:"checks_total,omitempty"`
	Warnings     []warningJSON `json:"warnings,omitempty"`
	WarningTotal int           `json:"warnings_total,omitempty"`

	Link    string `json:"link,omitempty"`
	Command string `json:"command"`

	// Of what follows a failure.
	Since         *time.Time `json:"resolved_failing_since,omitempty"`
	ResolvedAfter int        `json:"resolved_failures,omitempty"`
	ErrorBefore   string     `json:"error_before,omitempty"`
	FixedBy       run.ID     `json:"fixed_by,omitempty"`
}

type (
	successJSON struct {
		RunID run.ID     `json:"run_id"`
		At    *time.Time `json:"ended_at,omitempty"`
	}
	failedJSON struct {
		Step  run.StepKey   `json:"step"`
		Kind  run.ErrorKind `json:"kind"`
		Error string        `json:"error"`
	}
	skippedJSON struct {
		Step   run.StepKey    `json:"step"`
		Reason run.SkipReason `json:"reason,omitempty"`
		By     run.StepKey    `json:"by,omitempty"`
	}
	assetJSON struct {
		Asset      run.AssetKey `json:"asset"`
		Rows       *int64       `json:"record_count,omitempty"`
		DurationMS float64      `json:"duration_ms"`
	}
	checkJSON struct {
		Asset    run.AssetKey    `json:"asset"`
		Check    string          `json:"check"`
		Status   run.CheckStatus `json:"status"`
		Passed   bool            `json:"passed"`
		Severity run.Severity    `json:"severity,omitempty"`
		Blocking bool            `json:"blocking,omitempty"`
	}
	warningJSON struct {
		Asset    run.AssetKey `json:"asset"`
		Check    string       `json:"check,omitempty"`
		Severity run.Severity `json:"severity,omitempty"`
		Text     string       `json:"text"`
	}
)

func atJSON(t time.Time) *time.Time {
	if t.IsZero() || t.Year() < 0 || t.Year() > 9999 {
		return nil
	}
	t = t.UTC().Truncate(time.Microsecond)
	return &t
}

// first renders the first hundred.
func first[T, J any](all []T, render func(T) J) []J {
	out := make([]J, 0, min(jsonList, len(all)))
	for _, t := range all[:min(jsonList, len(all))] {
		out = append(out, render(t))
	}
	return out
}

func textJSON(text string, n int) string { return cut(readable(head(text, 4*n)), n) }

func (r Run) json(kind string) runJSON {
	out := runJSON{Kind: kind, RunID: r.ID, Job: textJSON(r.Job, jsonText), Name: textJSON(r.Name, jsonText), Environment: textJSON(r.Place.Environment, jsonText),
		Status: r.Status, Reason: r.Reason, Error: textJSON(r.Error, jsonLong), CodeVersion: textJSON(r.CodeVersion, jsonText),
		LaunchedAt: atJSON(r.Launched), StartedAt: atJSON(r.Started), EndedAt: atJSON(r.Ended), DurationMS: runlog.Milliseconds(r.Duration()),
		WillRetry: r.WillRetry, RetryOf: r.RetryOf, Retries: r.Retries, FailingSince: atJSON(r.FailingSince), Failures: r.Failures,
		FailedTotal: len(r.FailedSteps), SkippedTotal: len(r.Skipped), AssetsTotal: len(r.Materializations), ChecksTotal: len(r.Checks),
		WarningTotal: len(r.Warnings), Link: r.Link(), Command: r.Command()}
	out.Config, out.Tags = mapJSON(r.Config, func(key string) string { return configText(r.Config, key) }), mapJSON(r.Tags, func(key string) string { return r.Tags[key] })
	if r.LastSuccess != nil {
		out.LastSuccess = &successJSON{r.LastSuccess.Run, atJSON(r.LastSuccess.Time)}
	}
	out.Changed = first(r.Changed, func(c Change) Change {
		return Change{Kind: c.Kind, Name: textJSON(c.Name, jsonText), Column: textJSON(c.Column, jsonText), Before: textJSON(c.Before, 200), After: textJSON(c.After, 200)}
	})
	out.FailedSteps = first(r.FailedSteps, func(f FailedStep) failedJSON {
		return failedJSON{run.StepKey(textJSON(string(f.Step), 200)), f.Kind, textJSON(f.Error, jsonText)}
	})
	out.Skipped = first(r.Skipped, func(s SkippedStep) skippedJSON {
		return skippedJSON{run.StepKey(textJSON(string(s.Step), 200)), s.Reason, run.StepKey(textJSON(string(s.By), 200))}
	})
	out.Assets = first(r.Materializations, func(m run.Materialization) assetJSON {
		a := assetJSON{Asset: run.AssetKey(textJSON(string(m.Asset), 200)), DurationMS: runlog.Milliseconds(m.Duration)}
		if n, ok := m.Metadata["record_count"].Number(); ok {
			rows := int64(n)
			a.Rows = &rows
		}
		return a
	})
	out.Checks = first(r.Checks, func(c run.CheckResult) checkJSON {
		return checkJSON{run.AssetKey(textJSON(string(c.Asset), 200)), textJSON(c.Check, 200), c.Status, c.Passed, c.Severity, c.Blocking}
	})
	out.Warnings = first(r.Warnings, func(w Warning) warningJSON {
		return warningJSON{run.AssetKey(textJSON(string(w.Asset), 200)), textJSON(w.Check, 200), w.Severity, textJSON(w.Text(), 200)}
	})
	return out
}

func mapJSON[V any](all map[string]V, text func(string) string) map[string]string {
	out := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if len(out) == jsonList {
			break
		}
		out[textJSON(key, 100)] = textJSON(text(key), 200)
	}
	return out
}

type itemJSON struct {
	RunID  run.ID     `json:"run_id"`
	Name   string     `json:"name"`
	Status run.Status `json:"status"`
	Error  string     `json:"error,omitempty"`
	At     *time.Time `json:"ended_at,omitempty"`
}

func itemsJSON(items []Item) []itemJSON {
	out := make([]itemJSON, 0, min(DigestSize, len(items)))
	for _, i := range items[:min(DigestSize, len(items))] {
		out = append(out, itemJSON{i.Run, textJSON(i.Name, 100), i.Status, textJSON(i.Error, 100), atJSON(i.Time)})
	}
	return out
}

func (f failureReport) facts() any  { return f.run.json("run_failed") }
func (s successReport) facts() any  { return s.run.json("run_succeeded") }
func (c canceledReport) facts() any { return c.run.json("run_canceled") }
func (s startedReport) facts() any  { return s.run.json("run_started") }
func (w warningsReport) facts() any { return w.run.json("run_warnings") }

func (d Resolved) facts() any {
	out := d.Run.json("run_resolved")
	out.Since, out.ResolvedAfter, out.ErrorBefore = atJSON(d.Since), d.Failures, textJSON(d.LastError, jsonText)
	return out
}

func (u Update) facts() any {
	out := u.Run.json("run_still_failed")
	out.ErrorBefore = textJSON(u.Before, jsonText)
	return out
}

func (f fixedSince) facts() any {
	out := f.failed.json("run_failed")
	out.FixedBy = f.by
	return out
}

func (d Digest) facts() any {
	return struct {
		Kind        string     `json:"kind"`
		Environment string     `json:"environment,omitempty"`
		Number      int        `json:"number,omitempty"`
		Of          int        `json:"of,omitempty"`
		Total       int        `json:"total"`
		Runs        []itemJSON `json:"runs"`
	}{"digest", textJSON(d.Place.Environment, jsonText), d.Number, d.Of, d.total(), itemsJSON(d.Items)}
}

func (m Missed) facts() any {
	return struct {
		Kind        string     `json:"kind"`
		Environment string     `json:"environment,omitempty"`
		Schedule    string     `json:"schedule"`
		Job         string     `json:"job"`
		Tick        *time.Time `json:"tick,omitempty"`
		Seen        *time.Time `json:"seen_at,omitempty"`
		RunID       run.ID     `json:"run_id,omitempty"`
		Others      int        `json:"others_missed,omitempty"`
		Reason      string     `json:"reason,omitempty"`
	}{"tick_missed", textJSON(m.Place.Environment, jsonText), textJSON(m.Schedule, jsonText), textJSON(m.Job, jsonText), atJSON(m.Tick), atJSON(m.Seen), m.Run, m.Others, textJSON(m.Reason, jsonText)}
}

func (s SensorDead) facts() any {
	return struct {
		Kind        string     `json:"kind"`
		Environment string     `json:"environment,omitempty"`
		Sensor      string     `json:"sensor"`
		EventID     string     `json:"event_id"`
		Attempts    int        `json:"attempts"`
		Since       *time.Time `json:"since,omitempty"`
		Error       string     `json:"error,omitempty"`
	}{"sensor_dead", textJSON(s.Place.Environment, jsonText), textJSON(s.Sensor, jsonText), textJSON(s.Event, jsonText), s.Attempts, atJSON(s.Since), textJSON(s.Error, jsonLong)}
}

func (c Parked) facts() any {
	return struct {
		Kind        string     `json:"kind"`
		Environment string     `json:"environment,omitempty"`
		Channel     string     `json:"channel"`
		ChannelKind string     `json:"channel_kind,omitempty"`
		Reason      string     `json:"reason,omitempty"`
		Error       string     `json:"error,omitempty"`
		Since       *time.Time `json:"since,omitempty"`
		Waiting     int        `json:"waiting"`
		Next        *time.Time `json:"next_try_at,omitempty"`
		GiveUp      *time.Time `json:"given_up_at,omitempty"`
	}{"channel_parked", textJSON(c.Place.Environment, jsonText), textJSON(c.Channel, jsonText), textJSON(c.Kind, jsonText), textJSON(c.Reason, jsonText), textJSON(c.Error, jsonLong),
		atJSON(c.Since), c.Waiting, atJSON(c.Next), atJSON(c.GiveUp)}
}

func (c CaughtUp) facts() any {
	return struct {
		Kind        string     `json:"kind"`
		Environment string     `json:"environment,omitempty"`
		Channel     string     `json:"channel"`
		Since       *time.Time `json:"since,omitempty"`
		Until       *time.Time `json:"until,omitempty"`
		Total       int        `json:"total"`
		GivenUp     int        `json:"given_up,omitempty"`
		Runs        []itemJSON `json:"runs"`
	}{"channel_caught_up", textJSON(c.Place.Environment, jsonText), textJSON(c.Channel, jsonText), atJSON(c.Since), atJSON(c.Until), len(c.Items), c.GivenUp, itemsJSON(c.Items)}
}

func (d Daily) facts() any {
	type jobJSON struct {
		Job       string     `json:"job"`
		Runs      int        `json:"runs"`
		Failed    int        `json:"failed"`
		Canceled  int        `json:"canceled"`
		Warnings  int        `json:"warnings"`
		MedianMS  float64    `json:"median_ms,omitempty"`
		Last      run.ID     `json:"last_run_id,omitempty"`
		LastState run.Status `json:"last_status,omitempty"`
		LastError string     `json:"last_error,omitempty"`
		Since     *time.Time `json:"failing_since,omitempty"`
	}
	return struct {
		Kind        string    `json:"kind"`
		Environment string    `json:"environment,omitempty"`
		Day         string    `json:"day"`
		Zone        string    `json:"time_zone"`
		Jobs        []jobJSON `json:"jobs"`
		JobsTotal   int       `json:"jobs_total"`
		Late        int       `json:"late_ticks"`
		Dead        int       `json:"dead_messages"`
	}{"daily_summary", textJSON(d.Place.Environment, jsonText), d.day(), d.Place.zoneName(d.Day), first(d.Jobs, func(j DailyJob) jobJSON {
		return jobJSON{textJSON(j.Job, 200), j.Runs, j.Failed, j.Canceled, j.Warnings, runlog.Milliseconds(j.Median), j.Last, j.LastState, textJSON(j.LastError, jsonText), atJSON(j.Since)}
	}), len(d.Jobs), d.Late, d.Dead}
}
