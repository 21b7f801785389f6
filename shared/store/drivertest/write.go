package drivertest

import (
	"fmt"

	"waggle/shared/fault"
	"waggle/shared/store/driver"
)

func put(item driver.Item, cond driver.Condition) driver.Op { return driver.Op{Put: &item, If: cond} }

func del(k driver.Key, cond driver.Condition) driver.Op { return driver.Op{Delete: &k, If: cond} }

var writing = []contract{
	{"write does all its ops, across partitions", func(s *setup) {
		s.put(row("b", 1), listed("c", 4, "x"))
		other := driver.Item{Key: at("KEY#job#k", "META"), Data: []byte(`{"run":"1"}`)}
		due := listed("d", 1, "y")
		s.ok(s.Write(s.ctx, []driver.Op{
			put(other, driver.IfAbsent), put(row("a", 1), driver.Any), put(row("b", 2), driver.IfVersion(1)),
			del(key("c"), driver.IfVersion(4)), put(due, driver.IfAbsent), del(key("z"), driver.Any),
		}))
		s.wantGet(other)
		s.wantGet(row("a", 1))
		s.wantGet(row("b", 2))
		s.wantMissing(key("c"))
		s.wantGet(due)
		s.wantIndex(driver.Query{Index: "due", Partition: "0"}, "d")
	}},
	{"write does nothing where a condition fails, wherever it stands", func(s *setup) {
		stored := listed("a", 1, "x")
		s.put(stored)
		for _, ops := range [][]driver.Op{
			{put(row("a", 2), driver.IfAbsent), put(row("b", 1), driver.Any), del(key("c"), driver.Any)},
			{put(row("b", 1), driver.Any), put(row("a", 2), driver.IfVersion(7)), put(listed("c", 1, "y"), driver.IfAbsent)},
			{put(row("b", 1), driver.IfAbsent), put(listed("c", 1, "y"), driver.Any), del(key("a"), driver.IfVersion(2))},
		} {
			s.wantConflict(s.Write(s.ctx, ops), key("a"), &stored)
			s.wantGet(stored)
			s.wantSorts(driver.Query{Partition: "RUN#1"}, "a")
		}
		s.wantIndex(driver.Query{Index: "due", Partition: "0"}, "a")
	}},
	{"write reports the first op whose condition fails", func(s *setup) {
		stored := row("b", 3)
		s.put(stored, row("c", 4))
		err := s.Write(s.ctx, []driver.Op{
			put(row("a", 1), driver.IfAbsent), put(row("b", 9), driver.IfVersion(2)),
			put(row("c", 9), driver.IfAbsent), put(row("d", 9), driver.IfVersion(1)),
		})
		s.wantConflict(err, key("b"), &stored)
		s.wantConflict(s.Write(s.ctx, []driver.Op{put(row("d", 9), driver.IfVersion(1)), put(row("b", 9), driver.IfAbsent)}), key("d"), nil)
	}},
	{"a delete if absent in a write asks for absence and writes nothing", func(s *setup) {
		s.ok(s.Write(s.ctx, []driver.Op{del(key("a"), driver.IfAbsent), put(row("b", 1), driver.Any)}))
		s.wantSorts(driver.Query{Partition: "RUN#1"}, "b")
		stored := row("b", 1)
		s.wantConflict(s.Write(s.ctx, []driver.Op{put(row("c", 1), driver.Any), del(key("b"), driver.IfAbsent)}), key("b"), &stored)
		s.wantSorts(driver.Query{Partition: "RUN#1"}, "b")
	}},
	{"write of 100 ops works, of 101 is too large", func(s *setup) {
		var ops []driver.Op
		for i := range driver.MaxOps + 1 {
			ops = append(ops, put(row(fmt.Sprintf("%03d", i), 1), driver.IfAbsent))
		}
		s.wantCode(fault.TooLarge, s.Write(s.ctx, ops))
		s.wantSorts(driver.Query{Partition: "RUN#1"})
		s.ok(s.Write(s.ctx, ops[:driver.MaxOps]))
		if n := len(s.all(driver.Query{Partition: "RUN#1"})); n != driver.MaxOps {
			s.Fatalf("%d items", n)
		}
	}},
	{"write of 4 MB works, of more is too large", func(s *setup) {
		var ops []driver.Op
		for i := range 11 {
			ops = append(ops, put(filled(fmt.Sprintf("%02d", i), driver.MaxItem), driver.Any))
		}
		s.wantCode(fault.TooLarge, s.Write(s.ctx, ops))
		s.wantSorts(driver.Query{Partition: "RUN#1"})
		s.ok(s.Write(s.ctx, ops[:10]))
		s.wantGet(*ops[9].Put)
	}},
	{"write with a key twice is invalid and does nothing", func(s *setup) {
		s.wantCode(fault.Invalid, s.Write(s.ctx, []driver.Op{put(row("a", 1), driver.Any), put(row("b", 1), driver.Any), put(row("a", 2), driver.Any)}))
		s.wantCode(fault.Invalid, s.Write(s.ctx, []driver.Op{put(row("a", 1), driver.Any), del(key("a"), driver.Any)}))
		s.wantSorts(driver.Query{Partition: "RUN#1"})
	}},
	{"an op with both Put and Delete, or neither, is invalid", func(s *setup) {
		both := put(row("a", 1), driver.Any)
		both.Delete = ptr(key("a"))
		s.wantCode(fault.Invalid, s.Write(s.ctx, []driver.Op{both}))
		s.wantCode(fault.Invalid, s.Write(s.ctx, []driver.Op{put(row("b", 1), driver.Any), {}}))
		s.wantMissing(key("b"))
	}},
	{"write of nothing does nothing", func(s *setup) {
		s.ok(s.Write(s.ctx, nil))
	}},
}
