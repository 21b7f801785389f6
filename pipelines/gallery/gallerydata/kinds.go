package gallerydata

// Kind is what is wrong with a row.
type Kind string

// The kinds of faults. Each row has at most one of its own.
const (
	UnknownArtwork   Kind = "unknown_artwork"
	MissingArtworkID Kind = "missing_artwork_id"
	ZeroPrice        Kind = "zero_price"
	NegativePrice    Kind = "negative_price" // never more than the artwork's other sales brought in
	MissingPrice     Kind = "missing_price"
	MissingDate      Kind = "missing_date"
	FutureDate       Kind = "future_date" // 2090 or later
	ImpossibleDate   Kind = "impossible_date"
	MissingCountry   Kind = "missing_country"
	DuplicateSaleID  Kind = "duplicate_sale_id" // the line that comes second in the file

	NeverSold         Kind = "never_sold"
	WithoutMedia      Kind = "without_media"
	PriceTie          Kind = "price_tie" // sold for the same total as another artwork
	MissingTitle      Kind = "missing_title"
	LineBreak         Kind = "line_break"
	MissingMedium     Kind = "missing_medium"
	MissingYear       Kind = "missing_year"
	MissingListPrice  Kind = "missing_list_price"
	ZeroListPrice     Kind = "zero_list_price"
	NegativeListPrice Kind = "negative_list_price"
	MissingArtistID   Kind = "missing_artist_id"
	UnknownArtist     Kind = "unknown_artist"

	StraySpace         Kind = "stray_space"
	MissingName        Kind = "missing_name"
	MissingNationality Kind = "missing_nationality"
	MissingBirthYear   Kind = "missing_birth_year"

	MediaOfUnknownArtwork Kind = "media_of_unknown_artwork"
	SecondPrimary         Kind = "second_primary" // two media are first in order
	NoPrimary             Kind = "no_primary"     // none is
	MissingSortOrder      Kind = "missing_sort_order"
	MissingAltText        Kind = "missing_alt_text"
	MissingSize           Kind = "missing_size"
)

// Kinds lists every kind, file by file.
func Kinds() []Kind {
	return []Kind{
		UnknownArtwork, MissingArtworkID, ZeroPrice, NegativePrice, MissingPrice, MissingDate, FutureDate, ImpossibleDate,
		MissingCountry, DuplicateSaleID,
		NeverSold, WithoutMedia, PriceTie, MissingTitle, LineBreak, MissingMedium, MissingYear, MissingListPrice,
		ZeroListPrice, NegativeListPrice, MissingArtistID, UnknownArtist,
		StraySpace, MissingName, MissingNationality, MissingBirthYear,
		MediaOfUnknownArtwork, SecondPrimary, NoPrimary, MissingSortOrder, MissingAltText, MissingSize,
	}
}

// finding is a column of a transform and the check that it fails.
type finding struct{ column, check string }

// effect is what a kind of fault does to the transforms' rows: to those of the sales that it
// reaches and of the artworks.
type effect struct{ sale, artwork []finding }

// effects has the kinds that make rows break a schema. A sale takes over what its artwork and
// artist lack; an artwork what its artist lacks. An empty year, birth year or date of creation
// may be empty, and dates are not the schemas' business.
var effects = map[Kind]effect{
	UnknownArtwork: {sale: missing("price_diff", "title", "artist_id", "medium", "list_price_usd", "artist_name", "nationality")},
	MissingArtworkID: {sale: missing("artwork_id", "price_diff", "title", "artist_id", "medium", "list_price_usd", "artist_name",
		"nationality")},
	ZeroPrice:       {sale: notPositive("sale_price_usd")},
	NegativePrice:   {sale: notPositive("sale_price_usd")},
	MissingPrice:    {sale: missing("sale_price_usd", "price_diff")},
	MissingDate:     {sale: missing("sale_date")},
	MissingCountry:  {sale: missing("buyer_country")},
	DuplicateSaleID: {sale: []finding{{"sale_id", "unique"}}},

	MissingTitle:      {sale: missing("title"), artwork: missing("title")},
	MissingMedium:     {sale: missing("medium"), artwork: missing("medium")},
	MissingListPrice:  {sale: missing("list_price_usd", "price_diff"), artwork: missing("list_price_usd")},
	ZeroListPrice:     {sale: notPositive("list_price_usd"), artwork: notPositive("list_price_usd")},
	NegativeListPrice: {sale: notPositive("list_price_usd"), artwork: notPositive("list_price_usd")},
	MissingArtistID:   {sale: missing("artist_id", "artist_name", "nationality"), artwork: missing("artist_name", "nationality")},
	UnknownArtist:     {sale: missing("artist_name", "nationality"), artwork: missing("artist_name", "nationality")},

	MissingName:        {sale: missing("artist_name"), artwork: missing("artist_name")},
	MissingNationality: {sale: missing("nationality"), artwork: missing("nationality")},
}

// brokenRules are the rules of check_sales_data_quality that a line of sales.csv breaks. The
// rules judge values; a field without one breaks none.
var brokenRules = map[Kind][]string{
	UnknownArtwork:  {"known_artwork"},
	ZeroPrice:       {"greater_than(0)"},
	NegativePrice:   {"greater_than(0)"},
	FutureDate:      {"not_in_future"},
	ImpossibleDate:  {"real_date"},
	DuplicateSaleID: {"unique"},
}

func missing(columns ...string) []finding { return failing("not_null", columns) }

func notPositive(column string) []finding { return failing("greater_than(0)", []string{column}) }

func failing(check string, columns []string) []finding {
	var all []finding
	for _, c := range columns {
		all = append(all, finding{c, check})
	}
	return all
}
