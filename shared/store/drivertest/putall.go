package drivertest

import (
	"fmt"

	"waggle/shared/fault"
	"waggle/shared/store/driver"
)

var puttingAll = []contract{
	{"put all writes many items, whatever is stored", func(s *setup) {
		s.put(row("0001", 9), listed("0002", 9, "x"))
		var items []driver.Item
		for i := range 2500 {
			items = append(items, row(fmt.Sprintf("%04d", i), int64(i)))
		}
		s.ok(s.PutAll(s.ctx, items))
		got := s.all(driver.Query{Partition: "RUN#1"})
		if len(got) != len(items) {
			s.Fatalf("%d items, want %d", len(got), len(items))
		}
		for i := range items {
			if diff := difference(items[i], got[i]); diff != "" {
				s.Fatalf("item %d: %s", i, diff)
			}
		}
		s.wantIndex(driver.Query{Index: "due", Partition: "0"})
		s.ok(s.PutAll(s.ctx, items))
	}},
	{"put all writes entries, bodies and ends", func(s *setup) {
		a, b := listed("a", 1, "2"), listed("b", 1, "1")
		a.Body, b.Expires = []byte("body"), start.Add(3600e9)
		s.ok(s.PutAll(s.ctx, []driver.Item{a, b}))
		s.wantGet(a)
		s.wantGet(b)
		s.wantIndex(driver.Query{Index: "due", Partition: "0"}, "b", "a")
	}},
	{"put all of more than 4 MB works", func(s *setup) {
		var items []driver.Item
		for i := range 16 {
			item := row(fmt.Sprintf("%02d", i), 1)
			item.Body = make([]byte, 300<<10)
			items = append(items, item)
		}
		s.ok(s.PutAll(s.ctx, items))
		if n := len(s.all(driver.Query{Partition: "RUN#1"})); n != 16 {
			s.Fatalf("%d items", n)
		}
	}},
	{"put all of nothing does nothing", func(s *setup) {
		s.ok(s.PutAll(s.ctx, nil))
	}},
	{"put all of two items with one key is invalid", func(s *setup) {
		s.wantCode(fault.Invalid, s.PutAll(s.ctx, []driver.Item{row("a", 1), row("b", 1), row("a", 1)}))
	}},
}
