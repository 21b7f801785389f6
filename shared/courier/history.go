package courier

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"waggle/shared/fault"
	"waggle/shared/notice"
	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/store"
)

// What is gathered of a run besides its record.
const (
	mostFailures = 1000 // in a row, that are counted back
	mostLogged   = 10   // failed steps, whose last log lines are read
	lastLines    = 10   // of each
)

// told is what sensors are told of a run: its record, what came before it, and what its failed steps logged last.
func (c *Courier) told(ctx context.Context, record run.Record, known *recent) (notice.Run, error) {
	h := known.history
	if ended := record.Status.Terminal(); !ended || known.ended != record.ID {
		var err error
		if h, err = c.history(ctx, record, known); err != nil {
			return notice.Run{}, err
		}
		if h.Logs, err = c.logs(ctx, record); err != nil {
			return notice.Run{}, err
		}
		if ended {
			known.ended, known.history = record.ID, h
		}
	}
	// What one function does to its lists is not what the next is told.
	record.Materializations, record.Checks = slices.Clone(record.Materializations), slices.Clone(record.Checks)
	return notice.Of(record, h, c.opts.Place), nil
}

// history looks at the job's runs that were launched before a run; of a run without a job there are none.
func (c *Courier) history(ctx context.Context, record run.Record, known *recent) (h notice.History, err error) {
	if record.Request.Job == "" {
		return h, nil
	}
	var success run.ID
	err = c.earlier(ctx, record, run.Success, func(s store.Summary) bool {
		success = s.ID
		return false
	})
	if err != nil {
		return h, err
	}
	if success != "" {
		if h.LastSuccess, err = c.success(ctx, success, known); err != nil {
			return h, err
		}
	}
	if record.Status != run.Failure {
		return h, nil
	}
	h.FailingSince, h.Failures = record.Ended, 1
	retried := map[run.ID]bool{record.Request.Parent: true}
	err = c.earlier(ctx, record, run.Failure, func(s store.Summary) bool {
		if s.ID < success {
			return false
		}
		h.FailingSince = s.Ended
		if !retried[s.ID] {
			h.Failures++
		}
		retried[s.Request.Parent] = true
		return true
	})
	return h, err
}

// success returns the record of a run that succeeded; nil: its log is gone.
func (c *Courier) success(ctx context.Context, id run.ID, known *recent) (*run.Record, error) {
	if known.success != nil && known.success.ID == id {
		return known.success, nil
	}
	fold, _, err := c.store.Fold(ctx, id)
	if errors.Is(err, fault.NotFound) || err == nil && fold.Expired {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	known.success = &fold.Record
	return known.success, nil
}

// earlier visits the job's runs of a status that were launched before a run, newest first, until visit says false. Mostly that is soon, so it reads
// few at first: each is paid for.
func (c *Courier) earlier(ctx context.Context, record run.Record, status run.Status, visit func(store.Summary) bool) error {
	cursor := ""
	for seen, limit := 0, 4; seen < mostFailures; limit = min(2*limit, 64) {
		page, next, err := c.store.Runs(ctx, store.Filter{Job: record.Request.Job, Status: status}, limit, cursor)
		if err != nil {
			return err
		}
		for _, s := range page {
			if seen++; s.ID < record.ID && !visit(s) {
				return nil
			}
		}
		if cursor = next; cursor == "" {
			return nil
		}
	}
	return nil
}

// logs are the last log lines of failed steps, as people read them.
func (c *Courier) logs(ctx context.Context, record run.Record) (map[run.StepKey][]string, error) {
	var failed []run.StepKey
	for _, s := range record.Steps {
		if s.Status == run.StepFailed && len(failed) < mostLogged {
			failed = append(failed, s.Key)
		}
	}
	if len(failed) == 0 {
		return nil, nil
	}
	tails, err := c.store.LastLogs(ctx, record.ID, lastLines, failed...)
	if err != nil {
		return nil, err
	}
	lines := make(map[run.StepKey][]string, len(tails))
	for step, events := range tails {
		for _, e := range events {
			lines[step] = append(lines[step], logLine(e))
		}
	}
	return lines, nil
}

// logLine is a log record on one line: "02:00:01.123 INFO    harvested  records=500".
func logLine(e runlog.Event) string {
	line := fmt.Sprintf("%s %-7s %s", e.Time.UTC().Format("15:04:05.000"), runlog.LevelName(e.Level), e.Message)
	if logged, ok := e.Data.(*runlog.Logged); ok {
		if attrs := runlog.AttrText(logged.Attrs); attrs != "" {
			line += "  " + attrs
		}
	}
	return line
}
