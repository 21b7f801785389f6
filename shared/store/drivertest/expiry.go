package drivertest

import (
	"time"

	"waggle/shared/store/driver"
)

// ending is an item that ends 10 s after start, at a full second: 10:00:11 (10.3 s
// rounded up).
func ending(sort string, version int64) driver.Item {
	item := listed(sort, version, "t#"+sort)
	item.Expires = start.Add(10 * time.Second)
	return item
}

var expiry = []contract{
	{"an item is shown until its end, rounded up to a second, and not from then on", func(s *setup) {
		s.put(ending("a", 1))
		s.clock.advance(10*time.Second + 699*time.Millisecond) // 10:00:10.999
		s.wantGet(ending("a", 1))
		s.clock.advance(time.Millisecond) // 10:00:11
		s.wantMissing(key("a"))
	}},
	{"an item without an end is shown forever", func(s *setup) {
		s.put(row("a", 1))
		s.clock.advance(100 * 365 * 24 * time.Hour)
		s.wantGet(row("a", 1))
	}},
	{"an item put with an end that has passed is not shown", func(s *setup) {
		item := row("a", 1)
		item.Expires = start.Add(-time.Hour)
		s.put(item)
		s.wantMissing(key("a"))
	}},
	{"a query leaves expired items out, in both directions and across pages", func(s *setup) {
		s.put(row("a", 1), ending("b", 1), row("c", 1), ending("d", 1), ending("e", 1))
		s.wantSorts(driver.Query{Partition: "RUN#1"}, "a", "b", "c", "d", "e")
		s.clock.advance(11 * time.Second)
		s.wantSorts(driver.Query{Partition: "RUN#1"}, "a", "c")
		s.wantSorts(driver.Query{Partition: "RUN#1", Descending: true}, "c", "a")
		s.wantSorts(driver.Query{Partition: "RUN#1", Limit: 1}, "a", "c")
	}},
	{"an index leaves expired items out", func(s *setup) {
		s.put(ending("a", 1), listed("b", 1, "z"))
		s.wantIndex(driver.Query{Index: "due", Partition: "0"}, "a", "b")
		s.clock.advance(11 * time.Second)
		s.wantIndex(driver.Query{Index: "due", Partition: "0"}, "b")
	}},
	{"if absent holds over an expired item, and replaces its entries", func(s *setup) {
		s.put(ending("a", 1), ending("b", 1))
		s.clock.advance(11 * time.Second)
		s.ok(s.Put(s.ctx, row("a", 5), driver.IfAbsent))
		s.wantGet(row("a", 5))
		s.ok(s.Put(s.ctx, listed("b", 6, "u"), driver.IfAbsent))
		s.wantGet(listed("b", 6, "u"))
		s.wantIndex(driver.Query{Index: "due", Partition: "0"}, "b")
		again := row("a", 5)
		s.wantConflict(s.Put(s.ctx, row("a", 6), driver.IfAbsent), key("a"), &again)
	}},
	{"if version fails over an expired item, as where nothing is stored", func(s *setup) {
		s.put(ending("a", 1))
		s.clock.advance(11 * time.Second)
		s.wantConflict(s.Put(s.ctx, row("a", 2), driver.IfVersion(1)), key("a"), nil)
		s.wantConflict(s.Delete(s.ctx, key("a"), driver.IfVersion(1)), key("a"), nil)
		s.wantConflict(s.Write(s.ctx, []driver.Op{{Put: ptr(row("a", 2)), If: driver.IfVersion(1)}}), key("a"), nil)
		s.wantMissing(key("a"))
	}},
	{"delete of an expired item holds with Any and if absent", func(s *setup) {
		s.put(ending("a", 1), ending("b", 1))
		s.clock.advance(11 * time.Second)
		s.ok(s.Delete(s.ctx, key("a"), driver.Any))
		s.ok(s.Delete(s.ctx, key("b"), driver.IfAbsent))
		s.wantMissing(key("a"))
		s.wantMissing(key("b"))
	}},
	{"a put without an end takes the end away", func(s *setup) {
		s.put(ending("a", 1), row("a", 2))
		s.clock.advance(11 * time.Second)
		s.wantGet(row("a", 2))
	}},
}

func ptr[T any](v T) *T { return &v }
