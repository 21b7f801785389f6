package cli

import (
	"io"
	"strconv"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// screen draws frames over each other at the end of a terminal's text. Each frame is one write, marked as one update, so
// that it does not flicker.
type screen struct {
	tty    io.Writer
	drawn  []int // widths of the lines on the screen
	hidden bool  // the cursor
}

const (
	updateBegin = "\x1b[?2026h"
	updateEnd   = "\x1b[?2026l"
	cursorHide  = "\x1b[?25l"
	cursorShow  = "\x1b[?25h"
	eraseLine   = "\x1b[K"
	eraseBelow  = "\x1b[J"
)

// draw replaces the frame, with lines above it that stay. No line may be wider than width.
func (c *screen) draw(width int, above, frame []string) {
	var b strings.Builder
	b.WriteString(updateBegin)
	if !c.hidden {
		b.WriteString(cursorHide)
		c.hidden = true
	}
	// A narrowed window has wrapped what was drawn.
	rows := 0
	for _, w := range c.drawn {
		rows += max(1, (w+width-1)/width)
	}
	if rows > 0 {
		b.WriteString("\x1b[" + strconv.Itoa(rows) + "A")
	}
	b.WriteString("\r")
	c.drawn = c.drawn[:0]
	if len(above) > 0 {
		b.WriteString(eraseBelow) // these lines may be wrapped
	}
	for _, line := range above {
		b.WriteString(line + "\n")
	}
	for _, line := range frame {
		// Erased first: behind a line as wide as the window it would take the last character.
		b.WriteString(eraseLine + line + "\n")
		c.drawn = append(c.drawn, ansi.StringWidth(line))
	}
	b.WriteString(eraseBelow + updateEnd)
	_, _ = io.WriteString(c.tty, b.String()) // a run goes on when nobody watches
}

// leave lets the last frame stand and gives the cursor back.
func (c *screen) leave() {
	if c.hidden {
		_, _ = io.WriteString(c.tty, cursorShow)
	}
	c.hidden, c.drawn = false, nil
}
