package manifest_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/fault"
	"waggle/shared/job"
	"waggle/shared/manifest"
	"waggle/shared/notify"
	"waggle/shared/run"
	"waggle/shared/sensor"
	"waggle/shared/waggle"
)

func zero[T any](*asset.Context) (v T, err error) { return v, nil }

func onRun(*sensor.Context, sensor.Run) error { return nil }

// shop is raw -> clean (isolated) with a check, two schedules, a sensor of each kind and a channel of each kind.
func shop() waggle.Definitions {
	raw := asset.New("raw", zero[int], nil)
	clean := asset.New1("clean", func(*asset.Context, int) (int, error) { return 0, nil }, raw, &asset.Options{Isolated: true})
	some := check.New1("some", func(*asset.Context, int) (check.Result, error) { return check.Result{Passed: true}, nil }, clean, nil)
	nightly := job.New("nightly", asset.List{raw, clean}, nil)
	return waggle.Definitions{
		Assets: asset.List{raw, clean}, Checks: check.List{some}, Jobs: job.List{nightly},
		Schedules: job.Schedules{job.Cron("at_two", "0 2 * * *", nightly, nil),
			job.Cron("weekdays", "*/30 9-17 * * 1-5", nightly, &job.ScheduleOptions{TimeZone: "Europe/London"})},
		Channels: notify.List{notify.Slack("slack", nil), notify.Mail("team", &notify.MailOptions{To: []string{"team@example.com"}}),
			notify.Slack("bot", &notify.SlackOptions{BotToken: "ssm:/shop/bot"}),
			notify.Webhook("hook", &notify.WebhookOptions{URL: "env:HOOK_URL", Secret: "secretsmanager:shop/hook"}),
			notify.Webhook("open", &notify.WebhookOptions{URL: "https://example.com/hook"})},
		Sensors: sensor.List{
			sensor.OnRunFailure("failed", onRun, &sensor.Options{Jobs: job.List{nightly}}),
			sensor.OnRunSuccess("succeeded", onRun, nil),
			sensor.OnAsset("made", func(*sensor.Context, run.Materialization) error { return nil }, clean, nil),
			sensor.OnCheckFailed("bad", func(*sensor.Context, run.CheckResult) error { return nil }, nil),
			sensor.OnTickMissed("missed", func(*sensor.Context, sensor.Missed) error { return nil }, nil),
			sensor.Poll("files", 90*time.Second, func(*sensor.Context) error { return nil }, nil)},
	}
}

func TestAManifestSaysAllThatInfrastructureIsMadeFrom(t *testing.T) {
	t.Parallel()
	got, err := manifest.Of(shop(), "0123456789ab+")
	if err != nil {
		t.Fatal(err)
	}
	got.Functions = nil
	status := []string{"Run Status Change"}
	variable := func(name string) manifest.Variable { return manifest.Variable{Name: name} }
	hidden := func(name string) manifest.Variable { return manifest.Variable{Name: name, Secret: true} }
	want := manifest.Manifest{Version: 1, CodeVersion: "0123456789ab+",
		Jobs: []manifest.Job{{"nightly", []run.StepKey{"raw", "clean", "clean:some"}, []run.StepKey{"clean"}}},
		Schedules: []manifest.Schedule{{"at_two", "0 2 * * *", "cron(0 2 * * ? *)", "UTC", "nightly"},
			{"weekdays", "*/30 9-17 * * 1-5", "cron(0,30 9-17 ? * MON-FRI *)", "Europe/London", "nightly"}},
		Sensors: []manifest.Sensor{
			{Name: "failed", Kind: "run failure", DetailTypes: status, Jobs: []string{"nightly"}},
			{Name: "succeeded", Kind: "run status", DetailTypes: status, Jobs: []string{}},
			{Name: "made", Kind: "asset materialized", DetailTypes: []string{"Asset Materialized"}, Jobs: []string{}},
			{Name: "bad", Kind: "check failed", DetailTypes: []string{"Asset Check Evaluated"}, Jobs: []string{}},
			{Name: "missed", Kind: "tick missed", DetailTypes: []string{"Schedule Tick Missed"}, Jobs: []string{}},
			{Name: "files", Kind: "polled", DetailTypes: []string{}, IntervalSeconds: 90, Jobs: []string{}}},
		Channels: []manifest.Channel{
			{"slack", "slack", []manifest.Variable{hidden("SLACK_WEBHOOK_URL"), hidden("SLACK_BOT_TOKEN"), variable("SLACK_CHANNEL")}, []string{}},
			{"team", "mail", []manifest.Variable{variable("SMTP_HOST"), variable("SMTP_PORT"), variable("SMTP_USER"), variable("MAIL_FROM"), hidden("SMTP_PASSWORD")}, []string{}},
			{"bot", "slack", []manifest.Variable{variable("SLACK_CHANNEL")}, []string{"ssm:/shop/bot"}},
			{"hook", "webhook", []manifest.Variable{hidden("HOOK_URL")}, []string{"secretsmanager:shop/hook"}},
			{"open", "webhook", []manifest.Variable{}, []string{}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"Asset Check Evaluated", "Asset Materialized", "Run Status Change", "Schedule Tick Missed"}, got.DetailTypes()); diff != "" {
		t.Error(diff)
	}
}

func TestASensorThatIsIsolatedHasAFunctionOfItsOwn(t *testing.T) {
	t.Parallel()
	defs := shop()
	defs.Sensors = append(defs.Sensors, sensor.Poll("heavy", time.Hour, func(*sensor.Context) error { return nil }, &sensor.Options{Isolated: true}))
	m, err := manifest.Of(defs, "")
	if err != nil {
		t.Fatal(err)
	}
	want := manifest.Function{Name: "sensor-heavy", Program: "sensor", Sensor: "heavy", Zips: []manifest.Zip{}, MemoryMB: 1024, TimeoutSeconds: 900}
	got, _ := m.Function("sensor-heavy")
	if diff := cmp.Diff(want, got); diff != "" || len(m.Functions) != 5 {
		t.Errorf("%d functions\n%s", len(m.Functions), diff)
	}
}

func TestWhatCannotBeDeployedIsReportedAtOnceWithItsPlace(t *testing.T) {
	t.Parallel()
	defs := shop()
	long := strings.Repeat("n", 65)
	defs.Schedules = append(defs.Schedules, job.Cron("friday_13", "0 0 13 * 5", defs.Jobs[0], nil), job.Cron(long, "0 0 * * *", defs.Jobs[0], nil))
	defs.Sensors = append(defs.Sensors, sensor.Poll("hasty", 0, func(*sensor.Context) error { return nil }, nil))
	defs.Sensors = append(defs.Sensors, sensor.Poll(long, time.Hour, func(*sensor.Context) error { return nil }, &sensor.Options{Isolated: true}))
	_, err := manifest.Of(defs, "")
	if !errors.Is(err, fault.Invalid) {
		t.Fatalf("got %v", err)
	}
	lines := strings.Split(err.Error(), "\n")
	for i, want := range []string{
		`schedule "friday_13": cron expression "0 0 13 * 5": it fires on days of the month and, besides, on days of the week`,
		`schedule "` + long + `": its name has 65 characters; EventBridge Scheduler takes 64`,
		`sensor "hasty": is called every 30s, and when deployed the monitor looks once a minute (write sensor.Poll("hasty", time.Minute, ...))`,
		`sensor "` + long + `": has a function of its own, and a name of 65 characters; 29 would fit into the function's (shorten it, or take Isolated away)`,
	} {
		if len(lines) != 4 || !strings.Contains(lines[i], want) || !strings.Contains(lines[i], "manifest/manifest_test.go:") {
			t.Errorf("line %d lacks %s:\n%v", i, want, err)
		}
	}
}

func TestMistakesThatValidateFindsAreTheErrorOfOf(t *testing.T) {
	t.Parallel()
	defs := shop()
	defs.Schedules = job.Schedules{job.Cron("never", "0 25 * * *", defs.Jobs[0], nil)}
	if _, err := manifest.Of(defs, ""); err == nil || err.Error() != defs.Validate().Error() {
		t.Errorf("got %v", err)
	}
}

func TestAManifestReadsBackAndIsWrittenWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	want, err := manifest.Of(shop(), "x")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // a second one replaces the first
		if err := manifest.Write(dir, want); err != nil {
			t.Fatal(err)
		}
	}
	got, err := manifest.Read(dir)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("%v, %v", left, err)
	}
	if err := manifest.Write(filepath.Join(dir, "missing"), want); !errors.Is(err, fault.Unavailable) {
		t.Errorf("into no folder: %v", err)
	}
}

func TestAManifestThatIsMissingOldOrBrokenSaysWhatToDo(t *testing.T) {
	t.Parallel()
	for text, code := range map[string]fault.Code{"": fault.NotFound, "{": fault.Corrupt, `{"version": 2}`: fault.Incompatible, `{}`: fault.Incompatible} {
		dir := t.TempDir()
		if text != "" {
			if err := os.WriteFile(filepath.Join(dir, manifest.File), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := manifest.Read(dir); !errors.Is(err, code) || !strings.HasSuffix(err.Error(), "(make build)") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestAFunctionIsFoundByItsName(t *testing.T) {
	t.Parallel()
	m := manifest.Manifest{Functions: manifest.Functions()}
	if f, ok := m.Function(manifest.SensorFunction); !ok || f.TimeoutSeconds != 60 {
		t.Errorf("%+v, %v", f, ok)
	}
	if _, ok := m.Function("console"); ok {
		t.Error("there is a function console")
	}
}
