package asset

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"waggle/shared/fault"
	"waggle/shared/metadata"
	"waggle/shared/notify"
	"waggle/shared/run"
)

// Context is what a function of an asset or a check gets besides its inputs. It is safe for
// several goroutines. When the step is over, what is logged or added is dropped.
type Context struct {
	context.Context
	// Log writes to the run's log, at every level.
	Log *slog.Logger

	step     Step
	timed    timings
	gathered gathered
}

// Step is what a Context needs of whoever runs the step.
type Step interface {
	// Handler takes the step's log records, at every level.
	Handler() slog.Handler
	// AddMetadata adds values; err names the labels that could not be encoded, which
	// fails the step when its function returns.
	AddMetadata(values metadata.Values, err error)
	// Load returns the value of a dependency: this run's, else the newest good one.
	Load(ctx context.Context, def *Definition) (any, error)
	// Previous returns the newest good value of the step's own asset from an earlier run;
	// fault.NotFound where there is none.
	Previous(ctx context.Context) (any, error)
	// Materialization returns that of this run, else the newest good one; fault.NotFound where there is none, fault.Invalid for
	// an asset that the step does not declare to read.
	Materialization(ctx context.Context, def *Definition) (run.Materialization, error)
	// Before returns the newest good materialization of the step's own asset from an earlier run; fault.NotFound where there is none.
	Before(ctx context.Context) (run.Materialization, error)
	// Latest returns the newest good materialization; fault.NotFound where there is none.
	Latest(ctx context.Context, key Key) (run.Materialization, error)
	// Run returns what is recorded of a run; fault.NotFound for an unknown one.
	Run(ctx context.Context, id run.ID) (run.Record, error)
	// Keep stores data beside what the step makes and returns where; Kept returns it, fault.NotFound where it is gone.
	Keep(ctx context.Context, name string, data []byte) (blob string, err error)
	Kept(ctx context.Context, blob string) ([]byte, error)
	// Notify gives a message to channels, once for each run, step, channel and call, however often the step is tried.
	Notify(ctx context.Context, message notify.Sendable, channels []*notify.Channel) error
	Now() time.Time
	Info() Info
}

// Info names the step to its function.
type Info struct {
	Run       run.ID
	Job       string // empty: a selection of steps
	Step      run.StepKey
	Attempt   int // 1 is the first
	Partition string
	Tags      map[string]string
}

// NewContext makes the context of one attempt at a step. Engines and tests call it.
func NewContext(ctx context.Context, step Step) *Context {
	return &Context{Context: ctx, Log: slog.New(step.Handler()), step: step}
}

// AddMetadata attaches labelled values to the materialization or check. A label set twice: the last
// wins. A value that cannot be encoded (NaN) fails the step at its end, named by its label.
func (c *Context) AddMetadata(maps ...metadata.Map) {
	for _, m := range maps {
		c.step.AddMetadata(m.Encode())
	}
}

// Notify gives a message to channels, when all that the step read is stored. It is sent until it arrives or the channel gives it up: the
// step then waits for up to 10 s at its end, says under delivery_state how far that has come, and fails where a channel has given it
// up. A step that is tried again does not send again; another run does. An error is a mistake in the call.
func (c *Context) Notify(message notify.Sendable, channels ...*notify.Channel) error {
	if err := notify.Check(message, channels); err != nil {
		return err
	}
	return c.step.Notify(c, message, channels)
}

// Now is the time by the run's clock; tests set it.
func (c *Context) Now() time.Time { return c.step.Now() }

// RunID is the run's id.
func (c *Context) RunID() run.ID { return c.step.Info().Run }

// Job is the name of the run's job; empty when assets were selected by hand.
func (c *Context) Job() string { return c.step.Info().Job }

// Attempt is the number of this attempt; 1 is the first.
func (c *Context) Attempt() int { return c.step.Info().Attempt }

// Tags are the run's tags; read-only.
func (c *Context) Tags() map[string]string { return c.step.Info().Tags }

// Materialization returns what is recorded of the value that Load returns: the asset's materialization of this run if the run makes it, else
// the newest that no blocking check refused, and whether there is one. An asset that is neither an input nor in Deps is fault.Invalid: without
// that it may not be made yet, and an older run's would be taken for it.
func (c *Context) Materialization(a Any) (m run.Materialization, found bool, err error) {
	def := DefinitionOf(a)
	if def == nil {
		return m, false, fault.New(fault.Invalid, "Materialization of a nil asset")
	}
	m, err = c.step.Materialization(c, def)
	return orNone(m, err)
}

// Before returns what is recorded of the value that Previous returns: the newest materialization of the step's own asset by an
// earlier run that no blocking check refused, and whether there is one.
func (c *Context) Before() (m run.Materialization, found bool, err error) {
	m, err = c.step.Before(c)
	return orNone(m, err)
}

// Latest returns the newest materialization of an asset that no blocking check refused, and
// whether there is one.
func (c *Context) Latest(a Any) (m run.Materialization, found bool, err error) {
	def := DefinitionOf(a)
	if def == nil {
		return m, false, fmt.Errorf("Latest of a nil asset")
	}
	m, err = c.step.Latest(c, def.Key)
	return orNone(m, err)
}

// orNone takes fault.NotFound for the answer that there is none.
func orNone(m run.Materialization, err error) (run.Materialization, bool, error) {
	if isNotFound(err) {
		return m, false, nil
	}
	return m, err == nil, err
}

// Run returns what is recorded of a run: its materializations with their metadata, check results and failed
// steps. An unknown run is fault.NotFound.
func (c *Context) Run(id run.ID) (run.Record, error) { return c.step.Run(c, id) }
