// Package metric writes what CloudWatch makes metrics of to the log of a function, a line each, in its embedded metric format. Nothing is sent,
// and nobody waits.
//
// It imports nothing of ours.
package metric

import (
	"encoding/json"
	"io"
	"time"
)

// Name is that of a metric. There are three, since each costs $0.30 in a month in every hour of which it is written; the first ten
// of an account are free.
type Name string

// The metrics.
const (
	// RunsFailed is 1 of a run that failed, 0 of another that ended: its sum is how many failed, the number of its samples how many ended.
	RunsFailed Name = "RunsFailed"
	// MessagesDead is 1 of a message that was given up, 0 of one that was sent.
	MessagesDead Name = "MessagesDead"
	// AlertMilliseconds is how long it took from what happened in a run until the message that tells of it was stored as sent.
	AlertMilliseconds Name = "AlertMilliseconds"
)

// Names lists every metric.
func Names() []Name { return []Name{RunsFailed, MessagesDead, AlertMilliseconds} }

// Where CloudWatch shows them.
const (
	Namespace = "Waggle"
	Dimension = "Environment"
)

// Log writes metrics of one deployment. It is safe for several goroutines where its writer is.
type Log struct {
	to          io.Writer
	environment string
	now         func() time.Time
}

// NewLog returns what writes to a function's log: os.Stdout.
func NewLog(to io.Writer, environment string, now func() time.Time) *Log {
	return &Log{to, environment, now}
}

// Count writes 1 or 0.
func (l *Log) Count(name Name, is bool) {
	value := 0.0
	if is {
		value = 1
	}
	l.write(name, "Count", value)
}

// Took writes a duration.
func (l *Log) Took(name Name, d time.Duration) {
	l.write(name, "Milliseconds", float64(d.Microseconds())/1000)
}

// write is one line in one call, so that it does not mix with others. A log that takes nothing takes no complaint either.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
func (l *Log) write(name Name, unit string, value float64) {
	line, err := json.Marshal(map[string]any{
		"_aws": map[string]any{"Timestamp": l.now().UnixMilli(), "CloudWatchMetrics": []any{map[string]any{
			"Namespace": Namespace, "Dimensions": [][]string{{Dimension}}, "Metrics": []any{map[string]any{"Name": name, "Unit": unit}}}}},
		Dimension: l.environment, string(name): value})
	if err == nil {
		_, _ = l.to.Write(append(line, '\n'))
	}
}
