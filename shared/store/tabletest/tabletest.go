// Package tabletest gives a test a table of its own: in memory, or in the DynamoDB that an environment variable names, so that
// the same test files hold on both. Which one it is, is decided here and nowhere else.
//
// It imports driver and memorydriver of ours, and with the build tag dynamodb dynamodriver, fault and store. It is for tests alone.
package tabletest

import (
	"testing"
	"time"

	"waggle/shared/store/driver"
	"waggle/shared/store/memorydriver"
)

// Table is a table that only one test uses, on the driver that this run of the tests is for.
type Table interface {
	driver.Driver
	// Snapshot returns what is stored, in key order; whether expired items are there is the driver's matter.
	Snapshot() []driver.Item
	// Clone returns a table of its own with the same items; opts are its own. It works after Close, too: what a
	// process left behind is what the next one opens.
	Clone(opts *Options) Table
}

// Options of New. The zero value and nil mean all defaults.
type Options struct {
	// Clock says what time it is, for items that expire. Defaults to time.Now.
	Clock func() time.Time
	// Hook is called before and after each call. Defaults to none.
	Hook memorydriver.Hook
}

// New returns an empty table.
func New(t testing.TB, opts *Options) Table {
	t.Helper()
	if table := remote(t, opts); table != nil {
		return table
	}
	return memory{memorydriver.New(opts.memory())}
}

type memory struct{ *memorydriver.Driver }

func (m memory) Clone(opts *Options) Table { return memory{m.Driver.Clone(opts.memory())} }

func (o *Options) memory() *memorydriver.Options {
	if o == nil {
		return nil
	}
	return &memorydriver.Options{Clock: o.Clock, Hook: o.Hook}
}
