package drivertest

import "waggle/shared/store/driver"

var conditions = []contract{
	{"put with Any writes where nothing is stored and over what is", func(s *setup) {
		s.put(row("a", 1))
		s.wantGet(row("a", 1))
		s.put(row("a", 2))
		s.wantGet(row("a", 2))
	}},
	{"put if absent writes where nothing is stored", func(s *setup) {
		s.ok(s.Put(s.ctx, row("a", 1), driver.IfAbsent))
		s.wantGet(row("a", 1))
	}},
	{"put if absent over an item is a conflict with what is stored, and writes nothing", func(s *setup) {
		first := listed("a", 1, "x")
		first.Body = []byte("body")
		s.put(first)
		s.wantConflict(s.Put(s.ctx, listed("a", 2, "y"), driver.IfAbsent), key("a"), &first)
		s.wantConflict(s.Put(s.ctx, row("a", 1), driver.IfAbsent), key("a"), &first)
		s.wantGet(first)
		s.wantIndex(driver.Query{Index: "due", Partition: "0", From: "y"})
	}},
	{"put if version writes over that version", func(s *setup) {
		s.put(row("a", 1))
		s.ok(s.Put(s.ctx, row("a", 2), driver.IfVersion(1)))
		s.wantGet(row("a", 2))
		s.ok(s.Put(s.ctx, row("a", 2), driver.IfVersion(2)))
	}},
	{"put if version zero is a condition like any other", func(s *setup) {
		s.wantConflict(s.Put(s.ctx, row("a", 1), driver.IfVersion(0)), key("a"), nil)
		s.put(row("a", 0))
		s.ok(s.Put(s.ctx, row("a", 1), driver.IfVersion(0)))
		s.wantGet(row("a", 1))
	}},
	{"put if version over another version is a conflict with what is stored, and writes nothing", func(s *setup) {
		stored := row("a", 3)
		s.put(stored)
		s.wantConflict(s.Put(s.ctx, row("a", 5), driver.IfVersion(4)), key("a"), &stored)
		s.wantGet(stored)
	}},
	{"put if version where nothing is stored is a conflict with nothing", func(s *setup) {
		s.wantConflict(s.Put(s.ctx, row("a", 2), driver.IfVersion(1)), key("a"), nil)
		s.wantMissing(key("a"))
	}},
}

var deleting = []contract{
	{"delete removes the item", func(s *setup) {
		s.put(row("a", 1), row("b", 1))
		s.ok(s.Delete(s.ctx, key("a"), driver.Any))
		s.wantMissing(key("a"))
		s.wantGet(row("b", 1))
	}},
	{"delete of an absent item with Any does nothing", func(s *setup) {
		s.ok(s.Delete(s.ctx, key("a"), driver.Any))
	}},
	{"delete if version removes that version only", func(s *setup) {
		stored := listed("a", 3, "x")
		s.put(stored)
		s.wantConflict(s.Delete(s.ctx, key("a"), driver.IfVersion(2)), key("a"), &stored)
		s.wantGet(stored)
		s.ok(s.Delete(s.ctx, key("a"), driver.IfVersion(3)))
		s.wantMissing(key("a"))
		s.wantConflict(s.Delete(s.ctx, key("a"), driver.IfVersion(3)), key("a"), nil)
	}},
	{"delete if absent holds where nothing is stored, and else is a conflict", func(s *setup) {
		s.ok(s.Delete(s.ctx, key("a"), driver.IfAbsent))
		stored := row("a", 1)
		s.put(stored)
		s.wantConflict(s.Delete(s.ctx, key("a"), driver.IfAbsent), key("a"), &stored)
		s.wantGet(stored)
	}},
	{"an item put after a delete is new", func(s *setup) {
		s.put(listed("a", 1, "x"))
		s.ok(s.Delete(s.ctx, key("a"), driver.Any))
		s.ok(s.Put(s.ctx, row("a", 9), driver.IfAbsent))
		s.wantGet(row("a", 9))
		s.wantIndex(driver.Query{Index: "due", Partition: "0"})
	}},
}
