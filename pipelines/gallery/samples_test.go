package gallery

import (
	"path/filepath"
	"strconv"
	"testing"

	"waggle/pipelines/gallery/gallerydata"
)

// eachSample calls a test with folders of inputs: the shipped one, galleries of 200 seeds with every kind of
// fault in each, and 20 clean ones. They are made and tested in four goroutines.
func eachSample(t *testing.T, test func(t *testing.T, dir string)) {
	t.Run("shipped", func(t *testing.T) {
		t.Parallel()
		test(t, "data")
	})
	eachSeed(t, 220, func(t *testing.T, dir string, seed uint64) {
		o := gallerydata.Options{Seed: seed, Scale: 0.1, Clean: seed%11 == 10}
		if err := gallerydata.Generate(dir, o); err != nil {
			t.Fatal(err)
		}
		test(t, dir)
	})
}

// eachSeed calls a test with the seeds from 0 to n-1 and a folder for each.
func eachSeed(t *testing.T, n uint64, test func(t *testing.T, dir string, seed uint64)) {
	const goroutines = 4
	root := t.TempDir()
	for first := range uint64(goroutines) {
		t.Run("seeds_"+strconv.FormatUint(first, 10), func(t *testing.T) {
			t.Parallel()
			for seed := first; seed < n; seed += goroutines {
				test(t, filepath.Join(root, "seed_"+strconv.FormatUint(seed, 10)), seed)
			}
		})
	}
}
