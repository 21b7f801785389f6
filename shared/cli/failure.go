package cli

import (
	"context"
	"fmt"
	"strings"

	"waggle/shared/report"
	"waggle/shared/store"
)

const (
	tailLines   = 50 // log records of a failed step that are shown
	shownErrors = 10 // failures that are shown after a run
)

// failureLines says why a run failed: the error of each failed step, and the last log records of the first.
func (s *session) failureLines(ctx context.Context, st *store.Store, r *report.Report) ([]string, error) {
	failures := r.Failures()
	if len(failures) == 0 {
		return []string{s.paint(report.Bad, r.Error), ""}, nil
	}
	var lines []string
	for i, f := range failures {
		if i == shownErrors {
			lines = append(lines, fmt.Sprintf("and %s more", report.Count(len(failures)-i, "failure")), "")
			break
		}
		line := s.paint(report.Strong, string(f.Step))
		if f.Error.Message != "" {
			line += ": " + indentRest(f.Error.Message)
		}
		lines = append(lines, line)
		lines = append(lines, stackLines(f.Error.Stack)...)
		lines = append(lines, "")
	}
	step := failures[0].Step
	tails, err := st.LastLogs(ctx, r.ID, tailLines, step)
	tail := tails[step]
	if err != nil || len(tail) == 0 {
		return lines, err
	}
	lines = append(lines, s.paint(report.Strong, "Last log of "+string(step)))
	for i := range tail {
		lines = append(lines, "  "+logLine(&tail[i], s.paint))
	}
	return append(lines, ""), nil
}

func indentRest(text string) string {
	return strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n  ")
}

func stackLines(stack string) []string {
	if stack == "" {
		return nil
	}
	lines := strings.Split(strings.TrimRight(stack, "\n"), "\n")
	for i, line := range lines {
		lines[i] = "  " + strings.ReplaceAll(line, "\t", "    ")
	}
	return lines
}
