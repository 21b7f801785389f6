package cli

import (
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"waggle/shared/report"
)

// grid is a table of text: columns side by side, no lines. Where it is wider than the terminal, columns that may shrink
// are cut, the last first.
type grid struct {
	columns []column
	rows    [][]string
	indent  int
}

type column struct {
	title string
	right bool // numbers
	least int  // how far it may be cut; 0: never
	wrap  bool // of the last column: goes on below instead of being cut
	note  bool // of the last column: takes the room that is left, and goes below where that is too little
}

const (
	gap       = 2 // between columns
	below     = 4 // spaces before a note that has a line of its own
	leastNote = 8 // a shorter note says nothing
)

func (g *grid) row(cells ...string) { g.rows = append(g.rows, cells) }

// lines draws the grid, without columns that hold nothing.
func (g *grid) lines(s *session) []string { return g.filled().table(s) }

// table draws every column.
func (g *grid) table(s *session) []string {
	limit := s.width()
	widths := g.fit(limit)
	lines := make([]string, 0, len(g.rows)+1)
	if g.titled() {
		titles := make([]string, len(g.columns))
		for i, c := range g.columns {
			titles[i] = s.paint(report.Muted, c.title)
		}
		lines = append(lines, g.line(titles, widths))
	}
	for _, row := range g.rows {
		lines = append(lines, g.folded(row, widths)...)
		if last := len(row) - 1; widths[last] < 0 && row[last] != "" {
			indent := strings.Repeat(" ", g.indent+below)
			lines = append(lines, indent+ansi.Truncate(row[last], max(leastNote, limit-len(indent)), "…"))
		}
	}
	return lines
}

// filled is the grid without columns that are empty in every row.
func (g *grid) filled() *grid {
	out := &grid{indent: g.indent, rows: make([][]string, len(g.rows))}
	for i, c := range g.columns {
		if !slices.ContainsFunc(g.rows, func(row []string) bool { return row[i] != "" }) {
			continue
		}
		out.columns = append(out.columns, c)
		for j, row := range g.rows {
			out.rows[j] = append(out.rows[j], row[i])
		}
	}
	return out
}

// folded is a row, on several lines where its last cell is wrapped.
func (g *grid) folded(row []string, widths []int) []string {
	last := len(row) - 1
	if !g.columns[last].wrap || ansi.StringWidth(row[last]) <= widths[last] {
		return []string{g.line(row, widths)}
	}
	var lines []string
	cells := slices.Clone(row)
	for _, part := range strings.Split(ansi.Wrap(row[last], widths[last], ""), "\n") {
		cells[last] = part
		lines = append(lines, g.line(cells, widths))
		clear(cells)
	}
	return lines
}

func (g *grid) line(cells []string, widths []int) string {
	var b strings.Builder
	b.WriteString(strings.Repeat(" ", g.indent))
	for i, cell := range cells {
		if widths[i] < 0 {
			break // a note without room
		}
		cell = ansi.Truncate(cell, widths[i], "…")
		space := strings.Repeat(" ", widths[i]-ansi.StringWidth(cell))
		if g.columns[i].right {
			cell = space + cell
		} else {
			cell += space
		}
		if i > 0 {
			b.WriteString(strings.Repeat(" ", gap))
		}
		b.WriteString(cell)
	}
	return strings.TrimRight(b.String(), " ")
}

func (g *grid) titled() bool {
	return slices.ContainsFunc(g.columns, func(c column) bool { return c.title != "" })
}

// fit returns the width of each column within the width of a line; 0 is any.
func (g *grid) fit(limit int) []int {
	widths := make([]int, len(g.columns))
	total := g.indent + gap*(len(g.columns)-1)
	for i, c := range g.columns {
		widths[i] = ansi.StringWidth(c.title)
		for _, row := range g.rows {
			widths[i] = max(widths[i], ansi.StringWidth(row[i]))
		}
		total += widths[i]
	}
	if limit == 0 {
		return widths
	}
	if last := len(widths) - 1; g.columns[last].note && total > limit {
		room := widths[last] - (total - limit)
		if room < leastNote {
			room = -gap
		}
		total -= widths[last] - room
		widths[last] = room
	}
	for i := len(widths) - 1; i >= 0 && total > limit; i-- {
		if least := g.columns[i].least; least > 0 && widths[i] > least {
			cut := min(total-limit, widths[i]-least)
			widths[i] -= cut
			total -= cut
		}
	}
	return widths
}

// facts is a grid of names and values, one a line, and what adds to it: a fact without a value is left out.
func (s *session) facts() (g *grid, add func(name, value string)) {
	g = &grid{columns: []column{{}, {least: 20, wrap: true}}, indent: 2}
	return g, func(name, value string) {
		if value != "" {
			g.row(s.paint(report.Muted, name), value)
		}
	}
}
