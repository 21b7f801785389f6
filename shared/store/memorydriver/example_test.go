package memorydriver_test

import (
	"context"
	"errors"
	"fmt"

	"waggle/shared/store/driver"
	"waggle/shared/store/memorydriver"
)

// A worker that dies between two writes, and what the next one finds.
func ExampleHook() {
	ctx, died := context.Background(), errors.New("died")
	writes := 0
	first := memorydriver.New(&memorydriver.Options{Hook: func(c memorydriver.Call) error {
		if c.Op.Writes() && !c.Done {
			writes++
		}
		if writes > 1 {
			return died
		}
		return nil
	}})
	fmt.Println(first.Put(ctx, driver.Item{Key: driver.Key{Partition: "RUN#1", Sort: "META"}}, driver.IfAbsent))
	fmt.Println(first.Put(ctx, driver.Item{Key: driver.Key{Partition: "RUN#1", Sort: "LOG#1"}}, driver.IfAbsent))

	next := first.Clone(nil)
	for _, item := range next.Snapshot() {
		fmt.Println(item.Key)
	}
	// Output:
	// <nil>
	// died
	// RUN#1/META
}
