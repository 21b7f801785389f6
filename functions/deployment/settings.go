package deployment

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"waggle/shared/fault"
	"waggle/shared/runlog"
)

// Settings are what a deployment tells its functions, by variables of their environment.
type Settings struct {
	Environment string // WAGGLE_ENV: "prod"
	Table       string // WAGGLE_TABLE
	Bucket      string // WAGGLE_BUCKET: of values too large for the table
	Bus         string // WAGGLE_BUS
	LinkBase    string // WAGGLE_LINK_BASE: what links in messages begin with; empty: messages say which command shows the run
	LogLevel    slog.Level

	// The functions that this one calls: names or ARNs, with a version where the code must not change under a run.
	RunFunction    string // WAGGLE_RUN_FUNCTION
	StepFunction   string // WAGGLE_STEP_FUNCTION
	SensorFunction string // WAGGLE_SENSOR_FUNCTION
	// Sensor is the sensor whose own function this is. Empty: the function is for all others, or is no sensor's.
	Sensor string // WAGGLE_SENSOR
}

// SettingsOf reads the settings. Its error has everything that is missing or wrong.
func SettingsOf(lookup func(string) (string, bool)) (Settings, error) {
	var wrong []error
	read := func(name string) string { value, _ := lookup(name); return strings.TrimSpace(value) }
	need := func(name string) string {
		value := read(name)
		if value == "" {
			wrong = append(wrong, fault.New(fault.Invalid, "%s is not set", name))
		}
		return value
	}
	s := Settings{
		Environment: need("WAGGLE_ENV"), Table: need("WAGGLE_TABLE"), Bucket: need("WAGGLE_BUCKET"), Bus: need("WAGGLE_BUS"),
		LinkBase:    read("WAGGLE_LINK_BASE"),
		RunFunction: read("WAGGLE_RUN_FUNCTION"), StepFunction: read("WAGGLE_STEP_FUNCTION"), SensorFunction: read("WAGGLE_SENSOR_FUNCTION"), Sensor: read("WAGGLE_SENSOR"),
	}
	if level := read("WAGGLE_LOG_LEVEL"); level != "" {
		var err error
		if s.LogLevel, err = runlog.ParseLevel(level); err != nil {
			wrong = append(wrong, fmt.Errorf("WAGGLE_LOG_LEVEL: %w", err))
		}
	}
	if len(wrong) > 0 {
		return s, &fault.Error{Op: "read the settings of the deployment", Code: fault.Invalid, Err: errors.Join(wrong...),
			Hint: "functions get them from `waggle deploy --env ENV`"}
	}
	return s, nil
}
