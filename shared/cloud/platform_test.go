package cloud_test

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gocloud.dev/blob/memblob"

	"waggle/shared/asset"
	"waggle/shared/cloud/cloudtest"
	"waggle/shared/courier"
	"waggle/shared/job"
	"waggle/shared/notify"
	"waggle/shared/run"
	"waggle/shared/store"
	"waggle/shared/store/tabletest"
	"waggle/shared/waggle"
)

// platform is one whose channel people read.
type platform struct {
	*cloudtest.Platform
	t    *testing.T
	defs waggle.Definitions
	ctx  context.Context
	log  *slog.Logger

	mu   sync.Mutex
	told []string // lines that the channel took
	// concluded are the messages that couriers were done with.
	concluded []store.Message
}

func newPlatform(t *testing.T, defs waggle.Definitions, seed uint64) *platform {
	t.Helper()
	if err := defs.Validate(); err != nil {
		t.Fatal(err)
	}
	p := &platform{t: t, defs: defs, log: slog.New(slog.DiscardHandler)}
	if os.Getenv("WAGGLE_TEST_LOG") != "" {
		p.log = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	var stop context.CancelFunc
	p.ctx, stop = context.WithCancel(context.Background())
	p.Platform = cloudtest.New(p.ctx, defs, tabletest.New(t, nil), store.NewBlobs(memblob.OpenBucket(nil)), &cloudtest.Options{Seed: seed, Log: p.log,
		Courier: courier.Options{NoRate: true, Polls: true, Sender: func(*notify.Definition) (notify.Sender, error) { return people{p}, nil },
			Concluded: func(m store.Message) {
				p.mu.Lock()
				defer p.mu.Unlock()
				p.concluded = append(p.concluded, m)
			}},
		Trouble: func(err error) { t.Errorf("the monitor: %v", err) }})
	t.Cleanup(func() {
		stop()
		p.Close()
	})
	return p
}

// people read the channel.
type people struct{ *platform }

func (p people) Send(_ context.Context, _ string, c notify.Content, _ notify.Thread) notify.Answer {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told = append(p.told, c.Line)
	return notify.Answer{Kind: notify.Sent, Ref: strconv.Itoa(len(p.told))}
}

// keep looks after all that is due each minute, until a time.
func (p *platform) keep(minutes int) {
	p.t.Helper()
	for range minutes {
		time.Sleep(time.Minute)
		if err := p.Look(p.ctx); err != nil {
			p.t.Errorf("the monitor: %v", err)
		}
	}
	synctest.Wait()
}

func (p *platform) launch(name string) run.ID {
	p.t.Helper()
	id, err := p.Launch(p.ctx, run.Request{Job: name})
	if err != nil {
		p.t.Fatal(err)
	}
	return id
}

// status is a run's, with "unsettled" where somebody must still look at it.
func (p *platform) status(id run.ID) string {
	p.t.Helper()
	s := p.Store()
	summary, err := s.Summary(p.ctx, id)
	if err != nil {
		p.t.Fatal(err)
	}
	o, err := s.Owner(p.ctx, id)
	if err != nil {
		p.t.Fatal(err)
	}
	if !o.Due.IsZero() {
		return string(summary.Status) + " unsettled"
	}
	return string(summary.Status)
}

func seedOf(t *testing.T) uint64 {
	t.Helper()
	seed := rand.Uint64()
	if text := os.Getenv("WAGGLE_TEST_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("WAGGLE_TEST_SEED=%d", seed)
	return seed
}

// pause is a step that takes a time and minds its context.
func pause(d time.Duration) func(*asset.Context) (int, error) {
	return func(ctx *asset.Context) (int, error) {
		select {
		case <-time.After(d):
			return 1, nil
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	}
}

// oneStep is a run of one step that takes a time.
func oneStep(t *testing.T, takes time.Duration) (*platform, run.ID) {
	t.Helper()
	one := asset.New("one", pause(takes), nil)
	p := newPlatform(t, waggle.Definitions{Assets: asset.List{one}, Jobs: job.List{job.New("job", asset.List{one}, nil)}}, 1)
	return p, p.launch("job")
}
