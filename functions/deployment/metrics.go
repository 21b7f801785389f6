package deployment

import (
	"waggle/shared/metric"
	"waggle/shared/run"
	"waggle/shared/store"
)

// metrics are what the functions say of their work.
type metrics struct{ *metric.Log }

// ended is told of a run that has ended.
func (m metrics) ended(status run.Status) { m.Count(metric.RunsFailed, status == run.Failure) }

// concluded is told of a message that left or was given up. One that was folded is none that people got.
func (m metrics) concluded(message store.Message) {
	if message.State == store.MessageFolded {
		return
	}
	m.Count(metric.MessagesDead, message.State == store.MessageDead)
	if message.State != store.MessageSent {
		return
	}
	for _, o := range message.Outs {
		if o.Run != "" {
			m.Took(metric.AlertMilliseconds, message.Time.Sub(o.Time))
		}
	}
}
