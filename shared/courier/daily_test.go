package courier_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"waggle/shared/courier"
	"waggle/shared/engine"
	"waggle/shared/event"
	"waggle/shared/job"
	"waggle/shared/notify"
	"waggle/shared/run"
	"waggle/shared/sensor"
	"waggle/shared/store"
	"waggle/shared/store/memorydriver"
)

// The clock of these tests begins on 2000-01-01 at midnight UTC, and goes on while all that happens waits for it.

// at looks at a time.
func (w *world) at(text string) {
	w.t.Helper()
	until, err := time.Parse("2006-01-02 15:04", text)
	if err != nil {
		w.t.Fatal(err)
	}
	time.Sleep(time.Until(until.Add(10 * time.Second))) // it comes some seconds after its time
	w.once()
}

// days are the days of the summaries that were sent, with how many runs they tell of.
func (w *world) days() []string {
	w.t.Helper()
	var days []string
	for _, text := range w.server.jsons {
		var d struct {
			Report struct {
				Kind, Day string
				Jobs      []struct{ Runs int }
			}
		}
		if err := json.Unmarshal([]byte(text), &d); err != nil || d.Report.Kind != "daily_summary" {
			w.t.Fatalf("%v: %s", err, text)
		}
		n := 0
		for _, j := range d.Report.Jobs {
			n += j.Runs
		}
		days = append(days, fmt.Sprintf("%s: %d", d.Report.Day, n))
	}
	return days
}

func (w *world) wantDays(days ...string) {
	w.t.Helper()
	if got := w.days(); !slices.Equal(got, days) {
		w.t.Errorf("told of %q, want %q", got, days)
	}
}

func TestADailySummaryComesOnceADayAndTellsOfEachRunOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := polling(t, sensor.Daily("summary", "07:00", notify.List{programs}, nil))
		w.at("2000-01-01 06:00") // it is new: its first time is still to come
		w.run()
		w.wantDays()
		w.at("2000-01-01 06:59")
		w.wantDays()
		w.at("2000-01-01 07:00")
		w.wantDays("2000-01-01: 1")
		w.run()
		w.run()
		w.pass(time.Minute)
		w.at("2000-01-01 23:00")
		w.wantDays("2000-01-01: 1")
		w.run()
		w.at("2000-01-02 07:00")
		w.at("2000-01-02 08:00")
		w.wantDays("2000-01-01: 1", "2000-01-02: 3")
		rows, err := w.store.SensorEvents(t.Context(), "summary", 10)
		if err != nil || len(rows) != 2 || rows[0].State != store.EventDone || rows[0].Reason != courier.ReasonNotified || rows[0].Event.Time.Format(time.DateTime) != "2000-01-02 07:00:00" {
			t.Errorf("%+v, %v", rows, err)
		}
	})
}

func TestADailySummaryIsQuietWhereNothingRanUnlessItIsAskedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := polling(t, sensor.Daily("quiet", "07:00", notify.List{slack}, nil), sensor.Daily("always", "07:00", notify.List{team}, &sensor.DailyOptions{Always: true}))
		w.at("2000-01-01 00:00")
		w.at("2000-01-01 07:00")
		if got := w.server.got(); len(got) != 1 || !strings.HasPrefix(got[0], "team: ") || !strings.Contains(got[0], "Nothing ran.") {
			t.Errorf("%q", got)
		}
		if footer := w.server.foots[0]; footer != "You get this because sensor always told channel team." {
			t.Error(footer)
		}
		if row := w.state("quiet"); row.State != store.EventDone || row.Reason != courier.ReasonSkipped || row.Log[0].Message != "skipped: nothing ran" {
			t.Errorf("%+v", row)
		}
	})
}

func TestAfterSleepTheNewestDayAloneIsTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := polling(t, sensor.Daily("summary", "07:00", notify.List{programs}, &sensor.DailyOptions{Always: true}))
		w.at("2000-01-01 00:00")
		w.at("2000-01-06 12:00")
		w.pass(10 * time.Second)
		w.wantDays("2000-01-06: 0")
		w.open(&courier.Options{Polls: true}) // another process
		w.pass(10 * time.Second)
		w.at("2000-01-07 07:00")
		w.wantDays("2000-01-06: 0", "2000-01-07: 0")
	})
}

func TestADailySummaryComesOnceOnDaysWhenClocksChange(t *testing.T) {
	t.Parallel()
	for _, from := range []string{"2000-03-24 12:00", "2000-10-27 12:00"} {
		for _, clock := range []string{"00:30", "01:00", "01:30", "01:59", "02:00", "07:00"} {
			synctest.Test(t, func(t *testing.T) {
				w := polling(t, sensor.Daily("summary", clock, notify.List{programs}, &sensor.DailyOptions{TimeZone: "Europe/London", Always: true}))
				w.at(from)
				first := time.Now()
				for time.Since(first) < 4*24*time.Hour {
					time.Sleep(10 * time.Minute)
					w.once()
				}
				got := w.days()
				if len(got) != 4 {
					t.Errorf("%s from %s on: %q", clock, from, got)
				}
				for i, day := range got {
					if want := first.AddDate(0, 0, i+1).Format(time.DateOnly); !strings.HasPrefix(day, want) {
						t.Errorf("%s from %s on: %q", clock, from, got)
					}
				}
			})
		}
	}
}

func TestADayIsNotToldTwiceWhereTheTimeOrTheZoneIsChanged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := polling(t, sensor.Daily("summary", "07:00", notify.List{programs}, &sensor.DailyOptions{Always: true}))
		w.at("2000-01-01 00:00")
		w.at("2000-01-01 07:00")
		for _, s := range []*sensor.Sensor{
			sensor.Daily("summary", "09:00", notify.List{programs}, &sensor.DailyOptions{Always: true}),
			sensor.Daily("summary", "21:00", notify.List{programs}, &sensor.DailyOptions{TimeZone: "Asia/Tokyo", Always: true}),
		} {
			w.defs.Sensors = sensor.List{s}
			w.open(&courier.Options{Polls: true})
			w.at(time.Now().Add(7 * time.Hour).Format("2006-01-02 15:04"))
		}
		w.wantDays("2000-01-01: 0")
		w.at("2000-01-02 12:00")
		w.wantDays("2000-01-01: 0", "2000-01-02: 0")
	})
}

func TestADailySummaryThatWasOffAtItsTimeWaitsForTheNextDay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := polling(t, sensor.Daily("summary", "07:00", notify.List{programs}, &sensor.DailyOptions{Always: true}))
		w.at("2000-01-01 00:00")
		if err := w.store.Switch(t.Context(), "summary", false, "me"); err != nil {
			t.Fatal(err)
		}
		w.at("2000-01-01 07:00")
		w.at("2000-01-01 09:00")
		if err := w.store.Switch(t.Context(), "summary", true, "me"); err != nil {
			t.Fatal(err)
		}
		w.pass(time.Minute)
		w.wantDays()
		w.at("2000-01-02 07:00")
		w.wantDays("2000-01-02: 0")
	})
}

func TestSeveralProcessesTellADayOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := polling(t, sensor.Daily("summary", "07:00", notify.List{programs}, &sensor.DailyOptions{Always: true}))
		w.at("2000-01-01 00:00")
		ctx, stop := context.WithCancel(t.Context())
		var processes sync.WaitGroup
		for i := range 4 {
			c := courier.New(w.store, w.defs, &courier.Options{Sender: w.server.sender, Polls: true, Look: 10 * time.Second, Worker: fmt.Sprint(i)})
			processes.Go(func() { c.Keep(ctx, func(err error) { t.Error(err) }) })
		}
		time.Sleep(50 * time.Hour)
		stop()
		processes.Wait()
		w.wantDays("2000-01-01: 0", "2000-01-02: 0")
	})
}

// TestADeathInASummaryNeitherLosesNorRepeatsADay has the process die at each of its calls to the table until the message is handed over.
func TestADeathInASummaryNeitherLosesNorRepeatsADay(t *testing.T) {
	t.Parallel()
	for _, after := range []bool{false, true} {
		for at := 1; ; at++ {
			reached := false
			synctest.Test(t, func(t *testing.T) {
				w := polling(t, sensor.Daily("summary", "07:00", notify.List{programs}, nil))
				w.at("2000-01-01 00:00")
				w.run()
				time.Sleep(time.Until(time.Date(2000, 1, 1, 7, 1, 0, 0, time.UTC)))
				db, dead := mortal(t, w.db, at, func(c memorydriver.Call) bool { return c.Done == after })
				w.db = db
				w.open(&courier.Options{Polls: true})
				_ = w.courier.Once(context.Background())
				reached = dead()
				w.db = w.db.Clone(nil)
				w.open(&courier.Options{Polls: true})
				time.Sleep(10 * time.Minute)
				w.once()
				w.once()
				days := w.days()
				if len(days) == 0 || len(days) > 2 || len(days) == 2 && !reached { // a death between the send and its row repeats one
					t.Errorf("died at call %d (after %t): told of %q", at, after, days)
				}
				for _, day := range days {
					if day != "2000-01-01: 1" {
						t.Errorf("died at call %d (after %t): told of %q", at, after, days)
					}
				}
				if rows, err := w.store.SensorEvents(t.Context(), "summary", 10); err != nil || len(rows) != 1 || rows[0].Messages != 1 {
					t.Errorf("died at call %d (after %t): %+v, %v", at, after, rows, err)
				}
			})
			if t.Failed() {
				t.FailNow()
			}
			if !reached {
				if at < 15 {
					t.Errorf("only %d calls", at)
				}
				break
			}
		}
	}
}

func TestADaysNumbersAreThoseOfItsRuns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := polling(t, sensor.Daily("summary", "07:00", notify.List{programs}, nil))
		w.defs.Schedules = job.Schedules{job.Cron("nightly", "0 3 * * *", w.defs.Jobs[3], nil), job.Cron("other", "0 4 * * *", w.defs.Jobs[4], nil)}
		w.open(&courier.Options{Polls: true})
		w.at("2000-01-01 05:00")
		w.run() // of the day before
		w.at("2000-01-01 07:00")
		w.server.jsons = nil

		w.at("2000-01-02 01:00")
		w.run() // job goes on failing
		w.fails = false
		w.runJob("job_00", nil)
		w.runRequest(run.Request{Selection: []run.StepKey{"broken"}}, nil)
		w.fails = true
		w.runJob("job_01", nil) // fails, then works
		w.fails = false
		w.at("2000-01-02 02:00")
		w.runJob("job_01", nil)
		// A run that is run again counts once, by its last.
		w.fails = true
		first := w.runJob("job_02", nil)
		w.fails = false
		time.Sleep(time.Minute)
		w.runRequest(run.Request{Job: "job_02", Parent: first, Root: first, Retries: 1}, nil)
		for _, at := range []string{"2000-01-02T03:00:00Z", "2000-01-01T03:00:00Z"} { // the second is of the day before
			tick, err := time.Parse(time.RFC3339, at)
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := w.store.LaunchTick(t.Context(), "nightly", tick, run.Request{Job: "job_03"}, &event.Event{TickStatus: event.TickLate}); err != nil {
				t.Fatal(err)
			}
		}
		w.at("2000-01-02 07:00")
		w.runJob("job_05", nil) // of the next day

		var got struct {
			Report struct {
				Jobs []struct {
					Job          string
					Runs, Failed int
					LastStatus   string    `json:"last_status"`
					LastError    string    `json:"last_error"`
					Since        time.Time `json:"failing_since"`
				}
				Late int `json:"late_ticks"`
				Dead int `json:"dead_messages"`
			}
		}
		if err := json.Unmarshal([]byte(w.server.jsons[0]), &got); err != nil || len(w.server.jsons) != 1 {
			t.Fatalf("%v, %q", err, w.server.jsons)
		}
		var lines []string
		for _, j := range got.Report.Jobs {
			line := fmt.Sprintf("%s: %d, %d failed, %s", j.Job, j.Runs, j.Failed, j.LastStatus)
			if !j.Since.IsZero() {
				line += " " + j.LastError + " since " + j.Since.Format(time.DateTime)
			}
			lines = append(lines, line)
		}
		want := []string{": 1, 0 failed, SUCCESS", "job: 1, 1 failed, FAILURE broken: it broke since 2000-01-01 05:00:10", "job_00: 1, 0 failed, SUCCESS", "job_01: 2, 1 failed, SUCCESS", "job_02: 1, 0 failed, SUCCESS"}
		if !slices.Equal(lines, want) || got.Report.Late != 1 || got.Report.Dead != 0 {
			t.Errorf("%d late, %d dead,\n%s\nwant\n%s", got.Report.Late, got.Report.Dead, strings.Join(lines, "\n"), strings.Join(want, "\n"))
		}
		if text := w.server.got(); !strings.Contains(text[len(text)-1], "of 4 jobs and of assets selected by hand:") || !strings.Contains(text[len(text)-1], "1 scheduled run late or missed") {
			t.Errorf("%q", text)
		}
	})
}

func TestADailySummaryOfSomeJobsTellsOfThoseAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		first := setup(t, nil)
		w := &world{t: t, db: first.db, bucket: first.bucket, server: first.server, fails: true, why: "it broke", defs: first.defs}
		w.defs.Sensors = sensor.List{sensor.Daily("summary", "07:00", notify.List{programs}, &sensor.DailyOptions{Jobs: job.List{w.defs.Jobs[1]}})}
		if err := w.defs.Validate(); err != nil {
			t.Fatal(err)
		}
		w.open(&courier.Options{Polls: true})
		w.at("2000-01-01 00:00")
		w.run()
		w.at("2000-01-01 07:00")
		w.wantDays()
		w.run()
		w.runJob("job_00", nil)
		w.at("2000-01-02 07:00")
		w.wantDays("2000-01-02: 1")
	})
}

func TestMessagesThatWereGivenUpAreCountedAlsoWhereNothingRan(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := polling(t, tells("alarm", slack), sensor.Daily("summary", "07:00", notify.List{programs}, nil))
		w.server.answer = func(channel string, _ int, _ notify.Content) notify.Answer {
			if channel == "slack" {
				return notify.Answer{Kind: notify.Smaller, Reason: notify.ReasonTooLarge, Error: "too large"}
			}
			return notify.Answer{Kind: notify.Sent, Ref: "1"}
		}
		w.at("2000-01-01 06:00")
		id, err := w.store.Launch(t.Context(), run.Request{Job: "job"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := engine.New(w.store, w.defs, &engine.Options{Publish: w.courier.Publish()}).Run(t.Context(), id, nil); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Until(time.Date(2000, 1, 1, 7, 30, 0, 0, time.UTC))) // the message leaves after the first summary's time
		w.once()
		w.server.jsons, w.server.taken = nil, nil
		w.at("2000-01-02 07:00")
		w.wantDays("2000-01-02: 0")
		if got := w.server.got(); len(got) != 1 || !strings.Contains(got[0], "1 message given up") {
			t.Errorf("%q", got)
		}
	})
}

func TestADailySummaryIsTriedOnTheDayUpToNow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := polling(t, sensor.Daily("summary", "07:00", notify.List{team, slack}, nil))
		w.at("2000-01-03 12:00")
		def := w.defs.Sensor("summary")
		call, err := w.courier.RehearseDay(t.Context(), def)
		if err != nil || call.Reason != courier.ReasonQuiet || len(call.Messages) != 0 || len(call.Log) != 1 || call.Log[0].Message != "skipped: nothing ran" {
			t.Errorf("%+v, %v", call, err)
		}
		w.run()
		time.Sleep(time.Second)
		call, err = w.courier.RehearseDay(t.Context(), def)
		if err != nil || call.Reason != courier.ReasonNotified || len(call.Messages) != 2 || !strings.Contains(call.Messages[0].Rungs[0].Text, "1 run of 1 job: 1 failed.") {
			t.Errorf("%+v, %v", call, err)
		}
		if rows, err := w.store.SensorEvents(t.Context(), "summary", 10); err != nil || len(rows) != 0 {
			t.Errorf("it left %+v, %v", rows, err)
		}
		answer, _, err := w.courier.SendRehearsed(t.Context(), "k", call.Messages[0], "sensor summary", call.Event)
		if err != nil || answer.Kind != notify.Sent || !strings.HasPrefix(w.server.foots[0], "This is a test of sensor summary, sent by ") {
			t.Errorf("%+v, %v, %q", answer, err, w.server.foots)
		}
	})
}

func TestATableThatFailsWhileADayIsSummedUpIsAskedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := polling(t, sensor.Daily("summary", "07:00", notify.List{programs}, &sensor.DailyOptions{Always: true}))
		w.at("2000-01-01 00:00")
		failing := true
		w.db = w.db.Clone(&memorydriver.Options{Hook: func(c memorydriver.Call) error {
			if failing && !c.Done && c.Op == memorydriver.Query && c.Query.Partition == "RUN" {
				return errors.New("no")
			}
			return nil
		}})
		w.open(&courier.Options{Polls: true})
		w.at("2000-01-01 07:00")
		w.wantDays()
		failing = false
		w.at("2000-01-01 07:05")
		w.wantDays("2000-01-01: 0")
	})
}
