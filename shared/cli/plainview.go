package cli

import (
	"log/slog"
	"time"

	"waggle/shared/cli/progress"
	"waggle/shared/run"
	"waggle/shared/runlog"
)

// plainView prints one line a finished step.
type plainView struct {
	s        *session
	progress *progress.Progress
	level    slog.Level
	lines    []string
}

func (v *plainView) take(e *runlog.Event) {
	v.s.talk(e, v.level)
	if key, done := v.progress.Take(e); done {
		v.lines = append(v.lines, v.progress.Line(key, v.s.paint))
	}
}

func (v *plainView) pause(time.Time) {
	_ = v.s.write(v.lines...) // a run goes on when nobody reads of it
	v.lines = v.lines[:0]
}

func (v *plainView) end(now time.Time) {
	v.pause(now)
	_ = v.s.write("")
}

// lineView prints each event as a JSON object; with -o json nothing but the talk.
type lineView struct {
	s     *session
	id    run.ID
	level slog.Level
}

func (v *lineView) take(e *runlog.Event) {
	v.s.talk(e, v.level)
	if v.s.format == formatLines {
		_ = v.s.printJSON(eventOf(v.id, e))
	}
}

func (v *plainView) say(text string) { v.s.say("%s", text) }

func (v *plainView) quit() {}

func (v *lineView) pause(time.Time) {}

func (v *lineView) say(text string) { v.s.say("%s", text) }

func (v *lineView) quit() {}

func (v *lineView) end(time.Time) {}

// talk tells of a log record, a retry or an interruption on stderr, from a level on.
func (s *session) talk(e *runlog.Event, from slog.Level) {
	if told(e, from) {
		s.say("%s", talkLine(e, s.errPaint))
	}
}

// told reports whether an event is told to those who watch. That a run waits always is.
func told(e *runlog.Event, from slog.Level) bool {
	return e.Type == runlog.RunEnqueued || e.Level >= from && tells(e)
}

// tells reports whether an event is shown to those who watch; what steps came to is shown in another way.
func tells(e *runlog.Event) bool {
	switch e.Type {
	case runlog.Log, runlog.StepUpForRetry, runlog.StepInterrupted:
		return true
	}
	return false
}

// logLevel is the level from which log records are shown while a run goes on.
func (s *session) logLevel() (slog.Level, error) {
	text := s.env("WAGGLE_LOG_LEVEL")
	if text == "" {
		return slog.LevelWarn, nil
	}
	level, err := runlog.ParseLevel(text)
	if err != nil {
		return 0, usage("one of DEBUG, INFO, WARNING, ERROR, CRITICAL", "WAGGLE_LOG_LEVEL is %q", text)
	}
	return level, nil
}
