package gallery

import (
	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/job"
	"waggle/shared/notify"
	"waggle/shared/sensor"
	"waggle/shared/waggle"
)

var assets = asset.List{
	salesRaw, artworksRaw, artistsRaw, mediaRaw,
	salesTransform, artworksTransform,
	salesOutput, artworksOutput,
	validationWarningsReport,
	notifySalesComplete, emailPipelineReport,
}

var gallery = job.New("gallery", assets, &job.Options{
	Description: "From the gallery's files to its two lists: the big sales and the catalog.",
})

var galleryDaily = job.Cron("gallery_daily", "0 2 * * *", gallery, &job.ScheduleOptions{
	TimeZone:    "Europe/London",
	Description: "Every night at two, London time.",
})

// Definitions is all that the gallery runs.
var Definitions = waggle.Definitions{
	Assets:    assets,
	Checks:    check.List{checkSalesTransformSchema, checkArtworksTransformSchema, checkSalesDataQuality, checkSalesAboveThreshold, checkValidPriceTiers},
	Jobs:      job.List{gallery},
	Schedules: job.Schedules{galleryDaily},
	Channels:  notify.List{slack, team},
	Sensors:   sensor.List{onRunFailure, onRunSuccess, emailValidationWarnings},
}.Merge(inSQL)
