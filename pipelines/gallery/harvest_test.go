package gallery

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"waggle/pipelines/gallery/gallerydata"
	"waggle/shared/run"
)

func TestHarvestReportsWhatItRead(t *testing.T) {
	t.Parallel()
	got := runGallery(t, map[string]any{"output_dir": t.TempDir()})
	for step, want := range map[run.StepKey][3]string{
		"sales_raw":    {"508", `"embedded:data/sales.csv"`, `["sale_id","artwork_id","sale_date","sale_price_usd","buyer_country"]`},
		"artworks_raw": {"400", `"embedded:data/artworks.csv"`, `["artwork_id","title","artist_id","year","medium","price_usd"]`},
		"artists_raw":  {"40", `"embedded:data/artists.csv"`, `["artist_id","name","nationality","birth_year"]`},
		"media_raw": {"1100", `"embedded:data/media.db"`, `["media_id","artwork_id","sort_order","filename","media_type","file_format",` +
			`"width_px","height_px","file_size_kb","alt_text","created_date"]`},
	} {
		report := got.reports[step]
		report.wantLabels(t, "columns preview record_count schema source")
		report.want(t, map[string]string{"record_count": want[0], "source": want[1], "columns": want[2]})
		if rows := strings.Count(string(report.values["preview"].Value), `\n`); rows != 2+5 {
			t.Errorf("%s: a preview of %d lines, want a header of two and five rows", step, rows)
		}
		if log := report.lines.String(); !strings.Contains(log, "msg=harvested") || !strings.Contains(log, "records="+want[0]) {
			t.Errorf("%s logged %q", step, log)
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
	report.want(t, map[string]string{"source": `"` + filepath.Join(dir, "sales.csv") + `"`})
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
