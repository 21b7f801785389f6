package sqlitedriver_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"waggle/shared/store/driver"
	"waggle/shared/store/sqlitedriver"
)

func TestSweepDeletesExpiredItemsAndTheirEntriesUpToTheLimit(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "waggle.db")
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	d := setup(t, path, &sqlitedriver.Options{Clock: func() time.Time { return now }})
	for i := range 10 {
		row := item(fmt.Sprint(i), 1)
		row.Expires = now.Add(time.Duration(i-6) * time.Hour) // 7 have ended, one of them right now
		row.Entries = []driver.Entry{{Index: "due", Partition: "0", Sort: row.Sort}}
		if err := d.Put(t.Context(), row, driver.Any); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Put(t.Context(), item("forever", 1), driver.Any); err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{5, 2, 0} {
		if n, err := d.Sweep(t.Context(), 5); err != nil || n != want {
			t.Fatalf("sweep: %d, %v; want %d", n, err, want)
		}
	}
	for table, want := range map[string]int{"items": 4, "entries": 3} {
		var n int
		if err := raw(t, path).QueryRow("SELECT count(*) FROM " + table).Scan(&n); err != nil || n != want {
			t.Errorf("%d rows of %s, %v; want %d", n, table, err, want)
		}
	}
}
