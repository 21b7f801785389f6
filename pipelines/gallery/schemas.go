package gallery

import (
	"waggle/shared/check"
	"waggle/shared/schema"
)

// salesTransformSchema is what a sale must look like to be handed on; the others are set aside.
var salesTransformSchema = schema.New("SalesTransformSchema",
	schema.Int64("sale_id").Unique(schema.AllButFirst),
	schema.Int64("artwork_id"),
	schema.Text("sale_date"),
	schema.Int64("sale_price_usd").GreaterThan(0),
	schema.Text("buyer_country"),
	schema.Text("title"),
	schema.Int64("artist_id"),
	schema.Int64("artwork_year").Null(),
	schema.Text("medium"),
	schema.Int64("list_price_usd").GreaterThan(0),
	schema.Text("artist_name"),
	schema.Text("nationality"),
	schema.Int64("price_diff"),
	schema.Float64("pct_change").Null(),
)

// artworksTransformSchema is what an artwork must look like to be handed on; the others are set aside.
var artworksTransformSchema = schema.New("ArtworksTransformSchema",
	schema.Int64("artwork_id").Unique(schema.AllButFirst),
	schema.Text("title"),
	schema.Int64("year").Null(),
	schema.Text("medium"),
	schema.Int64("list_price_usd").GreaterThan(0),
	schema.Text("artist_name"),
	schema.Text("nationality"),
	schema.Int64("sale_count").AtLeast(0),
	schema.Int64("total_sales_value").AtLeast(0),
	schema.Float64("avg_sale_price").Null(),
	schema.Text("first_sale_date").Null(),
	schema.Text("last_sale_date").Null(),
	schema.Bool("has_sold"),
	schema.Text("price_tier").OneOf(budget, mid, premium),
	schema.Int64("sales_rank").AtLeast(1),
	schema.Text("primary_image").Null(),
	schema.Text("primary_image_alt").Null(),
	schema.Int64("media_count").AtLeast(0),
)

var (
	checkSalesTransformSchema    = schema.Check(salesTransformSchema, salesTransform, check.Blocking)
	checkArtworksTransformSchema = schema.Check(artworksTransformSchema, artworksTransform, check.Blocking)
)
