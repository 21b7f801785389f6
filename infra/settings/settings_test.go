package settings_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"waggle/infra/settings"
	"waggle/shared/fault"
	"waggle/shared/manifest"
)

// built is a manifest of functions for arm64 and a channel with a secret.
func built() manifest.Manifest {
	m := manifest.Manifest{Functions: manifest.Functions(), Channels: []manifest.Channel{{Name: "hook", Kind: "webhook", Variables: []manifest.Variable{{Name: "HOOK_URL", Secret: true}}}}}
	for i := range m.Functions {
		m.Functions[i].Zips = []manifest.Zip{{Architecture: "arm64"}}
	}
	return m
}

func from(t *testing.T, text string, overrides map[string]any) (settings.Settings, error) {
	t.Helper()
	var object any
	if err := json.Unmarshal([]byte(text), &object); err != nil {
		t.Fatal(err)
	}
	return settings.From(object, func(key string) any { return overrides[key] }, built())
}

func TestDefaultsAreFilledIn(t *testing.T) {
	t.Parallel()
	got, err := from(t, `{"environment": "prod"}`, nil)
	want := settings.Settings{Environment: "prod", Architecture: "arm64", LogLevel: "info", LogRetentionDays: 30, Recipients: []string{}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestEverySettingIsReadAndTheCommandLineCountsFirst(t *testing.T) {
	t.Parallel()
	got, err := from(t, `{"environment": "prod", "architecture": "amd64", "sender": "Waggle <waggle@example.com>", "sender_verified": true, "recipients": ["a@example.com"],
		"link_base": "https://waggle.example.com", "log_level": "debug", "log_retention_days": 90, "alarm_mail": "ops@example.com", "memory_mb": {"run": 2048},
		"variables": {"SLACK_CHANNEL": "C024", "HOOK_URL": "ssm:/shop/hook"}}`, map[string]any{"environment": "dev", "architecture": "arm64", "sender_verified": "false"})
	want := settings.Settings{Environment: "dev", Architecture: "arm64", Sender: "Waggle <waggle@example.com>", SenderVerified: false, Recipients: []string{"a@example.com"},
		LinkBase: "https://waggle.example.com", LogLevel: "debug", LogRetentionDays: 90, AlarmMail: "ops@example.com", MemoryMB: map[string]int{"run": 2048},
		Variables: map[string]string{"SLACK_CHANNEL": "C024", "HOOK_URL": "ssm:/shop/hook"}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestASecondEnvironmentSendsFromAnAddressThatTheFirstHasMade(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text, override any
		want           bool
	}{{"false", "true", true}, {"true", nil, true}, {"false", nil, false}} {
		got, err := from(t, fmt.Sprintf(`{"environment": "dev", "sender": "waggle@example.com", "sender_verified": %s}`, c.text), map[string]any{"sender_verified": c.override})
		if err != nil || got.SenderVerified != c.want {
			t.Errorf("%+v: %t, %v", c, got.SenderVerified, err)
		}
	}
	if _, err := from(t, `{"environment": "dev"}`, map[string]any{"sender_verified": "perhaps"}); err == nil || err.Error() != `cdk.json: waggle.sender_verified is "perhaps"; it must be true or false` {
		t.Errorf("got %v", err)
	}
}

func TestAllMistakesAreReportedAtOnce(t *testing.T) {
	t.Parallel()
	_, err := from(t, `{"environment": "prod-data", "architecture": "amd64", "sender": "waggle", "recipients": ["a@example.com", "b"], "link_base": "waggle.example.com",
		"log_level": "loud", "log_retention_days": 31, "alarm_mail": "Ops <ops@example.com>", "memory_mb": {"run": 64, "sensr": 128}, "recipient": "a@example.com",
		"variables": {"HOOK_URL": "https://example.com/T024/hook", "MAIL_TO": "a@example.com", "MAIL_FROM": "b@example.com", "WAGGLE_TABLE": "other", "1": "x"}}`, nil)
	if !errors.Is(err, fault.Invalid) {
		t.Fatalf("got %v", err)
	}
	wants := []string{
		`waggle: unknown setting "recipient" (did you mean "recipients"?)`,
		`waggle.environment is "prod-data"; it has 1 to 20 small letters and digits`,
		`waggle.architecture is amd64, and the functions are not built for it (go run ./functions/build -architectures amd64)`,
		`waggle.sender `, `waggle.recipients of number 2: `,
		`waggle.alarm_mail is "Ops <ops@example.com>"; write an address alone`,
		`waggle.link_base is "waggle.example.com"; write a URL`,
		`waggle.log_level has the unknown level "loud" (one of DEBUG,`,
		`waggle.log_retention_days is 31; CloudWatch Logs takes 1, 3, 5, 7`,
		`waggle.memory_mb of run is 64; Lambda takes 128 to 10240`,
		`waggle.memory_mb has the unknown function "sensr" (did you mean "sensor"?)`,
		`waggle.variables has the name "1"`,
		`waggle.variables has a value for HOOK_URL, which is secret and would stand in the template`,
		`waggle.variables has MAIL_FROM; set sender`,
		`waggle.variables has MAIL_TO; set recipients`,
		`waggle.variables has WAGGLE_TABLE, which the deployment itself sets`,
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != len(wants) {
		t.Errorf("%d mistakes, want %d", len(lines), len(wants))
	}
	for i, want := range wants {
		if i < len(lines) && !strings.HasPrefix(lines[i], "cdk.json: "+want) {
			t.Errorf("got %s, want %s", lines[i], want)
		}
	}
	if strings.Contains(err.Error(), "T024") {
		t.Error("the secret is in the error")
	}
}

func TestASettingOfAnotherKindIsOneMistake(t *testing.T) {
	t.Parallel()
	_, err := from(t, `{"environment": 7, "architecture": true, "sender_verified": "yes", "recipients": "a@example.com", "log_retention_days": 30.5, "memory_mb": {"run": "1024"}, "variables": []}`, nil)
	want := strings.Join([]string{
		`cdk.json: waggle.environment is 7; it must be a text`,
		`cdk.json: waggle.architecture is true; it must be a text`,
		`cdk.json: waggle.sender_verified is "yes"; it must be true or false`,
		`cdk.json: waggle.recipients is "a@example.com"; it must be a list of texts`,
		`cdk.json: waggle.log_retention_days is 30.5; it must be a whole number`,
		`cdk.json: waggle.memory_mb is {"run":"1024"}; it must be an object of whole numbers`,
		`cdk.json: waggle.variables is []; it must be an object of texts`,
	}, "\n")
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestTheReadmeHasEverySetting(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, err = from(t, `{"environment": "prod", "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq": 1}`, nil)
	_, list, ok := strings.Cut(fmt.Sprint(err), "(there is ")
	names := strings.Split(strings.TrimSuffix(list, ")"), ", ")
	if !ok || len(names) != 11 {
		t.Fatalf("got %v", err)
	}
	_, table, _ := strings.Cut(string(readme), "\n## Settings\n")
	table, _, _ = strings.Cut(table, "\n## ")
	for _, name := range names {
		if !strings.Contains(table, "\n| `"+name+"` | ") {
			t.Errorf("infra/README.md has no row for %s", name)
		}
	}
	if rows := strings.Count(table, "\n| `"); rows != len(names) {
		t.Errorf("infra/README.md has %d rows for %d settings", rows, len(names))
	}
}

func TestWithoutSettingsTheErrorSaysWhatToWrite(t *testing.T) {
	t.Parallel()
	if _, err := from(t, `null`, nil); err == nil || !strings.Contains(err.Error(), `"context": {"waggle": {"environment": "dev"}}`) {
		t.Errorf("got %v", err)
	}
	if _, err := from(t, `{}`, nil); err == nil || !strings.HasPrefix(err.Error(), `cdk.json: waggle.environment is ""`) {
		t.Errorf("got %v", err)
	}
}
