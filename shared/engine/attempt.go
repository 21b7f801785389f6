package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/fault"
	"waggle/shared/metadata"
	"waggle/shared/plan"
	"waggle/shared/run"
	"waggle/shared/runlog"
)

// attempt is one try at a step. It is the asset.Step behind the context that the step's function gets.
type attempt struct {
	x       *execution
	step    *plan.Step
	number  int
	careful bool
	after   int64   // number of an event that must be stored before it starts; 0: none
	remote  *remote // it runs in a process of its own; nil: here
	ctx     context.Context
	stop    context.CancelCauseFunc
	began   time.Time // when it was started, the loading of its inputs included

	timers []*time.Timer // of its timeout

	over  atomic.Bool // its end is decided: by itself, or by the loop that gave it up
	texts atomic.Int64

	mu       sync.Mutex
	metadata metadata.Values
	bad      []error // metadata that could not be encoded
	given    []given // of a strict engine: what the step was given to read
	calls    int     // of Notify
	told     []Delivering
}

// result is what an attempt tells the loop.
type result struct {
	attempt *attempt
	err     *run.Error // nil: it succeeded, and its events are appended
	blocks  bool       // a blocking check failed
	value   any        // of an asset; of an attempt elsewhere it is in the store

	canceled bool // its process saw that the run is to be canceled
	detached bool // it goes on elsewhere, without this owner
}

// run does the work and reports to the loop. Only one of it and the loop decides how the attempt ended.
func (a *attempt) run() {
	r := result{attempt: a}
	events, err := []runlog.Event(nil), errGoexit
	defer func() { // runtime.Goexit comes by here too, and nowhere else
		if p := recover(); p != nil {
			err = &panicError{value: p, stack: userFrames(debug.Stack())}
		}
		if err != nil {
			r.err = a.errorOf(err)
		}
		if !a.over.CompareAndSwap(false, true) {
			return // the loop gave it up
		}
		if r.err == nil {
			a.x.journal.Append(events...)
		}
		a.x.results <- r
	}()
	if a.step.Check != nil {
		events, r.blocks, err = a.check()
	} else {
		events, r.value, err = a.make()
	}
}

var errGoexit = errors.New("it called runtime.Goexit, as t.FailNow does")

// make calls the function of an asset and stores what it returns.
func (a *attempt) make() ([]runlog.Event, any, error) {
	ctx, inputs, err := a.prepare()
	if err != nil {
		return nil, nil, err
	}
	value, err := a.step.Asset.Call(ctx, inputs)
	if err == nil {
		err = a.objection()
	}
	if err != nil {
		return nil, nil, err
	}
	events, err := a.materialized(value)
	return events, value, err
}

// check calls the function of a check.
func (a *attempt) check() (events []runlog.Event, blocks bool, err error) {
	ctx, inputs, err := a.prepare()
	if err != nil {
		return nil, false, err
	}
	found, err := a.step.Check.Call(ctx, inputs)
	if err == nil {
		err = a.objection()
	}
	if err != nil {
		return nil, false, err
	}
	return a.evaluated(found)
}

// prepare waits for the log, if it must, and gathers what the function takes.
func (a *attempt) prepare() (*asset.Context, []any, error) {
	after := a.after
	if a.waits() {
		after = a.x.journal.last()
	}
	if err := a.x.journal.Wait(a.ctx, after); err != nil {
		return nil, nil, err
	}
	inputs, err := a.inputs()
	return asset.NewContext(a.ctx, a), inputs, err
}

// objection is what is wrong with a call that returned no error.
func (a *attempt) objection() error {
	if err := errors.Join(a.unchanged(), a.badMetadata()); err != nil {
		return err
	}
	return a.delivered()
}

// waits reports whether the step starts only when all it reads, and its own start, are stored.
func (a *attempt) waits() bool {
	return a.careful || a.step.Check == nil && a.step.Asset.Options.Effects
}

func (a *attempt) inputs() ([]any, error) {
	sources := a.step.Inputs()
	inputs := make([]any, len(sources))
	for i, in := range sources {
		var err error
		switch {
		case in.Asset != nil:
			inputs[i], err = a.read(in.Asset)
		case in.Config != nil:
			inputs[i], err = in.Config.Build(a.x.config)
		default:
			inputs[i], err = a.x.resources.open(a.x.ctx, in.Resource)
		}
		if err != nil {
			return nil, err
		}
	}
	return inputs, nil
}

// materialized stores the value and returns the events that say so.
func (a *attempt) materialized(value any) ([]runlog.Event, error) {
	def := a.step.Asset
	took := a.took()
	data := &runlog.Materialized{DurationMS: took, Blocking: a.x.plan.Blocking(a.step)}
	if def.Type != nil {
		encoded, err := def.Codec.Encode(value)
		if err != nil {
			return nil, fmt.Errorf("store its value as %s: %w", def.Codec.Name(), err)
		}
		if data.Value, err = a.x.spill.value(a.x.ctx, def.Key, a.number, def.Codec, encoded); err != nil {
			return nil, err
		}
	}
	var err error
	if data.Metadata, err = a.reported(nil); err != nil {
		return nil, err
	}
	return []runlog.Event{
		a.event(runlog.Materialization, data),
		a.event(runlog.StepSuccess, &runlog.Outcome{DurationMS: took}),
	}, nil
}

// evaluated returns the events that hold a check's result.
func (a *attempt) evaluated(r check.Result) (events []runlog.Event, blocks bool, err error) {
	took := a.took()
	values, err := a.reported(r.Metadata)
	if err != nil {
		return nil, false, err
	}
	opts := a.step.Check.Options
	data := &runlog.Evaluated{Status: run.CheckSucceeded, Passed: r.Passed, Blocking: opts.Blocking, Severity: r.Severity,
		Description: a.cutText("description", r.Description), Metadata: values}
	if data.Severity == "" {
		data.Severity = opts.Severity
	}
	e := a.event(runlog.CheckEvaluation, data)
	if !r.Passed {
		data.Status = run.CheckFailed
		e.Level = levelOf(data.Severity)
	}
	return []runlog.Event{e, a.event(runlog.StepSuccess, &runlog.Outcome{DurationMS: took})}, data.Blocks(), nil
}

// reported returns all metadata of the attempt, the largest values in blobs.
func (a *attempt) reported(more metadata.Map) (metadata.Values, error) {
	values, err := more.Encode()
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	for label, v := range a.metadata {
		if _, ok := values[label]; !ok {
			values[label] = v
		}
	}
	a.mu.Unlock()
	if len(values) == 0 {
		return nil, nil
	}
	return values, a.x.spill.metadata(a.x.ctx, a.step.Key, a.number, values)
}

func (a *attempt) badMetadata() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return errors.Join(a.bad...)
}

func (a *attempt) event(t runlog.Type, data any) runlog.Event {
	return runlog.Event{Type: t, Step: a.step.Key, Attempt: a.number, Data: data}
}

// outcome is the Data of the end of an attempt that failed.
func (a *attempt) outcome(e *run.Error) *runlog.Outcome {
	o := &runlog.Outcome{Error: e, DurationMS: a.took()}
	// Metadata of a failed attempt is worth reading, not worth another failure.
	if values, err := a.reported(nil); err == nil {
		o.Metadata = values
	}
	return o
}

// took is how long the attempt has taken, in milliseconds. The clock may have been set back.
func (a *attempt) took() float64 { return max(0, runlog.Milliseconds(a.x.store.Now().Sub(a.began))) }

func (a *attempt) cutText(what, text string) string {
	return a.x.spill.text(a.x.ctx, a.step.Key, a.number, func() string { return fmt.Sprintf("%s-%d", what, a.texts.Add(1)) }, text)
}

// errorOf says how the attempt failed: by its own error, or by what stopped it. It leaves an error's methods to fmt, which
// survives their panics, as of a nil pointer that was returned as an error.
func (a *attempt) errorOf(err error) *run.Error {
	p, panicked := err.(*panicError)
	switch cause := context.Cause(a.ctx); {
	case panicked:
		return &run.Error{Kind: run.Panicked, Message: a.cutText("error", "panic: "+fmt.Sprint(p.value)), Stack: a.cutText("stack", p.stack)}
	case errors.Is(cause, errTimeout), errors.Is(cause, errRunTimeout):
		message := cause.Error()
		if err != context.Canceled { // it says more than that it was stopped
			message += ": " + fmt.Sprint(err)
		}
		return &run.Error{Kind: run.TimedOut, Message: a.cutText("error", message)}
	case errors.Is(cause, errInterrupted):
		return &run.Error{Kind: run.Interrupted, Message: a.cutText("error", fmt.Sprint(err))}
	case errors.Is(cause, errStopped):
		return &run.Error{Kind: run.Stopped, Message: a.cutText("error", fmt.Sprint(err))}
	}
	return &run.Error{Kind: run.Returned, Message: a.cutText("error", fmt.Sprint(err))}
}

// Why an attempt's context ends.
var (
	errTimeout     = errors.New("timed out")
	errCanceled    = errors.New("the run was canceled")
	errInterrupted = errors.New("interrupted before the platform's deadline")
	errStopped     = errors.New("stopped with its worker")
	errOver        = errors.New("the step is over")
)

type panicError struct {
	value any
	stack string
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

// userFrames cuts what the runtime and the engine add to a stack: frames up to the panic, and from the call on.
func userFrames(stack []byte) string {
	lines := strings.Split(strings.TrimSpace(string(stack)), "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "panic(") {
			lines = lines[min(i+2, len(lines)):]
			break
		}
	}
	for len(lines) > 2 && strings.HasPrefix(lines[0], "runtime.") { // of a nil pointer, an index out of range
		lines = lines[2:]
	}
	for i, line := range lines {
		if strings.Contains(line, "waggle/shared/asset.New") || strings.Contains(line, "waggle/shared/asset.Do") ||
			strings.Contains(line, "waggle/shared/check.New") || strings.Contains(line, "waggle/shared/engine.(*attempt)") {
			lines = lines[:i]
			break
		}
	}
	return strings.Join(lines, "\n")
}

// ask returns the error of a question that the function asks when its step is over.
func (a *attempt) ask() error {
	if a.over.Load() {
		return fault.New(fault.Canceled, "step %s is over", a.step.Key)
	}
	return nil
}
