package engine

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"

	"waggle/shared/run"
	"waggle/shared/runlog"
)

// logHandler turns log records of a step into events.
type logHandler struct {
	attempt *attempt
	attrs   []slog.Attr // of With
	prefix  string      // the open groups, each with a point
}

func (h *logHandler) Enabled(context.Context, slog.Level) bool { return true }

func (h *logHandler) Handle(_ context.Context, r slog.Record) error {
	a := h.attempt
	if a.over.Load() {
		return nil
	}
	e := a.event(runlog.Log, nil)
	e.Level = r.Level
	if r.NumAttrs()+len(h.attrs) > 0 {
		attrs := make([]slog.Attr, 0, r.NumAttrs())
		r.Attrs(func(attr slog.Attr) bool {
			attrs = append(attrs, attr)
			return true
		})
		e.Data = h.data(slices.Concat(h.attrs, h.qualified(attrs)))
	}
	e.Message = a.cutText("log", r.Message)
	a.x.journal.Append(e)
	return nil
}

// data encodes attributes; large ones go to a blob.
func (h *logHandler) data(attrs []slog.Attr) any {
	raw := append(runlog.AppendAttrs(append(make([]byte, 0, 64), '{'), attrs), '}')
	if escaped(raw) <= inlineText {
		return &runlog.Logged{Attrs: raw}
	}
	cut, err := json.Marshal(h.attempt.cutText("attrs", string(raw)))
	if err != nil {
		return nil
	}
	return &runlog.Logged{Attrs: slices.Concat([]byte(`{"attrs":`), cut, []byte("}"))}
}

// qualified puts the open groups before the attributes' keys: "group.key".
func (h *logHandler) qualified(attrs []slog.Attr) []slog.Attr {
	if h.prefix == "" {
		return attrs
	}
	named := make([]slog.Attr, 0, len(attrs))
	for _, attr := range attrs {
		switch {
		case attr.Equal(slog.Attr{}): // is ignored, says slog
		case attr.Key == "" && attr.Value.Kind() == slog.KindGroup: // its attributes stand in its place
			named = append(named, h.qualified(attr.Value.Group())...)
		default:
			named = append(named, slog.Attr{Key: h.prefix + attr.Key, Value: attr.Value})
		}
	}
	return named
}

func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &logHandler{attempt: h.attempt, attrs: slices.Concat(h.attrs, h.qualified(attrs)), prefix: h.prefix}
}

func (h *logHandler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	return &logHandler{attempt: h.attempt, attrs: h.attrs, prefix: h.prefix + name + "."}
}

// levelOf is the log level of a failed check.
func levelOf(s run.Severity) slog.Level {
	if s == run.SeverityWarn {
		return slog.LevelWarn
	}
	return slog.LevelError
}
