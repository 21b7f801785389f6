package gallery

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"waggle/pipelines/gallery/gallerydata"
	"waggle/shared/asset"
	"waggle/shared/run"
	"waggle/shared/waggletest"
)

func TestHarvestReportsWhatItRead(t *testing.T) {
	t.Parallel()
	harvested := waggletest.RunJob(t, Definitions, "gallery", &waggletest.Options{Config: map[string]any{"output_dir": t.TempDir()}})
	for _, c := range []struct {
		asset                  run.AssetKey
		file, records, columns string
	}{
		{"sales_raw", "sales.csv", "508", `["sale_id","artwork_id","sale_date","sale_price_usd","buyer_country"]`},
		{"artworks_raw", "artworks.csv", "400", `["artwork_id","title","artist_id","year","medium","price_usd"]`},
		{"artists_raw", "artists.csv", "40", `["artist_id","name","nationality","birth_year"]`},
		{"media_raw", "media.db", "1100", `["media_id","artwork_id","sort_order","filename","media_type","file_format",` +
			`"width_px","height_px","file_size_kb","alt_text","created_date"]`},
	} {
		i := slices.IndexFunc(harvested.Materializations, func(m run.Materialization) bool { return m.Asset == c.asset })
		if i < 0 {
			t.Errorf("%s was not made", c.asset)
			continue
		}
		values := harvested.Materializations[i].Metadata
		wantValues(t, values, map[string]string{
			"record_count": c.records, "source": `"embedded:data/` + c.file + `"`, "columns": c.columns, "preview": "...", "schema": "...",
		})
		if rows := strings.Count(values["preview"].Any().(string), "\n"); rows != 2+5 {
			t.Errorf("%s: a preview of %d lines, want a header of two and five rows", c.asset, rows)
		}
	}
}

func TestAFolderOfOnesOwnIsReadInstead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := gallerydata.Generate(dir, gallerydata.Options{Seed: 4, Scale: 0.1, Clean: true}); err != nil {
		t.Fatal(err)
	}
	ctx, report := step(t)
	sales, err := readCSV[Sale]("sales.csv")(ctx, Config{InputDir: dir})
	if err != nil || len(sales) != 50 {
		t.Errorf("%d sales, %v", len(sales), err)
	}
	source := filepath.Join(dir, "sales.csv")
	if got := report.Metadata("source"); got != source {
		t.Errorf("the source is %v, want %s", got, source)
	}
	if got, want := logged(report), []string{"harvested source=" + source + " records=50"}; !slices.Equal(got, want) {
		t.Errorf("logged %q, want %q", got, want)
	}
}

func TestAWrongInputIsAnErrorThatSaysWhere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("sales.csv", "sale_id,artwork_id,sale_date,buyer_country\n")
	write("artworks.csv", "artwork_id,title,artist_id,year,medium,price_usd\n1,\"two\nlines\",,,,\n2,,,1972.0,,\n")
	cfg := Config{InputDir: dir}
	for what, c := range map[string]struct {
		read func() error
		says []string
	}{
		"a missing column": {func() error { return harvest(t, readCSV[Sale]("sales.csv"), cfg) }, []string{"sales.csv", "sale_price_usd", "buyer_country"}},
		"a bad value":      {func() error { return harvest(t, readCSV[Artwork]("artworks.csv"), cfg) }, []string{"artworks.csv", "4", "year", "1972.0"}},
		"a missing file":   {func() error { return harvest(t, readCSV[Artist]("artists.csv"), cfg) }, []string{"artists.csv"}},
		"no database":      {func() error { return harvest(t, readMedia, cfg) }, []string{"media.db"}},
	} {
		err := c.read()
		if err == nil {
			t.Errorf("%s: no error", what)
			continue
		}
		for _, word := range c.says {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%s: the error does not say %q: %v", what, word, err)
			}
		}
	}
}

// harvest calls the function of an input asset for its error.
func harvest[R any](t *testing.T, read func(*asset.Context, Config) ([]R, error), cfg Config) error {
	ctx, _ := step(t)
	_, err := read(ctx, cfg)
	return err
}
