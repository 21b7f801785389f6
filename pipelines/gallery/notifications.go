package gallery

import "waggle/shared/asset"

// Notification assets: steps of the job that tell people that both outputs are there. They are skipped when one of them is not.
var (
	notifySalesComplete = asset.Notification("notify_sales_complete",
		`Sales pipeline completed: {{(.Asset "sales_output").Metadata.record_count}} sales`,
		slack, &asset.NotificationOptions{Options: asset.Options{Deps: asset.List{salesOutput, artworksOutput},
			Description: "Says in Slack that the lists are there."}})

	emailPipelineReport = asset.Notification("email_pipeline_report",
		`Sales: {{(.Asset "sales_output").Metadata.record_count}} rows
Artworks: {{(.Asset "artworks_output").Metadata.record_count}} rows
Run: waggle runs show {{.Run.Short}}
`,
		team, &asset.NotificationOptions{Options: asset.Options{Deps: asset.List{salesOutput, artworksOutput},
			Kinds: []string{"email", "notification"}, Description: "Mails how many sales and artworks the lists have."},
			Subject: "[Waggle] pipeline report"})
)
