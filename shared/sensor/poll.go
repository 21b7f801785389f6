package sensor

import (
	"fmt"
	"sync"
	"time"

	"waggle/shared/event"
	"waggle/shared/fault"
	"waggle/shared/job"
	"waggle/shared/run"
)

// Polled is the kind of a sensor that is called by the clock.
const Polled Kind = "polled"

// Tick is the event that a polled sensor and a daily summary are called for. It is their own: no bus sees it.
const Tick event.Type = "Sensor Tick"

// How often a polled sensor is called.
const (
	DefaultEvery = 30 * time.Second
	LeastEvery   = time.Second
)

// MaxLaunches is how many runs one call of a polled sensor may ask for.
const MaxLaunches = 100

// Poll declares a sensor that is called again and again, every so often (0: 30 s; 1 s at least), to look at something outside: files that
// came, a table that grew. It remembers how far it has come in a cursor, launches runs, and tells people. What it asks for counts when the function
// returns nil: the cursor, the runs and the messages are stored together, and then acted on. A call that fails is made again, with the cursor
// of before.
//
// `waggle dev` and `waggle monitor` call it. The next call is so long after the last began; never are there two at a time.
func Poll(name string, every time.Duration, fn func(*Context) error, opts *Options) *Sensor {
	d := &Definition{Name: name, Kind: Polled, Every: every}
	if every == 0 {
		d.Every = DefaultEvery
	}
	if d.Every < LeastEvery {
		d.mistake("it is called every %s; the least is %s", d.Every, LeastEvery)
	}
	d.Call = func(ctx *Context, s Subject) error {
		ctx.polling = s.Polling
		return fn(ctx)
	}
	return d.declare(fn == nil, opts)
}

// Polling is one call of a polled sensor: where it begins, and what it asks for. It is safe for several goroutines.
type Polling struct {
	mu       sync.Mutex
	cursor   string
	skipped  string
	launches []Launch
}

// Launch is a run that a polled sensor asks for.
type Launch struct {
	Job    string
	RunKey string // empty: the sensor's name, the number of the call and of the launch in it
	Config run.Config
	Tags   map[string]string
}

// NewPolling begins at a cursor. Those who evaluate sensors and tests call it.
func NewPolling(cursor string) *Polling { return &Polling{cursor: cursor} }

// Result is what the call asks for: the cursor to go on from, why it did nothing, and the runs to launch.
func (p *Polling) Result() (cursor, skipped string, launches []Launch) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cursor, p.skipped, p.launches
}

// Cursor returns what SetCursor was given by the last call that succeeded, or by this one; empty at the first. Only for Poll.
func (c *Context) Cursor() string {
	if c.polling == nil {
		return ""
	}
	c.polling.mu.Lock()
	defer c.polling.mu.Unlock()
	return c.polling.cursor
}

// maxCursor is how many bytes a cursor may have.
const maxCursor = 64 << 10

// SetCursor says where the next call begins. It counts when the function returns nil. An error is a mistake in the call: a sensor that is not
// polled, a cursor of more than 64 KB.
func (c *Context) SetCursor(cursor string) error {
	if c.polling == nil {
		return notPolled("SetCursor")
	}
	if len(cursor) > maxCursor {
		return fault.New(fault.Invalid, "a cursor of %d bytes; it may have %d", len(cursor), maxCursor).WithHint("keep what is large elsewhere")
	}
	c.polling.mu.Lock()
	defer c.polling.mu.Unlock()
	c.polling.cursor = cursor
	return nil
}

// Skip says why there was nothing to do; `waggle sensors show` has it. It returns nil, to end the function with.
func (c *Context) Skip(format string, args ...any) error {
	if c.polling == nil {
		return notPolled("Skip")
	}
	c.polling.mu.Lock()
	defer c.polling.mu.Unlock()
	c.polling.skipped = fmt.Sprintf(format, args...)
	return nil
}

// LaunchOptions are the optional parts of a launch. The zero value and nil mean all defaults.
type LaunchOptions struct {
	// Config overrides the defaults of the job's configuration.
	Config run.Config
	// Tags are added to the job's.
	Tags map[string]string
}

// Launch asks for a run of a job. Of a job and a run key there is one run at most, ever: give a key that follows from what the run is
// about, the name of a file. An empty key is one of this call. An error is a mistake in the call: a sensor that is not polled, a nil job,
// more than 100 launches.
func (c *Context) Launch(j *job.Job, runKey string, opts *LaunchOptions) error {
	switch {
	case c.polling == nil:
		return notPolled("Launch")
	case j == nil:
		return fault.New(fault.Invalid, "Launch of a nil job")
	case len(runKey) > 200:
		return fault.New(fault.Invalid, "a run key of %d characters; it may have 200", len(runKey))
	}
	l := Launch{Job: j.Name, RunKey: runKey}
	if opts != nil {
		l.Config, l.Tags = opts.Config, opts.Tags
	}
	c.polling.mu.Lock()
	defer c.polling.mu.Unlock()
	if len(c.polling.launches) == MaxLaunches {
		return fault.New(fault.Invalid, "more than %d launches in one call", MaxLaunches).WithHint("set the cursor to where you are, and go on in the next call")
	}
	c.polling.launches = append(c.polling.launches, l)
	return nil
}

func notPolled(call string) error {
	return fault.New(fault.Invalid, "%s is for sensors that are polled", call).WithHint("declare it with sensor.Poll")
}
