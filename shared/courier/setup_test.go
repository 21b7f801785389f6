package courier_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/blob/memblob"

	"waggle/shared/asset"
	"waggle/shared/courier"
	"waggle/shared/engine"
	"waggle/shared/event"
	"waggle/shared/fault"
	"waggle/shared/job"
	"waggle/shared/notify"
	"waggle/shared/run"
	"waggle/shared/sensor"
	"waggle/shared/store"
	"waggle/shared/store/memorydriver"
	"waggle/shared/waggle"
)

// server is what channels send to: it answers by a script and keeps what it took.
type server struct {
	mu     sync.Mutex
	answer func(channel string, try int, c notify.Content) notify.Answer // nil: sent
	tries  int
	taken  []string // "channel: line"
	lines  []string // "line", "reply: line", "edit: line"
	jsons  []string // what programs get
	foots  []string // why people get it
	at     []time.Time
	edits  bool // it can edit
}

func (s *server) sender(def *notify.Definition) (notify.Sender, error) {
	return toServer{s, def.Name}, nil
}

type toServer struct {
	*server
	channel string
}

func (s toServer) Edits() bool { return s.edits }

func (s toServer) Send(_ context.Context, _ string, c notify.Content, thread notify.Thread) notify.Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tries++
	a := notify.Answer{Kind: notify.Sent, Ref: fmt.Sprint(s.tries)}
	if s.answer != nil {
		a = s.answer(s.channel, s.tries, c)
	}
	if a.Kind == notify.Sent || a.Kind == notify.Recipient || a.Ambiguous {
		how := ""
		if thread.Edit {
			how = "edit: "
		} else if thread.Root != "" {
			how = "reply: "
		}
		s.foots = append(s.foots, c.Footer)
		s.taken, s.lines, s.jsons = append(s.taken, s.channel+": "+c.Text), append(s.lines, how+c.Line), append(s.jsons, string(c.JSON))
		s.at = append(s.at, time.Now())
	}
	return a
}

func (s *server) got() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.taken...)
}

// said are the first lines of what was taken, without ids and durations, and whether it was a message, a reply or an edit.
func (s *server) said() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	lines := make([]string, len(s.lines))
	for i, line := range s.lines {
		lines[i] = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}|[0-9]+ (ms|s|min|h)\b( [0-9]+ (s|min))?`).ReplaceAllString(line, "*")
	}
	return lines
}

// world is a deployment in memory: a job "job" that fails as long as it is told to, sensors, and channels.
type world struct {
	t       testing.TB
	db      *memorydriver.Driver
	bucket  *blob.Bucket
	store   *store.Store
	defs    waggle.Definitions
	courier *courier.Courier
	server  *server
	fails   bool
	why     string // it fails
}

var (
	slack = notify.Slack("slack", nil)
	team  = notify.Mail("team", nil)
	// programs take what reports say as JSON.
	programs = notify.Webhook("programs", &notify.WebhookOptions{URL: "https://example.com/hook"})
	// withFallback has the mail for when it is broken.
	withFallback = notify.Slack("pager", &notify.SlackOptions{Fallback: team})
)

// setup has the sensors in a deployment with a server.
func setup(t testing.TB, opts *courier.Options, sensors ...*sensor.Sensor) *world {
	t.Helper()
	w := &world{t: t, db: watched(t, func(hook memorydriver.Hook) *memorydriver.Driver {
		return memorydriver.New(&memorydriver.Options{Hook: hook})
	}), bucket: memblob.OpenBucket(nil), server: &server{}, fails: true, why: "it broke"}
	broken := asset.New("broken", func(ctx *asset.Context) (int, error) {
		for i := range 12 {
			ctx.Log.Info("line", "number", i+1)
		}
		if w.fails {
			return 0, errors.New(w.why)
		}
		return 1, nil
	}, nil)
	jobs := job.List{job.New("job", asset.List{broken}, nil)}
	for i := range 20 {
		jobs = append(jobs, job.New(fmt.Sprintf("job_%02d", i), asset.List{broken}, nil))
	}
	w.defs = waggle.Definitions{Assets: asset.List{broken}, Jobs: jobs,
		Channels: notify.List{slack, team, programs, withFallback}, Sensors: sensors}
	if err := w.defs.Validate(); err != nil {
		t.Fatal(err)
	}
	w.open(opts)
	t.Cleanup(func() { _ = w.bucket.Close() })
	return w
}

// open begins a process over what is stored.
func (w *world) open(opts *courier.Options) {
	o := courier.Options{Sender: w.server.sender, Worker: "test"}
	if opts != nil {
		o = *opts
		if o.Sender == nil {
			o.Sender = w.server.sender
		}
	}
	w.store = store.New(w.db, store.NewBlobs(w.bucket), nil)
	w.courier = courier.New(w.store, w.defs, &o)
}

// run runs the job to its end and returns its id.
func (w *world) run() run.ID { return w.runJob("job", w.courier.Publish()) }

// runJob runs a job whose events are published so.
func (w *world) runJob(job string, publish func(context.Context, []event.Event) error) run.ID {
	w.t.Helper()
	return w.runRequest(run.Request{Job: job}, publish)
}

func (w *world) runRequest(req run.Request, publish func(context.Context, []event.Event) error) run.ID {
	w.t.Helper()
	id, err := w.store.Launch(context.Background(), req)
	if err != nil {
		w.t.Fatal(err)
	}
	out, err := engine.New(w.store, w.defs, &engine.Options{Publish: publish}).Run(context.Background(), id, nil)
	if err != nil || out.Record.Status != run.Success && out.Record.Status != run.Failure {
		w.t.Fatalf("%s: %v", out.Record.Status, err)
	}
	return id
}

// mortal is a copy of a table whose user dies at one of the calls that count, and whether that has come.
func mortal(t testing.TB, db *memorydriver.Driver, at int, counts func(memorydriver.Call) bool) (copied *memorydriver.Driver, dead func() bool) {
	t.Helper()
	var mu sync.Mutex
	n, died := 0, false
	dies := func(c memorydriver.Call) error {
		mu.Lock()
		defer mu.Unlock()
		if !died && counts(c) {
			n++
			died = n == at
		}
		if died {
			return fault.New(fault.Internal, "the process died")
		}
		return nil
	}
	copied = watched(t, func(watch memorydriver.Hook) *memorydriver.Driver {
		return db.Clone(&memorydriver.Options{Hook: func(c memorydriver.Call) error { return errors.Join(watch(c), dies(c)) }})
	})
	return copied, func() bool {
		mu.Lock()
		defer mu.Unlock()
		return died
	}
}

func (w *world) once() {
	w.t.Helper()
	if err := w.courier.Once(context.Background()); err != nil {
		w.t.Fatal(err)
	}
}

// want fails the test for any message that is missing or too many.
func (w *world) want(messages ...string) {
	w.t.Helper()
	if got := w.server.got(); strings.Join(got, "\n") != strings.Join(messages, "\n") {
		w.t.Fatalf("received\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(messages, "\n"))
	}
}

// only returns the one delivery there is.
func (w *world) only() courier.Delivery {
	w.t.Helper()
	list, err := w.courier.Deliveries(context.Background(), courier.Query{})
	if err != nil || len(list) != 1 {
		w.t.Fatalf("%d deliveries: %+v, %v", len(list), list, err)
	}
	return list[0]
}

// state returns how the sensor stands with its one event.
func (w *world) state(name string) store.SensorEvent {
	w.t.Helper()
	rows, err := w.store.SensorEvents(context.Background(), name, 10)
	if err != nil || len(rows) != 1 {
		w.t.Fatalf("%d events: %+v, %v", len(rows), rows, err)
	}
	return rows[0]
}

// reports is a sensor that gives the report of a run that failed.
func reports(name string, channels ...*notify.Channel) *sensor.Sensor {
	return sensor.OnRunFailure(name, func(ctx *sensor.Context, r sensor.Run) error { return ctx.Notify(r.Report(), channels...) }, nil)
}

// tells is a sensor that says why a run failed.
func tells(name string, channels ...*notify.Channel) *sensor.Sensor {
	return sensor.OnRunFailure(name, func(ctx *sensor.Context, r sensor.Run) error {
		ctx.Log.Info("a run failed", "job", r.Job)
		return ctx.Notify(notify.Message{Text: r.Job + ": " + r.Error}, channels...)
	}, nil)
}
