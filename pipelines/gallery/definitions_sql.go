//go:build duckdb

package gallery

import (
	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/job"
	"waggle/shared/schema"
	"waggle/shared/waggle"
)

var salesOutputInSQL = asset.New2("sales_output_sql", writeSales, salesTransformInSQL, config, output)

var artworksOutputInSQL = asset.New2("artworks_output_sql", writeArtworks, artworksTransformInSQL, config, output)

var (
	checkSalesTransformSchemaInSQL    = schema.Check(salesTransformSchema, salesTransformInSQL, check.Blocking)
	checkArtworksTransformSchemaInSQL = schema.Check(artworksTransformSchema, artworksTransformInSQL, check.Blocking)
)

var checkSalesAboveThresholdInSQL = check.New2("check_sales_above_threshold", salesAboveThreshold, salesOutputInSQL, config, nil)

var checkValidPriceTiersInSQL = check.New1("check_valid_price_tiers", validPriceTiers, artworksOutputInSQL, nil)

var galleryInSQL = job.New("gallery_sql", asset.List{
	salesRaw, artworksRaw, artistsRaw, mediaRaw,
	salesJoinedInSQL, artworksJoinedInSQL, salesByCountryInSQL,
	salesTransformInSQL, artworksTransformInSQL,
	salesOutputInSQL, artworksOutputInSQL,
}, &job.Options{Description: "What gallery does, with its transforms in SQL; the files are the same."})

// inSQL is what the tag duckdb adds to Definitions.
var inSQL = waggle.Definitions{
	Assets: asset.List{
		salesJoinedInSQL, artworksJoinedInSQL, salesByCountryInSQL,
		salesTransformInSQL, artworksTransformInSQL,
		salesOutputInSQL, artworksOutputInSQL,
	},
	Checks: check.List{checkSalesTransformSchemaInSQL, checkArtworksTransformSchemaInSQL, checkSalesAboveThresholdInSQL, checkValidPriceTiersInSQL},
	Jobs:   job.List{galleryInSQL},
}
