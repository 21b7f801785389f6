package gallerydata

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"
)

// gallery is the data before it is written. Rows are pointers, so that a fault can name its row
// wherever sorting puts it; a nil field is an empty one.
type gallery struct {
	artists  []*artist
	artworks []*artwork
	sales    []*sale
	media    []*medium
}

type artist struct {
	id                int64
	name, nationality *string
	birthYear         *int64
}

type artwork struct {
	id                       int64
	title, medium            *string
	artistID, year, priceUSD *int64
}

type sale struct {
	id                  int64
	artworkID, priceUSD *int64
	date, country       *string
	place               float64 // where in the file; between two places a copy can be put
}

type medium struct {
	id                                      int64
	artworkID, sortOrder, width, height, kb *int64
	filename, kind, format, alt, created    *string
}

// tidyGallery makes a gallery without a fault: every artwork has a sale and a picture, and no two
// share a list price or a total of sales.
func tidyGallery(random *rand.Rand, scale float64) *gallery {
	g := &gallery{}
	times := func(n int) int { return int(math.Round(float64(n) * scale)) }
	g.hireArtists(random, times(40))
	g.hangArtworks(random, times(400))
	g.sell(random, times(500))
	g.photograph(random, times(1100))
	return g
}

func (g *gallery) hireArtists(random *rand.Rand, n int) {
	for i := range n {
		g.artists = append(g.artists, &artist{
			id:          int64(i + 1),
			name:        new(pick(random, firstNames) + " " + pick(random, lastNames)),
			nationality: new(pick(random, nationalities)),
			birthYear:   new(1860 + random.Int64N(90)),
		})
	}
}

func (g *gallery) hangArtworks(random *rand.Rand, n int) {
	apart := newApart()
	for i := range n {
		by := g.artists[i%len(g.artists)] // everyone has work, in no particular order of ids
		if i >= len(g.artists) {
			by = pick(random, g.artists)
		}
		price := apart.from(listPrice(random, i))
		g.artworks = append(g.artworks, &artwork{
			id:       int64(1001 + i),
			title:    new(title(random)),
			medium:   new(pick(random, mediums)),
			artistID: &by.id,
			year:     new(*by.birthYear + 20 + random.Int64N(34)), // before the first sale
			priceUSD: &price,
		})
	}
}

// borderPrices are the list prices on either side of a change of price tier.
var borderPrices = []int64{499_999, 500_000, 2_999_999, 3_000_000}

// listPrice spreads prices evenly over the orders of magnitude from 5,000 to 120 million dollars;
// the first artworks have the prices at the borders of the tiers.
func listPrice(random *rand.Rand, i int) int64 {
	if i < len(borderPrices) {
		return borderPrices[i]
	}
	magnitudes := []int64{5_000, 20_000, 80_000, 320_000, 1_000_000, 4_000_000, 12_000_000, 40_000_000}
	low := pick(random, magnitudes)
	return roundTo(low+random.Int64N(2*low), low/20)
}

func (g *gallery) sell(random *rand.Rand, n int) {
	days := auctionDays(random)
	var of []*artwork // what is sold, each at least once
	for i := range n {
		if i < len(g.artworks) {
			of = append(of, g.artworks[i])
		} else {
			of = append(of, pick(random, g.artworks))
		}
	}
	random.Shuffle(len(of), func(i, j int) { of[i], of[j] = of[j], of[i] })

	for i, a := range of {
		g.sales = append(g.sales, &sale{
			id:        int64(20_001 + i),
			artworkID: &a.id,
			date:      new(pick(random, days)),
			priceUSD:  new(salePrice(random, a)),
			country:   new(pick(random, countries)),
			place:     float64(i),
		})
	}
	g.tellTotalsApart()
}

// salePrice is between 60 % and 160 % of the list price.
func salePrice(random *rand.Rand, a *artwork) int64 {
	return roundTo(*a.priceUSD*(60+random.Int64N(101))/100, 250)
}

// tellTotalsApart raises sales until no two artworks have the same total.
func (g *gallery) tellTotalsApart() {
	totals, last := map[int64]int64{}, map[int64]*sale{}
	for _, s := range g.sales {
		totals[*s.artworkID] += *s.priceUSD
		last[*s.artworkID] = s
	}
	apart := newApart()
	for _, a := range g.artworks {
		*last[a.id].priceUSD += apart.from(totals[a.id]) - totals[a.id]
	}
}

// apart gives out numbers, each once.
type apart struct {
	taken map[int64]bool
	next  map[int64]int64 // where to look for a number that was asked for before
}

func newApart() apart { return apart{map[int64]bool{}, map[int64]int64{}} }

// from returns the first number from n upwards that was not given out.
func (a apart) from(n int64) int64 {
	free := max(n, a.next[n])
	for a.taken[free] {
		free++
	}
	a.taken[free], a.next[n] = true, free+1
	return free
}

// auctionDays are the days on which the gallery sells, so that many sales share a date.
func auctionDays(random *rand.Rand) []string {
	var days []string
	for range 120 {
		days = append(days, fmt.Sprintf("%d-%02d-%02d", 2004+random.IntN(21), 1+random.IntN(12), 1+random.IntN(28)))
	}
	return days
}

func (g *gallery) photograph(random *rand.Rand, n int) {
	taken := map[int64]int64{}
	for i := range n {
		a := g.artworks[i%len(g.artworks)]
		if i >= len(g.artworks) {
			a = pick(random, g.artworks)
		}
		taken[a.id]++
		g.media = append(g.media, photo(random, a, taken[a.id]))
	}
	random.Shuffle(len(g.media), func(i, j int) { g.media[i], g.media[j] = g.media[j], g.media[i] })
	for i, m := range g.media {
		m.id = int64(i + 1)
	}
}

func photo(random *rand.Rand, a *artwork, view int64) *medium {
	m := &medium{
		artworkID: &a.id,
		sortOrder: new(view),
		width:     new(800 + random.Int64N(5_200)),
		height:    new(800 + random.Int64N(5_200)),
		kb:        new(90 + random.Int64N(9_000)),
		kind:      new("image"),
		format:    new(pick(random, []string{"jpg", "jpg", "jpg", "png", "tiff"})),
		alt:       new(fmt.Sprintf("%s, %s", *a.title, views[int(view-1)%len(views)])),
		created:   new(time.Date(2015, 1, 1+random.IntN(10*365), 0, 0, 0, 0, time.UTC).Format(time.DateOnly)),
	}
	if view > 2 && random.IntN(6) == 0 {
		m.kind, m.format = new("video"), new("mp4")
	}
	m.filename = new(fmt.Sprintf("artwork_%d_%d.%s", a.id, view, *m.format))
	return m
}

// title puts a title together from our own words, some with the characters that formats trip over.
func title(random *rand.Rand) string {
	thing, other := pick(random, things), pick(random, things)
	switch random.IntN(10) {
	case 0:
		return fmt.Sprintf("%s & %s", thing, other)
	case 1:
		return fmt.Sprintf("%s, %s", thing, pick(random, places))
	case 2:
		return fmt.Sprintf(`The "%s" of %s`, thing, pick(random, places))
	case 3:
		return fmt.Sprintf("%s with %s", thing, strings.ToLower(other))
	case 4:
		return fmt.Sprintf("%s No. %d", thing, 1+random.IntN(40))
	case 5:
		return fmt.Sprintf("%s | %s <%d>", thing, other, 1+random.IntN(9))
	default:
		return fmt.Sprintf("%s %s", pick(random, moods), thing)
	}
}

func pick[T any](random *rand.Rand, from []T) T { return from[random.IntN(len(from))] }

// roundTo rounds down to a multiple of step.
func roundTo(n, step int64) int64 { return n - n%step }
