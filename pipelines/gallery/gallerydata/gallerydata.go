// Package gallerydata makes up the inputs of the sample pipeline: a gallery's sales, artworks,
// artists and media, with the faults that real sources have, and a ledger that names each fault
// and what must come of it.
//
// Everything hangs on the seed: the same options make the same bytes on any machine. The package
// knows the pipeline's rules only by what the ledger says of them and imports nothing of ours.
package gallerydata

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// Shipped are the options of the data in pipelines/gallery/data.
var Shipped = Options{Seed: 1, Scale: 1}

// Options say which gallery to make up. The zero value is the gallery of seed 0.
type Options struct {
	// Seed picks the gallery; every number is as good as another.
	Seed uint64
	// Scale multiplies the number of rows and faults: 1 is about 500 sales of 400 artworks by 40
	// artists with 1,100 media. At least 0.1, so that every kind of fault has room. 0 means 1.
	Scale float64
	// Clean leaves every fault out: all artworks are sold, pictured and priced apart.
	Clean bool
}

// Generate writes sales.csv, artworks.csv, artists.csv, media.db and ledger.json into dir, which
// is created if it is missing. Files of these names are replaced.
func Generate(dir string, o Options) error {
	if o.Scale == 0 {
		o.Scale = 1
	}
	if !(o.Scale >= 0.1) {
		return fmt.Errorf("generate gallery: scale %v is too small for every fault to occur: use 0.1 or more", o.Scale)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("generate gallery: %w", err)
	}

	random := rand.New(rand.NewPCG(o.Seed, 0))
	g := tidyGallery(random, o.Scale)
	var planted []fault
	if !o.Clean {
		planted = spoil(g, random, o.Scale)
	}

	lines, err := g.write(dir)
	if err != nil {
		return fmt.Errorf("generate gallery: %w", err)
	}
	ledger := g.ledger(o, planted, lines)
	if err := ledger.write(filepath.Join(dir, LedgerFile)); err != nil {
		return fmt.Errorf("generate gallery: %w", err)
	}
	return nil
}
