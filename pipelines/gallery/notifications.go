package gallery

import (
	"fmt"

	"waggle/shared/asset"
	"waggle/shared/notify"
)

// Notification assets: steps of the job that tell people that both outputs are there. They are skipped when one of them is not.
var (
	notifySalesComplete = asset.Do("notify_sales_complete", tellSales, &asset.Options{Deps: asset.List{salesOutput, artworksOutput},
		Group: "notifications", Kinds: []string{"slack", "notification"}, Description: "Says in Slack that the lists are there."})
	emailPipelineReport = asset.Do("email_pipeline_report", mailReport, &asset.Options{Deps: asset.List{salesOutput, artworksOutput},
		Group: "notifications", Kinds: []string{"email", "notification"}, Description: "Mails how many sales and artworks the lists have."})
)

func tellSales(ctx *asset.Context) error {
	sales, err := rowsOf(ctx, salesOutput)
	if err != nil {
		return err
	}
	return ctx.Notify(notify.Message{Text: "Sales pipeline completed: " + sales + " sales"}, slack)
}

func mailReport(ctx *asset.Context) error {
	sales, err := rowsOf(ctx, salesOutput)
	if err != nil {
		return err
	}
	artworks, err := rowsOf(ctx, artworksOutput)
	if err != nil {
		return err
	}
	return ctx.Notify(notify.Message{Subject: "[Waggle] pipeline report", Text: fmt.Sprintf("Sales: %s rows\nArtworks: %s rows\nRun: waggle runs show %s\n",
		sales, artworks, ctx.RunID().Short())}, team)
}

// rowsOf is how many rows this run gave an asset, as it reported them.
func rowsOf(ctx *asset.Context, a asset.Any) (string, error) {
	m, found, err := ctx.Materialization(a)
	if err != nil {
		return "", err
	}
	n, counted := m.Metadata["record_count"].Number()
	if !found || !counted {
		return "no", nil
	}
	return fmt.Sprintf("%.0f", n), nil
}
