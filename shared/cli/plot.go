package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/guptarohit/asciigraph"

	"waggle/shared/report"
	"waggle/shared/run"
)

const (
	maxPlots   = 3
	plotHeight = 4
	plotWidth  = 60
)

// plots draws the numbers among the metadata over time, oldest on the left: those that changed, at most maxPlots.
func (s *session) plots(history []run.Materialization) []string {
	series := map[string][]float64{}
	for _, m := range slices.Backward(history) {
		for label, v := range m.Metadata {
			if n, ok := v.Number(); ok {
				series[label] = append(series[label], n)
			}
		}
	}
	var changed []string
	for label, numbers := range series {
		if len(numbers) > 1 && slices.Min(numbers) != slices.Max(numbers) {
			changed = append(changed, label)
		}
	}
	slices.SortFunc(changed, func(a, b string) int {
		return strings.Compare(plotOrder(a), plotOrder(b))
	})
	var lines []string
	for _, label := range changed[:min(len(changed), maxPlots)] {
		numbers := series[label]
		lines = append(lines, s.paint(report.Strong, label)+fmt.Sprintf(" over the last %d materializations", len(numbers)))
		width := plotWidth
		if w := s.width(); w > 0 {
			width = max(10, min(width, w-20))
		}
		graph := asciigraph.Plot(numbers, asciigraph.Height(plotHeight), asciigraph.Width(min(width, 6*(len(numbers)-1))),
			asciigraph.YAxisValueFormatter(plotNumber), asciigraph.LowerBound(slices.Min(numbers)))
		for _, line := range strings.Split(graph, "\n") {
			lines = append(lines, "  "+strings.TrimRight(line, " "))
		}
		lines = append(lines, "")
	}
	return lines
}

// plotOrder puts how many rows there are first, and how long it took last.
func plotOrder(label string) string {
	switch label {
	case "record_count":
		return "0"
	case "processing_time_ms":
		return "2"
	}
	return "1" + label
}

// plotNumber is a number at the axis, in three or four digits' worth of detail.
func plotNumber(n float64) string {
	switch {
	case n >= 1000 || n <= -1000 || n == float64(int64(n)):
		return report.Number(int64(n))
	case n >= 10 || n <= -10:
		return fmt.Sprintf("%.1f", n)
	default:
		return fmt.Sprintf("%.3g", n)
	}
}
