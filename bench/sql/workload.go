//go:build duckdb

package main

import (
	"fmt"

	"waggle/shared/asset"
	"waggle/shared/sqlasset"
	"waggle/shared/table"
)

type sale struct {
	SaleID       int64
	ArtworkID    *int64
	BuyerCountry string
	SalePriceUSD int64
}

type artwork struct {
	ArtworkID    int64
	Title        string
	ListPriceUSD int64
}

var (
	salesAsset    = asset.New("sales", func(*asset.Context) ([]sale, error) { return nil, nil }, nil)
	artworksAsset = asset.New("artworks", func(*asset.Context) ([]artwork, error) { return nil, nil }, nil)
	joined        = sqlasset.New("joined", `
		SELECT s.sale_id, s.buyer_country, a.title, s.sale_price_usd - a.list_price_usd AS price_diff
		FROM sales s LEFT JOIN artworks a ON a.artwork_id = s.artwork_id
		ORDER BY s.rowid`, asset.List{salesAsset, artworksAsset}, nil)
)

// workload is sales of which every tenth has no artwork.
type workload struct {
	sales    []sale
	artworks []artwork
}

func newWorkload(rows int) workload {
	w := workload{make([]sale, rows), make([]artwork, rows/10)}
	for i := range w.artworks {
		w.artworks[i] = artwork{int64(i), fmt.Sprintf("Untitled number %d", i), int64(i % 1000)}
	}
	for i := range w.sales {
		w.sales[i] = sale{SaleID: int64(i), BuyerCountry: fmt.Sprintf("Country %d", i%30), SalePriceUSD: int64(i % 5000)}
		if i%10 > 0 {
			w.sales[i].ArtworkID = new(w.artworkOf(i))
		}
	}
	return w
}

// artworkOf spreads sales over artworks.
func (w workload) artworkOf(i int) int64 { return int64(i) * 7919 % int64(len(w.artworks)) }

type joinedRow struct {
	SaleID       int64
	BuyerCountry string
	Title        *string
	PriceDiff    *int64
}

// verify joins in Go and compares each row.
func (w workload) verify(t *table.Table) error {
	rows, err := table.Rows[joinedRow](t)
	if err != nil {
		return err
	}
	if len(rows) != len(w.sales) {
		return fmt.Errorf("%d rows, want %d", len(rows), len(w.sales))
	}
	for i, got := range rows {
		s := w.sales[i]
		right := got.SaleID == s.SaleID && got.BuyerCountry == s.BuyerCountry
		if s.ArtworkID == nil {
			right = right && got.Title == nil && got.PriceDiff == nil
		} else {
			a := w.artworks[*s.ArtworkID]
			right = right && got.Title != nil && *got.Title == a.Title && got.PriceDiff != nil && *got.PriceDiff == s.SalePriceUSD-a.ListPriceUSD
		}
		if !right {
			return fmt.Errorf("row %d is %+v, of %+v", i, got, s)
		}
	}
	return nil
}
