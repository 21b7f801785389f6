package cli

import (
	"encoding/json"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"waggle/shared/metadata"
	"waggle/shared/report"
)

// longValue is how much of a value a line shows.
const longValue = 200

// metadataGrid lists labelled values, one a line.
func (s *session) metadataGrid(values metadata.Values) *grid {
	g := &grid{columns: []column{{least: 8}, {}, {least: 20, wrap: true}}, indent: 2}
	for _, label := range values.Labels() {
		v := values[label]
		kind := string(v.Type)
		if kind == "" {
			kind = string(metadata.TypeNull)
		}
		g.row(label, s.paint(report.Muted, kind), ansi.Truncate(valueText(v), longValue, "…"))
	}
	return g
}

// valueText is a value on one line.
func valueText(v metadata.Value) string {
	if v.Type == metadata.TypeMarkdown && v.Blob == "" {
		if rows := markdownTable(text(v)); rows != nil {
			return report.Count(len(rows)-1, "row") + " shown"
		}
	}
	if list, ok := v.Any().([]any); ok && v.Type == metadata.TypeJSON && len(list) > 0 {
		if words := wordsOf(list); words != "" {
			return words
		}
	}
	return v.String()
}

// wordsOf is a list of texts as people write one; "" where it is another.
func wordsOf(list []any) string {
	words := make([]string, len(list))
	for i, x := range list {
		word, ok := x.(string)
		if !ok || word == "" || strings.ContainsAny(word, ", \n") {
			return ""
		}
		words[i] = word
	}
	return strings.Join(words, ", ")
}

func text(v metadata.Value) string {
	var t string
	_ = json.Unmarshal(v.Value, &t) // another type has no text
	return t
}

// markdownTable reads a Markdown table: its header, then its rows; nil where the text is none.
func markdownTable(text string) [][]string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(lines) < 2 || !strings.HasPrefix(lines[1], "| -") {
		return nil
	}
	var rows [][]string
	for i, line := range lines {
		if i == 1 {
			continue
		}
		cells := cellsOf(line)
		if cells == nil || len(rows) > 0 && len(cells) != len(rows[0]) {
			return nil
		}
		rows = append(rows, cells)
	}
	return rows
}

// cellsOf splits a line at the bars that are not escaped.
func cellsOf(line string) []string {
	if !strings.HasPrefix(line, "|") || !strings.HasSuffix(line, "|") {
		return nil
	}
	var cells []string
	var cell strings.Builder
	for i := 1; i < len(line); i++ {
		switch {
		case line[i] == '\\' && i+1 < len(line) && (line[i+1] == '|' || line[i+1] == '\\'):
			i++
			cell.WriteByte(line[i])
		case line[i] == '|':
			cells = append(cells, strings.TrimSpace(cell.String()))
			cell.Reset()
		default:
			cell.WriteByte(line[i])
		}
	}
	return cells
}

// markdownLines shows a Markdown text: a table as columns, all else as it is written.
func (s *session) markdownLines(text string) []string {
	rows := markdownTable(text)
	if rows == nil {
		lines := strings.Split(strings.TrimSpace(text), "\n")
		for i, line := range lines {
			lines[i] = "  " + line
		}
		return lines
	}
	g := &grid{indent: 2, rows: make([][]string, len(rows)-1)}
	right := strings.Split(strings.Split(text, "\n")[1], "|")
	room, left := s.width()-g.indent, []string(nil)
	for i, name := range rows[0] {
		width := 0
		for _, row := range rows {
			width = max(width, ansi.StringWidth(row[i]))
		}
		// On a terminal, columns stay readable, and those that do not fit are only named.
		if s.width() > 0 {
			width = min(width, widestCell)
			if room -= width + gap; room < 0 && i > 0 {
				left = rows[0][i:]
				break
			}
		}
		g.columns = append(g.columns, column{title: ansi.Truncate(name, width, "…"), right: strings.HasSuffix(strings.TrimSpace(right[i+1]), ":"), least: 1})
		for j, row := range rows[1:] {
			g.rows[j] = append(g.rows[j], ansi.Truncate(row[i], width, "…"))
		}
	}
	lines := g.table(s)
	if len(left) > 0 {
		lines = append(lines, "  and "+report.Count(len(left), "column")+" more: "+strings.Join(left, ", "))
	}
	return lines
}

// widestCell is how wide a column of a preview is on a terminal.
const widestCell = 24
