package courier

import (
	"context"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"time"

	"waggle/shared/asset"
	"waggle/shared/event"
	"waggle/shared/fault"
	"waggle/shared/notice"
	"waggle/shared/notify"
	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/sensor"
	"waggle/shared/store"
)

// evaluation is one call of a sensor's function: it gathers what the function logs and notifies.
type evaluation struct {
	courier *Courier
	event   event.Event
	source  string

	mu      sync.Mutex
	outs    []store.Out
	calls   map[string]int // by channel
	lines   []store.EventLine
	bytes   int
	dropped int
	mistake error
}

var _ sensor.Evaluation = (*evaluation)(nil)

// What the record of an evaluation keeps of its log.
const (
	mostLines = 100
	mostBytes = 32 << 10
)

func (e *evaluation) Handler() slog.Handler { return logHandler{evaluation: e} }

// Notify renders the message now, on every rung, so that what is sent later, by whichever process, is what was known then.
func (e *evaluation) Notify(message notify.Sendable, channels []*notify.Channel) error {
	outs, err := e.render(message, channels)
	e.mu.Lock()
	defer e.mu.Unlock()
	if err == nil {
		err = e.add(message, outs)
	}
	if err != nil && e.mistake == nil {
		e.mistake = err
	}
	return err
}

func (e *evaluation) render(message notify.Sendable, channels []*notify.Channel) ([]store.Out, error) {
	p, err := e.courier.render(message)
	if err != nil {
		return nil, err
	}
	var outs []store.Out
	about := e.about(message)
	for _, channel := range channels {
		if err := e.courier.listed(channel); err != nil {
			return nil, err
		}
		body, err := e.courier.packer.pack(p.of(channel.Definition().Kind))
		if err != nil {
			return nil, err
		}
		outs = append(outs, store.Out{Channel: channel.Definition().Name, Time: e.event.Time, Run: e.event.Run, Seq: e.event.Seq, Source: e.source, Event: e.event.ID,
			Title: p.Rungs[0].Line, Body: body, About: about})
	}
	return outs, nil
}

// about is what a report is about whose repeats are told as one: the failure or the success of the event's own run of a job.
func (e *evaluation) about(message notify.Sendable) *store.About {
	r, ok := notice.RunOf(message)
	if !ok || r.Job == "" || r.ID != e.event.Run {
		return nil
	}
	about := &store.About{Subject: subjectOf(r.Job), Name: r.Job, Status: r.Status, Since: r.FailingSince}
	if r.Status == run.Failure {
		about.Error = r.Why()
	}
	return about
}

// render returns a message on every rung, in every form.
func (c *Courier) render(message notify.Sendable) (payload, error) {
	var p payload
	for _, rung := range notify.Rungs() {
		content, err := message.Content(rung)
		if err != nil {
			return p, err
		}
		p.Rungs = append(p.Rungs, content)
	}
	return p, nil
}

// add numbers the calls of each channel. Of several messages with one key the first counts.
func (e *evaluation) add(message notify.Sendable, outs []store.Out) error {
	key := ""
	if m, ok := message.(notify.Message); ok {
		key = m.Key
	}
	if e.calls == nil {
		e.calls = map[string]int{}
	}
	for _, o := range outs {
		e.calls[o.Channel]++
		if o.Call = strconv.Itoa(e.calls[o.Channel]); key != "" {
			o.Call = "key:" + key
		}
		if o.Seq == 0 { // it is in no log: nothing else tells two that happened at one time apart
			o.Call = o.Event + " " + o.Call
		}
		if slices.ContainsFunc(e.outs, func(other store.Out) bool { return other.Channel == o.Channel && other.Call == o.Call }) {
			continue
		}
		if len(e.outs) == store.MaxOuts {
			return fault.New(fault.Invalid, "more than %d messages for one event", store.MaxOuts).WithHint("put them into one message")
		}
		e.outs = append(e.outs, o)
	}
	return nil
}

// result is what the function gave to channels, or the first mistake in a call of Notify.
func (e *evaluation) result() ([]store.Out, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.outs, e.mistake
}

func (e *evaluation) logged() []store.EventLine {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.dropped > 0 {
		return append(slices.Clone(e.lines), store.EventLine{Time: e.courier.store.Now().UTC(), Level: "INFO", Message: strconv.Itoa(e.dropped) + " more lines"})
	}
	return e.lines
}

func (e *evaluation) Latest(ctx context.Context, key asset.Key) (run.Materialization, error) {
	return e.courier.store.Latest(ctx, key)
}

func (e *evaluation) Run(ctx context.Context, id run.ID) (run.Record, error) {
	fold, _, err := e.courier.store.Fold(ctx, id)
	if err != nil {
		return run.Record{}, err
	}
	return fold.Record, nil
}

func (e *evaluation) Now() time.Time { return e.courier.store.Now() }

// logHandler keeps the lines of an evaluation.
type logHandler struct {
	evaluation *evaluation
	attrs      []slog.Attr
	prefix     string
}

func (h logHandler) Enabled(context.Context, slog.Level) bool { return true }

func (h logHandler) Handle(_ context.Context, r slog.Record) error {
	e := h.evaluation
	line := store.EventLine{Time: e.courier.store.Now().UTC(), Level: runlog.LevelName(r.Level), Message: r.Message}
	attrs := slices.Clone(h.attrs)
	r.Attrs(func(a slog.Attr) bool {
		attrs = append(attrs, slog.Attr{Key: h.prefix + a.Key, Value: a.Value})
		return true
	})
	if len(attrs) > 0 {
		line.Attrs = append(runlog.AppendAttrs([]byte{'{'}, attrs), '}')
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	size := len(line.Message) + len(line.Attrs)
	if len(e.lines) >= mostLines || e.bytes+size > mostBytes {
		e.dropped++
		return nil
	}
	e.bytes += size
	e.lines = append(e.lines, line)
	return nil
}

func (h logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	h.attrs = slices.Clone(h.attrs)
	for _, a := range attrs {
		h.attrs = append(h.attrs, slog.Attr{Key: h.prefix + a.Key, Value: a.Value})
	}
	return h
}

func (h logHandler) WithGroup(name string) slog.Handler {
	if name != "" {
		h.prefix += name + "."
	}
	return h
}
