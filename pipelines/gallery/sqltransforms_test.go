//go:build duckdb

package gallery

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"waggle/shared/asset"
	"waggle/shared/run"
	"waggle/shared/schema"
	"waggle/shared/table"
	"waggle/shared/waggletest"
)

func TestGallerySQLMakesWhatGalleryMakes(t *testing.T) {
	t.Parallel()
	eachSample(t, 11, sameInSQL) // 10 with faults
}

func TestGallerySQLMakesWhatGalleryMakesOfTangledInputs(t *testing.T) {
	t.Parallel()
	eachSeed(t, 30, func(t *testing.T, dir string, seed uint64) {
		tangle(t, dir, seed)
		sameInSQL(t, dir)
	})
}

// sameInSQL runs both jobs on the inputs in dir and compares their tables cell by cell, their files byte by byte, and
// what they report.
func sameInSQL(t *testing.T, dir string) {
	t.Helper()
	inGo, goDir := runOn(t, "gallery", dir)
	inSQL, sqlDir := runOn(t, "gallery_sql", dir)

	sameValue(t, dir, inGo, inSQL, salesTransform, salesTransformInSQL)
	sameValue(t, dir, inGo, inSQL, artworksTransform, artworksTransformInSQL)
	sameValue(t, dir, inGo, inSQL, salesOutput, salesOutputInSQL)
	sameValue(t, dir, inGo, inSQL, artworksOutput, artworksOutputInSQL)
	for _, file := range []string{"sales_output.json", "artworks_output.json"} {
		want, got := read(t, filepath.Join(goDir, file)), read(t, filepath.Join(sqlDir, file))
		if !bytes.Equal(want, got) {
			t.Errorf("%s: %s differs:\n%s", dir, file, cmp.Diff(string(want), string(got)))
		}
	}

	// What DuckDB returned, filtered and written without a struct between.
	joined, _, _, err := schema.Split(artworksTransformSchema, waggletest.Output(t, inSQL, artworksJoinedInSQL))
	if err != nil {
		t.Fatal(err)
	}
	path, err := table.WriteJSON(t.Context(), table.At(sqlDir), "joined.json", joined)
	if err != nil {
		t.Fatal(err)
	}
	if want, got := read(t, filepath.Join(goDir, "artworks_output.json")), read(t, path); !bytes.Equal(want, got) {
		t.Errorf("%s: the query's own table differs:\n%s", dir, cmp.Diff(string(want), string(got)))
	}
	sameCountries(t, dir, waggletest.Output(t, inGo, salesOutput), waggletest.Output(t, inSQL, salesByCountryInSQL))
}

func TestPctChangeInSQLRoundsAsItsExamplesSay(t *testing.T) {
	t.Parallel()
	ctx, _ := waggletest.Context(t)
	artworks := []Artwork{{ArtworkID: 1, PriceUSD: new(int64(80_000))}, {ArtworkID: 2, PriceUSD: new(int64(0))}}
	sales := []Sale{
		{SaleID: 1, ArtworkID: new(int64(1)), SalePriceUSD: new(int64(3_000))},
		{SaleID: 2, ArtworkID: new(int64(1)), SalePriceUSD: new(int64(15_000))},
		{SaleID: 3, ArtworkID: new(int64(1)), SalePriceUSD: new(int64(79_970))},
		{SaleID: 4, ArtworkID: new(int64(2)), SalePriceUSD: new(int64(1))},
	}
	made, err := salesJoinedInSQL.Definition().Call(ctx, []any{sales, artworks, []Artist{}})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := table.Rows[SoldArtwork](made.(*table.Table))
	if err != nil || len(rows) != len(sales) {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for i, want := range []string{"-96.3", "-81.3", "0", "null"} {
		if got := cellJSON(value(rows[i].PctChange)); got != want {
			t.Errorf("sale %d: pct_change is %s, want %s", rows[i].SaleID, got, want)
		}
		if p := rows[i].PctChange; p != nil && *p == 0 && math.Signbit(*p) {
			t.Errorf("sale %d: pct_change is -0", rows[i].SaleID)
		}
	}
}

func runOn(t *testing.T, job, dir string) (*waggletest.Run, string) {
	t.Helper()
	out := t.TempDir()
	r := waggletest.RunJob(t, Definitions, job, &waggletest.Options{Config: map[string]any{"input_dir": dir, "output_dir": out}})
	if r.Status != run.Success {
		t.Fatalf("%s on %s: %s %s", job, dir, r.Status, r.Error)
	}
	return r, out
}

func sameValue[T any](t *testing.T, dir string, inGo, inSQL *waggletest.Run, a, b *asset.Asset[T]) {
	t.Helper()
	want, got := waggletest.Output(t, inGo, a), waggletest.Output(t, inSQL, b)
	if !reflect.DeepEqual(want, got) {
		t.Errorf("%s: %s differs:\n%s", dir, b.Key(), cmp.Diff(want, got))
	}
	wantMeta, gotMeta := metadataOf(t, inGo, a.Key()), metadataOf(t, inSQL, b.Key())
	if diff := cmp.Diff(wantMeta, gotMeta); diff != "" {
		t.Errorf("%s: metadata of %s differ:\n%s", dir, b.Key(), diff)
	}
}

// metadataOf returns what a job reported of an asset, but for times and places.
func metadataOf(t *testing.T, r *waggletest.Run, key asset.Key) map[string]any {
	t.Helper()
	labels := map[string]any{}
	for _, m := range r.Materializations {
		if m.Asset == key {
			for label, v := range m.Metadata {
				labels[label] = v.Any()
			}
		}
	}
	if len(labels) == 0 {
		t.Fatalf("%s has no metadata", key)
	}
	delete(labels, "processing_time_ms")
	delete(labels, "json_output")
	delete(labels, "quarantine")
	return labels
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// countrySales is a row of sales_by_country_sql.
type countrySales struct {
	BuyerCountry *string
	Sales        int64
	TotalUSD     int64
}

// sameCountries adds the big sales up by country in Go.
func sameCountries(t *testing.T, dir string, sales []SoldArtwork, got *table.Table) {
	t.Helper()
	rows, err := table.Rows[countrySales](got)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]countrySales{}
	for _, s := range sales {
		name := cellJSON(value(s.BuyerCountry))
		c := want[name]
		want[name] = countrySales{s.BuyerCountry, c.Sales + 1, c.TotalUSD + *s.SalePriceUSD}
	}
	for i, row := range rows {
		name := cellJSON(value(row.BuyerCountry))
		if !reflect.DeepEqual(want[name], row) {
			t.Errorf("%s: %s has %+v, want %+v", dir, name, row, want[name])
		}
		if i > 0 && rows[i-1].TotalUSD < row.TotalUSD {
			t.Errorf("%s: row %d is larger than the one before", dir, i)
		}
		delete(want, name)
	}
	if len(want) > 0 {
		t.Errorf("%s: missing %v", dir, want)
	}
}
