//go:build duckdb

package gallery

import (
	"waggle/shared/asset"
	"waggle/shared/schema"
	"waggle/shared/sqlasset"
	"waggle/shared/table"
)

// The two transforms once more, in SQL: gallery_sql makes with them, cell for cell, what gallery makes in Go.
// rowid is a row's place in its file, so rows that are equal in what they are sorted by keep their order.

// artistNameSQL is displayName: Go's white space goes, and all is in capitals but ß, which has none in Go and has in SQL.
const artistNameSQL = `array_to_string(list_transform(
		string_split(regexp_replace(p.name, '^[\s\v\x{85}\p{Z}]+|[\s\v\x{85}\p{Z}]+$', '', 'g'), 'ß'),
		lambda part: upper(part)), 'ß')`

var salesJoinedInSQL = sqlasset.New("sales_joined_sql", `
	SELECT
		s.sale_id, s.artwork_id, s.sale_date, s.sale_price_usd, s.buyer_country,
		a.title, a.artist_id, a.year AS artwork_year, a.medium, a.price_usd AS list_price_usd,
		`+artistNameSQL+` AS artist_name, p.nationality,
		s.sale_price_usd - a.price_usd AS price_diff,
		CASE WHEN a.price_usd <> 0 THEN
			round((s.sale_price_usd - a.price_usd)::DOUBLE * 100 / a.price_usd::DOUBLE * 10) / 10 + 0 -- no -0
		END AS pct_change
	FROM sales_raw s
	LEFT JOIN artworks_raw a ON a.artwork_id = s.artwork_id
	LEFT JOIN artists_raw p ON p.artist_id = a.artist_id
	ORDER BY s.sale_date DESC NULLS LAST, s.sale_id, s.rowid, a.rowid, p.rowid`,
	asset.List{salesRaw, artworksRaw, artistsRaw}, inTransformSQL("Every sale with its artwork and its artist."))

var artworksJoinedInSQL = sqlasset.New("artworks_joined_sql", `
	WITH figures AS (
		SELECT artwork_id, count(*) AS sale_count, coalesce(sum(sale_price_usd), 0)::BIGINT AS total,
			round(sum(sale_price_usd)::BIGINT::DOUBLE / count(sale_price_usd)) + 0 AS average, -- no -0
			min(sale_date) AS first_date, max(sale_date) AS last_date
		FROM sales_raw GROUP BY artwork_id
	), pictures AS (
		SELECT artwork_id, count(*) AS media_count,
			first(filename ORDER BY media_id, rowid) FILTER (sort_order = 1) AS primary_image,
			first(alt_text ORDER BY media_id, rowid) FILTER (sort_order = 1) AS primary_image_alt,
			list({sort_order: sort_order, filename: filename, media_type: media_type, file_format: file_format,
				width_px: width_px, height_px: height_px, file_size_kb: file_size_kb, alt_text: alt_text}
				ORDER BY sort_order NULLS LAST, media_id, rowid) AS media
		FROM media_raw GROUP BY artwork_id
	)
	SELECT
		a.artwork_id, a.title, a.year, a.medium, a.price_usd AS list_price_usd,
		`+artistNameSQL+` AS artist_name, p.nationality,
		coalesce(f.sale_count, 0) AS sale_count,
		coalesce(f.total, 0) AS total_sales_value,
		f.average AS avg_sale_price,
		f.first_date AS first_sale_date,
		f.last_date AS last_sale_date,
		coalesce(f.sale_count, 0) > 0 AS has_sold,
		CASE WHEN a.price_usd < 500_000 THEN 'budget' WHEN a.price_usd < 3_000_000 THEN 'mid' ELSE 'premium' END AS price_tier,
		rank() OVER (ORDER BY coalesce(f.total, 0) DESC) AS sales_rank,
		m.primary_image, m.primary_image_alt, coalesce(m.media_count, 0) AS media_count, m.media
	FROM artworks_raw a
	LEFT JOIN artists_raw p ON p.artist_id = a.artist_id
	LEFT JOIN figures f ON f.artwork_id = a.artwork_id
	LEFT JOIN pictures m ON m.artwork_id = a.artwork_id
	ORDER BY total_sales_value DESC, a.artwork_id, a.rowid, p.rowid`,
	asset.List{artworksRaw, artistsRaw, salesRaw, mediaRaw}, inTransformSQL("Every artwork with its artist, its sales and its media."))

var salesByCountryInSQL = sqlasset.New("sales_by_country_sql", `
	SELECT buyer_country, count(*) AS sales, sum(sale_price_usd) AS total_usd
	FROM sales_transform_sql
	WHERE sale_price_usd >= $min_sale_value_usd
	GROUP BY buyer_country
	ORDER BY total_usd DESC, buyer_country NULLS LAST`,
	asset.List{salesTransformInSQL}, &sqlasset.Options{
		Options: asset.Options{Group: "transform", Description: "Where the big sales went."},
		Config:  config,
	})

func inTransformSQL(description string) *sqlasset.Options {
	return &sqlasset.Options{Options: asset.Options{Group: "transform", Description: description}}
}

var salesTransformInSQL = asset.New1("sales_transform_sql", soldArtworksOf, salesJoinedInSQL, &asset.Options{
	Group:       "transform",
	Kinds:       []string{"duckdb"},
	Description: "Every sale with its artwork, its artist and how far its price was from the list price; the newest first.",
})

// soldArtworksOf is what follows the query in Go.
func soldArtworksOf(ctx *asset.Context, joined *table.Table) ([]SoldArtwork, error) {
	rows, err := table.Rows[SoldArtwork](joined)
	if err != nil {
		return nil, err
	}
	clean, err := schema.Filter(ctx, salesTransformSchema, rows)
	if err != nil {
		return nil, err
	}
	reportSoldArtworks(ctx, clean)
	return clean, nil
}

var artworksTransformInSQL = asset.New1("artworks_transform_sql", catalogOf, artworksJoinedInSQL, &asset.Options{
	Group:       "transform",
	Kinds:       []string{"duckdb"},
	Description: "Every artwork with its artist, its sales and its media; the best sold first.",
})

// catalogOf is what follows the query in Go.
func catalogOf(ctx *asset.Context, joined *table.Table) ([]CatalogArtwork, error) {
	rows, err := table.Rows[CatalogArtwork](joined)
	if err != nil {
		return nil, err
	}
	clean, err := schema.Filter(ctx, artworksTransformSchema, rows)
	if err != nil {
		return nil, err
	}
	reportCatalog(ctx, clean)
	return clean, nil
}
