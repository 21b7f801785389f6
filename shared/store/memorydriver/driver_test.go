package memorydriver_test

import (
	"testing"
	"time"

	"waggle/shared/store/driver"
	"waggle/shared/store/drivertest"
	"waggle/shared/store/memorydriver"
)

func TestMemoryDriverKeepsTheContracts(t *testing.T) {
	t.Parallel()
	drivertest.Run(t, func(_ *testing.T, clock func() time.Time) driver.Driver {
		return memorydriver.New(&memorydriver.Options{Clock: clock})
	})
}

func TestMemoryDriverWithLaggingIndexesKeepsTheContracts(t *testing.T) {
	t.Parallel()
	drivertest.Run(t, func(_ *testing.T, clock func() time.Time) driver.Driver {
		return memorydriver.New(&memorydriver.Options{Clock: clock, Faults: memorydriver.Faults{Seed: 1, IndexLag: 20}})
	})
}
