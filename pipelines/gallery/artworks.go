package gallery

import (
	"cmp"
	"math"
	"slices"

	"waggle/shared/asset"
	"waggle/shared/metadata"
	"waggle/shared/schema"
	"waggle/shared/table"
)

// CatalogArtwork is a row of artworks_transform: an artwork with its sales and its media.
type CatalogArtwork struct {
	ArtworkID       int64
	Title           *string
	Year            *int64
	Medium          *string
	ListPriceUSD    *int64
	ArtistName      *string
	Nationality     *string
	SaleCount       int64
	TotalSalesValue int64
	AvgSalePrice    *float64
	FirstSaleDate   *string
	LastSaleDate    *string
	HasSold         bool
	PriceTier       string
	SalesRank       int64
	PrimaryImage    *string
	PrimaryImageAlt *string
	MediaCount      int64
	Media           []ListedMedium
}

// ListedMedium is a medium as the catalog lists it under its artwork.
type ListedMedium struct {
	SortOrder  *int64
	Filename   *string
	MediaType  *string
	FileFormat *string
	WidthPx    *int64
	HeightPx   *int64
	FileSizeKB *int64
	AltText    *string
}

var artworksTransform = asset.New4("artworks_transform", transformArtworks, artworksRaw, artistsRaw, salesRaw, mediaRaw, &asset.Options{
	Group:       "transform",
	Kinds:       []string{"go"},
	Description: "Every artwork with its artist, its sales and its media; the best sold first.",
})

func transformArtworks(ctx *asset.Context, artworks []Artwork, artists []Artist, sales []Sale, media []Medium) ([]CatalogArtwork, error) {
	defer ctx.Time("transformation").Stop()

	rows := catalog(artworks, artists, sales, media)
	clean, err := schema.Filter(ctx, artworksTransformSchema, rows)
	if err != nil {
		return nil, err
	}
	reportCatalog(ctx, clean)
	ctx.Log.Info("transformed artworks", "artworks", len(artworks), "records", len(clean))
	return clean, nil
}

// catalog joins each artwork to its artist and adds the figures of its sales, once however
// often it or its artist is listed, and its media; the best sold come first.
func catalog(artworks []Artwork, artists []Artist, sales []Sale, media []Medium) []CatalogArtwork {
	artistsByID := indexBy(artists, artistID)
	figuresByID := salesFigures(sales)
	mediaByID := indexBy(inOrder(media), pictured)

	rows := make([]CatalogArtwork, 0, len(artworks))
	for _, artwork := range artworks {
		figures := figuresByID[artwork.ArtworkID]
		shown := mediaByID[artwork.ArtworkID]
		primary := primaryImage(shown)
		for _, artist := range artistsByID.leftJoin(artwork.ArtistID) {
			rows = append(rows, CatalogArtwork{
				ArtworkID:       artwork.ArtworkID,
				Title:           artwork.Title,
				Year:            artwork.Year,
				Medium:          artwork.Medium,
				ListPriceUSD:    artwork.PriceUSD,
				ArtistName:      displayName(artist.Name),
				Nationality:     artist.Nationality,
				SaleCount:       figures.count,
				TotalSalesValue: figures.total,
				AvgSalePrice:    figures.average(),
				FirstSaleDate:   figures.first,
				LastSaleDate:    figures.last,
				HasSold:         figures.count > 0,
				PriceTier:       priceTier(artwork.PriceUSD),
				PrimaryImage:    primary.Filename,
				PrimaryImageAlt: primary.AltText,
				MediaCount:      int64(len(shown)),
				Media:           listed(shown),
			})
		}
	}
	slices.SortStableFunc(rows, func(a, b CatalogArtwork) int {
		return cmp.Or(cmp.Compare(b.TotalSalesValue, a.TotalSalesValue), cmp.Compare(a.ArtworkID, b.ArtworkID))
	})
	rank(rows)
	return rows
}

// figures are the sales of one artwork in numbers.
type figures struct {
	count       int64 // sales
	priced      int64 // those with a price
	total       int64
	first, last *string // dates
}

// salesFigures adds up the sales of each artwork, also free, refunded, repeated and future ones.
func salesFigures(sales []Sale) map[int64]figures {
	byID := map[int64]figures{}
	for _, s := range sales {
		if s.ArtworkID == nil {
			continue
		}
		f := byID[*s.ArtworkID]
		f.count++
		if s.SalePriceUSD != nil {
			f.priced++
			f.total += *s.SalePriceUSD
		}
		if s.SaleDate != nil {
			if f.first == nil || *s.SaleDate < *f.first {
				f.first = s.SaleDate
			}
			if f.last == nil || *s.SaleDate > *f.last {
				f.last = s.SaleDate
			}
		}
		byID[*s.ArtworkID] = f
	}
	return byID
}

// average is the average price in whole dollars, halves away from zero; null without a price.
//
//	1 + 2 dollars in 2 sales: 1.5 gives 2
func (f figures) average() *float64 {
	if f.priced == 0 {
		return nil
	}
	return new(positiveZero(math.Round(float64(f.total) / float64(f.priced))))
}

// The price tiers. An artwork without a list price is premium: its price is on request.
const (
	budget  = "budget"  // below 500,000 dollars
	mid     = "mid"     // below 3,000,000
	premium = "premium" // the rest
)

func priceTier(list *int64) string {
	switch {
	case list == nil:
		return premium
	case *list < 500_000:
		return budget
	case *list < 3_000_000:
		return mid
	default:
		return premium
	}
}

// rank numbers sorted rows by their sales: 1, 2, 2, 4 where two are equal.
func rank(rows []CatalogArtwork) {
	for i := range rows {
		if i > 0 && rows[i].TotalSalesValue == rows[i-1].TotalSalesValue {
			rows[i].SalesRank = rows[i-1].SalesRank
		} else {
			rows[i].SalesRank = int64(i + 1)
		}
	}
}

// inOrder sorts media by their place in the order, those without one last, then by id.
func inOrder(media []Medium) []Medium {
	sorted := slices.Clone(media) // inputs are read-only
	slices.SortStableFunc(sorted, func(a, b Medium) int {
		return cmp.Or(nullsLast(a.SortOrder, b.SortOrder, cmp.Compare[int64]), cmp.Compare(a.MediaID, b.MediaID))
	})
	return sorted
}

// primaryImage is the first of the sorted media with place 1; an empty one if there is none.
func primaryImage(media []Medium) Medium {
	for _, m := range media {
		if m.SortOrder != nil && *m.SortOrder == 1 {
			return m
		}
	}
	return Medium{}
}

func listed(media []Medium) []ListedMedium {
	var list []ListedMedium // null without media
	for _, m := range media {
		list = append(list, ListedMedium{
			SortOrder:  m.SortOrder,
			Filename:   m.Filename,
			MediaType:  m.MediaType,
			FileFormat: m.FileFormat,
			WidthPx:    m.WidthPx,
			HeightPx:   m.HeightPx,
			FileSizeKB: m.FileSizeKB,
			AltText:    m.AltText,
		})
	}
	return list
}

func reportCatalog(ctx *asset.Context, rows []CatalogArtwork) {
	var sold, pictured int
	var value int64
	for _, r := range rows {
		if r.HasSold {
			sold++
		}
		if r.MediaCount > 0 {
			pictured++
		}
		if r.ListPriceUSD != nil {
			value += *r.ListPriceUSD
		}
	}
	ctx.AddMetadata(table.Preview(rows, 5), metadata.Map{
		"artworks_sold":       sold,
		"artworks_unsold":     len(rows) - sold,
		"artworks_with_media": pictured,
		"total_catalog_value": value,
	})
}
