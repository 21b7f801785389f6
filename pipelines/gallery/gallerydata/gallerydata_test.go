package gallerydata_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"waggle/pipelines/gallery/gallerydata"
)

var files = []string{
	gallerydata.SalesFile, gallerydata.ArtworksFile, gallerydata.ArtistsFile, gallerydata.MediaFile, gallerydata.LedgerFile,
}

func TestTheShippedDataIsWhatTheGeneratorMakes(t *testing.T) {
	t.Parallel()
	got := generate(t, gallerydata.Shipped)
	for _, name := range files {
		shipped, err := os.ReadFile(filepath.Join("..", "data", name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got[name], shipped) {
			t.Errorf("%s differs from what the generator makes: run go generate ./pipelines/gallery", name)
		}
	}
}

func TestTheSameSeedMakesTheSameBytesAndAnotherSeedOthers(t *testing.T) {
	t.Parallel()
	one := generate(t, gallerydata.Options{Seed: 7, Scale: 0.1})
	same := generate(t, gallerydata.Options{Seed: 7, Scale: 0.1})
	other := generate(t, gallerydata.Options{Seed: 8, Scale: 0.1})
	for _, name := range files {
		if !bytes.Equal(one[name], same[name]) {
			t.Errorf("%s: one seed made two different files", name)
		}
		if bytes.Equal(one[name], other[name]) {
			t.Errorf("%s: two seeds made the same file", name)
		}
	}
}

func TestScaleMultipliesRowsAndFaults(t *testing.T) {
	t.Parallel()
	for _, scale := range []float64{0, 1, 3} {
		data := generate(t, gallerydata.Options{Seed: 3, Scale: scale})
		times := max(1, int(scale))
		for name, want := range map[string]int{"sales.csv": 500, "artworks.csv": 400, "artists.csv": 40} {
			// Header and line breaks make a few lines more, repeated sales too.
			if lines := bytes.Count(data[name], []byte("\n")); lines < want*times || lines > want*times*103/100+5 {
				t.Errorf("scale %v: %s has %d lines, want about %d", scale, name, lines, want*times)
			}
		}
		if got, want := count(ledger(t, data), gallerydata.UnknownArtwork), 10*times; got != want {
			t.Errorf("scale %v: %d sales of unknown artworks, want %d", scale, got, want)
		}
	}
}

func TestTooSmallAScaleIsRefused(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "none")
	err := gallerydata.Generate(dir, gallerydata.Options{Scale: 0.05})
	if err == nil || !strings.Contains(err.Error(), "use 0.1 or more") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("the folder was made all the same")
	}
}

func TestEveryKindOfFaultOccursAtEverySeed(t *testing.T) {
	t.Parallel()
	for seed := range uint64(50) {
		l := ledger(t, generate(t, gallerydata.Options{Seed: seed, Scale: 0.1}))
		for _, kind := range gallerydata.Kinds() {
			if count(l, kind) == 0 {
				t.Errorf("seed %d: no %s", seed, kind)
			}
		}
	}
}

func TestACleanGalleryHasNoFaults(t *testing.T) {
	t.Parallel()
	l := ledger(t, generate(t, gallerydata.Options{Seed: 5, Clean: true}))
	if !l.Clean || len(l.Faults) != 0 {
		t.Errorf("clean %v, faults %v", l.Clean, l.Faults)
	}
}

func TestALedgerNamesTheLineOnWhichARecordStarts(t *testing.T) {
	t.Parallel()
	data := generate(t, gallerydata.Shipped)
	lines := strings.Split(string(data["artworks.csv"]), "\n")
	broken := 0
	for _, f := range ledger(t, data).Faults {
		if f.Kind == gallerydata.LineBreak {
			broken++
			if first := lines[f.Line-1]; !strings.Contains(first, `,"`) || strings.Count(first, `"`)%2 != 1 {
				t.Errorf("line %d does not open a title of two lines: %s", f.Line, first)
			}
		}
	}
	if broken == 0 {
		t.Error("no title has a line break")
	}
}

// generate makes a gallery and returns its files.
func generate(t *testing.T, o gallerydata.Options) map[string][]byte {
	t.Helper()
	dir := t.TempDir()
	if err := gallerydata.Generate(dir, o); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	data := map[string][]byte{}
	for _, e := range entries {
		if !slices.Contains(files, e.Name()) {
			t.Errorf("unexpected file %s", e.Name())
		}
		if data[e.Name()], err = os.ReadFile(filepath.Join(dir, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return data
}

func ledger(t *testing.T, data map[string][]byte) gallerydata.Ledger {
	t.Helper()
	l, err := gallerydata.ReadLedger(data[gallerydata.LedgerFile])
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func count(l gallerydata.Ledger, kind gallerydata.Kind) int {
	n := 0
	for _, f := range l.Faults {
		if f.Kind == kind {
			n++
		}
	}
	return n
}
