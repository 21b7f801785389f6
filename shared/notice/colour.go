package notice

import "waggle/shared/report"

// Colour is a colour of the brand on light and on dark backgrounds, as #RRGGBB.
type Colour struct{ Light, Dark string }

// The backgrounds: of the page, and of the sheet on it.
var (
	paper = Colour{"#FFFBF2", "#17150F"}
	sheet = Colour{"#FFFFFF", "#211E16"}
	rule  = Colour{"#E9E1CF", "#3B3628"} // lines between parts; nothing is written in it
)

// The texts. Each has 4.5:1 on both backgrounds.
var (
	ink    = Colour{"#1F1B12", "#F3EEE2"}
	muted  = Colour{"#6B6353", "#ADA48F"}
	accent = Colour{"#8A4B00", "#F5B83D"}
)

// The main button, the same on light and dark.
const (
	buttonFill = "#F5B301"
	buttonInk  = "#1F1B12"
)

// ColourOf is the colour of a role's words and signs.
func ColourOf(role report.Role) Colour {
	switch role {
	case report.Good:
		return Colour{"#1A7F37", "#56D37A"}
	case report.Bad:
		return Colour{"#C2261D", "#FF8278"}
	case report.Warn:
		return Colour{"#8F5E00", "#F0BE4A"}
	case report.Running:
		return Colour{"#0B5FC4", "#79BBFF"}
	case report.Idle:
		return Colour{"#57606A", "#B0B8C1"}
	case report.Blocked:
		return Colour{"#7A3FD1", "#C4A1FF"}
	case report.Muted:
		return muted
	default:
		return ink
	}
}

// Backgrounds are what texts stand on.
func Backgrounds() []Colour { return []Colour{paper, sheet} }

// Button is the fill of the main button and the colour of its words.
func Button() (fill, words string) { return buttonFill, buttonInk }

// Accent is the colour of links.
func Accent() Colour { return accent }
