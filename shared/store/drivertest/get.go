package drivertest

import "waggle/shared/store/driver"

var getting = []contract{
	{"get returns the item as last written", func(s *setup) {
		item := listed("META", 7, "2026-11-22T10:00:00Z")
		item.Body = []byte{0, 1, 255}
		item.Expires = start.Add(90 * 24 * 3600e9)
		s.put(row("META", 6), item)
		s.wantGet(item)
	}},
	{"get of what was never written is not found", func(s *setup) {
		s.wantMissing(key("META"))
	}},
	{"get tells keys apart by both parts", func(s *setup) {
		a := driver.Item{Key: driver.Key{Partition: "a", Sort: "b#c"}, Version: 1}
		b := driver.Item{Key: driver.Key{Partition: "a#b", Sort: "c"}, Version: 2}
		s.put(a, b)
		s.wantGet(a)
		s.wantGet(b)
		s.wantMissing(driver.Key{Partition: "A", Sort: "b#c"})
	}},
}
