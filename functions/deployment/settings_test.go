package deployment_test

import (
	"log/slog"
	"strings"
	"testing"

	"waggle/functions/deployment"
)

func lookup(variables map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { v, ok := variables[name]; return v, ok }
}

func TestSettingsComeFromTheEnvironment(t *testing.T) {
	t.Parallel()
	s, err := deployment.SettingsOf(lookup(map[string]string{"WAGGLE_ENV": "prod", "WAGGLE_TABLE": "waggle-prod", "WAGGLE_BUCKET": "waggle-prod-1", "WAGGLE_BUS": "waggle-prod",
		"WAGGLE_LOG_LEVEL": "debug", "WAGGLE_STEP_FUNCTION": "waggle-prod-step:3"}))
	want := deployment.Settings{Environment: "prod", Table: "waggle-prod", Bucket: "waggle-prod-1", Bus: "waggle-prod", LogLevel: slog.LevelDebug, StepFunction: "waggle-prod-step:3"}
	if err != nil || s != want {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestAllThatIsWrongWithSettingsIsSaidAtOnce(t *testing.T) {
	t.Parallel()
	_, err := deployment.SettingsOf(lookup(map[string]string{"WAGGLE_ENV": " ", "WAGGLE_TABLE": "t", "WAGGLE_LOG_LEVEL": "loud"}))
	for _, part := range []string{"WAGGLE_ENV is not set", "WAGGLE_BUCKET is not set", "WAGGLE_BUS is not set", "WAGGLE_LOG_LEVEL: ", "waggle deploy"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("it lacks %q: %v", part, err)
		}
	}
}
