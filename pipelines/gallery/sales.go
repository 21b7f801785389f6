package gallery

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"waggle/shared/asset"
	"waggle/shared/metadata"
	"waggle/shared/schema"
	"waggle/shared/table"
)

// SoldArtwork is a row of sales_transform: a sale with what is known of its artwork and artist.
type SoldArtwork struct {
	Sale
	Title        *string
	ArtistID     *int64
	ArtworkYear  *int64
	Medium       *string
	ListPriceUSD *int64
	ArtistName   *string
	Nationality  *string
	PriceDiff    *int64
	PctChange    *float64
}

var salesTransform = asset.New3("sales_transform", transformSales, salesRaw, artworksRaw, artistsRaw, &asset.Options{
	Group:       "transform",
	Kinds:       []string{"go"},
	Description: "Every sale with its artwork, its artist and how far its price was from the list price; the newest first.",
})

func transformSales(ctx *asset.Context, sales []Sale, artworks []Artwork, artists []Artist) ([]SoldArtwork, error) {
	defer ctx.Time("transformation").Stop()

	rows := soldArtworks(sales, artworks, artists)
	clean, err := schema.Filter(ctx, salesTransformSchema, rows)
	if err != nil {
		return nil, err
	}
	reportSoldArtworks(ctx, clean)
	ctx.Log.Info("transformed sales", "sales", len(sales), "records", len(clean))
	return clean, nil
}

// soldArtworks joins each sale to its artwork and the artwork to its artist; the newest sales come first.
func soldArtworks(sales []Sale, artworks []Artwork, artists []Artist) []SoldArtwork {
	artworksByID, artistsByID := indexBy(artworks, artworkID), indexBy(artists, artistID)
	rows := make([]SoldArtwork, 0, len(sales))
	for _, sale := range sales {
		for _, artwork := range artworksByID.leftJoin(sale.ArtworkID) {
			for _, artist := range artistsByID.leftJoin(artwork.ArtistID) {
				rows = append(rows, SoldArtwork{
					Sale:         sale,
					Title:        artwork.Title,
					ArtistID:     artwork.ArtistID,
					ArtworkYear:  artwork.Year,
					Medium:       artwork.Medium,
					ListPriceUSD: artwork.PriceUSD,
					ArtistName:   displayName(artist.Name),
					Nationality:  artist.Nationality,
					PriceDiff:    priceDiff(sale.SalePriceUSD, artwork.PriceUSD),
					PctChange:    pctChange(sale.SalePriceUSD, artwork.PriceUSD),
				})
			}
		}
	}
	slices.SortStableFunc(rows, func(a, b SoldArtwork) int {
		return cmp.Or(nullsLast(a.SaleDate, b.SaleDate, newestFirst), cmp.Compare(a.SaleID, b.SaleID))
	})
	return rows
}

// displayName is an artist's name in capitals, without the white space around it.
func displayName(name *string) *string {
	if name == nil {
		return nil
	}
	return new(strings.ToUpper(strings.TrimSpace(*name)))
}

// priceDiff is how much more than the list price was paid; null if a price is missing.
func priceDiff(sale, list *int64) *int64 {
	if sale == nil || list == nil {
		return nil
	}
	return new(*sale - *list)
}

// pctChange is the difference in percent of the list price, rounded to one decimal with
// halves away from zero; null if a price is missing or the list price is 0.
//
//	sale  3,000 of list 80,000: -96.25   gives -96.3
//	sale 15,000 of list 80,000: -81.25   gives -81.3
//	sale 79,970 of list 80,000:  -0.0375 gives 0
func pctChange(sale, list *int64) *float64 {
	if sale == nil || list == nil || *list == 0 {
		return nil
	}
	change := float64(*sale-*list) * 100 / float64(*list)
	return new(positiveZero(math.Round(change*10) / 10))
}

// positiveZero turns -0, which rounding a small negative number gives, into 0.
func positiveZero(x float64) float64 {
	if x == 0 {
		return 0
	}
	return x
}

// newestFirst orders ISO dates, which sort as text.
func newestFirst(a, b string) int { return strings.Compare(b, a) }

func reportSoldArtworks(ctx *asset.Context, rows []SoldArtwork) {
	ctx.AddMetadata(table.Preview(rows, 5), metadata.Map{
		"unique_artworks":   uniqueArtworks(rows),
		"total_sales_value": totalPrice(rows),
		"date_range":        dateRange(rows),
	})
}

func uniqueArtworks(rows []SoldArtwork) int {
	ids := map[int64]bool{}
	for _, r := range rows {
		if r.ArtworkID != nil {
			ids[*r.ArtworkID] = true
		}
	}
	return len(ids)
}

// totalPrice sums up what was paid; a missing price counts as nothing.
func totalPrice(rows []SoldArtwork) int64 {
	var total int64
	for _, r := range rows {
		if r.SalePriceUSD != nil {
			total += *r.SalePriceUSD
		}
	}
	return total
}

// dateRange is "2004-01-19 to 2024-11-02", null without dates. The rows are the newest first.
func dateRange(rows []SoldArtwork) *string {
	dated := slices.DeleteFunc(slices.Clone(rows), func(r SoldArtwork) bool { return r.SaleDate == nil })
	if len(dated) == 0 {
		return nil
	}
	return new(*dated[len(dated)-1].SaleDate + " to " + *dated[0].SaleDate)
}
