package courier_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"waggle/shared/courier"
	"waggle/shared/fault"
	"waggle/shared/job"
	"waggle/shared/notify"
	"waggle/shared/run"
	"waggle/shared/sensor"
	"waggle/shared/store"
	"waggle/shared/store/memorydriver"
)

// polling has sensors that the courier polls.
func polling(t *testing.T, sensors ...*sensor.Sensor) *world {
	t.Helper()
	w := setup(t, nil, sensors...)
	w.open(&courier.Options{Polls: true})
	return w
}

// pass looks once a second for a time.
func (w *world) pass(span time.Duration) {
	w.t.Helper()
	for until := time.Now().Add(span); time.Now().Before(until); time.Sleep(time.Second) {
		w.once()
	}
}

// runs are the run keys, or the tags, of what was launched of a job.
func (w *world) launched(name string) []store.Summary {
	w.t.Helper()
	list, _, err := w.store.Runs(context.Background(), store.Filter{Job: name}, 100, "")
	if err != nil {
		w.t.Fatal(err)
	}
	return list
}

func TestAPolledSensorIsCalledByTheClockAndItsCursorMovesWithSuccess(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var began []time.Duration
		var cursors []string
		start := time.Now()
		w := polling(t, sensor.Poll("watch", 0, func(ctx *sensor.Context) error {
			began, cursors = append(began, time.Since(start)), append(cursors, ctx.Cursor())
			if err := ctx.SetCursor(fmt.Sprint(len(cursors))); err != nil {
				return err
			}
			if len(cursors) == 2 {
				return errors.New("not now")
			}
			return ctx.Skip("no file since %s", "noon")
		}, nil))
		w.pass(100 * time.Second)
		// The second call fails and is made again a second later, with the cursor of before.
		if want := []time.Duration{0, 30 * time.Second, 31 * time.Second, 60 * time.Second, 90 * time.Second}; !slices.Equal(began, want) {
			t.Errorf("called after %v", began)
		}
		if want := []string{"", "1", "1", "3", "4"}; !slices.Equal(cursors, want) {
			t.Errorf("cursors %q", cursors)
		}
		rows, err := w.store.SensorEvents(t.Context(), "watch", 10)
		if err != nil || len(rows) != 4 || rows[3].State != store.EventDone || rows[3].Reason != courier.ReasonSkipped || rows[2].Attempts != 2 ||
			len(rows[3].Log) != 1 || rows[3].Log[0].Message != "skipped: no file since noon" {
			t.Errorf("%+v, %v", rows, err)
		}
		// What came to nothing is kept for a day.
		time.Sleep(25 * time.Hour)
		if rows, err := w.store.SensorEvents(t.Context(), "watch", 10); err != nil || len(rows) != 0 {
			t.Errorf("a day later: %+v, %v", rows, err)
		}
		w.once()
		if len(cursors) != 6 || cursors[5] != "5" {
			t.Errorf("cursors %q", cursors)
		}
	})
}

func TestAPolledSensorLaunchesARunForEachKeyOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		files := []string{"a.csv"}
		var w *world
		w = polling(t, sensor.Poll("watch", time.Second, func(ctx *sensor.Context) error {
			for _, f := range files {
				if err := ctx.Launch(w.defs.Jobs[0], f, &sensor.LaunchOptions{Tags: map[string]string{"file": f}}); err != nil {
					return err
				}
			}
			return ctx.Notify(notify.Message{Text: fmt.Sprint(len(files))}, slack)
		}, nil), sensor.Poll("beat", time.Minute, func(ctx *sensor.Context) error { return ctx.Launch(w.defs.Jobs[1], "", nil) }, nil))
		w.pass(3 * time.Second)
		files = append(files, "b.csv")
		w.pass(2*time.Minute + 10*time.Second)
		got := w.launched("job")
		if len(got) != 2 || got[1].Request.Tags["file"] != "a.csv" || got[0].Request.Tags["file"] != "b.csv" || got[0].Request.Tags["waggle/sensor"] != "watch" {
			t.Errorf("launched %+v", got)
		}
		if got := w.launched("job_00"); len(got) != 3 { // at 0, 1 and 2 minutes
			t.Errorf("%d runs without a key", len(got))
		}
		if said := w.server.got(); len(said) < 5 || said[0] != "slack: 1" || said[len(said)-1] != "slack: 2" {
			t.Errorf("said %q", said)
		}
		rows, err := w.store.SensorEvents(t.Context(), "beat", 1)
		if err != nil || len(rows) != 1 || rows[0].Reason != courier.ReasonLaunched || len(rows[0].Launches) != 1 || rows[0].Launches[0].Run == "" {
			t.Errorf("%+v, %v", rows, err)
		}
		if tally := w.courier.Tally(); tally.Launched != 5 {
			t.Errorf("%+v", tally)
		}
	})
}

func TestAMistakeInAPollIsDeadAndTheNextCallComes(t *testing.T) {
	t.Parallel()
	for want, act := range map[string]func(*world, *sensor.Context) error{
		`unknown job "stranger"`: func(_ *world, ctx *sensor.Context) error {
			return ctx.Launch(job.New("stranger", nil, nil), "", nil)
		},
		`unknown config key "colour"`: func(w *world, ctx *sensor.Context) error {
			return ctx.Launch(w.defs.Jobs[0], "", &sensor.LaunchOptions{Config: run.Config{"colour": "red"}})
		},
		`is not in Definitions.Channels`: func(_ *world, ctx *sensor.Context) error {
			return ctx.Notify(notify.Message{Text: "x"}, notify.Slack("stranger", nil))
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			var w *world
			w = polling(t, sensor.Poll("watch", time.Minute, func(ctx *sensor.Context) error { return act(w, ctx) }, nil))
			w.pass(61 * time.Second)
			rows, err := w.store.SensorEvents(t.Context(), "watch", 10)
			if err != nil || len(rows) != 2 || rows[1].State != store.EventDead || rows[1].Reason != courier.ReasonMistake || !strings.Contains(rows[1].Error, want) {
				t.Errorf("want %s: %+v, %v", want, rows, err)
			}
		})
	}
}

func TestAPolledSensorThatIsOffOrNotAskedForIsNotCalled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		w := setup(t, nil, sensor.Poll("watch", time.Second, func(*sensor.Context) error { calls++; return nil }, nil))
		w.pass(5 * time.Second) // a courier that does not poll, as in a command that runs a job
		if calls != 0 {
			t.Errorf("%d calls", calls)
		}
		w.open(&courier.Options{Polls: true})
		if err := w.store.Switch(t.Context(), "watch", false, "me"); err != nil {
			t.Fatal(err)
		}
		w.pass(5 * time.Second)
		if calls != 0 {
			t.Errorf("%d calls while it is off", calls)
		}
		if err := w.store.Switch(t.Context(), "watch", true, "me"); err != nil {
			t.Fatal(err)
		}
		w.pass(3 * time.Second)
		if calls == 0 {
			t.Error("it is on, and not called")
		}
	})
}

func TestOnlyPolledSensorsHaveACursor(t *testing.T) {
	t.Parallel()
	var got []error
	w := setup(t, nil, sensor.OnRunFailure("alarm", func(ctx *sensor.Context, _ sensor.Run) error {
		got = []error{ctx.SetCursor("x"), ctx.Skip("why"), ctx.Launch(nil, "", nil)}
		return nil
	}, nil))
	w.run()
	w.once()
	for _, err := range got {
		if !errors.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "is for sensors that are polled (declare it with sensor.Poll)") {
			t.Error(err)
		}
	}
	if len(got) != 3 {
		t.Error(got)
	}
}

// TestADeathInAPollLosesNoRunAndLaunchesNoneTwice has the process die at each of its calls to the table. What the function finds changes, as
// the world outside does.
func TestADeathInAPollLosesNoRunAndLaunchesNoneTwice(t *testing.T) {
	t.Parallel()
	for _, after := range []bool{false, true} {
		for at := 1; ; at++ {
			reached := false
			synctest.Test(t, func(t *testing.T) {
				next := 0 // what is outside: each call finds the next two things, and asks for runs by number of the call
				var w *world
				found := map[string][]int{} // by cursor
				w = polling(t, sensor.Poll("watch", time.Hour, func(ctx *sensor.Context) error {
					next++
					found[ctx.Cursor()] = append(found[ctx.Cursor()], next)
					for range 2 {
						if err := ctx.Launch(w.defs.Jobs[0], "", &sensor.LaunchOptions{Tags: map[string]string{"found": fmt.Sprint(next)}}); err != nil {
							return err
						}
					}
					return ctx.SetCursor(fmt.Sprint(next))
				}, nil))
				db, dead := mortal(t, w.db, at, func(c memorydriver.Call) bool { return c.Done == after })
				w.db = db
				w.open(&courier.Options{Polls: true})
				_ = w.courier.Once(context.Background())
				reached = dead()
				w.db = w.db.Clone(nil)
				w.open(&courier.Options{Polls: true})
				time.Sleep(10 * time.Minute)
				w.once()
				if !reached && next != 1 {
					t.Errorf("%d calls", next)
				}
				p, err := w.store.Poll(t.Context(), "watch")
				if err != nil {
					t.Fatal(err)
				}
				runs := w.launched("job")
				if len(runs) != 2 || runs[0].Request.Tags["found"] != p.Cursor || runs[1].Request.Tags["found"] != p.Cursor {
					t.Errorf("died at call %d (after %t): the cursor is %q, %d runs: %+v", at, after, p.Cursor, len(runs), runs)
				}
			})
			if t.Failed() {
				t.FailNow()
			}
			if !reached {
				if at < 8 {
					t.Errorf("only %d calls", at)
				}
				break
			}
		}
	}
}
