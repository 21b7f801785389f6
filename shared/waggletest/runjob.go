package waggletest

import (
	"context"
	"slices"
	"testing"
	"time"

	"gocloud.dev/blob/memblob"
	_ "modernc.org/sqlite" // sources of the assets that are tested

	"waggle/shared/asset"
	"waggle/shared/courier"
	"waggle/shared/engine"
	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/store"
	"waggle/shared/store/tabletest"
	"waggle/shared/waggle"
)

// Options are the optional parts of RunJob. The zero value and nil mean none.
type Options struct {
	// Config is the run's configuration, as `waggle run --config` gives it.
	Config map[string]any
	// Given are values of assets that are not made but taken as they are.
	Given []Value
	// Tags are the run's tags.
	Tags map[string]string
	// Now is the clock. Defaults to time.Now.
	Now func() time.Time
}

// Run is a run that a test ran.
type Run struct {
	run.Record
	// Events is the run's log.
	Events []runlog.Event

	store *store.Store
	sent  *mailbox
}

// RunJob runs a job of the definitions in memory, to its end, and calls the sensors for it: Sent has what they told. Definitions that do not validate, an unknown job or
// configuration fail the test; a run that fails does not. Every value passes through its codec on
// its way to each reader, and a step that changes what it reads fails.
func RunJob(t testing.TB, defs waggle.Definitions, job string, opts *Options) *Run {
	t.Helper()
	if opts == nil {
		opts = &Options{}
	}
	if err := defs.Validate(); err != nil {
		t.Fatalf("waggletest: the definitions have mistakes:\n%v", err)
	}
	s := store.New(tabletest.New(t, &tabletest.Options{Clock: opts.Now}), store.NewBlobs(memblob.OpenBucket(nil)), &store.Options{Now: opts.Now})
	t.Cleanup(func() { _ = s.Close() })
	req := request(t, defs, job, opts)
	ctx := context.WithoutCancel(t.Context())
	give(ctx, t, s, opts.Given)
	id, err := s.Launch(ctx, req)
	if err != nil {
		t.Fatalf("waggletest: launch %s: %v", job, err)
	}
	r := &Run{store: s, sent: &mailbox{}}
	c := courier.New(s, defs, &courier.Options{Sender: r.sent.of, NoRate: true, Worker: "test"})
	keeping, stop := context.WithCancel(ctx)
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		c.Keep(keeping, func(err error) { t.Errorf("waggletest: %v", err) })
	}()
	out, err := engine.New(s, defs, &engine.Options{Strict: true, Worker: "test", Publish: c.Publish(), Notify: c.Notify()}).Run(ctx, id, &engine.RunOptions{
		Observe: func(e *runlog.Event) { r.Events = append(r.Events, *e) }})
	stop()
	<-kept
	if err != nil {
		t.Fatalf("waggletest: run %s: %v", job, err)
	}
	r.Record = out.Record
	for _, step := range r.Failed() {
		t.Logf("%s failed: %s", step.Key, step.Error.Message)
	}
	r.tell(ctx, t, c, defs)
	return r
}

// request is for all steps of the job but the making of what is given.
func request(t testing.TB, defs waggle.Definitions, job string, opts *Options) run.Request {
	t.Helper()
	req := run.Request{Job: job, Tags: opts.Tags}
	p, err := defs.Plan(req)
	if err != nil {
		t.Fatalf("waggletest: %v", err)
	}
	if req.Config, err = p.Config(opts.Config); err != nil {
		t.Fatalf("waggletest: %v", err)
	}
	if len(opts.Given) == 0 {
		return req
	}
	for _, s := range p.Steps {
		if s.Check != nil || !slices.ContainsFunc(opts.Given, func(v Value) bool { return v.def == s.Asset }) {
			req.Selection = append(req.Selection, s.Key)
		}
	}
	return req
}

// give stores the given values as an earlier run would have.
func give(ctx context.Context, t testing.TB, s *store.Store, given []Value) {
	t.Helper()
	var rows runlog.Rows
	id := run.FirstID(s.Now())
	for _, v := range given {
		m := v.materialization(t, s.Now(), id)
		if len(m.Value.Inline) > inlineGiven {
			m.Value.Blob = "given/" + string(m.Asset)
			if err := s.PutBlob(ctx, m.Value.Blob, m.Value.Inline); err != nil {
				t.Fatal(err)
			}
			m.Value.Inline = nil
		}
		rows.Materializations = append(rows.Materializations, m)
	}
	if err := s.PutRows(ctx, rows); err != nil {
		t.Fatalf("waggletest: store the given values: %v", err)
	}
}

// inlineGiven is how many bytes of a given value fit a row.
const inlineGiven = 100 << 10

// Output returns the value that the run gave an asset, or that the test gave it. It fails the test where there is none.
func Output[T any](t testing.TB, r *Run, a *asset.Asset[T]) T {
	t.Helper()
	m, err := r.store.Latest(context.WithoutCancel(t.Context()), a.Key())
	if err != nil || m.Value == nil {
		t.Fatalf("waggletest: no value of %s: %v", a.Key(), err)
	}
	data := m.Value.Inline
	if m.Value.Blob != "" {
		if data, err = r.store.GetBlob(context.WithoutCancel(t.Context()), m.Value.Blob); err != nil {
			t.Fatalf("waggletest: read the value of %s: %v", a.Key(), err)
		}
	}
	return decode(t, a, data)
}
