package courier_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/courier"
	"waggle/shared/event"
	"waggle/shared/fault"
	"waggle/shared/notify"
	"waggle/shared/run"
	"waggle/shared/sensor"
	"waggle/shared/store"
	"waggle/shared/store/driver"
	"waggle/shared/waggle"
)

// readOnly is a table that nobody may write to.
type readOnly struct {
	driver.Driver
	t *testing.T
}

func (r readOnly) no(what string) error {
	r.t.Helper()
	r.t.Errorf("%s was called", what)
	return fault.New(fault.Denied, "read only")
}
func (r readOnly) Put(_ context.Context, i driver.Item, _ driver.Condition) error {
	return r.no("put " + i.Key.String())
}
func (r readOnly) Delete(_ context.Context, k driver.Key, _ driver.Condition) error {
	return r.no("delete " + k.String())
}
func (r readOnly) PutAll(context.Context, []driver.Item) error { return r.no("put all") }
func (r readOnly) Write(context.Context, []driver.Op) error    { return r.no("write") }

// reading is a courier that can only read what the world has stored.
func (w *world) reading(t *testing.T) *courier.Courier {
	t.Helper()
	return courier.New(store.New(readOnly{w.db, t}, store.NewBlobs(w.bucket), nil), w.defs, &courier.Options{Sender: w.server.sender, Worker: "test"})
}

func rehearse(t *testing.T, c *courier.Courier, s *sensor.Sensor, id run.ID) courier.Rehearsal {
	t.Helper()
	r, err := c.Rehearse(t.Context(), s.Definition(), id)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// keeping is a server that keeps the whole of what it is sent, by channel.
func (w *world) keeping() map[string]notify.Content {
	all := map[string]notify.Content{}
	w.server.answer = func(channel string, _ int, c notify.Content) notify.Answer {
		all[channel] = c
		return notify.Answer{Kind: notify.Sent}
	}
	return all
}

func TestARehearsalShowsWhatIsSentForRealAndStoresNothing(t *testing.T) {
	t.Parallel()
	alarm := sensor.OnRunFailure("alarm", func(ctx *sensor.Context, r sensor.Run) error {
		ctx.Log.Info("a run failed", "job", r.Job)
		if err := ctx.Notify(r.Report(), slack, team); err != nil {
			return err
		}
		return ctx.Notify(notify.Message{Key: "second", Text: r.Error, Attachments: []notify.Attachment{{Name: "a.json", Data: []byte("{}")}}}, team)
	}, nil)
	w := setup(t, nil, alarm)
	id := w.run()
	tried := rehearse(t, w.reading(t), alarm, id)
	w.want()
	if len(tried.Calls) != 1 {
		t.Fatalf("%+v", tried)
	}
	call := tried.Calls[0]
	if call.Reason != courier.ReasonNotified || call.Failed() || call.Event.Status != run.Failure || len(call.Messages) != 3 {
		t.Fatalf("%+v", call)
	}
	if len(call.Log) != 1 || call.Log[0].Message != "a run failed" || string(call.Log[0].Attrs) != `{"job":"job"}` {
		t.Errorf("log %+v", call.Log)
	}
	if m := call.Messages[2]; m.Call != "key:second" || m.Channel.Name != "team" || len(m.Rungs[0].Attachments) != 1 || len(m.Rungs) != len(notify.Rungs()) {
		t.Errorf("%+v", m)
	}
	got := w.keeping()
	w.once()
	if sent, tried := got["slack"], call.Messages[0].Rungs[notify.Full]; !reflect.DeepEqual(sent, tried) {
		t.Errorf("sent\n%+v\nrehearsed\n%+v", sent, tried)
	}
	var reasons []string
	for _, d := range tried.Others {
		reasons = append(reasons, string(d.Event.Status)+" "+d.Reason)
	}
	if !slices.Equal(reasons, []string{"STARTED other_status"}) {
		t.Errorf("not called for %q", reasons)
	}
}

func TestARehearsalSaysWhatGoesWrongInTheFunction(t *testing.T) {
	t.Parallel()
	stranger := notify.Slack("stranger", nil)
	for _, c := range []struct {
		fn     func(*sensor.Context, sensor.Run) error
		reason string
		error  string
	}{
		{func(ctx *sensor.Context, _ sensor.Run) error {
			_ = ctx.Notify(notify.Message{Text: "never"}, slack)
			return errors.New("no idea")
		}, courier.ReasonHandlerFailed, "no idea"},
		{func(*sensor.Context, sensor.Run) error { panic("oh") }, courier.ReasonHandlerFailed, "panic: oh\n"},
		{func(ctx *sensor.Context, _ sensor.Run) error { return ctx.Notify(notify.Message{Text: "x"}, stranger) }, courier.ReasonMistake, `channel "stranger"`},
		{func(*sensor.Context, sensor.Run) error { return nil }, courier.ReasonQuiet, ""},
	} {
		s := sensor.OnRunFailure("alarm", c.fn, nil)
		w := setup(t, nil, s)
		tried := rehearse(t, w.reading(t), s, w.run())
		call := tried.Calls[0]
		if call.Reason != c.reason || !strings.Contains(call.Error, c.error) || call.Failed() != (c.error != "") || len(call.Messages) != 0 {
			t.Errorf("%s: %+v", c.reason, call)
		}
	}
}

func TestARehearsalIsToldWhatWasKnownThen(t *testing.T) {
	t.Parallel()
	var seen []run.Status
	s := sensor.OnRunStatus("each", []run.Status{run.Started, run.Failure}, func(ctx *sensor.Context, r sensor.Run) error {
		seen = append(seen, r.Status)
		return ctx.Notify(r.Report(), slack)
	}, nil)
	w := setup(t, nil, s)
	tried := rehearse(t, w.reading(t), s, w.run())
	if !slices.Equal(seen, []run.Status{run.Started, run.Failure}) || len(tried.Calls) != 2 || strings.Contains(tried.Calls[0].Messages[0].Rungs[0].Text, "it broke") {
		t.Errorf("%v, %+v", seen, tried)
	}
}

func TestASensorOfAssetsAndOneOfChecksAreRehearsedForEachMatch(t *testing.T) {
	t.Parallel()
	made := func(name string) *asset.Asset[int] {
		return asset.New(name, func(*asset.Context) (int, error) { return 1, nil }, nil)
	}
	one, two := made("one"), made("two")
	judge := func(name string, passed bool, of *asset.Asset[int]) *check.Check {
		return check.New1(name, func(*asset.Context, int) (check.Result, error) { return check.Result{Passed: passed}, nil }, of, nil)
	}
	onAsset := sensor.OnAsset("made", func(ctx *sensor.Context, m run.Materialization) error {
		return ctx.Notify(notify.Message{Text: "made " + string(m.Asset)}, slack)
	}, one, nil)
	onCheck := sensor.OnCheckFailed("judged", func(ctx *sensor.Context, r run.CheckResult) error {
		return ctx.Notify(notify.Message{Text: "failed " + r.Check}, slack)
	}, nil)
	w := setup(t, nil)
	w.defs = waggle.Definitions{Assets: asset.List{one, two}, Checks: check.List{judge("a", false, one), judge("b", true, one), judge("c", false, two)},
		Channels: notify.List{slack, team}, Sensors: sensor.List{onAsset, onCheck}}
	w.open(nil)
	id := w.runRequest(run.Request{Selection: []run.StepKey{"one", "two", "one:a", "one:b", "two:c"}}, w.courier.Publish())
	texts := func(s *sensor.Sensor) (list []string) {
		for _, c := range rehearse(t, w.reading(t), s, id).Calls {
			list = append(list, c.Messages[0].Rungs[0].Text)
		}
		slices.Sort(list)
		return list
	}
	if got := texts(onAsset); !slices.Equal(got, []string{"made one"}) {
		t.Errorf("%q", got)
	}
	if got := texts(onCheck); !slices.Equal(got, []string{"failed a", "failed c"}) {
		t.Errorf("%q", got)
	}
}

func TestARunWithoutALogCannotBeRehearsed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := tells("alarm", slack)
		w := setup(t, nil, s)
		id := w.run()
		if _, err := w.courier.Rehearse(t.Context(), s.Definition(), "01a00000-0000-7000-8000-000000000000"); !errors.Is(err, fault.NotFound) {
			t.Errorf("an unknown run: %v", err)
		}
		time.Sleep(100 * 24 * time.Hour)
		if _, err := w.courier.Rehearse(t.Context(), s.Definition(), id); !errors.Is(err, fault.NotFound) || !strings.Contains(err.Error(), "the log of run "+id.Short()+" is gone") {
			t.Errorf("an expired one: %v", err)
		}
	})
}

func TestARehearsedMessageIsSentAsATestInTheLargestSizeThatPasses(t *testing.T) {
	t.Parallel()
	s := sensor.OnRunFailure("alarm", func(ctx *sensor.Context, r sensor.Run) error { return ctx.Notify(r.Report(), team) }, nil)
	w := setup(t, nil, s)
	c := w.reading(t)
	message := rehearse(t, c, s, w.run()).Calls[0].Messages[0]
	var got []notify.Content
	w.server.answer = func(_ string, try int, c notify.Content) notify.Answer {
		got = append(got, c)
		if try == 1 {
			return notify.Answer{Kind: notify.Smaller}
		}
		return notify.Answer{Kind: notify.Sent, Ref: "r"}
	}
	a, rung, err := c.SendRehearsed(t.Context(), "test-1", message, "sensor alarm", event.Event{Run: "01a00000-0000-7000-8000-000000000000"})
	if err != nil || a.Kind != notify.Sent || a.Ref != "r" || rung != 1 || len(got) != 2 {
		t.Fatalf("%+v, %d, %v, %d tries", a, rung, err, len(got))
	}
	for _, c := range got {
		if !strings.HasPrefix(c.Subject, "[TEST] ") || !strings.HasPrefix(c.Line, "[TEST] ") || !strings.Contains(c.Footer, "This is a test of sensor alarm with run 01a00000-0000, sent by test at ") {
			t.Errorf("%q, %q, %q", c.Subject, c.Line, c.Footer)
		}
	}
	if got[0].Text == got[1].Text {
		t.Error("the second try is no smaller one")
	}
	got = nil
	w.server.answer = func(_ string, _ int, c notify.Content) notify.Answer {
		got = append(got, c)
		return notify.Answer{Kind: notify.Smaller, Error: "no"}
	}
	if a, rung, err = c.SendRehearsed(t.Context(), "test-2", message, "sensor alarm", event.Event{}); err != nil || a.Kind != notify.Smaller || rung != 2 || len(got) != 3 {
		t.Errorf("%+v, %d, %v, %d tries", a, rung, err, len(got))
	}
}
