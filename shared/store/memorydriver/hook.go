package memorydriver

import (
	"fmt"

	"waggle/shared/store/driver"
)

// Op is the name of a method.
type Op string

// The methods that a Hook hears of.
const (
	Get    Op = "get"
	Query  Op = "query"
	Put    Op = "put"
	Delete Op = "delete"
	PutAll Op = "put all"
	Write  Op = "write"
)

// Writes reports whether the method can change the table.
func (o Op) Writes() bool { return o != Get && o != Query }

// Call is a call of a method, before or after it is done.
type Call struct {
	Op    Op
	Keys  []driver.Key // all that it names; none for Query
	Query driver.Query // for Query
	Done  bool         // false before, true after
	Err   error        // after: how it ended, injected faults included
}

// String is "put RUN#1/META" or "write RUN#1/META and 2 more".
func (c Call) String() string {
	if len(c.Keys) == 0 {
		return fmt.Sprintf("%s %s %s", c.Op, c.Query.Index, c.Query.Partition)
	}
	return driver.Several(string(c.Op), c.Keys[0], len(c.Keys))
}

// Hook is called before and after each call that passed its checks, on the goroutine
// of the call and without a lock, so it may block, and may use the driver (which calls
// the hook again).
//
// An error before means that the call is not done, and one after that its answer is
// lost: the caller gets the hook's error, and the call after it is not made. So a
// crash before or after the nth write is an error from then on.
type Hook func(Call) error
