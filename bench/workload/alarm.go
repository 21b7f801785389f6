package workload

import (
	"waggle/shared/notify"
	"waggle/shared/sensor"
)

// What the alarm is called.
const (
	AlarmSensor  = "on_run_failure"
	AlarmChannel = "slack"
)

// Alarm is who is told of runs that fail: a channel of Slack, whose rate keeps nothing waiting, and the sensor that tells it.
func Alarm() (*notify.Channel, *sensor.Sensor) {
	slack := notify.Slack(AlarmChannel, &notify.SlackOptions{Limits: notify.Limits{Rate: 1000, Burst: 1000}})
	return slack, sensor.OnRunFailure(AlarmSensor, func(ctx *sensor.Context, r sensor.Run) error {
		ctx.Log.Info("run failed", "run", r.ID, "job", r.Job, "error", r.Error)
		return ctx.Notify(r.Report(), slack)
	}, nil)
}
