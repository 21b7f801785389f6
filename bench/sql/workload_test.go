//go:build duckdb

package main

import (
	"testing"

	"waggle/shared/table"
)

func TestEveryKindOfDamageIsSeen(t *testing.T) {
	t.Parallel()
	w := newWorkload(100)
	right := func() []joinedRow {
		rows := make([]joinedRow, len(w.sales))
		for i, s := range w.sales {
			rows[i] = joinedRow{SaleID: s.SaleID, BuyerCountry: s.BuyerCountry}
			if s.ArtworkID != nil {
				a := w.artworks[*s.ArtworkID]
				rows[i].Title, rows[i].PriceDiff = &a.Title, new(s.SalePriceUSD-a.ListPriceUSD)
			}
		}
		return rows
	}
	verify := func(rows []joinedRow) error {
		made, err := table.FromRows(rows)
		if err != nil {
			t.Fatal(err)
		}
		return w.verify(made)
	}
	if err := verify(right()); err != nil {
		t.Fatal(err)
	}
	for name, damage := range map[string]func(rows []joinedRow) []joinedRow{
		"a row too few":      func(rows []joinedRow) []joinedRow { return rows[:99] },
		"two rows swapped":   func(rows []joinedRow) []joinedRow { rows[3], rows[4] = rows[4], rows[3]; return rows },
		"a title lost":       func(rows []joinedRow) []joinedRow { rows[7].Title = nil; return rows },
		"a title too many":   func(rows []joinedRow) []joinedRow { rows[10].Title = new("x"); return rows },
		"a wrong difference": func(rows []joinedRow) []joinedRow { *rows[99].PriceDiff++; return rows },
		"a wrong country":    func(rows []joinedRow) []joinedRow { rows[0].BuyerCountry = ""; return rows },
	} {
		if verify(damage(right())) == nil {
			t.Errorf("%s is not seen", name)
		}
	}
}
