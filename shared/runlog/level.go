package runlog

import (
	"log/slog"
	"strings"

	"waggle/shared/fault"
)

// levels are the five levels of a log, lowest first. CRITICAL is asset.LevelCritical.
var levels = []struct {
	level slog.Level
	name  string
}{
	{slog.LevelDebug, "DEBUG"},
	{slog.LevelInfo, "INFO"},
	{slog.LevelWarn, "WARNING"},
	{slog.LevelError, "ERROR"},
	{slog.LevelError + 4, "CRITICAL"},
}

// LevelName is the level's word; one between two levels has the lower one's.
func LevelName(l slog.Level) string {
	name := levels[0].name
	for _, known := range levels {
		if l >= known.level {
			name = known.name
		}
	}
	return name
}

// ParseLevel reads a level's word in any case; WARN is WARNING.
func ParseLevel(text string) (slog.Level, error) {
	for _, known := range levels {
		if strings.EqualFold(text, known.name) || strings.EqualFold(text, "WARN") && known.name == "WARNING" {
			return known.level, nil
		}
	}
	return 0, fault.New(fault.Invalid, "unknown level %q", text).WithHint("one of DEBUG, INFO, WARNING, ERROR, CRITICAL")
}
