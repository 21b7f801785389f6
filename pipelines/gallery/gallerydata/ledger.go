package gallerydata

import (
	"bytes"
	"cmp"
	"encoding/json"
	"math"
	"os"
	"slices"
)

// LedgerFile is the name of the ledger beside the data.
const LedgerFile = "ledger.json"

// Ledger is what is wrong with the data, file by file and line by line.
type Ledger struct {
	Seed   uint64  `json:"seed"`
	Scale  float64 `json:"scale"`
	Clean  bool    `json:"clean"`
	Faults []Fault `json:"faults"`
}

// Fault is a row with something wrong, and what comes of it.
type Fault struct {
	// File is the name of the file.
	File string `json:"file"`
	// Line is the line of the file on which the record starts; the header is line 1. In media.db
	// it is the media_id.
	Line int `json:"line"`
	// Kind is what is wrong.
	Kind Kind `json:"kind"`
	// LeadsTo are the failures of the two transforms' schemas that the fault causes, knock-ons included. Two faults
	// can cause the same failure. Never null.
	LeadsTo []Failure `json:"leads_to"`
	// DataQuality are the rules of check_sales_data_quality that the line breaks.
	DataQuality []string `json:"data_quality,omitempty"`
}

// Failure is a row of a transform, counted from 0 before any row is filtered out, with the
// column and the check that it fails.
type Failure struct {
	Asset  string `json:"asset"`
	Row    int    `json:"row"`
	Column string `json:"column"`
	Check  string `json:"check"`
}

// ReadLedger reads the ledger of a folder that Generate wrote.
func ReadLedger(text []byte) (Ledger, error) {
	var l Ledger
	err := json.Unmarshal(text, &l)
	return l, err
}

// write stores the ledger with one fault a line.
func (l Ledger) write(path string) error {
	head, err := json.Marshal(Ledger{Seed: l.Seed, Scale: l.Scale, Clean: l.Clean, Faults: []Fault{}})
	if err != nil {
		return err
	}
	var text bytes.Buffer
	text.Write(bytes.TrimSuffix(head, []byte("]}")))
	for i, f := range l.Faults {
		line, err := json.Marshal(f)
		if err != nil {
			return err
		}
		if i > 0 {
			text.WriteByte(',')
		}
		text.WriteByte('\n')
		text.Write(line)
	}
	text.WriteString("\n]}\n")
	return os.WriteFile(path, text.Bytes(), 0o644)
}

// ledger writes down the planted faults, and those that can be read off the finished gallery.
func (g *gallery) ledger(o Options, planted []fault, at lines) Ledger {
	l := Ledger{Seed: o.Seed, Scale: o.Scale, Clean: o.Clean, Faults: []Fault{}}
	rows := g.rows()
	for _, f := range append(planted, g.visible()...) {
		file, line := at.of(f)
		l.Faults = append(l.Faults, Fault{
			File:        file,
			Line:        line,
			Kind:        f.kind,
			LeadsTo:     rows.failures(f),
			DataQuality: brokenRules[f.kind],
		})
	}
	slices.SortFunc(l.Faults, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Kind, b.Kind))
	})
	return l
}

// visible returns the artworks that are unsold, without media, or sold for the same total as another.
func (g *gallery) visible() []fault {
	of, totals, media := g.salesOf(), g.totals(), map[int64]bool{}
	sharing := map[int64]int{} // sold artworks with this total
	for _, a := range g.artworks {
		if len(of[a.id]) > 0 {
			sharing[totals[a.id]]++
		}
	}
	for _, m := range g.media {
		media[*m.artworkID] = true
	}
	var faults []fault
	for _, a := range g.artworks {
		switch {
		case len(of[a.id]) == 0:
			faults = append(faults, fault{kind: NeverSold, artwork: a})
		case sharing[totals[a.id]] > 1:
			faults = append(faults, fault{kind: PriceTie, artwork: a})
		}
		if !media[a.id] {
			faults = append(faults, fault{kind: WithoutMedia, artwork: a})
		}
	}
	return faults
}

// totals returns the sum of each artwork's sales.
func (g *gallery) totals() map[int64]int64 {
	totals := map[int64]int64{}
	for _, s := range g.sales {
		if s.artworkID != nil && s.priceUSD != nil {
			totals[*s.artworkID] += *s.priceUSD
		}
	}
	return totals
}

// rows knows which row of the transforms a sale and an artwork become: one each, because no
// artwork and no artist is listed twice.
type rows struct {
	sale    map[*sale]int
	artwork map[*artwork]int

	salesOf    map[int64][]*sale
	artworksOf map[int64][]*artwork
}

func (g *gallery) rows() rows {
	r := rows{
		sale:       map[*sale]int{},
		artwork:    map[*artwork]int{},
		salesOf:    g.salesOf(),
		artworksOf: map[int64][]*artwork{},
	}

	sales := slices.Clone(g.sales)
	slices.SortStableFunc(sales, func(a, b *sale) int {
		return cmp.Or(cmp.Compare(orEmpty(b.date), orEmpty(a.date)), cmp.Compare(a.id, b.id))
	})
	for i, s := range sales {
		r.sale[s] = i
	}

	totals := g.totals()
	artworks := slices.Clone(g.artworks)
	slices.SortStableFunc(artworks, func(a, b *artwork) int {
		return cmp.Or(cmp.Compare(totals[b.id], totals[a.id]), cmp.Compare(a.id, b.id))
	})
	for i, a := range artworks {
		r.artwork[a] = i
	}
	for _, a := range g.artworks {
		if a.artistID != nil {
			r.artworksOf[*a.artistID] = append(r.artworksOf[*a.artistID], a)
		}
	}
	return r
}

// failures follows a fault to the rows it reaches: its own, those of an artwork's sales, those of
// an artist's artworks and their sales.
func (r rows) failures(f fault) []Failure {
	failures := []Failure{}
	add := func(asset string, row int, found []finding) {
		for _, c := range found {
			failures = append(failures, Failure{asset, row, c.column, c.check})
		}
	}
	does := effects[f.kind]
	addArtwork := func(a *artwork) {
		add("artworks_transform", r.artwork[a], does.artwork)
		for _, s := range r.salesOf[a.id] {
			add("sales_transform", r.sale[s], does.sale)
		}
	}
	switch {
	case f.original != nil: // the schema sees the rows in the transform's order
		add("sales_transform", max(r.sale[f.sale], r.sale[f.original]), does.sale)
	case f.sale != nil:
		add("sales_transform", r.sale[f.sale], does.sale)
	case f.artwork != nil:
		addArtwork(f.artwork)
	case f.artist != nil:
		for _, a := range r.artworksOf[f.artist.id] {
			addArtwork(a)
		}
	}
	slices.SortStableFunc(failures, func(a, b Failure) int {
		return cmp.Or(cmp.Compare(b.Asset, a.Asset), cmp.Compare(a.Row, b.Row)) // sales first
	})
	return failures
}

func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// lines knows where each row is in its file.
type lines struct {
	sale    map[*sale]int
	artwork map[*artwork]int
	artist  map[*artist]int
}

func (l lines) of(f fault) (file string, line int) {
	switch {
	case f.sale != nil:
		return SalesFile, l.sale[f.sale]
	case f.artwork != nil:
		return ArtworksFile, l.artwork[f.artwork]
	case f.artist != nil:
		return ArtistsFile, l.artist[f.artist]
	case f.medium != nil:
		return MediaFile, int(f.medium.id)
	}
	return "", math.MinInt
}
