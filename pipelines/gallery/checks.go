package gallery

import (
	"fmt"

	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/metadata"
)

var checkSalesAboveThreshold = check.New2("check_sales_above_threshold", salesAboveThreshold, salesOutput, config, &check.Options{
	Description: "No sale in the output is cheaper than the threshold.",
})

func salesAboveThreshold(_ *asset.Context, sales []SoldArtwork, cfg Config) (check.Result, error) {
	var lowest *int64
	below := 0
	for _, s := range sales {
		if s.SalePriceUSD == nil || *s.SalePriceUSD < cfg.MinSaleValueUSD {
			below++
		}
		if s.SalePriceUSD != nil && (lowest == nil || *s.SalePriceUSD < *lowest) {
			lowest = s.SalePriceUSD
		}
	}
	return check.Result{
		Passed:      below == 0,
		Description: fmt.Sprintf("%d of %d sales are below the threshold", below, len(sales)),
		Metadata: metadata.Map{
			"threshold":             cfg.MinSaleValueUSD,
			"min_sale_price":        lowest,
			"below_threshold_count": below,
		},
	}, nil
}

var checkValidPriceTiers = check.New1("check_valid_price_tiers", validPriceTiers, artworksOutput, &check.Options{
	Description: "Every artwork is in one of the price tiers budget, mid and premium.",
})

func validPriceTiers(_ *asset.Context, artworks []CatalogArtwork) (check.Result, error) {
	tiers := tierDistribution(artworks)
	invalid := len(artworks) - tiers[budget] - tiers[mid] - tiers[premium]
	return check.Result{
		Passed:      invalid == 0,
		Description: fmt.Sprintf("%d of %d artworks are in no price tier", invalid, len(artworks)),
		Metadata:    metadata.Map{"invalid_tier_count": invalid, "tier_distribution": tiers},
	}, nil
}
