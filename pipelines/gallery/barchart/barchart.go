// Package barchart draws a bar chart as a PNG that fits a mail: 600 points wide at twice the
// resolution, in the colours of Waggle. Equal bars give equal bytes.
//
// It imports nothing of ours.
package barchart

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/png"

	"github.com/dustin/go-humanize"
)

// Bar is a line of the chart. Its texts are ASCII: any other letter is drawn as a question mark.
type Bar struct {
	Label string // a word or two
	Note  string // smaller, under the label; may be empty
	Value int    // 0 or more
}

// The measures, in pixels.
const (
	width     = 1200
	margin    = 48
	titleRoom = 120 // from the top to the first bar
	rowHeight = 104
	barHeight = 56
	barStart  = 368 // where the labels end
	valueRoom = 140 // for the number behind the longest bar
)

var (
	background = color.RGBA{0xff, 0xff, 0xff, 0xff}
	ink        = color.RGBA{0x1f, 0x1b, 0x12, 0xff}
	muted      = color.RGBA{0x6b, 0x63, 0x53, 0xff}
	honey      = color.RGBA{0xf5, 0xb3, 0x01, 0xff}
	track      = color.RGBA{0xff, 0xfb, 0xf2, 0xff} // behind the bars
)

// palette is every colour of the chart, the background first: those above, and the
// steps in which letters fade into what is behind them. 16 make a small file.
func palette() color.Palette {
	colors := color.Palette{background, honey, track, ink, muted}
	for _, fade := range []struct {
		from, to color.RGBA
		steps    int
	}{
		{ink, background, 5}, {muted, background, 3}, {ink, track, 3},
	} {
		for i := range fade.steps {
			colors = append(colors, between(fade.from, fade.to, i+1, fade.steps+1))
		}
	}
	return colors
}

// between is step i of n on the way from one colour to another.
func between(from, to color.RGBA, i, n int) color.RGBA {
	mix := func(a, b uint8) uint8 { return uint8((int(a)*(n-i) + int(b)*i) / n) }
	return color.RGBA{mix(from.R, to.R), mix(from.G, to.G), mix(from.B, to.B), 0xff}
}

// PNG draws the bars one below the other, the longest across the chart.
func PNG(title string, bars []Bar) ([]byte, error) {
	c := canvas{image.NewPaletted(image.Rect(0, 0, width, titleRoom+rowHeight*len(bars)+margin/2), palette())}
	bold, regular, small := readLetters()
	c.text(bold, ink, margin, 76, title)

	most := 1
	for _, b := range bars {
		most = max(most, b.Value)
	}
	for i, b := range bars {
		top := titleRoom + i*rowHeight
		label := top + barHeight/2 + 10
		if b.Note != "" {
			label = top + barHeight/2 - 4
			c.text(small, muted, margin, label+34, b.Note)
		}
		c.text(regular, ink, margin, label, b.Label)

		full := width - margin - valueRoom - barStart
		end := barStart + full*max(0, b.Value)/most
		c.fill(track, image.Rect(barStart, top, barStart+full, top+barHeight))
		c.fill(honey, image.Rect(barStart, top, end, top+barHeight))
		c.fill(ink, image.Rect(barStart-2, top-8, barStart, top+barHeight+8)) // the zero line
		c.text(regular, ink, end+20, top+barHeight/2+11, humanize.Comma(int64(b.Value)))
	}

	var file bytes.Buffer
	if err := png.Encode(&file, c.image); err != nil {
		return nil, err
	}
	return file.Bytes(), nil
}

// canvas is a picture to write and draw on.
type canvas struct{ image *image.Paletted }

func (c canvas) fill(with color.Color, area image.Rectangle) {
	index := uint8(c.image.Palette.Index(with))
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			c.image.SetColorIndex(x, y, index)
		}
	}
}

// text writes from x to the right, standing on y.
func (c canvas) text(of *letters, with color.Color, x, y int, s string) {
	for _, r := range s {
		l := of.letter(r)
		draw.DrawMask(c.image, l.mask.Rect.Add(image.Pt(x, y)), image.NewUniform(with), image.Point{}, l.mask, l.mask.Rect.Min, draw.Over)
		x += l.advance
	}
}
