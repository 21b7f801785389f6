package gallery

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestThePercentChangeIsRoundedToOneDecimalHalvesAwayFromZero(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		sale, list int64
		want       float64
	}{
		{3_000, 80_000, -96.3},  // -96.25
		{15_000, 80_000, -81.3}, // -81.25
		{79_970, 80_000, 0},     // -0.0375
		{80_000, 80_000, 0},
		{145_000, 80_000, 81.3}, // 81.25
		{1, 3, -66.7},
		{0, 5, -100},
		{-5, 5, -200},
		{5, -5, -200},
		{1_000_001, 1, 100_000_000},
	} {
		got := pctChange(&c.sale, &c.list)
		if got == nil || *got != c.want || math.Signbit(*got) != (c.want < 0) {
			t.Errorf("pctChange(%d, %d) is %v, want %v", c.sale, c.list, cellJSON(value(got)), c.want)
		}
	}
}

func TestWithoutTwoPricesThereIsNoChange(t *testing.T) {
	t.Parallel()
	price := new(int64(7))
	for _, got := range []*float64{pctChange(nil, price), pctChange(price, nil), pctChange(price, new(int64(0)))} {
		if got != nil {
			t.Errorf("a change of %v percent", *got)
		}
	}
	if priceDiff(nil, price) != nil || priceDiff(price, nil) != nil {
		t.Error("a difference to a price that is missing")
	}
	if got := priceDiff(price, new(int64(0))); got == nil || *got != 7 {
		t.Errorf("a list price of 0 gives the difference %v", value(got))
	}
}

func TestAnArtistsNameIsTrimmedAndInCapitals(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"  Ana Lind\t": "ANA LIND", "\u00a0Zoë  Große\u3000": "ZOË  GROSSE", "O'Dowd": "O'DOWD", " ": "",
	} {
		want = strings.ReplaceAll(want, "GROSSE", "GROßE") // ß has no single capital letter in Unicode
		if got := displayName(&name); got == nil || *got != want {
			t.Errorf("%q becomes %v, want %q", name, value(got), want)
		}
	}
	if displayName(nil) != nil {
		t.Error("no name became one")
	}
}

func TestASaleOfAnUnknownArtworkIsKeptWithoutOne(t *testing.T) {
	t.Parallel()
	unknown, none := Sale{SaleID: 1, ArtworkID: new(int64(9)), SalePriceUSD: new(int64(5))}, Sale{SaleID: 2}
	artworks := []Artwork{{ArtworkID: 8, Title: new("Pier"), PriceUSD: new(int64(1))}}
	rows := soldArtworks([]Sale{unknown, none}, artworks, []Artist{{ArtistID: 1, Name: new("Ana")}})
	want := []SoldArtwork{{Sale: unknown}, {Sale: none}}
	if !reflect.DeepEqual(rows, want) {
		t.Errorf("got %+v", rows)
	}
}

func TestASaleTakesOverItsArtworkAndArtist(t *testing.T) {
	t.Parallel()
	sale := Sale{SaleID: 1, ArtworkID: new(int64(8)), SalePriceUSD: new(int64(3_000))}
	rows := soldArtworks([]Sale{sale},
		[]Artwork{{ArtworkID: 8, Title: new(" Pier "), ArtistID: new(int64(4)), Year: new(int64(1972)), Medium: new("Bronze"), PriceUSD: new(int64(80_000))}},
		[]Artist{{ArtistID: 4, Name: new(" Ana "), Nationality: new(" Dutch ")}})
	want := SoldArtwork{
		Sale: sale, Title: new(" Pier "), ArtistID: new(int64(4)), ArtworkYear: new(int64(1972)), Medium: new("Bronze"),
		ListPriceUSD: new(int64(80_000)), ArtistName: new("ANA"), Nationality: new(" Dutch "), PriceDiff: new(int64(-77_000)), PctChange: new(-96.3),
	}
	if len(rows) != 1 || !reflect.DeepEqual(rows[0], want) {
		t.Errorf("got %+v", rows)
	}
}

func TestAnIdThatIsListedTwiceDoublesItsSalesInFileOrder(t *testing.T) {
	t.Parallel()
	rows := soldArtworks([]Sale{{SaleID: 1, ArtworkID: new(int64(8))}},
		[]Artwork{{ArtworkID: 8, Title: new("first"), ArtistID: new(int64(4))}, {ArtworkID: 8, Title: new("second")}},
		[]Artist{{ArtistID: 4, Name: new("a")}, {ArtistID: 4, Name: new("b")}})
	var got []any
	for _, r := range rows {
		got = append(got, *r.Title, value(r.ArtistName))
	}
	if want := []any{"first", "A", "first", "B", "second", nil}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestSalesAreTheNewestFirstThenById(t *testing.T) {
	t.Parallel()
	sale := func(id int64, date, country string) Sale {
		s := Sale{SaleID: id, BuyerCountry: &country}
		if date != "" {
			s.SaleDate = &date
		}
		return s
	}
	rows := soldArtworks([]Sale{
		sale(5, "", "a"), sale(4, "", "b"), sale(3, "2020-01-02", "c"), sale(9, "2020-01-10", "d"),
		sale(2, "2020-01-02", "e"), sale(3, "2020-01-02", "f"), sale(1, "2020-1-3", "g"),
	}, nil, nil)
	var got []string
	for _, r := range rows {
		got = append(got, *r.BuyerCountry)
	}
	// Dates are texts: 2020-1-3 comes after 2020-01-10. c and f are equal and stay in file order.
	if want := []string{"g", "d", "e", "c", "f", "b", "a"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestSalesTransformReportsTheRowsItHandsOnAndSetsTheOthersAside(t *testing.T) {
	t.Parallel()
	ctx, report := step(t)
	sale := func(id, artwork, price int64, date string) Sale {
		return Sale{SaleID: id, ArtworkID: &artwork, SaleDate: &date, SalePriceUSD: &price, BuyerCountry: new("Chile")}
	}
	artworks := []Artwork{{ArtworkID: 8, Title: new("Pier"), ArtistID: new(int64(1)), Medium: new("Oil"), PriceUSD: new(int64(5))}}
	rows, err := transformSales(ctx, []Sale{
		sale(1, 8, 10, "2020-05-01"), sale(2, 8, 7, "2019-05-01"), sale(3, 8, -3, "2018-05-01"), sale(2, 8, 9, "2017-05-01"), sale(4, 9, 1, "2016-05-01"),
	}, artworks, []Artist{{ArtistID: 1, Name: new("Ana"), Nationality: new("Peru")}})
	if err != nil || len(rows) != 2 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	wantReport(t, report, map[string]string{
		"record_count": "2", "unique_artworks": "1", "total_sales_value": "17", "date_range": `"2019-05-01 to 2020-05-01"`,
		"processing_time_ms": "0", "schema": "...", "preview": "...", "quarantine": "...", "validation_warnings": "...",
		"columns": `["sale_id","artwork_id","sale_date","sale_price_usd","buyer_country","title","artist_id","artwork_year","medium",` +
			`"list_price_usd","artist_name","nationality","price_diff","pct_change"]`,
	})
	if got, want := logged(report), []string{"Filtered 3 invalid rows (9 errors) schema=SalesTransformSchema", "transformed sales sales=5 records=2", "Completed transformation in 0 ns"}; !slices.Equal(got, want) {
		t.Errorf("logged %q, want %q", got, want)
	}
}

func TestWithoutSalesThereIsNoDateRange(t *testing.T) {
	t.Parallel()
	ctx, report := step(t)
	rows, err := transformSales(ctx, nil, nil, nil)
	if err != nil || len(rows) != 0 {
		t.Fatalf("%v, %v", rows, err)
	}
	wantReport(t, report, map[string]string{
		"record_count": "0", "unique_artworks": "0", "total_sales_value": "0", "date_range": "null",
		"processing_time_ms": "0", "schema": "...", "preview": "...", "columns": "...",
	})
}
