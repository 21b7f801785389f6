package cli_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestSchedulesSayWhatCameWhatComesAndWhatIsLate(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.now = time.Date(2026, 10, 23, 12, 0, 0, 0, time.UTC)
	text := d.transcript("schedules", "schedules --json", "monitor --once", "schedules show shop_nightly", "schedules show shop_nightli")
	for _, now := range []time.Time{
		time.Date(2026, 10, 24, 1, 0, 0, 0, time.UTC),    // 02:00 in London, in summer time
		time.Date(2026, 10, 25, 2, 3, 0, 0, time.UTC),    // 02:00 of the night in which clocks go back, four minutes late
		time.Date(2026, 10, 29, 23, 59, 0, 0, time.UTC),  // four ticks were slept over, three of them are too old
		time.Date(2026, 10, 29, 23, 59, 30, 0, time.UTC), // nothing is due
	} {
		d.now = now.Add(-2 * time.Minute)
		text += d.transcript("schedules", "monitor --once")
	}
	golden(t, "schedules", text+d.transcript("schedules", "schedules -o jsonl", "schedules show shop_nightly", "schedules show shop_nightly --json", "schedules show shop_nightly -o jsonl --limit 1",
		"schedules show shop_nightly --limit 0"))
}

func TestGCSaysWhatItDeletesInWordsForPeople(t *testing.T) {
	t.Parallel()
	d := setup(t)
	if out, _ := d.must(0, "gc"); out != "deleted 0 blobs, 0 B; kept 0 blobs, 0 B\n" {
		t.Errorf("of an empty home: %s", out)
	}
	d.must(0, "run", "shop")
	blobs := filepath.Join(d.home, "blobs")
	write(t, filepath.Join(blobs, "assets", "orders", "0199f3c2-1a2b-7000-8000-000000000000", "1-1.json"), strings.Repeat("x", 1234))
	write(t, filepath.Join(blobs, "notes.txt"), "not a blob of ours")
	old := d.now.Add(-48 * time.Hour)
	err := filepath.WalkDir(blobs, func(path string, _ fs.DirEntry, err error) error {
		if err == nil {
			err = os.Chtimes(path, old, old)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "gc", d.transcript("gc --older-than 7d", "gc --dry-run", "gc", "gc", "gc --json", "gc --older-than soon", "gc --older-than -1h"))
}
