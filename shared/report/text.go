package report

import (
	"fmt"
	"slices"
	"strings"

	"waggle/shared/run"
)

// Closing is the run in one line: "✓ SUCCESS gallery: 11 assets, 4 of 5 checks passed, 1 warning, 0.19 s".
func (r *Report) Closing(paint Paint) string {
	t := r.Tally()
	var parts []string
	add := func(n int, text string) {
		if n > 0 {
			parts = append(parts, text)
		}
	}
	if r.Status == run.Success || t.Made == t.Assets {
		add(t.Made, Count(t.Made, "asset"))
	} else {
		add(t.Assets, fmt.Sprintf("%s of %s", Number(int64(t.Made)), Count(t.Assets, "asset")))
	}
	add(t.Failed, Number(int64(t.Failed))+" failed")
	add(t.Blocked, Number(int64(t.Blocked))+" blocked")
	add(t.Canceled, Number(int64(t.Canceled))+" canceled")
	add(t.Checks, fmt.Sprintf("%s of %s checks passed", Number(int64(t.Passed)), Number(int64(t.Checks))))
	add(len(r.Warnings), Count(len(r.Warnings), "warning"))
	if !r.Started.IsZero() {
		parts = append(parts, Seconds(r.Duration))
	}
	line := OfRun(r.Status).Painted(paint) + " " + paint(Strong, r.Request.Name())
	if len(parts) > 0 {
		line += ": " + strings.Join(parts, ", ")
	}
	return line
}

// Text is the parts that follow the steps: warnings, and where outputs are. Empty where there is nothing to say.
func (r *Report) Text(paint Paint) []string {
	var lines []string
	part := func(title string, body []string) {
		if len(body) > 0 {
			lines = append(append(append(lines, paint(Strong, title)), body...), "")
		}
	}
	part("Warnings", r.warningLines(paint))
	part("Outputs", r.outputLines())
	return lines
}

func (r *Report) warningLines(paint Paint) []string {
	var lines []string
	for _, w := range r.Warnings {
		what := string(w.Asset)
		if w.Check != "" {
			what = fmt.Sprintf("%s on %s", w.Check, w.Asset)
		}
		line := "  " + warned.Painted(paint) + " " + what
		if w.Text != "" {
			line += ": " + OneLine(w.Text)
		}
		lines = append(lines, line)
	}
	return lines
}

func (r *Report) outputLines() []string {
	width := 0
	for _, o := range r.Outputs {
		width = max(width, len(o.Asset))
	}
	lines := make([]string, len(r.Outputs))
	for i, o := range r.Outputs {
		lines[i] = fmt.Sprintf("  %-*s  %s", width, o.Asset, o.Path)
	}
	return lines
}

// By says why a step did not run: "by broken_middle", "by check_rows on sales_raw".
func By(s *run.Skip) string {
	if s == nil {
		return ""
	}
	if asset, check, ok := strings.Cut(string(s.Step), ":"); ok {
		return fmt.Sprintf("by %s on %s", check, asset)
	}
	return "by " + string(s.Step)
}

// OneLine joins the lines of a text.
func OneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// Groups lists the groups of the assets, in the order of their first.
func (r *Report) Groups() []string {
	var groups []string
	for _, a := range r.Assets {
		if !slices.Contains(groups, a.Group) {
			groups = append(groups, a.Group)
		}
	}
	return groups
}
