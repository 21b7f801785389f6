package gallery

import (
	"waggle/shared/job"
	"waggle/shared/notify"
	"waggle/shared/sensor"
)

// Who is told: a channel of Slack, and a team by mail.
var (
	slack = notify.Slack("slack", nil)
	team  = notify.Mail("team", nil)
)

var onRunFailure = sensor.OnRunFailure("on_run_failure", func(ctx *sensor.Context, r sensor.Run) error {
	ctx.Log.Info("run failed", "run", r.ID, "job", r.Job, "error", r.Error)
	return ctx.Notify(r.Report(), slack, team)
}, &sensor.Options{
	Description: "Says in Slack and by mail which run failed, of any job, and why.",
})

var onRunSuccess = sensor.OnRunSuccess("on_run_success", func(ctx *sensor.Context, r sensor.Run) error {
	return ctx.Notify(r.Report(), team)
}, &sensor.Options{
	Description: "Mails what a run of the gallery made.",
	Jobs:        job.List{gallery},
})

var emailValidationWarnings = sensor.OnRunSuccess("email_validation_warnings", func(ctx *sensor.Context, r sensor.Run) error {
	if len(r.Warnings) == 0 {
		ctx.Log.Info("no warnings", "run", r.ID)
		return nil
	}
	return ctx.Notify(r.WarningsReport(), team)
}, &sensor.Options{
	Description: "Mails which checks failed without stopping the run and what the transforms set aside, with all of it as JSON.",
	Jobs:        job.List{gallery},
})
