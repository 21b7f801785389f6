package waggle_test

import (
	"errors"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/fault"
	"waggle/shared/job"
	"waggle/shared/notify"
	"waggle/shared/run"
	"waggle/shared/sensor"
	"waggle/shared/waggle"
)

type secret struct {
	ID     int64
	hidden string
}

var _ = secret{}.hidden // what nobody reads a linter would report

type settings struct{ OutputDir string }

type otherSettings struct{ OutputDir int64 }

func none[T any](*asset.Context) (v T, err error) { return v, nil }

func passes(*asset.Context, int) (check.Result, error) { return check.Result{Passed: true}, nil }

// mistaken has one of every mistake that the compiler lets pass.
func mistaken() waggle.Definitions {
	good := asset.New("good", none[int], nil)
	badKey := asset.New("bad key", none[int], nil)
	nilFunction := asset.New[int]("nil_function", nil, nil)
	nilInput := asset.New1("nil_input", func(*asset.Context, int) (int, error) { return 0, nil }, nil, nil)
	var never *asset.Asset[int]
	typedNil := asset.New1("typed_nil", func(*asset.Context, int) (int, error) { return 0, nil }, never, nil)
	nilDep := asset.New("nil_dep", none[int], &asset.Options{Deps: asset.List{nil}})
	unexported := asset.New("unexported", none[[]secret], nil)
	channel := asset.New("channel", none[map[string]chan int], nil)
	retry := asset.New("retry", none[int], &asset.Options{Retry: asset.Retry{Delay: time.Second}})
	timeout := asset.New("timeout", none[int], &asset.Options{Timeout: -time.Second})
	twin := asset.New("good", none[int], nil)
	stranger := asset.New("stranger", none[int], nil)
	usesStranger := asset.New1("uses_stranger", func(*asset.Context, int) (int, error) { return 0, nil }, stranger, nil)
	one, two := asset.NewConfig(settings{}), asset.NewConfig(otherSettings{})
	configured := asset.New2("configured", func(*asset.Context, settings, otherSettings) (int, error) { return 0, nil }, one, two, nil)
	loop := asset.New1("loop", func(*asset.Context, int) (int, error) { return 0, nil }, good, nil)

	unnamed := check.New1("un named", passes, good, nil)
	ofNil := check.New1("of_nil", passes, never, nil)
	ofStranger := check.New1("of_stranger", passes, stranger, nil)
	severity := check.New1("severity", passes, good, &check.Options{Severity: "FATAL"})
	waits := check.New2("waits", func(*asset.Context, int, int) (check.Result, error) { return check.Result{}, nil }, good, loop, check.Blocking)

	untold := asset.Notification("untold", "done", notify.Slack("unlisted", nil), nil)

	all := asset.List{good, badKey, nilFunction, nilInput, typedNil, nilDep, unexported, channel, retry, timeout, twin, usesStranger, configured, loop, nil, untold}
	empty := job.New("empty", nil, nil)
	circle := job.New("circle", asset.List{good, loop}, &job.Options{MaxRuns: -1, TagLimits: []job.TagLimit{{Tag: "customer"}}, Priority: math.MaxInt})
	settingsJob := job.New("settings", asset.List{good}, &job.Options{Config: map[string]any{"output_dir": "x"}, Parallelism: -1})
	return waggle.Definitions{
		Assets: all,
		Checks: check.List{unnamed, ofNil, ofStranger, severity, waits, nil},
		Jobs:   job.List{empty, circle, settingsJob, nil, job.New("empty", asset.List{good, good, nil}, nil)},
		Schedules: job.Schedules{
			job.Cron("bad cron", "0 25 * * *", circle, &job.ScheduleOptions{TimeZone: "Europe/Lundon"}),
			job.Cron("never", "0 0 31 2 *", circle, nil),
			job.Cron("no_job", "0 0 * * *", nil, nil),
			nil,
		},
		Channels: notify.List{notify.Slack("bad channel", &notify.SlackOptions{Fallback: notify.Mail("elsewhere", nil)}), notify.Mail("team", nil), notify.Slack("team", nil), nil},
		Sensors:  mistakenSensors(stranger, ofStranger),
	}
}

// mistakenSensors has one of every mistake in sensors.
func mistakenSensors(stranger asset.Any, ofStranger *check.Check) sensor.List {
	onRun := func(*sensor.Context, sensor.Run) error { return nil }
	twice := sensor.OnRunSuccess("twice", onRun, nil)
	unlisted := job.New("unlisted", asset.List{stranger}, nil)
	return sensor.List{
		sensor.OnRunFailure("bad sensor", nil, nil),
		sensor.OnRunStatus("no_status", nil, onRun, nil),
		sensor.OnRunStatus("odd_status", []run.Status{"DONE"}, onRun, nil),
		sensor.OnAsset("no_asset", func(*sensor.Context, run.Materialization) error { return nil }, nil, nil),
		sensor.OnAsset("strange_asset", func(*sensor.Context, run.Materialization) error { return nil }, stranger, nil),
		sensor.OnRunFailure("strange_job", onRun, &sensor.Options{Jobs: job.List{unlisted, nil}}),
		sensor.OnRunFailure("hasty", onRun, &sensor.Options{MinInterval: -time.Second, Fallback: notify.Slack("nowhere", nil)}),
		sensor.OnRunFailure("severe", onRun, &sensor.Options{Severity: check.Warn}),
		sensor.OnCheckFailed("fatal", func(*sensor.Context, run.CheckResult) error { return nil },
			&sensor.Options{Severity: "FATAL", Checks: check.List{nil, check.New1("unlisted", passes, asset.New("x", none[int], nil), nil)}}),
		twice, twice, sensor.OnRunSuccess("twice", onRun, nil), nil,
		sensor.Daily("sums_up", "25:00", notify.List{notify.Slack("unlisted", nil)}, nil),
	}
}

func TestValidateReportsEveryMistakeWithFileAndLine(t *testing.T) {
	t.Parallel()
	err := mistaken().Validate()
	if !errors.Is(err, fault.Invalid) {
		t.Fatalf("got %v", err)
	}
	place := regexp.MustCompile(`^shared/waggle/validate_test\.go:\d+: `)
	for _, want := range []string{
		`asset "bad key": a key has letters, digits and underscores, parts separated by /`,
		`asset "nil_function": its function is nil`,
		`asset "nil_input": input 1 is nil`,
		`asset "typed_nil": input 1 is nil`,
		`asset "nil_dep": Deps[0] is nil`,
		`asset "unexported": `,
		`asset "channel": value element is a chan int, which cannot be stored`,
		`asset "retry": Retry has a delay but Max is 0, so nothing is tried again; set Max`,
		`asset "timeout": Timeout is -1s; it must be 0 or more`,
		`has the same key; rename one`,
		`asset "uses_stranger": takes "stranger" (`,
		`config key "output_dir": is a int64 here and a string at `,
		`check "un named": a name has letters, digits and underscores, 200 at most`,
		`check "of_nil": its asset is nil`,
		`check "of_stranger": is on asset "stranger" (`,
		`check "severity": Severity is "FATAL"; it must be Error or Warn`,
		`job "empty": it has no assets`,
		`job "circle": these steps wait for each other: loop, good:waits (a blocking check takes an input that its own asset leads to; make it non-blocking or drop the input)`,
		`job "circle": MaxRuns is -1; it must be 1 or more, or 0 for no limit`,
		`job "circle": TagLimits[0] has Max 0, so no run could ever start; it must be 1 or more`,
		`job "circle": Priority is 9223372036854775807; it must be from -10000 to 10000`,
		`job "settings": Parallelism is -1; it must be 1 or more, or 0 for 16`,
		`job "settings": unknown config key "output_dir"`,
		`job "empty": asset "good" is twice in its list`,
		`schedule "bad cron": time zone "Europe/Lundon" does not exist; use a name like Europe/London`,
		`schedule "bad cron": cron expression "0 25 * * *": `,
		`schedule "never": cron expression "0 0 31 2 *" never fires`,
		`schedule "no_job": its job is nil`,
		`Definitions.Assets[14] is nil`,
		`asset "untold": sends to channel "unlisted" (shared/waggle/validate_test.go:`,
		`Definitions.Checks[5] is nil`,
		`Definitions.Jobs[3] is nil`,
		`Definitions.Schedules[3] is nil`,
		`channel "bad channel": a name has letters, digits and underscores, 200 at most`,
		`has the same name; rename one`,
		`Definitions.Channels[3] is nil`,
		`channel "bad channel": falls back to channel "elsewhere" (shared/waggle/validate_test.go:`,
		`sensor "hasty": MinInterval is -1s; it must not be negative`,
		`sensor "bad sensor": a name has letters, digits and underscores, 200 at most`,
		`sensor "bad sensor": its function is nil`,
		`sensor "no_status": it has no status, so it would never be called`,
		`sensor "odd_status": status "DONE" is none that a run is told to come to`,
		`sensor "no_asset": its asset is nil`,
		`sensor "strange_asset": looks at asset "stranger" (shared/waggle/validate_test.go:`,
		`sensor "strange_job": looks at job "unlisted" (shared/waggle/validate_test.go:`,
		`sensor "strange_job": Jobs[1] is nil`,
		`sensor "severe": Checks and Severity are for OnCheckFailed`,
		`sensor "fatal": Severity is "FATAL"; it must be Error or Warn`,
		`sensor "fatal": Checks[0] is nil`,
		`sensor "fatal": looks at check "unlisted" (`,
		`sensor "twice": is twice in Definitions.Sensors`,
		`sensor "twice": shared/waggle/validate_test.go:`,
		`sensor "hasty": falls back to channel "nowhere" (shared/waggle/validate_test.go:`,
		`Definitions.Sensors[12] is nil`,
		`sensor "sums_up": its time is "25:00"`,
		`sensor "sums_up": tells channel "unlisted" (shared/waggle/validate_test.go:`,
	} {
		found := false
		for _, line := range strings.Split(err.Error(), "\n") {
			at := strings.Index(line, want)
			found = found || at >= 0 && (strings.HasPrefix(want, "Definitions.") || place.MatchString(line))
		}
		if !found {
			t.Errorf("missing: %s", want)
		}
	}
	if t.Failed() {
		t.Log(err)
	}
}

func TestGoodDefinitionsValidate(t *testing.T) {
	t.Parallel()
	if err := shop().Validate(); err != nil {
		t.Error(err)
	}
	if err := (waggle.Definitions{}).Validate(); err != nil {
		t.Error(err)
	}
}

// shop is raw -> clean -> report with a check, a job with limits and a schedule.
func shop() waggle.Definitions {
	config := asset.NewConfig(settings{OutputDir: "output"})
	raw := asset.New("raw", none[int], nil)
	clean := asset.New1("clean", func(*asset.Context, int) (int, error) { return 0, nil }, raw, nil)
	report := asset.New2("report", func(*asset.Context, int, settings) (int, error) { return 0, nil }, clean, config, nil)
	some := check.New1("some", passes, clean, check.Blocking)
	assets := asset.List{raw, clean, report}
	nightly := job.New("nightly", assets, &job.Options{Tags: map[string]string{"tier": "gold"}, MaxRuns: 2,
		TagLimits: []job.TagLimit{{Tag: "customer", Max: 1}}, Priority: 5, Config: map[string]any{"output_dir": "night"}})
	return waggle.Definitions{Assets: assets, Checks: check.List{some}, Jobs: job.List{nightly},
		Schedules: job.Schedules{job.Cron("at_two", "0 2 * * *", nightly, nil)}}
}

func TestARequestGetsWhatItsJobSays(t *testing.T) {
	t.Parallel()
	req, p, err := shop().Request(run.Request{Job: "nightly", Tags: map[string]string{"customer": "acme"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Steps) != 4 || req.Priority != 5 || req.Config["output_dir"] != "night" || req.Tags["tier"] != "gold" {
		t.Errorf("%d steps, %+v", len(p.Steps), req)
	}
	if len(req.Limits) != 2 || req.Limits[0] != (run.Limit{Name: "job:nightly", Max: 2}) || req.Limits[1] != (run.Limit{Name: "tag:customer=acme", Max: 1}) {
		t.Errorf("limits %v", req.Limits)
	}
}

func TestNamesThatDoNotExistAreAnsweredWithTheNearest(t *testing.T) {
	t.Parallel()
	for want, req := range map[string]run.Request{
		`unknown job "nightli" (did you mean "nightly"?)`:             {Job: "nightli"},
		`unknown asset "claen" (did you mean "clean"?)`:               {Selection: []run.StepKey{"claen"}},
		`unknown config key "ouput_dir" (did you mean "output_dir"?)`: {Job: "nightly", Config: run.Config{"ouput_dir": "x"}},
		`neither a job nor a selection of assets`:                     {},
	} {
		if _, _, err := shop().Request(req); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestASelectionTakesTheChecksOfItsAssetsAndLeavesTheRest(t *testing.T) {
	t.Parallel()
	for want, selection := range map[string][]run.StepKey{
		"clean clean:some":  {"clean"},
		"clean:some":        {"clean:some"},
		"report":            {"report"},
		"clean:some report": {"report", "clean:some"},
	} {
		p, err := shop().Plan(run.Request{Selection: selection})
		if err != nil {
			t.Fatal(err)
		}
		var keys []string
		for _, s := range p.Steps {
			keys = append(keys, string(s.Key))
		}
		if got := strings.Join(keys, " "); got != want {
			t.Errorf("%v: steps %s, want %s", selection, got, want)
		}
	}
}

func TestMergeJoinsAndLeavesItsPartsAsTheyWere(t *testing.T) {
	t.Parallel()
	a, b := shop(), waggle.Definitions{Assets: asset.List{asset.New("other", none[int], nil)}}
	both := a.Merge(b, waggle.Definitions{})
	if len(both.Assets) != 4 || len(a.Assets) != 3 || both.Validate() != nil {
		t.Errorf("%d assets: %v", len(both.Assets), both.Validate())
	}
}
