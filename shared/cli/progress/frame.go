package progress

import (
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"waggle/shared/report"
	"waggle/shared/run"
)

// detail is how much of the steps a frame shows. Each level is shorter than the one before.
type detail int

const (
	everything    detail = iota // every step
	withoutDone                 // groups that are done without a fault are one line
	withoutIdle                 // and groups that have not begun
	onlyActive                  // of each group only what runs or failed
	onlyTheWorst                // no groups: what failed, then what runs, as much as there is room for
	whyLines      = 3           // lines that an error may take
	slowCheck     = 500 * time.Millisecond
	timeWidth     = 9
	leastKeyWidth = 12
)

// Frame draws the steps in at most height lines of at most width columns: by group, with the run itself in the last line. The last frame
// of a run leaves that line out, for its summary follows.
func (g *Progress) Frame(now time.Time, width, height int, last bool, paint report.Paint) []string {
	var footer []string
	if !last {
		footer = []string{"", g.footer(now, paint)}
	}
	room := max(1, height-len(footer))
	d := drawing{g: g, now: now, width: max(width, 20), paint: paint}
	d.columns()
	for level := everything; level < onlyTheWorst; level++ {
		if lines, ok := d.groups(level, room); ok {
			return d.cut(append(lines, footer...))
		}
	}
	return d.cut(append(d.worst(room), footer...))
}

func (g *Progress) footer(now time.Time, paint report.Paint) string {
	parts := []string{fmt.Sprintf("%s of %s done", report.Number(int64(g.done())), report.Count(len(g.order), "step"))}
	for _, c := range []struct {
		status run.StepStatus
		word   string
	}{{run.StepRunning, "running"}, {run.StepRetrying, "to be tried again"}, {run.StepFailed, "failed"}, {run.StepSkipped, "blocked"}} {
		if n := g.count[c.status]; n > 0 {
			parts = append(parts, report.Number(int64(n))+" "+c.word)
		}
	}
	if !g.start.IsZero() {
		if took := Elapsed(now.Sub(g.start)); took != "" {
			parts = append(parts, took)
		}
	}
	return report.OfRun(g.status).Painted(paint) + " " + paint(report.Strong, g.name) + " " + paint(report.Muted, g.id.Short()) + ": " + strings.Join(parts, ", ")
}

// drawing is one frame in the making.
type drawing struct {
	g     *Progress
	now   time.Time
	width int
	paint report.Paint

	key, rows, checks int // widths of columns; 0: the column is left out
}

// columns shares the width among the columns.
func (d *drawing) columns() {
	d.rows = max(8, d.g.rowsWidth)
	for _, s := range d.g.order {
		if n := len(s.checks); n > 0 {
			d.checks = max(d.checks, 2*len(report.Number(int64(n)))+len(" of  passed"))
		}
	}
	left := func() int {
		n := d.width - 2 - stateWidth - 2 - timeWidth
		for _, column := range []int{d.rows, d.checks} {
			if column > 0 {
				n -= 2 + column
			}
		}
		return n
	}
	if left() < leastKeyWidth {
		d.checks = 0
	}
	if left() < leastKeyWidth {
		d.rows = 0
	}
	d.key = max(1, min(d.g.keyWidth, left()))
}

// groups draws the groups; it gives up where they do not fit the room.
func (d *drawing) groups(level detail, room int) ([]string, bool) {
	var lines []string
	for _, group := range d.g.groups {
		lines = append(lines, d.group(group, level, room-len(lines))...)
		if len(lines) > room {
			return nil, false
		}
	}
	return lines, true
}

// group draws a group, at most a line more than there is room for.
func (d *drawing) group(group *group, level detail, room int) []string {
	sum := d.sum(group)
	switch {
	case level >= withoutDone && sum.all(sum.good), level >= withoutIdle && sum.all(sum.idle):
		return []string{d.short(group, sum)}
	case level >= onlyActive && sum.active == 0:
		return []string{d.short(group, sum)}
	}
	lines := []string{d.paint(report.Strong, group.name)}
	if level >= onlyActive {
		lines[0] = d.short(group, sum)
	}
	for _, s := range group.steps {
		if len(lines) > room {
			break
		}
		if level < onlyActive || d.active(s) {
			lines = append(lines, d.step(s)...)
		}
	}
	return lines
}

// tally counts what the steps of a group, its checks included, are at.
type tally struct{ steps, good, idle, done, active, failed, running int }

func (t tally) all(n int) bool { return n == t.steps }

func (d *drawing) sum(group *group) tally {
	var t tally
	count := func(s *step) {
		t.steps++
		switch s.status {
		case run.StepSucceeded:
			t.done++
			if s.why() == "" {
				t.good++
			}
		case run.StepPending:
			t.idle++
		case run.StepRunning:
			t.running++
		case run.StepFailed:
			t.failed++
			t.done++
		case run.StepSkipped, run.StepCanceled:
			t.done++
		}
	}
	for _, s := range group.steps {
		count(s)
		for _, c := range s.checks {
			count(c)
		}
		if d.active(s) {
			t.active++
		}
	}
	return t
}

// active reports whether a step is worth a line where there are few.
func (d *drawing) active(s *step) bool {
	if s.status == run.StepRunning || s.status == run.StepRetrying || s.status == run.StepFailed || s.why() != "" {
		return true
	}
	for _, c := range s.checks {
		if c.status == run.StepRunning || c.status == run.StepFailed || c.why() != "" {
			return true
		}
	}
	return false
}

// short is a group in one line.
func (d *drawing) short(group *group, t tally) string {
	state := report.OfStep(run.StepPending)
	switch {
	case t.failed > 0:
		state = report.OfStep(run.StepFailed)
	case t.all(t.done):
		state = report.OfStep(run.StepSucceeded)
	case t.running+t.done > 0:
		state = report.OfStep(run.StepRunning)
	}
	line := pad(state.Painted(d.paint), stateWidth) + d.paint(report.Strong, group.name) + "  " +
		fmt.Sprintf("%s of %s", report.Number(int64(t.done)), report.Count(t.steps, "step"))
	if t.failed > 0 {
		line += fmt.Sprintf(", %s failed", report.Number(int64(t.failed)))
	}
	return line
}

// worst lists what failed and what runs, without groups.
func (d *drawing) worst(room int) []string {
	var failed, running []*step
	for _, s := range d.g.order {
		switch {
		case s.status == run.StepFailed || s.why() != "":
			failed = append(failed, s)
		case s.status == run.StepRunning:
			running = append(running, s)
		}
	}
	var lines []string
	list := func(steps []*step, room int, word string) {
		for i, s := range steps {
			drawn := d.step(s)
			if len(lines)+len(drawn) > room-1 && i < len(steps)-1 || len(lines)+len(drawn) > room {
				lines = append(lines, d.paint(report.Muted, fmt.Sprintf("  and %s more %s", report.Number(int64(len(steps)-i)), word)))
				return
			}
			lines = append(lines, drawn...)
		}
	}
	most := room
	if len(running) > 0 {
		most = max(room/2, room-len(running)-1)
	}
	list(failed, most, "failed")
	list(running, room, "running")
	return lines[:min(len(lines), room)]
}

// step draws a step, with what is to be said below it.
func (d *drawing) step(s *step) []string {
	line := "  " + pad(s.state().Painted(d.paint), stateWidth) + pad(ansi.Truncate(s.label, d.key, "…"), d.key)
	if s.by != "" {
		return []string{line + "  " + d.paint(report.Muted, s.by)}
	}
	if d.rows > 0 {
		line += "  " + padLeft(s.rows, d.rows)
	}
	line += "  " + padLeft(s.time(d.now), timeWidth)
	switch {
	case s.attempt > 1:
		line += fmt.Sprintf("  attempt %d", s.attempt)
	case d.checks > 0 && s.verdicts() != "":
		line += "  " + s.verdicts()
	}
	lines := append([]string{strings.TrimRight(line, " ")}, d.why(s, 2+stateWidth)...)
	for _, c := range s.checks {
		if c.why() != "" || c.status == run.StepFailed || c.status == run.StepRunning && d.now.Sub(c.started) > slowCheck {
			_, name, _ := strings.Cut(c.label, ":")
			lines = append(lines, strings.Repeat(" ", 2+stateWidth)+c.state().Painted(d.paint)+" "+name+"  "+c.time(d.now))
			lines = append(lines, d.why(c, 4+stateWidth)...)
		}
	}
	return lines
}

// why wraps what is said below a step.
func (d *drawing) why(s *step, indent int) []string {
	text := s.why()
	if text == "" {
		return nil
	}
	lines := strings.Split(ansi.Wrap(text, max(10, d.width-indent), ""), "\n")
	if len(lines) > whyLines {
		lines = lines[:whyLines]
		lines[whyLines-1] = ansi.Truncate(lines[whyLines-1], max(9, d.width-indent-1), "") + "…"
	}
	role := s.state().Role
	for i, line := range lines {
		lines[i] = strings.Repeat(" ", indent) + d.paint(role, line)
	}
	return lines
}

// cut keeps every line within the width.
func (d *drawing) cut(lines []string) []string {
	for i, line := range lines {
		lines[i] = ansi.Truncate(line, d.width, "…")
	}
	return lines
}
