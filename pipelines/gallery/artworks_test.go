package gallery

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"testing"
)

func TestThePriceTierFollowsTheListPrice(t *testing.T) {
	t.Parallel()
	for list, want := range map[int64]string{
		-1: "budget", 0: "budget", 499_999: "budget", 500_000: "mid", 2_999_999: "mid", 3_000_000: "premium", math.MaxInt64: "premium",
	} {
		if got := priceTier(&list); got != want {
			t.Errorf("%d is %s, want %s", list, got, want)
		}
	}
	if got := priceTier(nil); got != "premium" {
		t.Errorf("no list price is %s, want premium", got)
	}
}

func TestTheAveragePriceIsRoundedToDollarsHalvesAwayFromZero(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		total, priced int64
		want          float64
	}{
		{3, 2, 2}, {-3, 2, -2}, {1, 3, 0}, {-1, 3, 0}, {5, 3, 2}, {0, 4, 0}, {100, 1, 100},
	} {
		got := figures{count: c.priced, priced: c.priced, total: c.total}.average()
		if got == nil || *got != c.want || math.Signbit(*got) != (c.want < 0) {
			t.Errorf("%d in %d sales is %s on average, want %v", c.total, c.priced, cellJSON(value(got)), c.want)
		}
	}
	if got := (figures{count: 2}).average(); got != nil {
		t.Errorf("the average of no price is %v", *got)
	}
}

func TestEverySaleOfAnArtworkCounts(t *testing.T) {
	t.Parallel()
	of := func(id int64, date string, price ...int64) Sale {
		s := Sale{SaleID: 1, ArtworkID: new(int64(8))} // one id for all: repeated sales count
		if date != "" {
			s.SaleDate = &date
		}
		if len(price) > 0 {
			s.SalePriceUSD = &price[0]
		}
		s.ArtworkID = &id
		return s
	}
	rows := catalog([]Artwork{{ArtworkID: 8}, {ArtworkID: 9}, {ArtworkID: 10}}, nil, []Sale{
		of(8, "2020-01-01", 100), of(8, "", 0), of(8, "2099-01-01", -20), of(8, "2019-01-01"),
		of(9, ""), {SaleID: 2, SalePriceUSD: new(int64(5))},
	}, nil)
	for i, want := range []string{
		"4 80 27 2019-01-01 2099-01-01 true", // 80 / 3, the sale without a price aside
		"1 0 <nil> <nil> <nil> true",
		"0 0 <nil> <nil> <nil> false",
	} {
		r := rows[i]
		got := fmt.Sprintf("%v %v %v %v %v %v", r.SaleCount, r.TotalSalesValue, value(r.AvgSalePrice), value(r.FirstSaleDate), value(r.LastSaleDate), r.HasSold)
		if got != want {
			t.Errorf("artwork %d: %s, want %s", r.ArtworkID, got, want)
		}
	}
}

func TestAnArtworkListedTwiceHasItsSalesOnce(t *testing.T) {
	t.Parallel()
	rows := catalog(
		[]Artwork{{ArtworkID: 8, Title: new("a"), ArtistID: new(int64(4))}, {ArtworkID: 8, Title: new("b")}},
		[]Artist{{ArtistID: 4, Name: new("x")}, {ArtistID: 4, Name: new("y")}},
		[]Sale{{ArtworkID: new(int64(8)), SalePriceUSD: new(int64(10))}},
		[]Medium{{MediaID: 1, ArtworkID: new(int64(8))}})
	var got []any
	for _, r := range rows {
		got = append(got, *r.Title, value(r.ArtistName), r.SaleCount, r.TotalSalesValue, r.MediaCount)
	}
	want := []any{"a", "X", int64(1), int64(10), int64(1), "a", "Y", int64(1), int64(10), int64(1), "b", nil, int64(1), int64(10), int64(1)}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestArtworksThatSoldForTheSameShareARank(t *testing.T) {
	t.Parallel()
	sold := func(id, price int64) Sale { return Sale{ArtworkID: &id, SalePriceUSD: &price} }
	rows := catalog([]Artwork{{ArtworkID: 5}, {ArtworkID: 4}, {ArtworkID: 3}, {ArtworkID: 2}, {ArtworkID: 1}, {ArtworkID: 6}}, nil,
		[]Sale{sold(3, 10), sold(1, 4), sold(1, 6), sold(2, 30), sold(6, -1)}, nil)
	var got []int64
	for _, r := range rows {
		got = append(got, r.ArtworkID, r.SalesRank)
	}
	if want := []int64{2, 1, 1, 2, 3, 2, 4, 4, 5, 4, 6, 6}; !slices.Equal(got, want) {
		t.Errorf("ids and ranks %v, want %v", got, want)
	}
}

func TestThePrimaryImageIsTheFirstOfThoseWithPlaceOne(t *testing.T) {
	t.Parallel()
	medium := func(id int64, order *int64) Medium {
		return Medium{MediaID: id, ArtworkID: new(int64(8)), SortOrder: order, Filename: new(fmt.Sprint(id)), AltText: new(fmt.Sprint("alt ", id))}
	}
	media := []Medium{
		medium(7, nil), medium(6, new(int64(2))), medium(5, new(int64(1))), medium(4, new(int64(0))), medium(3, new(int64(1))), medium(2, nil),
		{MediaID: 1, SortOrder: new(int64(1)), Filename: new("of nothing")},
	}
	before := slices.Clone(media)
	rows := catalog([]Artwork{{ArtworkID: 8}, {ArtworkID: 9}}, nil, nil, media)
	if !reflect.DeepEqual(media, before) {
		t.Error("the input was changed")
	}
	if r := rows[0]; *r.PrimaryImage != "3" || *r.PrimaryImageAlt != "alt 3" || r.MediaCount != 6 {
		t.Errorf("image %s, %s, of %d", *r.PrimaryImage, *r.PrimaryImageAlt, r.MediaCount)
	}
	var order []string
	for _, m := range rows[0].Media {
		order = append(order, *m.Filename)
	}
	if want := []string{"4", "3", "5", "6", "2", "7"}; !slices.Equal(order, want) {
		t.Errorf("media in the order %v, want %v", order, want)
	}
	if r := rows[1]; r.PrimaryImage != nil || r.PrimaryImageAlt != nil || r.MediaCount != 0 || r.Media != nil {
		t.Errorf("an artwork without media has %+v", r)
	}
}

func TestMediaWithoutAFirstOneHaveNoPrimaryImage(t *testing.T) {
	t.Parallel()
	rows := catalog([]Artwork{{ArtworkID: 8}}, nil, nil, []Medium{{MediaID: 1, ArtworkID: new(int64(8)), SortOrder: new(int64(2)), Filename: new("a")}})
	if r := rows[0]; r.PrimaryImage != nil || r.MediaCount != 1 {
		t.Errorf("got %+v", r)
	}
}

func TestArtworksTransformReportsTheRowsItHandsOnAndSetsTheOthersAside(t *testing.T) {
	t.Parallel()
	ctx, report := step(t)
	artwork := func(id, price int64) Artwork {
		return Artwork{ArtworkID: id, Title: new("Pier"), ArtistID: new(int64(1)), Medium: new("Oil"), PriceUSD: &price}
	}
	_, err := transformArtworks(ctx,
		[]Artwork{artwork(1, 100), artwork(2, -30), artwork(3, 7)}, []Artist{{ArtistID: 1, Name: new("Ana"), Nationality: new("Peru")}},
		[]Sale{{ArtworkID: new(int64(1))}},
		[]Medium{{MediaID: 1, ArtworkID: new(int64(1))}, {MediaID: 2, ArtworkID: new(int64(3))}, {MediaID: 3, ArtworkID: new(int64(3))}})
	if err != nil {
		t.Fatal(err)
	}
	wantReport(t, report, map[string]string{
		"record_count": "2", "artworks_sold": "1", "artworks_unsold": "1", "artworks_with_media": "2", "total_catalog_value": "107",
		"processing_time_ms": "0", "schema": "...", "preview": "...", "quarantine": "...",
		"validation_warnings": `{"error_count":1,"errors":[{"check":"greater_than(0)","column":"list_price_usd","count":1,"examples":[{"failure_case":-30,"row":1}]}],"removed_rows":1}`,
		"columns": `["artwork_id","title","year","medium","list_price_usd","artist_name","nationality","sale_count","total_sales_value",` +
			`"avg_sale_price","first_sale_date","last_sale_date","has_sold","price_tier","sales_rank","primary_image","primary_image_alt","media_count","media"]`,
	})
}
