package barchart_test

import (
	"bytes"
	"flag"
	"image"
	"image/color"
	imagedraw "image/draw"
	"os"
	"testing"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"

	"waggle/pipelines/gallery/barchart"
)

var update = flag.Bool("update", false, "draw letters.bin anew")

const file = "letters.bin"

func TestTheLettersAreThoseOfTheGoFonts(t *testing.T) {
	t.Parallel()
	var want []byte
	for _, f := range []font.Face{face(t, gobold.TTF, 38), face(t, goregular.TTF, 32), face(t, goregular.TTF, 24)} {
		for r := ' '; r <= '~'; r++ {
			area, mask, at, advance, ok := f.Glyph(fixed.P(0, 0), r)
			if !ok {
				t.Fatalf("no %q", r)
			}
			pixels := image.NewAlpha(area)
			imagedraw.Draw(pixels, area, mask, at, imagedraw.Src)
			want = append(want, byte(advance.Round()), byte(area.Min.X), byte(area.Min.Y), byte(area.Dx()), byte(area.Dy()))
			want = append(want, pixels.Pix...)
		}
	}
	if *update {
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s has %d bytes, and not the %d that the fonts give; go generate draws it anew. %v", file, len(got), len(want), err)
	}
}

func TestTextIsDrawnAsTheFontsDrawIt(t *testing.T) {
	t.Parallel()
	for _, title := range []string{"AVATAR: To. Wa, fi \"Ly\"", "!#$%&'()*+-/0123456789;<=>?@", "BCDEFGHIJKMNOPQSUXYZ[\\]^_`", "bcdeghjkmnpqrsuvwxz{|}~"} {
		got := picture(t, title).(*image.Paletted)
		want := image.NewPaletted(got.Rect, got.Palette)
		pen := font.Drawer{Dst: want, Src: image.NewUniform(color.RGBA{0x1f, 0x1b, 0x12, 0xff}), Face: face(t, gobold.TTF, 38), Dot: fixed.P(48, 76)}
		pen.DrawString(title)
		if !bytes.Equal(got.Pix, want.Pix) {
			t.Errorf("%q is drawn otherwise", title)
		}
	}
}

func TestALetterThatIsNotASCIIIsAQuestionMark(t *testing.T) {
	t.Parallel()
	got, want := picture(t, "caf\u00e9 \u2603 \x01").(*image.Paletted), picture(t, "caf? ? ?").(*image.Paletted)
	if !bytes.Equal(got.Pix, want.Pix) {
		t.Error("it is drawn otherwise")
	}
}

func face(t *testing.T, ttf []byte, pixels float64) font.Face {
	t.Helper()
	parsed, err := opentype.Parse(ttf)
	if err != nil {
		t.Fatal(err)
	}
	// At 72 dots an inch a point is a pixel.
	f, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: pixels, DPI: 72, Hinting: font.HintingFull})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// picture is a chart of a title alone.
func picture(t *testing.T, title string) image.Image {
	t.Helper()
	data, err := barchart.PNG(title, nil)
	if err != nil {
		t.Fatal(err)
	}
	drawn, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return drawn
}
