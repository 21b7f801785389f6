package cli

import (
	"log/slog"
	"os"
	"time"

	"waggle/shared/cli/progress"
	"waggle/shared/runlog"
)

// frameTime is the least time between two frames.
const frameTime = 100 * time.Millisecond

// liveView draws the steps on a terminal and updates them in place.
type liveView struct {
	s        *session
	tty      *os.File
	progress *progress.Progress
	level    slog.Level
	screen   screen
	above    []string // talk that is to be shown above the steps
	drawn    time.Time
}

func newLiveView(s *session, p *progress.Progress, level slog.Level) *liveView {
	return &liveView{s: s, tty: s.outTTY, progress: p, level: level, screen: screen{tty: s.outTTY}}
}

func (v *liveView) take(e *runlog.Event) {
	v.progress.Take(e)
	if told(e, v.level) {
		v.say(talkLine(e, v.s.errPaint))
	}
}

func (v *liveView) say(text string) {
	if v.s.errTTY == nil {
		v.s.say("%s", text)
		return
	}
	v.above = append(v.above, text)
}

func (v *liveView) pause(now time.Time) {
	if since := now.Sub(v.drawn); since >= frameTime || since < 0 {
		v.draw(now, false)
	}
}

func (v *liveView) end(now time.Time) {
	v.draw(now, true)
	v.quit()
	_ = v.s.write("")
}

func (v *liveView) quit() { v.screen.leave() }

func (v *liveView) draw(now time.Time, last bool) {
	width, height := size(v.tty)
	v.screen.draw(width, v.above, v.progress.Frame(now, width, height-1, last, v.s.paint))
	v.above, v.drawn = v.above[:0], now
}
