//go:build duckdb

package sqlasset_test

import (
	"fmt"

	"waggle/shared/asset"
	"waggle/shared/job"
	"waggle/shared/sqlasset"
	"waggle/shared/waggle"
)

func Example() {
	type Order struct {
		OrderID  int64
		Country  *string
		TotalUSD int64
	}
	type Config struct{ MinTotalUSD int64 }

	config := asset.NewConfig(Config{MinTotalUSD: 100})
	orders := asset.New("orders", func(*asset.Context) ([]Order, error) { return []Order{{1, new("Peru"), 250}}, nil }, nil)
	byCountry := sqlasset.New("orders_by_country", `
		SELECT country, count(*) AS orders, sum(total_usd) AS total_usd
		FROM orders
		WHERE total_usd >= $min_total
		GROUP BY country`,
		asset.List{orders}, &sqlasset.Options{Config: config})

	assets := asset.List{orders, byCountry}
	fmt.Println(waggle.Definitions{Assets: assets, Jobs: job.List{job.New("shop", assets, nil)}}.Validate())
	// Output:
	// shared/sqlasset/example_test.go:24: asset "orders_by_country": query line 4, column 22: $min_total: unknown config key "min_total" (did you mean "min_total_usd"?)
}
