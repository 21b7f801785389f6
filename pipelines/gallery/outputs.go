package gallery

import (
	"fmt"

	"github.com/dustin/go-humanize"

	"waggle/pipelines/gallery/barchart"
	"waggle/shared/asset"
	"waggle/shared/metadata"
	"waggle/shared/table"
)

var output = &asset.Options{Group: "output", Kinds: []string{"json"}}

var salesOutput = asset.New2("sales_output", writeSales, salesTransform, config, output)

// writeSales writes the sales that brought in at least the threshold. One without a price did not.
func writeSales(ctx *asset.Context, sales []SoldArtwork, cfg Config) ([]SoldArtwork, error) {
	defer ctx.Time("output").Stop()

	var high []SoldArtwork
	for _, s := range sales {
		if s.SalePriceUSD != nil && *s.SalePriceUSD >= cfg.MinSaleValueUSD {
			high = append(high, s)
		}
	}
	path, err := table.WriteJSON(ctx, cfg.outputs(), "sales_output.json", high)
	if err != nil {
		return nil, err
	}

	ctx.AddMetadata(table.Preview(high, 10), metadata.Map{
		"json_output":      metadata.Path(path),
		"filtered_from":    len(sales),
		"filter_threshold": "$" + humanize.Comma(cfg.MinSaleValueUSD),
		"total_value":      totalPrice(high),
	})
	ctx.Log.Info("wrote sales", "file", path, "records", len(high), "of", len(sales))
	return high, nil
}

var artworksOutput = asset.New2("artworks_output", writeArtworks, artworksTransform, config, output)

// writeArtworks writes the whole catalog and shows how its price tiers are distributed.
func writeArtworks(ctx *asset.Context, artworks []CatalogArtwork, cfg Config) ([]CatalogArtwork, error) {
	defer ctx.Time("output").Stop()

	path, err := table.WriteJSON(ctx, cfg.outputs(), "artworks_output.json", artworks)
	if err != nil {
		return nil, err
	}
	tiers := tierDistribution(artworks)
	chart, err := tierChart(tiers)
	if err != nil {
		return nil, err
	}

	ctx.AddMetadata(table.Preview(artworks, 10), metadata.Map{
		"json_output":             metadata.Path(path),
		"price_tier_distribution": tiers,
		"price_tier_chart":        chart,
	})
	ctx.Log.Info("wrote artworks", "file", path, "records", len(artworks))
	return artworks, nil
}

// tierDistribution counts the artworks of each price tier, also of those that have none.
func tierDistribution(artworks []CatalogArtwork) map[string]int {
	tiers := map[string]int{budget: 0, mid: 0, premium: 0}
	for _, a := range artworks {
		tiers[a.PriceTier]++
	}
	return tiers
}

func tierChart(tiers map[string]int) (metadata.Value, error) {
	png, err := barchart.PNG("Artworks by price tier", []barchart.Bar{
		{Label: budget, Note: "below $500,000", Value: tiers[budget]},
		{Label: mid, Note: "below $3,000,000", Value: tiers[mid]},
		{Label: premium, Note: "$3,000,000 and more", Value: tiers[premium]},
	})
	alt := fmt.Sprintf("Artworks by price tier: %d budget, %d mid, %d premium", tiers[budget], tiers[mid], tiers[premium])
	return metadata.Image(png, alt), err
}
