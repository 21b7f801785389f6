package cli

import (
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"waggle/shared/duration"
	"waggle/shared/report"
	"waggle/shared/run"
	"waggle/shared/runlog"
)

// logTime is the time of an event, with its zone.
const logTime = "2006-01-02 15:04:05.000 UTC"

// logLine is an event on one line: "2026-11-22 02:00:01.123 UTC  INFO  sales_raw  harvested  records=500".
func logLine(e *runlog.Event, paint report.Paint) string {
	parts := []string{paint(report.Muted, e.Time.UTC().Format(logTime)), levelWord(fmt.Sprintf("%-8s", runlog.LevelName(e.Level)), e.Level, paint)}
	if e.Step != "" {
		parts = append(parts, string(e.Step))
	}
	return strings.Join(append(parts, saying(e)...), "  ")
}

// talkLine is an event without its time, for those who watch it happen.
func talkLine(e *runlog.Event, paint report.Paint) string {
	if e.Type == runlog.RunEnqueued {
		return report.OfRun(run.Queued).Painted(paint) + " " + e.Message
	}
	parts := []string{levelWord(runlog.LevelName(e.Level), e.Level, paint)}
	if e.Step != "" {
		parts = append(parts, string(e.Step))
	}
	return strings.Join(append(parts, saying(e)...), "  ")
}

// levelWord is the word of a level in its colour.
func levelWord(word string, l slog.Level, paint report.Paint) string {
	switch {
	case l >= slog.LevelError:
		return paint(report.Bad, word)
	case l >= slog.LevelWarn:
		return paint(report.Warn, word)
	case l < slog.LevelInfo:
		return paint(report.Muted, word)
	default:
		return word
	}
}

// saying is what an event says: its type unless it is a log record, its message, its data in words.
func saying(e *runlog.Event) []string {
	var parts []string
	add := func(text string) {
		if text != "" {
			parts = append(parts, text)
		}
	}
	if e.Type != runlog.Log {
		add(string(e.Type))
	}
	add(strings.ReplaceAll(e.Message, "\n", "\n    "))
	switch data := e.Data.(type) {
	case *runlog.Logged:
		add(runlog.AttrText(data.Attrs))
	case *runlog.Start:
		add("steps=" + strconv.Itoa(data.Steps))
	case *runlog.Failure:
		add("reason=" + string(data.Reason))
	case *runlog.Outcome:
		add("after " + duration.Text(time.Duration(data.DurationMS*float64(time.Millisecond))))
	case *run.Skip:
		add(report.By(data))
	case *runlog.Materialized:
		if n, ok := report.Rows(data.Metadata); ok {
			add(report.Count(int(n), "row"))
		}
	case *runlog.Evaluated:
		add(report.OfCheck(data.Status, data.Severity).Word)
		add(report.OneLine(data.Description))
	}
	return parts
}

// eventJSON is an event as `-o jsonl` prints it.
type eventJSON struct {
	RunID     run.ID      `json:"run_id"`
	Seq       int64       `json:"seq,omitempty"` // none where it stands in the log of an attempt in a process of its own
	Time      time.Time   `json:"time"`
	Type      runlog.Type `json:"type"`
	Level     string      `json:"level"`
	Step      run.StepKey `json:"step,omitempty"`
	Attempt   int         `json:"attempt,omitempty"`
	Partition string      `json:"partition,omitempty"`
	Message   string      `json:"message,omitempty"`
	Data      any         `json:"data,omitempty"`
}

func eventOf(id run.ID, e *runlog.Event) eventJSON {
	return eventJSON{RunID: id, Seq: e.Seq, Time: e.Time, Type: e.Type, Level: runlog.LevelName(e.Level), Step: e.Step, Attempt: e.Attempt,
		Partition: e.Partition, Message: e.Message, Data: e.Data}
}
