package gallery

import "testing"

func TestASaleBelowTheThresholdFailsTheCheck(t *testing.T) {
	t.Parallel()
	cfg := Config{MinSaleValueUSD: 100}
	for _, c := range []struct {
		what         string
		sales        []SoldArtwork
		passed       bool
		lowest       string
		below        string
		descriptions string
	}{
		{"none", nil, true, "null", "0", "0 of 0 sales are below the threshold"},
		{"at and above it", []SoldArtwork{priced(1, 101), priced(2, 100)}, true, "100", "0", "0 of 2 sales are below the threshold"},
		{"one below", []SoldArtwork{priced(1, 101), priced(2, 99)}, false, "99", "1", "1 of 2 sales are below the threshold"},
		{"one without a price", []SoldArtwork{{}}, false, "null", "1", "1 of 1 sales are below the threshold"},
	} {
		result, err := salesAboveThreshold(nil, c.sales, cfg)
		if err != nil || result.Passed != c.passed || result.Description != c.descriptions {
			t.Errorf("%s: %+v, %v", c.what, result, err)
		}
		wantResult(t, result, map[string]string{"threshold": "100", "min_sale_price": c.lowest, "below_threshold_count": c.below})
	}
}

func TestAnUnknownPriceTierFailsTheCheck(t *testing.T) {
	t.Parallel()
	good := []CatalogArtwork{{PriceTier: budget}, {PriceTier: mid}, {PriceTier: premium}, {PriceTier: mid}}
	result, err := validPriceTiers(nil, good)
	if err != nil || !result.Passed {
		t.Errorf("good tiers: %+v, %v", result, err)
	}
	wantResult(t, result, map[string]string{"invalid_tier_count": "0", "tier_distribution": `{"budget":1,"mid":2,"premium":1}`})

	result, err = validPriceTiers(nil, append(good, CatalogArtwork{PriceTier: "luxury"}, CatalogArtwork{}))
	if err != nil || result.Passed {
		t.Errorf("bad tiers: %+v, %v", result, err)
	}
	wantResult(t, result, map[string]string{"invalid_tier_count": "2", "tier_distribution": `{"":1,"budget":1,"luxury":1,"mid":2,"premium":1}`})
}
