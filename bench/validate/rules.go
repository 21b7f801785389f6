package main

import (
	"math"
	"time"

	"waggle/shared/schema"
)

// rules is the schema that the table is held against.
func rules() *schema.Schema { return sales(schema.Date("sale_date")) }

// structRules is the same for rows as structs, which have timestamps and no dates.
func structRules() *schema.Schema { return sales(schema.Timestamp("sale_date")) }

func sales(date *schema.Column[time.Time]) *schema.Schema {
	return schema.New("Sales",
		schema.Int64("sale_id").Unique(),
		schema.Int64("artwork_id").Null(),
		schema.Float64("sale_price_usd").AtLeast(0).AtMost(1e9),
		schema.Text("buyer_country").Null().OneOf(countries...),
		date.Null().AtLeast(schema.Day(1900, 1, 1)),
		schema.Text("title").Length(1, 200),
		schema.Text("artist_name").Null().Matches(`^[A-Z]`),
		schema.Float64("list_price_usd").Null(),
		schema.Float64("price_diff").Null(),
		schema.Float64("pct_change").Null(),
		fits(),
	)
}

func fits() *schema.TableRule {
	return schema.Across3("price_diff_fits", func(price, list, diff float64) bool { return math.Abs(diff-(price-list)) <= 0.01 },
		"sale_price_usd", "list_price_usd", "price_diff")
}
