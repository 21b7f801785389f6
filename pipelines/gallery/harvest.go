package gallery

import (
	"waggle/shared/asset"
	"waggle/shared/metadata"
	"waggle/shared/table"
)

// Sale is a line of sales.csv. Its columns are the fields in snake case; a pointer may be empty.
type Sale struct {
	SaleID       int64
	ArtworkID    *int64
	SaleDate     *string
	SalePriceUSD *int64
	BuyerCountry *string
}

// Artwork is a line of artworks.csv.
type Artwork struct {
	ArtworkID int64
	Title     *string
	ArtistID  *int64
	Year      *int64
	Medium    *string
	PriceUSD  *int64
}

// Artist is a line of artists.csv.
type Artist struct {
	ArtistID    int64
	Name        *string
	Nationality *string
	BirthYear   *int64
}

// Medium is a row of the table media in media.db: a picture or a film of an artwork.
type Medium struct {
	MediaID     int64
	ArtworkID   *int64
	SortOrder   *int64
	Filename    *string
	MediaType   *string
	FileFormat  *string
	WidthPx     *int64
	HeightPx    *int64
	FileSizeKB  *int64
	AltText     *string
	CreatedDate *string
}

var salesRaw = asset.New1("sales_raw", readCSV[Sale]("sales.csv"), config, harvested("csv", "The sales as the gallery sent them."))

var artworksRaw = asset.New1("artworks_raw", readCSV[Artwork]("artworks.csv"), config, harvested("csv", "The catalog of artworks."))

var artistsRaw = asset.New1("artists_raw", readCSV[Artist]("artists.csv"), config, harvested("csv", "The artists of the catalog."))

var mediaRaw = asset.New1("media_raw", readMedia, config, harvested("sqlite", "Pictures and films of the artworks."))

func harvested(kind, description string) *asset.Options {
	return &asset.Options{Group: "harvest", Kinds: []string{kind}, Description: description}
}

// readCSV makes the function of an asset that reads a file of the input folder.
func readCSV[R any](file string) func(*asset.Context, Config) ([]R, error) {
	return func(ctx *asset.Context, cfg Config) ([]R, error) {
		rows, err := table.ReadCSV[R](ctx, cfg.inputs(), file)
		if err != nil {
			return nil, err
		}
		reportHarvest(ctx, rows, cfg.inputs().Path(file))
		return rows, nil
	}
}

func readMedia(ctx *asset.Context, cfg Config) ([]Medium, error) {
	rows, err := table.ReadSQLite[Medium](ctx, cfg.inputs(), "media.db", "media")
	if err != nil {
		return nil, err
	}
	reportHarvest(ctx, rows, cfg.inputs().Path("media.db"))
	return rows, nil
}

func reportHarvest[R any](ctx *asset.Context, rows []R, source string) {
	ctx.AddMetadata(table.Preview(rows, 5), metadata.Map{"source": metadata.Path(source)})
	ctx.Log.Info("harvested", "source", source, "records", len(rows))
}
