package cli

import (
	"strings"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/lipgloss/table"
	"github.com/charmbracelet/x/ansi"
	"github.com/muesli/termenv"

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
}

// gap is the space between columns.
const gap = 2

func (g *grid) row(cells ...string) { g.rows = append(g.rows, cells) }

// lines draws the grid.
func (g *grid) lines(s *session) []string {
	widths := g.fit(s.width())
	t := table.New().Border(lipgloss.HiddenBorder()).
		BorderTop(false).BorderBottom(false).BorderLeft(false).BorderRight(false).BorderHeader(false).BorderColumn(false).BorderRow(false)
	plain := renderer(termenv.Ascii).NewStyle()
	t.StyleFunc(func(_, col int) lipgloss.Style {
		style := plain
		if g.columns[col].right {
			style = style.Align(lipgloss.Right)
		}
		if col < len(g.columns)-1 {
			style = style.PaddingRight(gap)
		}
		return style
	})
	if titles := g.titles(s.paint); titles != nil {
		t.Headers(titles...)
	}
	for _, row := range g.rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = ansi.Truncate(cell, widths[i], "…")
		}
		t.Row(cells...)
	}
	lines := strings.Split(t.Render(), "\n")
	for i, line := range lines {
		lines[i] = strings.Repeat(" ", g.indent) + strings.TrimRight(line, " ")
	}
	return lines
}

func (g *grid) titles(paint report.Paint) []string {
	var titles []string
	for _, c := range g.columns {
		if c.title != "" {
			titles = make([]string, 0, len(g.columns))
		}
	}
	if titles == nil {
		return nil
	}
	for _, c := range g.columns {
		titles = append(titles, paint(report.Muted, c.title))
	}
	return titles
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
	for i := len(widths) - 1; i >= 0 && total > limit; i-- {
		if least := g.columns[i].least; least > 0 && widths[i] > least {
			cut := min(total-limit, widths[i]-least)
			widths[i] -= cut
			total -= cut
		}
	}
	return widths
}
