package gallery

import (
	"testing"
	"time"
)

func TestTheDefinitionsAreValid(t *testing.T) {
	t.Parallel()
	if err := Definitions.Validate(); err != nil {
		t.Error(err)
	}
}

func TestTheGalleryRunsAtTwoInLondonWinterAndSummer(t *testing.T) {
	t.Parallel()
	for after, want := range map[string]string{
		"2026-01-15T12:00:00Z": "2026-01-16T02:00:00Z",
		"2026-07-15T12:00:00Z": "2026-07-16T01:00:00Z",
	} {
		from, err := time.Parse(time.RFC3339, after)
		if err != nil {
			t.Fatal(err)
		}
		if got := galleryDaily.Next(from).UTC().Format(time.RFC3339); got != want {
			t.Errorf("after %s it runs at %s, want %s", after, got, want)
		}
	}
}
