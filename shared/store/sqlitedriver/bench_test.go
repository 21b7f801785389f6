package sqlitedriver_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"waggle/shared/store/driver"
	"waggle/shared/store/sqlitedriver"
)

var data = []byte(`{"x":"` + strings.Repeat("d", 290) + `"}`)

// result is a row as a run writes many: about 350 bytes, in no index.
func result(asset, n int) driver.Item {
	return driver.Item{
		Key:  driver.Key{Partition: fmt.Sprintf("ASSET#asset_%d#", asset), Sort: fmt.Sprintf("MAT#2026-11-22T10:00:00.%09d#0199f3c2", n)},
		Data: data,
	}
}

// BenchmarkPutAll writes batches of 50 rows: all of one partition; each of a new one,
// as the first run of a wide job does; or each of one of 50, as later runs do, so that
// each row changes a page of its own.
func BenchmarkPutAll(b *testing.B) {
	for _, assets := range []int{1, 1 << 30, 50} {
		b.Run(fmt.Sprintf("partitions=%d", assets), func(b *testing.B) {
			d := setup(b, filepath.Join(b.TempDir(), "waggle.db"), nil)
			items, n := make([]driver.Item, 50), 0
			b.ReportAllocs()
			for b.Loop() {
				for i := range items {
					n++
					items[i] = result(n%assets, n)
				}
				if err := d.PutAll(b.Context(), items); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(n), "us/row")
		})
	}
}

// BenchmarkPutChunk writes a log chunk: 8 KB of body, if absent, with an end.
func BenchmarkPutChunk(b *testing.B) {
	d := setup(b, filepath.Join(b.TempDir(), "waggle.db"), nil)
	body, n := make([]byte, 8<<10), 0
	for b.Loop() {
		n++
		item := driver.Item{Key: driver.Key{Partition: "RUN#0199f3c2", Sort: fmt.Sprintf("LOG#%012d", n)}, Body: body, Expires: year2030}
		if err := d.Put(b.Context(), item, driver.IfAbsent); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPutMeta writes an owner's row: if version, in three indexes, one of which
// it moves in.
func BenchmarkPutMeta(b *testing.B) {
	d := setup(b, filepath.Join(b.TempDir(), "waggle.db"), nil)
	meta := func(version int64) driver.Item {
		item := result(0, 0)
		item.Version = version
		item.Entries = []driver.Entry{
			{Index: "due", Partition: "3", Sort: fmt.Sprintf("2026-11-22T10:00:00.%09d", version)},
			{Index: "all", Partition: "0", Sort: "0199f3c2"},
			{Index: "job", Partition: "nightly", Sort: "0199f3c2"},
		}
		return item
	}
	if err := d.Put(b.Context(), meta(0), driver.IfAbsent); err != nil {
		b.Fatal(err)
	}
	n := int64(0)
	for b.Loop() {
		if err := d.Put(b.Context(), meta(n+1), driver.IfVersion(n)); err != nil {
			b.Fatal(err)
		}
		n++
	}
}

// BenchmarkGet reads one row of 350 bytes.
func BenchmarkGet(b *testing.B) {
	d := setup(b, filepath.Join(b.TempDir(), "waggle.db"), nil)
	item := result(0, 0)
	if err := d.Put(b.Context(), item, driver.Any); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Get(b.Context(), item.Key); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkIndexPage reads a page of 25 in the middle of 100,000 entries.
func BenchmarkIndexPage(b *testing.B) {
	d := setup(b, filepath.Join(b.TempDir(), "waggle.db"), nil)
	items := make([]driver.Item, 100_000)
	for i := range items {
		items[i] = result(i, 0)
		items[i].Entries = []driver.Entry{{Index: "all", Partition: "0", Sort: fmt.Sprintf("%09d", i)}}
	}
	if err := d.PutAll(context.Background(), items); err != nil {
		b.Fatal(err)
	}
	for _, descending := range []bool{false, true} {
		q := driver.Query{Index: "all", Partition: "0", Limit: 25, Descending: descending}
		place := items[50_000]
		q.Cursor = q.CursorAfter(driver.Position{Sort: place.Entries[0].Sort, Key: place.Key})
		b.Run(fmt.Sprintf("descending=%t", descending), func(b *testing.B) {
			for b.Loop() {
				page, err := d.Query(b.Context(), q)
				if err != nil || len(page.Items) != 25 {
					b.Fatalf("%d items, %v", len(page.Items), err)
				}
			}
		})
	}
}

// BenchmarkOpen opens and closes a new file, and one that is there.
func BenchmarkOpen(b *testing.B) {
	folder, n := b.TempDir(), 0
	open := func(path string) {
		d, err := sqlitedriver.Open(b.Context(), path, nil)
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := d.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	b.Run("new", func(b *testing.B) {
		for b.Loop() {
			n++
			open(filepath.Join(folder, fmt.Sprint(n)))
		}
	})
	b.Run("existing", func(b *testing.B) {
		for b.Loop() {
			open(filepath.Join(folder, "1"))
		}
	})
}
