package gallery

// index finds rows by an id. Ids may occur twice; the rows of one keep their order.
type index[R any] map[int64][]R

// indexBy indexes rows by an id, leaving out those without one.
func indexBy[R any](rows []R, id func(R) *int64) index[R] {
	x := index[R]{}
	for _, r := range rows {
		if key := id(r); key != nil {
			x[*key] = append(x[*key], r)
		}
	}
	return x
}

// leftJoin returns the rows with an id or, where there is none, one empty row, so that what is on
// the left is kept.
func (x index[R]) leftJoin(id *int64) []R {
	if id != nil && len(x[*id]) > 0 {
		return x[*id]
	}
	return make([]R, 1)
}

func artworkID(a Artwork) *int64 { return &a.ArtworkID }
func artistID(a Artist) *int64   { return &a.ArtistID }
func pictured(m Medium) *int64   { return m.ArtworkID }
