package gallery

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"waggle/pipelines/gallery/gallerydata"
)

// The columns of the two schemas that must not be null, and those with a range.
var (
	salesNotNull = strings.Fields(`sale_id artwork_id sale_date sale_price_usd buyer_country title artist_id medium list_price_usd
		artist_name nationality price_diff`)
	artworksNotNull = strings.Fields(`artwork_id title medium list_price_usd artist_name nationality sale_count total_sales_value
		has_sold price_tier sales_rank media_count`)
)

// schemaFailures returns in SQL what the schemas refuse.
func (r *reference) schemaFailures() []gallerydata.Failure {
	var failures []gallerydata.Failure
	find := func(asset, column, check, condition string) {
		for _, row := range r.query(fmt.Sprintf("SELECT row FROM %s WHERE %s", asset, condition)) {
			failures = append(failures, gallerydata.Failure{Asset: asset, Row: int(row[0].value.(int64)), Column: column, Check: check})
		}
	}
	for asset, columns := range map[string][]string{"sales_transform": salesNotNull, "artworks_transform": artworksNotNull} {
		for _, c := range columns {
			find(asset, c, "not_null", c+" IS NULL")
		}
		find(asset, "list_price_usd", "greater_than(0)", "list_price_usd <= 0")
		id := columns[0]
		find(asset, id, "unique", fmt.Sprintf(`row IN (SELECT row FROM
			(SELECT row, row_number() OVER (PARTITION BY %s ORDER BY row) AS place FROM %s) WHERE place > 1)`, id, asset))
	}
	find("sales_transform", "sale_price_usd", "greater_than(0)", "sale_price_usd <= 0")
	find("artworks_transform", "total_sales_value", "at_least(0)", "total_sales_value < 0")
	return failures
}

// factsSQL says of each kind of fault how to find its lines.
var factsSQL = map[gallerydata.Kind]string{
	gallerydata.UnknownArtwork:   `SELECT line FROM sales WHERE artwork_id NOT IN (SELECT artwork_id FROM artworks)`,
	gallerydata.MissingArtworkID: `SELECT line FROM sales WHERE artwork_id IS NULL`,
	gallerydata.ZeroPrice:        `SELECT line FROM sales WHERE sale_price_usd = 0`,
	gallerydata.NegativePrice:    `SELECT line FROM sales WHERE sale_price_usd < 0`,
	gallerydata.MissingPrice:     `SELECT line FROM sales WHERE sale_price_usd IS NULL`,
	gallerydata.MissingDate:      `SELECT line FROM sales WHERE sale_date IS NULL`,
	gallerydata.FutureDate:       `SELECT line FROM sales WHERE sale_date >= '2090'`,
	gallerydata.ImpossibleDate:   `SELECT line FROM sales WHERE sale_date IS NOT NULL AND date(sale_date, '+0 days') IS NOT sale_date`,
	gallerydata.MissingCountry:   `SELECT line FROM sales WHERE buyer_country IS NULL`,
	gallerydata.DuplicateSaleID:  `SELECT line FROM sales s WHERE EXISTS (SELECT 1 FROM sales o WHERE o.sale_id = s.sale_id AND o.n < s.n)`,

	gallerydata.NeverSold:    `SELECT line FROM artworks WHERE artwork_id NOT IN (SELECT artwork_id FROM sales WHERE artwork_id IS NOT NULL)`,
	gallerydata.WithoutMedia: `SELECT line FROM artworks WHERE artwork_id NOT IN (SELECT artwork_id FROM media)`,
	gallerydata.PriceTie: `SELECT line FROM artworks JOIN artworks_transform t USING (artwork_id) WHERE has_sold AND EXISTS
		(SELECT 1 FROM artworks_transform o WHERE o.artwork_id <> t.artwork_id AND o.has_sold AND o.total_sales_value = t.total_sales_value)`,
	gallerydata.MissingTitle:      `SELECT line FROM artworks WHERE title IS NULL`,
	gallerydata.LineBreak:         `SELECT line FROM artworks WHERE title LIKE '%' || char(10) || '%'`,
	gallerydata.MissingMedium:     `SELECT line FROM artworks WHERE medium IS NULL`,
	gallerydata.MissingYear:       `SELECT line FROM artworks WHERE year IS NULL`,
	gallerydata.MissingListPrice:  `SELECT line FROM artworks WHERE price_usd IS NULL`,
	gallerydata.ZeroListPrice:     `SELECT line FROM artworks WHERE price_usd = 0`,
	gallerydata.NegativeListPrice: `SELECT line FROM artworks WHERE price_usd < 0`,
	gallerydata.MissingArtistID:   `SELECT line FROM artworks WHERE artist_id IS NULL`,
	gallerydata.UnknownArtist:     `SELECT line FROM artworks WHERE artist_id NOT IN (SELECT artist_id FROM artists)`,

	gallerydata.StraySpace:         `SELECT line FROM artists WHERE length(name) <> length(artist_name)`,
	gallerydata.MissingName:        `SELECT line FROM artists WHERE name IS NULL`,
	gallerydata.MissingNationality: `SELECT line FROM artists WHERE nationality IS NULL`,
	gallerydata.MissingBirthYear:   `SELECT line FROM artists WHERE birth_year IS NULL`,

	gallerydata.MediaOfUnknownArtwork: `SELECT media_id FROM media WHERE artwork_id NOT IN (SELECT artwork_id FROM artworks)`,
	gallerydata.SecondPrimary:         `SELECT media_id FROM media m WHERE sort_order = 1 AND filename NOT LIKE '%\_1.%' ESCAPE '\'`,
	gallerydata.NoPrimary:             `SELECT media_id FROM media m WHERE sort_order <> 1 AND filename LIKE '%\_1.%' ESCAPE '\'`,
	gallerydata.MissingSortOrder:      `SELECT media_id FROM media WHERE sort_order IS NULL`,
	gallerydata.MissingAltText:        `SELECT media_id FROM media WHERE alt_text IS NULL`,
	gallerydata.MissingSize:           `SELECT media_id FROM media WHERE width_px IS NULL AND height_px IS NULL AND file_size_kb IS NULL`,
}

// rulesSQL says of each rule of check_sales_data_quality how to find the lines that break it.
var rulesSQL = map[string]string{
	"real_date":       factsSQL[gallerydata.ImpossibleDate],
	"not_in_future":   factsSQL[gallerydata.FutureDate],
	"known_artwork":   factsSQL[gallerydata.UnknownArtwork],
	"greater_than(0)": `SELECT line FROM sales WHERE sale_price_usd <= 0`,
	"unique":          factsSQL[gallerydata.DuplicateSaleID],
}

func TestTheLedgerNamesEveryFaultAndAllThatComesOfIt(t *testing.T) {
	t.Parallel()
	eachSample(t, 66, func(t *testing.T, dir string) {
		ledger := readLedger(t, dir)
		r := loadReference(t, dir)

		failures := map[gallerydata.Failure]bool{}
		lines, broken := map[gallerydata.Kind][]int64{}, map[string][]int64{}
		for _, f := range ledger.Faults {
			lines[f.Kind] = append(lines[f.Kind], int64(f.Line))
			for _, rule := range f.DataQuality {
				broken[rule] = append(broken[rule], int64(f.Line))
			}
			for _, failure := range f.LeadsTo {
				failures[failure] = true
			}
		}
		order := func(a, b gallerydata.Failure) int {
			return cmp.Or(cmp.Compare(a.Asset, b.Asset), cmp.Compare(a.Row, b.Row), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Check, b.Check))
		}
		got, want := slices.SortedFunc(maps.Keys(failures), order), slices.SortedFunc(slices.Values(r.schemaFailures()), order)
		if !slices.Equal(got, want) {
			t.Errorf("%s: the ledger leads to\n%v\nthe schemas refuse\n%v", dir, got, want)
		}
		for _, kind := range gallerydata.Kinds() {
			if got, want := sorted(lines[kind]), r.lines(factsSQL[kind]); !slices.Equal(got, want) {
				t.Errorf("%s: %s: the ledger has the lines %v, the files %v", dir, kind, got, want)
			}
		}
		for rule, statement := range rulesSQL {
			if got, want := sorted(broken[rule]), r.lines(statement); !slices.Equal(got, want) {
				t.Errorf("%s: rule %s: the ledger has the lines %v, the files %v", dir, rule, got, want)
			}
		}
		if len(r.query(`SELECT 1 FROM artworks_transform WHERE total_sales_value < 0`)) > 0 {
			t.Errorf("%s: an artwork's total is negative", dir)
		}
	})
}

func readLedger(t *testing.T, dir string) gallerydata.Ledger {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, gallerydata.LedgerFile))
	if err != nil {
		t.Fatal(err)
	}
	ledger, err := gallerydata.ReadLedger(text)
	if err != nil {
		t.Fatal(err)
	}
	return ledger
}

// lines returns a column of line numbers in order.
func (r *reference) lines(statement string) []int64 {
	var lines []int64
	for _, row := range r.query(statement) {
		lines = append(lines, row[0].value.(int64))
	}
	return sorted(lines)
}

func sorted(lines []int64) []int64 { return slices.Sorted(slices.Values(lines)) }
