package gallery

import (
	"path/filepath"
	"strconv"
	"testing"

	"waggle/pipelines/gallery/gallerydata"
)

// eachSample calls a test with folders of inputs: the shipped one, and galleries of so many seeds. One in eleven
// is clean; the others have every kind of fault.
func eachSample(t *testing.T, seeds uint64, test func(t *testing.T, dir string)) {
	t.Run("shipped", func(t *testing.T) {
		t.Parallel()
		test(t, "data")
	})
	eachSeed(t, seeds, func(t *testing.T, dir string, seed uint64) {
		o := gallerydata.Options{Seed: seed, Scale: 0.1, Clean: seed%11 == 10}
		if err := gallerydata.Generate(dir, o); err != nil {
			t.Fatal(err)
		}
		test(t, dir)
	})
}

// eachSeed calls a test with the seeds from 0 to n-1 and a folder for each, in four goroutines.
func eachSeed(t *testing.T, n uint64, test func(t *testing.T, dir string, seed uint64)) {
	if racing {
		n = min(n, 11) // a gallery takes a second and more there; the last of eleven is a clean one
	}
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
