package runlog_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"waggle/shared/fault"
	"waggle/shared/runlog"
)

func TestALevelsWordReadsBackInAnyCase(t *testing.T) {
	t.Parallel()
	for _, level := range levels {
		for _, text := range []string{runlog.LevelName(level), strings.ToLower(runlog.LevelName(level))} {
			if got, err := runlog.ParseLevel(text); err != nil || got != level {
				t.Errorf("%q: %s, %v", text, got, err)
			}
		}
	}
	if got, err := runlog.ParseLevel("warn"); err != nil || got != slog.LevelWarn {
		t.Errorf("warn: %s, %v", got, err)
	}
	for _, text := range []string{"", "loud", "INFO "} {
		if _, err := runlog.ParseLevel(text); !errors.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "one of DEBUG") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestALevelBetweenTwoHasTheWordOfTheLower(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		level := slog.Level(rapid.IntRange(-20, 30).Draw(r, "level"))
		word, err := runlog.ParseLevel(runlog.LevelName(level))
		if err != nil {
			r.Fatal(err)
		}
		if level < slog.LevelDebug && word != slog.LevelDebug || level >= slog.LevelDebug && word > level || level-word > 4 && level < levels[4] && level > levels[0] {
			r.Fatalf("%d is %s", level, runlog.LevelName(level))
		}
	})
}
