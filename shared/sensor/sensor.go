// Package sensor defines sensors: functions that are called when something happened in a run, and tell people.
//
// A sensor is called for each event at least once; what it gives to channels counts once for each event. It knows no engine and no
// store: whoever evaluates it hands an Evaluation to NewContext. It imports asset, check, event, fault, job, notice, notify and run of ours.
package sensor

import (
	"fmt"
	"regexp"
	"slices"
	"time"

	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/event"
	"waggle/shared/fault"
	"waggle/shared/job"
	"waggle/shared/notice"
	"waggle/shared/notify"
	"waggle/shared/run"
)

// Sensor is a declared sensor; list it in waggle.Definitions.
type Sensor struct{ def *Definition }

// Definition returns what was declared; nil for a nil sensor.
func (s *Sensor) Definition() *Definition {
	if s == nil {
		return nil
	}
	return s.def
}

// List is sensors.
type List []*Sensor

// Hear reports whether a sensor of the list is called for an event.
func (l List) Hear(e event.Event) bool {
	return slices.ContainsFunc(l, func(s *Sensor) bool { return s.Definition() != nil && s.Definition().Match(e) == Matched })
}

// HearTicks reports whether a sensor of the list is called for missed ticks.
func (l List) HearTicks() bool {
	return slices.ContainsFunc(l, func(s *Sensor) bool { return s.Definition() != nil && s.Definition().Kind == TickMissed })
}

// Kind says what a sensor is called for.
type Kind string

// The kinds of sensors.
const (
	RunFailure  Kind = "run failure"
	RunStatus   Kind = "run status"
	Asset       Kind = "asset materialized"
	CheckFailed Kind = "check failed"
	TickMissed  Kind = "tick missed"
)

// Definition is a sensor as declared: what those who evaluate it and commands read.
type Definition struct {
	Name     string
	Kind     Kind
	Options  Options
	Statuses []run.Status      // of RunStatus
	Asset    *asset.Definition // of Asset
	Every    time.Duration     // of Polled
	At       Daytime           // of DailySummary
	Channels notify.List       // of DailySummary; those of others are known when they are called
	Origin   string            // file:line of the constructor
	Call     func(*Context, Subject) error

	mistakes []error
}

// Subject is what an event is about. Fields that do not belong to it are zero.
type Subject struct {
	Event           event.Event
	Run             Run
	Materialization run.Materialization // of Asset
	Result          run.CheckResult     // of CheckFailed
	Missed          Missed              // of TickMissed
	Polling         *Polling            // of Polled and DailySummary
	Day             notice.Daily        // of DailySummary
}

// Options are the optional parts of a sensor. The zero value and nil mean all defaults.
type Options struct {
	// Description says what the sensor is for, in Markdown.
	Description string
	// Jobs are those whose runs, or whose missed ticks, it looks at. Empty: all, also runs of assets that were selected by hand.
	Jobs job.List
	// Checks are those that OnCheckFailed looks at. Empty: every check.
	Checks check.List
	// Severity is the least one that OnCheckFailed is called for. Defaults to Warn: every failure.
	Severity check.Severity
	// MinInterval is the least time between two messages to a channel. The function is called for every event; what it gives within the
	// time after a message leaves at its end, together. Defaults to 0: at once.
	MinInterval time.Duration
	// Isolated calls the function, on AWS, in a Lambda function of its own, waggle-ENV-sensor-NAME, with its own memory and up to 10 minutes:
	// a call that takes long keeps no other sensor waiting, and one that ends its process ends only that. On a laptop it changes nothing.
	// The name has 29 characters at most.
	Isolated bool
	// Fallback gets a note, one a day at most, when the function has failed for an event until that was given up: what it would have told is
	// not told. Nil: nobody is told; `waggle sensors` shows it. The channel is listed in Definitions too.
	Fallback *notify.Channel
}

// OnRunFailure declares a sensor of runs that failed. A run that is retried has not failed yet: the last one of the chain counts,
// also where that was canceled.
func OnRunFailure(name string, fn func(*Context, Run) error, opts *Options) *Sensor {
	return ofRun(&Definition{Name: name, Kind: RunFailure}, fn, opts)
}

// OnRunSuccess declares a sensor of runs that succeeded.
func OnRunSuccess(name string, fn func(*Context, Run) error, opts *Options) *Sensor {
	return ofRun(&Definition{Name: name, Kind: RunStatus, Statuses: []run.Status{run.Success}}, fn, opts)
}

// OnRunStatus declares a sensor of runs that come to one of the statuses: QUEUED, STARTED, SUCCESS, FAILURE, CANCELING or CANCELED. It
// is called for every failed run, also one that is retried.
func OnRunStatus(name string, statuses []run.Status, fn func(*Context, Run) error, opts *Options) *Sensor {
	d := &Definition{Name: name, Kind: RunStatus, Statuses: slices.Clone(statuses)}
	if len(statuses) == 0 {
		d.mistake("it has no status, so it would never be called")
	}
	for _, s := range statuses {
		if !slices.Contains(run.Statuses(), s) || s == run.Starting || s == run.NotStarted {
			d.mistake("status %q is none that a run is told to come to; use QUEUED, STARTED, SUCCESS, FAILURE, CANCELING or CANCELED", string(s))
		}
	}
	return ofRun(d, fn, opts)
}

// OnAsset declares a sensor of the materializations of an asset that no blocking check refused.
func OnAsset(name string, fn func(*Context, run.Materialization) error, of asset.Any, opts *Options) *Sensor {
	d := &Definition{Name: name, Kind: Asset, Asset: asset.DefinitionOf(of)}
	if d.Asset == nil {
		d.mistake("its asset is nil")
	}
	d.Call = func(ctx *Context, s Subject) error { return fn(ctx, s.Materialization) }
	return d.declare(fn == nil, opts)
}

// OnCheckFailed declares a sensor of checks that failed or could not be evaluated.
func OnCheckFailed(name string, fn func(*Context, run.CheckResult) error, opts *Options) *Sensor {
	d := &Definition{Name: name, Kind: CheckFailed}
	d.Call = func(ctx *Context, s Subject) error { return fn(ctx, s.Result) }
	return d.declare(fn == nil, opts)
}

// OnTickMissed declares a sensor of schedules whose run was not launched in time: it was launched late, or not at all. Of ticks of a schedule
// that were missed together, as while a laptop slept, it is called for the last, which counts the others.
func OnTickMissed(name string, fn func(*Context, Missed) error, opts *Options) *Sensor {
	d := &Definition{Name: name, Kind: TickMissed}
	d.Call = func(ctx *Context, s Subject) error { return fn(ctx, s.Missed) }
	return d.declare(fn == nil, opts)
}

func ofRun(d *Definition, fn func(*Context, Run) error, opts *Options) *Sensor {
	d.Call = func(ctx *Context, s Subject) error { return fn(ctx, s.Run) }
	s := d.declare(fn == nil, opts)
	d.Origin = fault.Origin(3)
	return s
}

var namePattern = regexp.MustCompile(`^[A-Za-z0-9_]+$`)

func (d *Definition) declare(nilFn bool, opts *Options) *Sensor {
	d.Origin = fault.Origin(3)
	if opts != nil {
		d.Options = *opts
		d.Options.Jobs, d.Options.Checks = slices.Clone(opts.Jobs), slices.Clone(opts.Checks)
	}
	if !namePattern.MatchString(d.Name) || len(d.Name) > 200 {
		d.mistake("a name has letters, digits and underscores, 200 at most")
	}
	if nilFn {
		d.mistake("its function is nil")
	}
	for i, j := range d.Options.Jobs {
		if j == nil {
			d.mistake("Jobs[%d] is nil", i)
		}
	}
	for i, c := range d.Options.Checks {
		if c.Definition() == nil {
			d.mistake("Checks[%d] is nil", i)
		}
	}
	if d.Options.MinInterval < 0 {
		d.mistake("MinInterval is %s; it must not be negative", d.Options.MinInterval)
	}
	if d.Kind != CheckFailed && (len(d.Options.Checks) > 0 || d.Options.Severity != "") {
		d.mistake("Checks and Severity are for OnCheckFailed")
	}
	if d.Kind == Polled && (len(d.Options.Jobs) > 0 || d.Options.MinInterval > 0) {
		d.mistake("Jobs and MinInterval are not for Poll")
	}
	if s := d.Options.Severity; s != "" && s != check.Error && s != check.Warn {
		d.mistake("Severity is %q; it must be Error or Warn", string(s))
	}
	return &Sensor{d}
}

func (d *Definition) mistake(format string, args ...any) {
	d.mistakes = append(d.mistakes, fmt.Errorf(format, args...))
}

// Mistakes lists what is wrong with the declaration on its own.
func (d *Definition) Mistakes() []error { return d.mistakes }
