package gallerydata

import (
	"cmp"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
)

// fault is a row with something wrong: exactly one of the rows is set.
type fault struct {
	kind     Kind
	sale     *sale
	original *sale // with a duplicate sale id: the line that had it first
	artwork  *artwork
	artist   *artist
	medium   *medium
}

// spoiler plants faults and remembers which rows have one.
type spoiler struct {
	g      *gallery
	random *rand.Rand
	scale  float64
	faults []fault

	// The rows that nothing was done to yet.
	sales    pool[*sale]
	artworks pool[*artwork]
	artists  pool[*artist]
	media    pool[*medium]
}

// spoil plants every kind of fault in g and returns them. NeverSold, WithoutMedia and PriceTie are not
// among them: they are read off the finished gallery, because other faults make some too.
func spoil(g *gallery, random *rand.Rand, scale float64) []fault {
	s := &spoiler{
		g:        g,
		random:   random,
		scale:    scale,
		sales:    newPool(random, g.sales),
		artworks: newPool(random, g.artworks),
		artists:  newPool(random, g.artists),
		media:    newPool(random, g.media),
	}
	// First those that look at several rows, while no row has a fault.
	s.leaveUnsold(60)
	s.leaveWithoutMedia(30)
	s.tie(6)
	s.refund(6)
	s.spoilSales()
	s.spoilArtworks()
	s.spoilArtists()
	s.spoilMedia()
	s.repeat(8)
	return s.faults
}

// pool hands out rows that nothing was done to yet.
type pool[R comparable] struct {
	rows    []R // shuffled
	touched map[R]bool
}

func newPool[R comparable](random *rand.Rand, rows []R) pool[R] {
	shuffled := slices.Clone(rows)
	random.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	return pool[R]{shuffled, map[R]bool{}}
}

// take hands out n rows that fit, fewer if there are fewer; a nil fit takes any. Rows that are
// touched meanwhile are passed over.
func (p pool[R]) take(n int, fit func(R) bool) iter.Seq[R] {
	return func(yield func(R) bool) {
		for _, r := range p.rows {
			if n == 0 {
				return
			}
			if p.touched[r] || (fit != nil && !fit(r)) {
				continue
			}
			p.touched[r] = true
			n--
			if !yield(r) {
				return
			}
		}
	}
}

// times is how many faults there are of a kind that scale 1 has n of; at least one.
func (s *spoiler) times(n int) int { return max(1, int(math.Round(float64(n)*s.scale))) }

// salesOf returns the sales of each artwork.
func (g *gallery) salesOf() map[int64][]*sale {
	of := map[int64][]*sale{}
	for _, s := range g.sales {
		if s.artworkID != nil {
			of[*s.artworkID] = append(of[*s.artworkID], s)
		}
	}
	return of
}

// leaveUnsold has others sold instead of n artworks.
func (s *spoiler) leaveUnsold(n int) {
	of := s.g.salesOf()
	for _, a := range slices.Collect(s.artworks.take(s.times(n), nil)) {
		for _, sold := range of[a.id] {
			other := s.anyOther()
			sold.artworkID, sold.priceUSD = &other.id, new(salePrice(s.random, other))
		}
	}
}

// leaveWithoutMedia has n artworks' media made of others instead.
func (s *spoiler) leaveWithoutMedia(n int) {
	of := map[int64][]*medium{}
	for _, m := range s.g.media {
		of[*m.artworkID] = append(of[*m.artworkID], m)
	}
	for _, a := range slices.Collect(s.artworks.take(s.times(n), nil)) {
		for _, m := range of[a.id] {
			other := s.anyOther()
			of[other.id] = append(of[other.id], m)
			id := m.id
			*m = *photo(s.random, other, int64(len(of[other.id])))
			m.id = id
		}
	}
}

// anyOther returns an artwork that nothing was done to, and leaves it so.
func (s *spoiler) anyOther() *artwork {
	for {
		if a := pick(s.random, s.g.artworks); !s.artworks.touched[a] {
			return a
		}
	}
}

// tie gives n pairs of artworks, sold once each, the same list price and the same sale.
func (s *spoiler) tie(n int) {
	of := s.g.salesOf()
	once := slices.Collect(s.artworks.take(2*s.times(n), func(a *artwork) bool { return len(of[a.id]) == 1 }))
	for i := 0; i+1 < len(once); i += 2 {
		one, two := of[once[i].id][0], of[once[i+1].id][0]
		once[i+1].priceUSD, two.priceUSD = once[i].priceUSD, one.priceUSD
		s.sales.touched[one], s.sales.touched[two] = true, true
	}
}

// refund makes n sales negative, of artworks whose other sales brought in more and stay as they are.
func (s *spoiler) refund(n int) {
	of := s.g.salesOf()
	oneOfSeveral := func(x *sale) bool {
		siblings := of[*x.artworkID]
		return len(siblings) > 1 && !slices.ContainsFunc(siblings, func(x *sale) bool { return s.sales.touched[x] })
	}
	for refunded := range s.sales.take(s.times(n), oneOfSeveral) {
		var others int64
		for _, x := range of[*refunded.artworkID] {
			if x != refunded {
				others += *x.priceUSD
			}
			s.sales.touched[x] = true
		}
		refunded.priceUSD = new(-others / (2 + s.random.Int64N(8)))
		s.faults = append(s.faults, fault{kind: NegativePrice, sale: refunded})
	}
}

func (s *spoiler) spoilSales() {
	of := s.g.salesOf()
	unknown := func() *int64 { return new(int64(1001+len(s.g.artworks)) + s.random.Int64N(1_000)) }
	spoil := func(n int, kind Kind, do func(*sale)) {
		for x := range s.sales.take(s.times(n), nil) {
			do(x)
			s.faults = append(s.faults, fault{kind: kind, sale: x})
		}
	}
	// At least one artwork has sales but not a price.
	for x := range s.sales.take(1, func(x *sale) bool { return len(of[*x.artworkID]) == 1 }) {
		x.priceUSD = nil
		s.faults = append(s.faults, fault{kind: MissingPrice, sale: x})
	}
	spoil(5, MissingPrice, func(x *sale) { x.priceUSD = nil })
	spoil(5, ZeroPrice, func(x *sale) { x.priceUSD = new(int64(0)) })
	spoil(10, UnknownArtwork, func(x *sale) { x.artworkID = unknown() })
	spoil(3, MissingArtworkID, func(x *sale) { x.artworkID = nil })
	spoil(4, MissingDate, func(x *sale) { x.date = nil })
	spoil(5, MissingCountry, func(x *sale) { x.country = nil })
	spoil(4, FutureDate, func(x *sale) { x.date = new("209" + (*x.date)[3:]) })
	spoil(3, ImpossibleDate, func(x *sale) { x.date = new((*x.date)[:5] + pick(s.random, []string{"02-30", "04-31", "13-01"})) })
}

func (s *spoiler) spoilArtworks() {
	spoil := func(n int, kind Kind, do func(*artwork)) {
		for a := range s.artworks.take(s.times(n), nil) {
			do(a)
			s.faults = append(s.faults, fault{kind: kind, artwork: a})
		}
	}
	spoil(5, MissingTitle, func(a *artwork) { a.title = nil })
	spoil(4, LineBreak, func(a *artwork) { a.title = new(*a.title + "\n(" + pick(s.random, moods) + " series)") })
	spoil(3, MissingMedium, func(a *artwork) { a.medium = nil })
	spoil(12, MissingYear, func(a *artwork) { a.year = nil })
	spoil(5, MissingListPrice, func(a *artwork) { a.priceUSD = nil })
	spoil(2, ZeroListPrice, func(a *artwork) { a.priceUSD = new(int64(0)) })
	spoil(1, NegativeListPrice, func(a *artwork) { a.priceUSD = new(-*a.priceUSD) })
	spoil(3, MissingArtistID, func(a *artwork) { a.artistID = nil })
	spoil(3, UnknownArtist, func(a *artwork) { a.artistID = new(int64(len(s.g.artists)) + 1 + s.random.Int64N(100)) })
}

func (s *spoiler) spoilArtists() {
	spoil := func(n int, kind Kind, do func(*artist)) {
		for a := range s.artists.take(s.times(n), nil) {
			do(a)
			s.faults = append(s.faults, fault{kind: kind, artist: a})
		}
	}
	spoil(5, StraySpace, func(a *artist) {
		a.name = new(pick(s.random, []string{"", " ", "\t"}) + *a.name + pick(s.random, []string{" ", "   ", "\u00a0", " \n"}))
	})
	spoil(1, MissingName, func(a *artist) { a.name = nil })
	spoil(1, MissingNationality, func(a *artist) { a.nationality = nil })
	spoil(2, MissingBirthYear, func(a *artist) { a.birthYear = nil })
}

func (s *spoiler) spoilMedia() {
	spoil := func(n int, kind Kind, fit func(*medium) bool, do func(*medium)) {
		for m := range s.media.take(s.times(n), fit) {
			do(m)
			s.faults = append(s.faults, fault{kind: kind, medium: m})
		}
	}
	at := func(order int64) func(*medium) bool { return func(m *medium) bool { return *m.sortOrder == order } }
	spoil(8, NoPrimary, at(1), func(m *medium) { m.sortOrder = new(int64(9)) })
	spoil(8, SecondPrimary, at(2), func(m *medium) { m.sortOrder = new(int64(1)) })
	spoil(5, MissingSortOrder, at(3), func(m *medium) { m.sortOrder = nil })
	spoil(15, MissingAltText, nil, func(m *medium) { m.alt = nil })
	spoil(6, MissingSize, nil, func(m *medium) { m.width, m.height, m.kb = nil, nil, nil })
	spoil(6, MediaOfUnknownArtwork, nil, func(m *medium) { m.artworkID = new(int64(1001+len(s.g.artworks)) + s.random.Int64N(1_000)) })
}

// repeat writes n sales a second time further down the file, every other one with a corrected date and price.
func (s *spoiler) repeat(n int) {
	corrected := false
	for original := range s.sales.take(s.times(n), nil) {
		again := *original
		if corrected {
			year := pick(s.random, []string{"2003", "2025"}) // before and after every other sale
			again.date, again.priceUSD = new(year+(*original.date)[4:]), new(*original.priceUSD+1_000)
		}
		corrected = !corrected
		again.place += 0.5 + s.random.Float64()*float64(len(s.g.sales))
		s.g.sales = append(s.g.sales, &again)
		s.faults = append(s.faults, fault{kind: DuplicateSaleID, sale: &again, original: original})
	}
	slices.SortStableFunc(s.g.sales, func(a, b *sale) int { return cmp.Compare(a.place, b.place) })
}
