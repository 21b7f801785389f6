package barchart_test

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
	"testing"

	"waggle/pipelines/gallery/barchart"
)

var honey = color.RGBA{0xf5, 0xb3, 0x01, 0xff}

func TestTheBarsAreAsLongAsTheirValues(t *testing.T) {
	t.Parallel()
	bars := []barchart.Bar{{Label: "a", Value: 100}, {Label: "b", Note: "half", Value: 50}, {Label: "c"}, {Label: "d", Value: 1}}
	picture := draw(t, bars)
	var lengths []int
	for i := range bars {
		lengths = append(lengths, longest(picture, 120+104*i, 120+104*i+56))
	}
	if lengths[0] < 400 || lengths[2] != 0 {
		t.Fatalf("lengths %v", lengths)
	}
	for i, b := range bars {
		if want := float64(lengths[0]) * float64(b.Value) / 100; math.Abs(float64(lengths[i])-want) > 1 {
			t.Errorf("bar %d is %d long, want %.0f", i, lengths[i], want)
		}
	}
}

func TestAChartWithoutValuesHasNoBars(t *testing.T) {
	t.Parallel()
	for _, bars := range [][]barchart.Bar{nil, {{Label: "a"}, {Label: "b", Value: -3}}} {
		picture := draw(t, bars)
		if n := longest(picture, 0, picture.Bounds().Dy()); n != 0 {
			t.Errorf("%v: a bar of %d", bars, n)
		}
	}
}

func TestEqualBarsGiveEqualBytesOfAFewKilobytes(t *testing.T) {
	t.Parallel()
	bars := []barchart.Bar{{Label: "a", Note: "one", Value: 12_345}, {Label: "b", Value: 7}}
	one, err := barchart.PNG("Title", bars)
	if err != nil {
		t.Fatal(err)
	}
	two, err := barchart.PNG("Title", bars)
	if err != nil || !bytes.Equal(one, two) {
		t.Errorf("the same chart twice is different, %v", err)
	}
	if len(one) > 20_000 {
		t.Errorf("%d bytes for two bars", len(one))
	}
}

func draw(t *testing.T, bars []barchart.Bar) image.Image {
	t.Helper()
	file, err := barchart.PNG("Title", bars)
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	return picture
}

// longest returns the most pixels of a bar in a line of pixels from top to bottom.
func longest(picture image.Image, top, bottom int) int {
	most := 0
	for y := top; y < bottom; y++ {
		n := 0
		for x := range picture.Bounds().Dx() {
			if picture.At(x, y) == honey {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}
