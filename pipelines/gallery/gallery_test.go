package gallery

import (
	"os"
	"path/filepath"
	"testing"

	"waggle/shared/run"
	"waggle/shared/waggletest"
)

func TestTheOutputsAreWhatSQLMakesOfTheInputs(t *testing.T) {
	t.Parallel()
	eachSample(t, 220, sameAsSQL) // 200 with faults
}

func TestTheOutputsAreWhatSQLMakesOfTangledInputs(t *testing.T) {
	t.Parallel()
	eachSeed(t, 100, func(t *testing.T, dir string, seed uint64) {
		tangle(t, dir, seed)
		sameAsSQL(t, dir)
	})
}

// sameAsSQL runs the job on the inputs in dir and compares both transforms cell by cell and both files
// byte by byte with the reference.
func sameAsSQL(t *testing.T, dir string) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "made", "on the way")
	got := waggletest.RunJob(t, Definitions, "gallery", &waggletest.Options{Config: map[string]any{"input_dir": dir, "output_dir": out}})
	if got.Status != run.Success || len(got.Checks) != 5 {
		t.Fatalf("%s: %s %s, %d checks", dir, got.Status, got.Error, len(got.Checks))
	}
	want := loadReference(t, dir)

	sameRows(t, dir+" sales_transform", waggletest.Output(t, got, salesTransform), soldArtworkCells, want.salesTransform())
	sameRows(t, dir+" artworks_transform", waggletest.Output(t, got, artworksTransform), catalogArtworkCells, want.artworksTransform())
	for file, text := range map[string]string{
		"sales_output.json":    want.salesOutput(30_000_000),
		"artworks_output.json": want.artworksOutput(),
	} {
		written, err := os.ReadFile(filepath.Join(out, file))
		if err != nil {
			t.Fatal(err)
		}
		if string(written) != text {
			t.Errorf("%s: %s is\n%s\nwant\n%s", dir, file, written, text)
		}
	}
	for _, result := range got.Checks {
		if !result.Passed && result.Check != "check_sales_data_quality" {
			t.Errorf("%s: %s failed: %s", dir, result.Check, result.Description)
		}
	}
}

// sameRows compares rows with those of the reference, column by column.
func sameRows[R any](t *testing.T, what string, rows []R, cells func(R) referenceRow, want []referenceRow) {
	t.Helper()
	if len(rows) != len(want) {
		t.Errorf("%s: %d rows, want %d", what, len(rows), len(want))
		return
	}
	for i, row := range rows {
		got := cells(row)
		if len(got) != len(want[i]) {
			t.Fatalf("%s: %d columns, want %d", what, len(got), len(want[i]))
		}
		for j, c := range got {
			w := want[i][j]
			if c.column != w.column || cellJSON(c.value) != cellJSON(w.value) {
				t.Errorf("%s: row %d: %s is %s, want %s %s", what, i, c.column, cellJSON(c.value), w.column, cellJSON(w.value))
			}
		}
	}
}

func soldArtworkCells(s SoldArtwork) referenceRow {
	return referenceRow{
		{"sale_id", s.SaleID}, {"artwork_id", value(s.ArtworkID)}, {"sale_date", value(s.SaleDate)},
		{"sale_price_usd", value(s.SalePriceUSD)}, {"buyer_country", value(s.BuyerCountry)}, {"title", value(s.Title)},
		{"artist_id", value(s.ArtistID)}, {"artwork_year", value(s.ArtworkYear)}, {"medium", value(s.Medium)},
		{"list_price_usd", value(s.ListPriceUSD)}, {"artist_name", value(s.ArtistName)}, {"nationality", value(s.Nationality)},
		{"price_diff", value(s.PriceDiff)}, {"pct_change", value(s.PctChange)},
	}
}

func catalogArtworkCells(a CatalogArtwork) referenceRow {
	var media any
	if a.Media != nil {
		var list []referenceRow
		for _, m := range a.Media {
			list = append(list, referenceRow{
				{"sort_order", value(m.SortOrder)}, {"filename", value(m.Filename)}, {"media_type", value(m.MediaType)},
				{"file_format", value(m.FileFormat)}, {"width_px", value(m.WidthPx)}, {"height_px", value(m.HeightPx)},
				{"file_size_kb", value(m.FileSizeKB)}, {"alt_text", value(m.AltText)},
			})
		}
		media = list
	}
	return referenceRow{
		{"artwork_id", a.ArtworkID}, {"title", value(a.Title)}, {"year", value(a.Year)}, {"medium", value(a.Medium)},
		{"list_price_usd", value(a.ListPriceUSD)}, {"artist_name", value(a.ArtistName)}, {"nationality", value(a.Nationality)},
		{"sale_count", a.SaleCount}, {"total_sales_value", a.TotalSalesValue}, {"avg_sale_price", value(a.AvgSalePrice)},
		{"first_sale_date", value(a.FirstSaleDate)}, {"last_sale_date", value(a.LastSaleDate)}, {"has_sold", a.HasSold},
		{"price_tier", a.PriceTier}, {"sales_rank", a.SalesRank}, {"primary_image", value(a.PrimaryImage)},
		{"primary_image_alt", value(a.PrimaryImageAlt)}, {"media_count", a.MediaCount}, {"media", media},
	}
}

// value is what a pointer points to, nil for nil.
func value[T any](p *T) any {
	if p == nil {
		return nil
	}
	return *p
}
