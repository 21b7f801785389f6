package sqlitedriver_test

import (
	"path/filepath"
	"testing"
	"time"

	"waggle/shared/store/driver"
	"waggle/shared/store/drivertest"
	"waggle/shared/store/sqlitedriver"
)

func TestSQLiteDriverKeepsTheContracts(t *testing.T) {
	t.Parallel()
	drivertest.Run(t, func(t *testing.T, clock func() time.Time) driver.Driver {
		return setup(t, filepath.Join(t.TempDir(), "waggle.db"), &sqlitedriver.Options{Clock: clock})
	})
}

// year2030 is an end far off.
var year2030 = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

// setup opens the file until the test ends.
func setup(t testing.TB, path string, opts *sqlitedriver.Options) *sqlitedriver.Driver {
	t.Helper()
	d, err := sqlitedriver.Open(t.Context(), path, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}
