package gallery

import (
	"iter"
	"path/filepath"
	"strconv"
	"testing"

	"waggle/pipelines/gallery/gallerydata"
)

// samples are folders of inputs: the shipped one, and galleries of 200 seeds with every
// fault in each but every tenth, which is clean.
func samples(t *testing.T) iter.Seq[string] {
	return func(yield func(string) bool) {
		if !yield("data") {
			return
		}
		root := t.TempDir()
		for seed := range uint64(220) {
			dir := filepath.Join(root, "seed_"+strconv.FormatUint(seed, 10))
			o := gallerydata.Options{Seed: seed, Scale: 0.1, Clean: seed%11 == 10}
			if err := gallerydata.Generate(dir, o); err != nil {
				t.Fatal(err)
			}
			if !yield(dir) {
				return
			}
		}
	}
}
