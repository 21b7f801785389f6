package sqlitedriver_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"waggle/shared/fault"
	"waggle/shared/store/driver"
	"waggle/shared/store/sqlitedriver"
)

func ExampleOpen() {
	folder, err := os.MkdirTemp("", "waggle")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(folder) }()

	ctx := context.Background()
	d, err := sqlitedriver.Open(ctx, filepath.Join(folder, "waggle.db"), nil)
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = d.Close() }()

	meta := driver.Item{Key: driver.Key{Partition: "RUN#1", Sort: "META"}, Version: 1}
	fmt.Println(d.Put(ctx, meta, driver.IfAbsent))
	err = d.Put(ctx, meta, driver.IfAbsent)
	fmt.Println(err, errors.Is(err, fault.Conflict))
	// Output:
	// <nil>
	// conflict on RUN#1/META: version 1 is stored true
}
