package sensor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"waggle/shared/asset"
	"waggle/shared/fault"
	"waggle/shared/notify"
	"waggle/shared/run"
)

// Context is what a sensor's function gets besides what happened. It is safe for several goroutines.
type Context struct {
	context.Context
	// Log writes to the record of the evaluation: `waggle sensors show NAME`.
	Log *slog.Logger

	evaluation Evaluation
	polling    *Polling // of a polled sensor
}

// Evaluation is what a Context needs of whoever evaluates the sensor.
type Evaluation interface {
	// Handler takes the log records, at every level.
	Handler() slog.Handler
	// Notify gathers a message for channels; it leaves when the function returns nil.
	Notify(message notify.Sendable, channels []*notify.Channel) error
	// Latest returns the newest good materialization; fault.NotFound where there is none.
	Latest(ctx context.Context, key asset.Key) (run.Materialization, error)
	// Run returns what is recorded of a run; fault.NotFound for an unknown one.
	Run(ctx context.Context, id run.ID) (run.Record, error)
	Now() time.Time
}

// NewContext makes the context of one evaluation. Those who evaluate sensors and tests call it.
func NewContext(ctx context.Context, e Evaluation) *Context {
	return &Context{Context: ctx, Log: slog.New(e.Handler()), evaluation: e}
}

// Notify gives a message to channels. It leaves when the sensor's function returns nil, and is sent until it arrives or the channel
// gives it up. An error is a mistake in the call: no channel, a message without text, a channel that is not in Definitions.
func (c *Context) Notify(message notify.Sendable, channels ...*notify.Channel) error {
	if err := notify.Check(message, channels); err != nil {
		return err
	}
	return c.evaluation.Notify(message, channels)
}

// Now is the time by the clock of the deployment; tests set it.
func (c *Context) Now() time.Time { return c.evaluation.Now() }

// Latest returns the newest materialization of an asset that no blocking check refused, and whether there is one.
func (c *Context) Latest(a asset.Any) (m run.Materialization, found bool, err error) {
	def := asset.DefinitionOf(a)
	if def == nil {
		return m, false, fmt.Errorf("Latest of a nil asset")
	}
	m, err = c.evaluation.Latest(c, def.Key)
	if errors.Is(err, fault.NotFound) {
		return m, false, nil
	}
	return m, err == nil, err
}

// Run returns what is recorded of a run: its materializations with their metadata, check results and failed steps. An unknown run is
// fault.NotFound.
func (c *Context) Run(id run.ID) (run.Record, error) { return c.evaluation.Run(c, id) }
