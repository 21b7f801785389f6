package courier_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"waggle/shared/courier"
	"waggle/shared/fault"
	"waggle/shared/job"
	"waggle/shared/notify"
	"waggle/shared/scheduler"
	"waggle/shared/sensor"
	"waggle/shared/store"
	"waggle/shared/store/memorydriver"
)

// ofTicks says that ticks were missed.
func ofTicks(opts *sensor.Options) *sensor.Sensor {
	return sensor.OnTickMissed("s", func(ctx *sensor.Context, m sensor.Missed) error { return ctx.Notify(m, slack) }, opts)
}

// sleptOver is a laptop with an hourly schedule that slept from two minutes past an hour, for a time, and what it has then launched.
func sleptOver(t *testing.T, span time.Duration, opts *sensor.Options) (*world, []scheduler.Launched) {
	t.Helper()
	w := setup(t, nil, ofTicks(opts))
	w.defs.Schedules = job.Schedules{job.Cron("hourly", "0 * * * *", w.defs.Jobs[1], &job.ScheduleOptions{TimeZone: "Europe/London"})}
	w.open(nil)
	time.Sleep(2 * time.Minute)
	w.launch()
	time.Sleep(span)
	return w, w.launch()
}

// launch launches what is due, as the commands do.
func (w *world) launch() []scheduler.Launched {
	w.t.Helper()
	launched, _, err := scheduler.New(w.store.Owing(store.Here, w.defs.Sensors.Hear), w.defs).Launch(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	return launched
}

func TestTicksThatWereSleptOverAreOneNote(t *testing.T) {
	t.Parallel()
	for hours, want := range map[int][]string{
		0: nil,
		1: {"▲ LATE hourly: due 2000-01-01 01:00 Europe/London, 2 min 0 s late"},
		4: {"▲ LATE hourly: due 2000-01-01 04:00 Europe/London, 2 min 0 s late", "3 ticks before it did not come either."},
		// 76 of 100 are passed over.
		100: {"▲ LATE hourly: due 2000-01-05 04:00 Europe/London, 2 min 0 s late", "99 ticks before it did not come either."},
	} {
		synctest.Test(t, func(t *testing.T) {
			w, launched := sleptOver(t, time.Duration(hours)*time.Hour, nil)
			w.once()
			w.once()
			got := w.server.got()
			if len(got) > 1 || len(got) == 0 && len(want) > 0 {
				t.Fatalf("%d hours: %d messages: %q", hours, len(got), got)
			}
			for _, words := range want {
				if !strings.Contains(strings.Join(w.server.lines, "")+got[0], words) {
					t.Errorf("%d hours: %q\n%s lacks %q", hours, w.server.lines, got[0], words)
				}
			}
			if hours > 0 {
				if last := launched[len(launched)-1]; !strings.Contains(got[0], last.Run.Short()) {
					t.Errorf("%s lacks the late run %s", got[0], last.Run.Short())
				}
				if foot := w.server.foots[0]; foot != "" {
					t.Errorf("foot %q", foot)
				}
			}
			// A tick that comes in time is none, and the next sleep is another.
			time.Sleep(58 * time.Minute)
			if w.launch(); len(launched) != min(hours, 24) {
				t.Errorf("%d hours: launched %d", hours, len(launched))
			}
			w.once()
			if n := len(w.server.got()); n != len(got) {
				t.Errorf("%d hours: %d messages after a tick that came in time", hours, n)
			}
			time.Sleep(2*time.Hour + 2*time.Minute)
			w.launch()
			w.once()
			if n := len(w.server.got()); n != len(got)+1 {
				t.Errorf("%d hours: %d messages after another sleep", hours, n)
			}
		})
	}
}

func TestTicksThatGetNoRunAreTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := setup(t, nil, ofTicks(nil))
		w.defs.Schedules = job.Schedules{job.Cron("broken", "0 0 * * *", job.New("gone", nil, nil), nil), job.Cron("other", "0 0 * * *", job.New("lost", nil, nil), nil)}
		w.open(nil)
		w.launch()
		time.Sleep(24*time.Hour + time.Second)
		w.launch()
		w.once()
		// Two that happened at one time are two messages.
		got := strings.Join(w.server.got(), "\n")
		if n := len(w.server.got()); n != 2 || !strings.Contains(got, "unknown job \"gone\"") || !strings.Contains(got, "unknown job \"lost\"") ||
			!strings.Contains(got, "No run was launched for it.") {
			t.Fatalf("%d messages: %s", n, got)
		}
		rows, err := w.store.SensorEvents(t.Context(), "s", 10)
		if err != nil || len(rows) != 2 || rows[0].Reason != courier.ReasonNotified {
			t.Errorf("%+v, %v", rows, err)
		}
		// The same mistake the next night is told again: it is another tick.
		time.Sleep(24 * time.Hour)
		w.launch()
		w.once()
		if n := len(w.server.got()); n != 4 {
			t.Errorf("%d messages", n)
		}
	})
}

func TestTicksThatArePassedOverAloneAreTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := setup(t, nil, ofTicks(nil))
		w.defs.Schedules = job.Schedules{job.Cron("weekly", "0 0 * * 0", w.defs.Jobs[0], nil)} // 2000-01-02 is a Sunday
		w.open(nil)
		w.launch()
		time.Sleep(16*24*time.Hour + time.Minute)
		w.launch()
		w.once()
		got := w.server.got()
		if len(got) != 1 || !strings.Contains(got[0], "2 ticks before it did not come either.") || !strings.Contains(got[0], "so late") {
			t.Errorf("%q", got)
		}
	})
}

func TestASensorOfMissedTicksIsTriedWithTheTickOfARun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, _ := sleptOver(t, time.Hour-2*time.Minute, nil) // in time
		runs := w.launched("job_00")
		if len(runs) != 1 {
			t.Fatalf("%+v", runs)
		}
		def := w.defs.Sensors[0].Definition()
		r, err := w.courier.Rehearse(t.Context(), def, runs[0].ID)
		if err != nil || len(r.Calls) != 1 || len(r.Calls[0].Messages) != 1 || !strings.Contains(r.Calls[0].Messages[0].Rungs[0].Line, "LATE hourly") {
			t.Errorf("%+v, %v", r, err)
		}
		_, err = w.courier.Rehearse(t.Context(), def, w.run())
		if !errors.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "no schedule launched run") {
			t.Error(err)
		}
		w.once()
		w.want()
	})
}

// TestASensorThatFailsTellsItsFallbackOnceADay has a sensor fail for many runs.
func TestASensorThatFailsTellsItsFallbackOnceADay(t *testing.T) {
	t.Parallel()
	for kind, words := range map[string]string{"error": "no such table", "panic": "panic: oh", "mistake": "(add it)"} {
		synctest.Test(t, func(t *testing.T) {
			calls := 0
			w := setup(t, nil, sensor.OnRunFailure("alarm", func(ctx *sensor.Context, r sensor.Run) error {
				calls++
				switch kind {
				case "panic":
					panic("oh")
				case "mistake":
					return ctx.Notify(notify.Message{Text: "x"}, notify.Slack("unlisted", nil))
				}
				return errors.New("no such table")
			}, &sensor.Options{Fallback: team}))
			for range 5 {
				w.run()
			}
			w.later(w.courier, 7*time.Hour)
			got := w.server.got()
			if len(got) != 1 || !strings.HasPrefix(got[0], "team: ") || !strings.Contains(got[0], words) || !strings.Contains(got[0], "waggle sensors show alarm") ||
				!strings.Contains(got[0], "job came to FAILURE") {
				t.Fatalf("%s: %d messages: %q", kind, len(got), got)
			}
			if foot := w.server.foots[0]; foot != "You get this because sensor alarm, whose fallback this is, told channel team." {
				t.Errorf("foot %q", foot)
			}
			time.Sleep(24 * time.Hour)
			w.run()
			w.later(w.courier, 7*time.Hour)
			if n := len(w.server.got()); n != 2 {
				t.Errorf("%s: %d messages after a day", kind, n)
			}
			if rows, err := w.store.SensorEvents(t.Context(), "alarm", 10); err != nil || len(rows) != 6 || rows[0].State != store.EventDead {
				t.Errorf("%+v, %v", rows, err)
			}
		})
	}
}

// TestADeathWhileASensorIsGivenUpLosesNoNote has the process die at each of its calls to the table.
func TestADeathWhileASensorIsGivenUpLosesNoNote(t *testing.T) {
	t.Parallel()
	for _, after := range []bool{false, true} {
		for at := 1; ; at++ {
			reached := false
			synctest.Test(t, func(t *testing.T) {
				w := setup(t, nil, sensor.OnRunFailure("alarm", func(ctx *sensor.Context, _ sensor.Run) error {
					return ctx.Notify(notify.Message{Text: "x"}, notify.Slack("unlisted", nil))
				}, &sensor.Options{Fallback: team}))
				w.run()
				db, dead := mortal(t, w.db, at, func(c memorydriver.Call) bool { return c.Done == after })
				w.db = db
				w.open(nil)
				_ = w.courier.Once(context.Background())
				reached = dead()
				w.db = w.db.Clone(nil)
				w.open(nil)
				time.Sleep(10 * time.Minute)
				w.once()
				messages, err := w.store.Messages(t.Context(), "team", time.Time{}, 10)
				if row := w.state("alarm"); err != nil || len(messages) != 1 || row.State != store.EventDead {
					t.Errorf("died at call %d (after %t): %d notes, %+v, %v", at, after, len(messages), row, err)
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

func TestASensorOfMissedTicksMayTellSeldom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, _ := sleptOver(t, 4*time.Hour, &sensor.Options{MinInterval: 24 * time.Hour})
		w.once()
		for range 3 {
			time.Sleep(4 * time.Hour)
			w.launch()
			w.once()
		}
		if n := len(w.server.got()); n != 1 {
			t.Errorf("%d messages within a day", n)
		}
		time.Sleep(24 * time.Hour)
		w.once()
		got := w.server.got()
		if len(got) != 2 || strings.Count(got[1], "LATE hourly:") != 3 {
			t.Errorf("%s", fmt.Sprintf("%q", got))
		}
	})
}
