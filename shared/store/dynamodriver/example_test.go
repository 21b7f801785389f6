package dynamodriver_test

import (
	"context"
	"fmt"
	"log"

	"waggle/shared/store/driver"
	"waggle/shared/store/dynamodriver"
)

// Region, credentials and endpoint come from the environment.
func ExampleOpen() {
	ctx := context.Background()
	opts := &dynamodriver.Options{Indexes: []string{"due", "all"}}
	d, err := dynamodriver.Open(ctx, "waggle", opts)
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = d.Close() }()

	meta := driver.Item{Key: driver.Key{Partition: "RUN#1", Sort: "META"}, Version: 1,
		Entries: []driver.Entry{{Index: "due", Partition: "3", Sort: "2026-11-22T10:00:00Z"}}}
	if err := d.Put(ctx, meta, driver.IfAbsent); err != nil {
		log.Fatal(err)
	}
	fmt.Println(d.Usage().WriteUnits) // 2: the row, and its entry in an index
}
