package courier_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"waggle/shared/asset"
	"waggle/shared/courier"
	"waggle/shared/engine"
	"waggle/shared/job"
	"waggle/shared/notify"
	"waggle/shared/run"
)

// doing is a world whose job has a step that does something, with a retry, and runs it beside its courier.
func doing(t *testing.T, answer func(string, int, notify.Content) notify.Answer, do func(*asset.Context) error) (*world, func() run.Record) {
	t.Helper()
	return making(t, answer, asset.Do("tell", do, &asset.Options{Retry: asset.Retry{Max: 1}}))
}

// making is a world whose job makes assets, and runs it beside its courier.
func making(t *testing.T, answer func(string, int, notify.Content) notify.Answer, assets ...asset.Any) (*world, func() run.Record) {
	t.Helper()
	w := setup(t, nil)
	w.server.answer = answer
	w.defs.Assets = assets
	w.defs.Jobs = job.List{job.New("job", assets, nil)}
	w.open(nil)
	return w, func() run.Record {
		t.Helper()
		ctx, stop := context.WithCancel(context.Background())
		kept := make(chan struct{})
		go func() { w.courier.Keep(ctx, func(err error) { t.Error(err) }); close(kept) }()
		id, err := w.store.Launch(ctx, run.Request{Job: "job"})
		if err != nil {
			t.Fatal(err)
		}
		out, err := engine.New(w.store, w.defs, &engine.Options{Notify: w.courier.Notify()}).Run(ctx, id, nil)
		if err != nil {
			t.Fatal(err)
		}
		stop()
		<-kept
		return out.Record
	}
}

func TestAStepThatIsTriedAgainDoesNotSendAgainAndAnotherRunDoes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, run := doing(t, nil, func(ctx *asset.Context) error {
			if err := ctx.Notify(notify.Message{Text: "done"}, slack, team); err != nil {
				return err
			}
			if err := ctx.Notify(notify.Message{Text: "twice"}, team); err != nil {
				return err
			}
			if ctx.Attempt() == 1 {
				time.Sleep(time.Second) // the messages have left by then
				return errors.New("not yet")
			}
			return nil
		})
		for n := 1; n <= 2; n++ {
			r := run()
			state, _ := r.Materializations[0].Metadata["delivery_state"].Any().([]any)
			if r.Status != "SUCCESS" || r.Steps[0].Attempt != 2 || len(state) != 2 || state[0] != "sent" {
				t.Fatalf("%s after %d attempts, %v", r.Status, r.Steps[0].Attempt, r.Materializations[0].Metadata)
			}
			if got := w.server.got(); len(got) != 3*n {
				t.Errorf("after run %d: %q", n, got)
			}
		}
	})
}

func TestAStepSucceedsWhileItsMessageIsTriedAndFailsWhenItIsGivenUp(t *testing.T) {
	t.Parallel()
	tell := func(ctx *asset.Context) error { return ctx.Notify(notify.Message{Text: "done"}, slack) }
	synctest.Test(t, func(t *testing.T) {
		_, run := doing(t, func(string, int, notify.Content) notify.Answer {
			return notify.Answer{Kind: notify.Retry, Error: "busy"}
		}, tell)
		began := time.Now()
		r := run()
		if took := time.Since(began); r.Status != "SUCCESS" || r.Materializations[0].Metadata["delivery_state"].Any() != "retrying" || took < 10*time.Second || took > 11*time.Second {
			t.Errorf("%s after %s, %v", r.Status, took, r.Materializations)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		w, run := doing(t, func(string, int, notify.Content) notify.Answer {
			return notify.Answer{Kind: notify.Smaller, Error: "413 too large"}
		}, tell)
		r := run()
		if r.Status != "FAILURE" || !strings.Contains(r.Error, `channel "slack" has given up message`) || !strings.Contains(r.Error, "413 too large") {
			t.Errorf("%s %q", r.Status, r.Error)
		}
		if d := w.only(); d.State != courier.Dead || d.Source != "tell" {
			t.Errorf("%+v", d)
		}
	})
}

func TestAStepIsToldOfItsMistake(t *testing.T) {
	t.Parallel()
	for want, act := range map[string]func(*asset.Context) error{
		"Notify without a channel":   func(ctx *asset.Context) error { return ctx.Notify(notify.Message{Text: "x"}) },
		"channel 2 of Notify is nil": func(ctx *asset.Context) error { return ctx.Notify(notify.Message{Text: "x"}, slack, nil) },
		"is not in Definitions.Channels": func(ctx *asset.Context) error {
			return ctx.Notify(notify.Message{Text: "x"}, slack, notify.Slack("other", nil))
		},
		"is empty (set Text, HTML or Blocks)": func(ctx *asset.Context) error { return ctx.Notify(notify.Message{}, slack) },
	} {
		w, run := doing(t, nil, act)
		if r := run(); r.Status != "FAILURE" || !strings.Contains(r.Error, want) {
			t.Errorf("%s %q, want %s", r.Status, r.Error, want)
		}
		w.want()
	}
}
