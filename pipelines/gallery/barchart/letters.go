package barchart

import (
	_ "embed"
	"image"
)

//go:generate go test -run TestTheLettersAreThoseOfTheGoFonts -update .

// drawn has the letters of the Go fonts as they are drawn: bold at 38 pixels, regular at 32 and at 24. The fonts, and what draws them, would
// take 210 KB of a zip in the place of 35. Of each letter from the space to the tilde:
//
//	advance  1 byte   how far it is to the next letter, in pixels
//	left     1 byte   where its mask begins, from where the letter stands to the right; signed
//	top      1 byte   and downwards
//	width    1 byte
//	height   1 byte
//	mask     width * height bytes, line by line: 0 is the background, 255 the ink
//
//go:embed letters.bin
var drawn []byte

const first, last = ' ', '~'

// letters are those of a font and a size.
type letters [last - first + 1]letter

type letter struct {
	mask    *image.Alpha // around the point where the letter stands
	advance int
}

// letter is how a rune is drawn.
func (l *letters) letter(r rune) letter {
	if r < first || r > last {
		r = '?'
	}
	return l[r-first]
}

func readLetters() (bold, regular, small *letters) {
	data := drawn
	read := func() *letters {
		var all letters
		for i := range all {
			left, top, width, height := int(int8(data[1])), int(int8(data[2])), int(data[3]), int(data[4])
			mask := &image.Alpha{Pix: data[5 : 5+width*height], Stride: width, Rect: image.Rect(left, top, left+width, top+height)}
			all[i], data = letter{mask, int(data[0])}, data[5+width*height:]
		}
		return &all
	}
	return read(), read(), read()
}
