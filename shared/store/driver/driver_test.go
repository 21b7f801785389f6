package driver_test

import (
	"fmt"

	"waggle/shared/store/driver"
)

func ExampleSeveral() {
	key := driver.Key{Partition: "RUN#1", Sort: "META"}
	fmt.Println(driver.Several("put", key, 1))
	fmt.Println(driver.Several("put", key, 3))
	// Output:
	// put RUN#1/META
	// put RUN#1/META and 2 more
}
