package cli

import (
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/charmbracelet/x/ansi"

	"waggle/shared/monitor"
	"waggle/shared/report"
	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/store"
)

// devView shows what `dev` does: a line for each thing that happens, and on a terminal below them what runs, what waits and what
// is next.
type devView struct {
	s      *session
	now    func() time.Time
	level  slog.Level
	live   bool
	screen screen

	unfinished []run.ID // read after close

	mu    sync.Mutex
	state monitor.State
	steps map[run.ID]*devSteps
	above []string
	last  string // the frame as drawn
	gone  bool

	stop, stopped chan struct{}
}

// devSteps counts the steps of a run that goes on.
type devSteps struct {
	all, done, failed int
	running           []run.StepKey
}

func newDevView(s *session, st *store.Store, level slog.Level) *devView {
	return &devView{s: s, now: st.Now, level: level, live: s.format == formatTable && s.outTTY != nil && s.env("TERM") != "dumb",
		screen: screen{tty: s.outTTY}, steps: map[run.ID]*devSteps{}, stop: make(chan struct{}), stopped: make(chan struct{})}
}

// open begins to draw.
func (v *devView) open() {
	if !v.live {
		if v.s.format == formatTable {
			v.s.say("looking after %s; Ctrl-C ends it", v.s.place())
			for _, n := range v.s.nextTicks(v.now()) {
				v.s.say("next: %s, %s", n.schedule, zoned(n.at))
			}
		}
		close(v.stopped)
		return
	}
	go func() {
		defer close(v.stopped)
		ticker := time.NewTicker(frameTime)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				v.draw()
			case <-v.stop:
				v.draw()
				return
			}
		}
	}()
}

// close draws for the last time.
func (v *devView) close() {
	close(v.stop)
	<-v.stopped
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.live {
		width, _ := size(v.s.outTTY)
		v.screen.draw(width, nil, nil)
		v.screen.leave()
	}
	for _, w := range v.state.Waiting {
		if !slices.Contains(v.unfinished, w.ID) {
			v.unfinished = append(v.unfinished, w.ID)
		}
	}
}

// quit gives the terminal back, for a process that ends at once.
func (v *devView) quit() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.gone = true
	if v.live {
		v.screen.leave()
	}
}

// observe takes an event of a run.
func (v *devView) observe(id run.ID, e *runlog.Event) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if e.Level >= v.level && tells(e) {
		line := id.Short() + "  " + talkLine(e, v.s.errPaint)
		if v.live && v.s.errTTY != nil {
			v.above = append(v.above, line)
		} else {
			v.s.say("%s", line)
		}
	}
	if !v.live {
		return
	}
	d := v.steps[id]
	if d == nil {
		d = &devSteps{}
		v.steps[id] = d
	}
	d.take(e)
}

func (d *devSteps) take(e *runlog.Event) {
	if data, ok := e.Data.(*runlog.Start); ok {
		d.all = data.Steps
	}
	drop := func() { d.running = slices.DeleteFunc(d.running, func(key run.StepKey) bool { return key == e.Step }) }
	switch e.Type {
	case runlog.StepStart:
		d.running = append(d.running, e.Step)
	case runlog.StepUpForRetry, runlog.StepInterrupted:
		drop()
	case runlog.StepSuccess, runlog.StepSkipped, runlog.StepCanceled:
		drop()
		d.done++
	case runlog.StepFailure:
		drop()
		d.done++
		d.failed++
	}
}

// show takes the state to draw.
func (v *devView) show(state monitor.State) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.state = state
}

// say shows a sentence to who watches.
func (v *devView) say(text string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.live {
		v.above = append(v.above, text)
		return
	}
	v.s.say("%s", text)
}

// happeningJSON is a thing that happened, as -o jsonl prints it.
type happeningJSON struct {
	Time     time.Time    `json:"time"`
	Kind     monitor.Kind `json:"kind"`
	Schedule string       `json:"schedule,omitempty"`
	Tick     *time.Time   `json:"tick,omitempty"`
	Ticks    int          `json:"ticks,omitempty"`
	Late     bool         `json:"late,omitempty"`
	RunID    run.ID       `json:"run_id,omitempty"`
	Name     string       `json:"name,omitempty"`
	Status   run.Status   `json:"status,omitempty"`
	Retry    run.ID       `json:"retried_by,omitempty"`
	Why      string       `json:"why,omitempty"`
	Error    string       `json:"error,omitempty"`
}

// tell takes what happened.
func (v *devView) tell(h monitor.Happening) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch h.Kind {
	case monitor.RunEnded:
		delete(v.steps, h.Run)
	case monitor.RunStopped:
		v.unfinished = append(v.unfinished, h.Run)
	}
	if v.s.format == formatLines {
		_ = v.s.printJSON(jsonOf(h))
		return
	}
	state, text := v.sentence(h)
	at := utc(h.Time)
	if v.live {
		at = h.Time.UTC().Format("15:04:05 UTC")
	}
	line := v.s.paint(report.Muted, at) + "  " + padded(state, 11) + " " + text
	if v.live {
		v.above = append(v.above, line)
		return
	}
	_ = v.s.write(line) // it goes on when nobody reads of it
}

func jsonOf(h monitor.Happening) happeningJSON {
	out := happeningJSON{Time: h.Time.UTC(), Kind: h.Kind, Schedule: h.Schedule, Ticks: h.Ticks, Late: h.Late, RunID: h.Run, Name: h.Name, Status: h.Summary.Status,
		Retry: h.Retry, Why: h.Why, Error: h.Summary.Error}
	if !h.Tick.IsZero() {
		out.Tick = &h.Tick
	}
	if h.Err != nil {
		out.Error = h.Err.Error()
	}
	return out
}

// sentence is what happened, in words: how it stands, and the rest.
func (v *devView) sentence(h monitor.Happening) (state, text string) {
	paint := v.s.paint
	warning := report.Doubtful().Painted(paint)
	of := "run " + h.Run.Short()
	if h.Name != "" {
		of = paint(report.Strong, h.Name) + " " + h.Run.Short()
	}
	switch h.Kind {
	case monitor.TickLaunched:
		if h.Late {
			state = paint(report.Warn, "▲ LATE")
		} else {
			state = "· TICK"
		}
		return state, v.s.tickText(h.Schedule, h.Tick, h.Late, h.Time) + ": run " + h.Run.Short()
	case monitor.TickFailed:
		return warning, v.s.tickText(h.Schedule, h.Tick, h.Late, h.Time) + " could not be launched: " + h.Err.Error()
	case monitor.TicksPassed:
		return warning, v.s.passedText(h.Schedule, h.Ticks, h.Tick)
	case monitor.RunBegan:
		return report.OfRun(run.Started).Painted(paint), of + " goes on; its process died"
	case monitor.RunWaits:
		return report.OfRun(run.Queued).Painted(paint), of + ": " + h.Why
	case monitor.RunEnded:
		state, text = ending(h.Summary, h.Retry, paint)
		return state, of + ": " + text
	case monitor.RunStopped:
		return report.OfRun(run.Queued).Painted(paint), of + " was stopped where it is; it goes on later"
	}
	if h.Run == "" {
		return warning, h.Err.Error()
	}
	return warning, of + ": " + h.Err.Error()
}

// padded fills a text up to a width on its right.
func padded(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-ansi.StringWidth(text)))
}
