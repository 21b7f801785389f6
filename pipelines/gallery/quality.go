package gallery

import (
	"time"

	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/schema"
)

var checkSalesDataQuality = check.New2("check_sales_data_quality", salesDataQuality, salesRaw, artworksRaw, &check.Options{
	Severity:    check.Warn,
	Description: "The sales as they came have real dates that are not in the future, known artworks, positive prices and ids of their own.",
})

// salesDataQuality judges the values that are there: a field without one breaks no rule.
func salesDataQuality(ctx *asset.Context, sales []Sale, artworks []Artwork) (check.Result, error) {
	r, err := schema.Validate(salesQualitySchema(began(ctx), artworks), sales)
	if err != nil {
		return check.Result{}, err
	}
	result := r.CheckResult()
	result.Metadata["error_count"], result.Metadata["invalid_row_count"] = r.ErrorCount, r.InvalidRowCount
	if r.Valid() {
		result.Metadata["errors"] = nil
	}
	return result, nil
}

// began is the day on which the run started, in UTC.
func began(ctx *asset.Context) string {
	at := ctx.Now()
	if record, err := ctx.Run(ctx.RunID()); err == nil && !record.Started.IsZero() {
		at = record.Started
	}
	return at.UTC().Format(time.DateOnly)
}

func salesQualitySchema(today string, artworks []Artwork) *schema.Schema {
	known := make(map[int64]bool, len(artworks))
	for _, a := range artworks {
		known[a.ArtworkID] = true
	}
	return schema.New("SalesQualitySchema",
		schema.Int64("sale_id").Unique(schema.AllButFirst),
		schema.Int64("artwork_id").Null().Check("known_artwork", func(id int64) bool { return known[id] }),
		schema.Text("sale_date").Null().
			Check("real_date", isDate).
			Check("not_in_future", func(date string) bool { return !isDate(date) || date <= today }),
		schema.Int64("sale_price_usd").Null().GreaterThan(0),
	)
}

func isDate(text string) bool {
	_, err := time.Parse(time.DateOnly, text)
	return err == nil
}
