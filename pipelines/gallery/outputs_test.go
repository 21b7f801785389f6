package gallery

import (
	"bytes"
	"encoding/base64"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSalesBelowTheThresholdOrWithoutAPriceAreLeftOut(t *testing.T) {
	t.Parallel()
	ctx, report := step(t)
	dir := filepath.Join(t.TempDir(), "out")
	high, err := writeSales(ctx, []SoldArtwork{priced(1, 99), {Sale: Sale{SaleID: 2}}, priced(3, 100), priced(4, 101)}, Config{OutputDir: dir, MinSaleValueUSD: 100})
	if err != nil || len(high) != 2 || high[0].SaleID != 3 || high[1].SaleID != 4 {
		t.Errorf("handed on %+v, %v", high, err)
	}
	text := readFile(t, dir, "sales_output.json")
	if lines := strings.Split(text, "\n"); len(lines) != 5 || !strings.HasPrefix(lines[1], `{"sale_id":3,"artwork_id":null,`) {
		t.Errorf("wrote %s", text)
	}
	wantReport(t, report, map[string]string{
		"record_count": "2", "filtered_from": "4", "filter_threshold": `"$100"`, "total_value": "201", "processing_time_ms": "0", "schema": "...", "preview": "...", "columns": "...",
		"json_output": `"` + filepath.Join(dir, "sales_output.json") + `"`,
	})
}

func TestTheThresholdIsShownInDollars(t *testing.T) {
	t.Parallel()
	ctx, report := step(t)
	if _, err := writeSales(ctx, nil, Config{OutputDir: t.TempDir(), MinSaleValueUSD: 30_000_000}); err != nil {
		t.Fatal(err)
	}
	if got := report.Metadata("filter_threshold"); got != "$30,000,000" {
		t.Errorf("the threshold is shown as %v", got)
	}
}

func TestWithoutRowsTheOutputsAreEmptyLists(t *testing.T) {
	t.Parallel()
	ctx, _ := step(t)
	cfg := Config{OutputDir: t.TempDir()}
	if _, err := writeSales(ctx, []SoldArtwork{{}}, cfg); err != nil {
		t.Fatal(err)
	}
	if _, err := writeArtworks(ctx, nil, cfg); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"sales_output.json", "artworks_output.json"} {
		if got := readFile(t, cfg.OutputDir, file); got != "[]\n" {
			t.Errorf("%s is %q", file, got)
		}
	}
}

func TestArtworksOutputShowsTheDistributionOfPriceTiers(t *testing.T) {
	t.Parallel()
	ctx, report := step(t)
	dir := t.TempDir()
	artworks := []CatalogArtwork{{ArtworkID: 1, PriceTier: premium}, {ArtworkID: 2, PriceTier: budget}, {ArtworkID: 3, PriceTier: premium}}
	if out, err := writeArtworks(ctx, artworks, Config{OutputDir: dir}); err != nil || len(out) != 3 {
		t.Fatalf("handed on %d rows, %v", len(out), err)
	}
	wantReport(t, report, map[string]string{
		"record_count": "3", "price_tier_distribution": `{"budget":1,"mid":0,"premium":2}`, "price_tier_chart": "...", "processing_time_ms": "0", "schema": "...", "preview": "...", "columns": "...",
		"json_output": `"` + filepath.Join(dir, "artworks_output.json") + `"`,
	})
	chart := report.Metadata("price_tier_chart").(map[string]any)
	if want := "Artworks by price tier: 1 budget, 0 mid, 2 premium"; chart["alt"] != want {
		t.Errorf("the chart says %q, want %q", chart["alt"], want)
	}
	picture, err := base64.StdEncoding.DecodeString(chart["png"].(string))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := png.Decode(bytes.NewReader(picture)); err != nil {
		t.Errorf("the chart is no PNG: %v", err)
	}
}

func TestAnOutputFolderThatCannotBeMadeIsAnError(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, _ := step(t)
	if _, err := writeSales(ctx, nil, Config{OutputDir: file}); err == nil {
		t.Error("sales were written into a file as if it were a folder")
	}
	if _, err := writeArtworks(ctx, nil, Config{OutputDir: file}); err == nil {
		t.Error("artworks were written into a file as if it were a folder")
	}
}

func priced(id, price int64) SoldArtwork {
	return SoldArtwork{Sale: Sale{SaleID: id, SalePriceUSD: &price}}
}

func readFile(t *testing.T, dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
