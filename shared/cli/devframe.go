package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"waggle/shared/cli/progress"
	"waggle/shared/monitor"
	"waggle/shared/report"
	"waggle/shared/run"
)

// draw draws the frame, if it has changed.
func (v *devView) draw() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.gone {
		return
	}
	width, height := size(v.s.outTTY)
	frame := v.frame(v.now(), width, height-1)
	text := strings.Join(frame, "\n")
	if text == v.last && len(v.above) == 0 {
		return
	}
	v.last = text
	v.screen.draw(width, folded(v.above, width), frame)
	v.above = nil
}

// folded breaks lines that are wider than a terminal between words.
func folded(lines []string, width int) []string {
	var all []string
	for _, line := range lines {
		first, rest, more := strings.Cut(ansi.Wrap(line, width, ""), "\n")
		all = append(all, first)
		if more {
			for _, part := range strings.Split(ansi.Wrap(strings.ReplaceAll(rest, "\n", " "), max(10, width-4), ""), "\n") {
				all = append(all, "    "+part)
			}
		}
	}
	return all
}

const (
	shownWaiting = 5
	shownNext    = 3
)

// frame is what runs, what waits and what is next, in at most height lines.
func (v *devView) frame(now time.Time, width, height int) []string {
	s := v.s
	var lines []string
	if len(v.state.Running) > 0 {
		g := &grid{indent: 2, columns: []column{{}, {least: 8}, {}, {}, {right: true}, {note: true}}}
		room := max(1, height-shownWaiting-shownNext-7)
		for i, w := range v.state.Running {
			if i == room {
				break
			}
			steps, doing := v.stepsOf(w)
			g.row(report.OfRun(run.Started).Painted(s.paint), w.Name, w.ID.Short(), steps, progress.Elapsed(now.Sub(w.Since)), doing)
		}
		lines = append(lines, v.section("Running", g, len(v.state.Running))...)
	}
	if len(v.state.Waiting) > 0 {
		g := &grid{indent: 2, columns: []column{{}, {least: 8}, {}, {least: 12}}}
		for i, w := range v.state.Waiting {
			if i == shownWaiting {
				break
			}
			why := w.Why
			if why == "" {
				why = "as many runs as may run at once run here"
			}
			g.row(report.OfRun(run.Queued).Painted(s.paint), w.Name, w.ID.Short(), why)
		}
		lines = append(lines, v.section("Waiting", g, len(v.state.Waiting))...)
	}
	if next := s.nextTicks(now); len(next) > 0 {
		g := &grid{indent: 2, columns: []column{{least: 8}, {}, {}, {least: 8}}}
		for i, n := range next {
			if i == shownNext {
				break
			}
			g.row(n.schedule, "in "+span(n.at.Sub(now).Round(time.Second)), zoned(n.at), "runs "+n.job)
		}
		lines = append(lines, v.section("Next", g, len(next))...)
	}
	lines = append(lines, s.paint(report.Muted, v.footer()))
	if len(lines) > height {
		lines = lines[len(lines)-height:]
	}
	for i, line := range lines {
		lines[i] = ansi.Truncate(line, width, "…")
	}
	return lines
}

// section is a grid under a title, with how many there are besides.
func (v *devView) section(title string, g *grid, all int) []string {
	lines := append([]string{v.s.paint(report.Strong, title)}, g.lines(v.s)...)
	if left := all - len(g.rows); left > 0 {
		lines = append(lines, "  and "+report.Number(int64(left))+" more")
	}
	return append(lines, "")
}

func (v *devView) footer() string {
	var parts []string
	if n := len(v.state.Running); n > 0 {
		parts = append(parts, report.Number(int64(n))+" running")
	} else {
		parts = append(parts, "nothing runs")
	}
	if n := len(v.state.Waiting); n > 0 {
		parts = append(parts, report.Number(int64(n))+" waiting")
	}
	return "looking after " + v.s.place() + ": " + strings.Join(parts, ", ") + "; Ctrl-C ends it"
}

// stepsOf says how far a run is, and what it does.
func (v *devView) stepsOf(w monitor.Work) (steps, doing string) {
	if w.Elsewhere {
		return "", "in a process of its own"
	}
	d := v.steps[w.ID]
	if d == nil || d.all == 0 {
		return "", ""
	}
	steps = fmt.Sprintf("%s of %s", report.Number(int64(d.done)), report.Count(d.all, "step"))
	if d.failed > 0 {
		steps += fmt.Sprintf(", %s failed", report.Number(int64(d.failed)))
	}
	return steps, joined(d.running)
}
