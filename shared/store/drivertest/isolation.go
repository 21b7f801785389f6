package drivertest

import (
	"errors"

	"waggle/shared/store/driver"
)

// full is an item with every slice in it.
func full() driver.Item {
	item := listed("a", 1, "x")
	item.Body = []byte("body")
	return item
}

// spoil writes over all that a caller can reach through the item.
func spoil(item driver.Item) {
	for i := range item.Data {
		item.Data[i] = '!'
	}
	for i := range item.Body {
		item.Body[i] = '!'
	}
	for i := range item.Entries {
		item.Entries[i] = entry("!", "!", "!")
	}
}

var isolation = []contract{
	{"items given are not kept", func(s *setup) {
		check := func() {
			s.wantGet(full())
			s.wantIndex(driver.Query{Index: "due", Partition: "0", From: "x"}, "a")
			s.ok(s.Delete(s.ctx, key("a"), driver.Any))
		}
		item := full()
		s.ok(s.Put(s.ctx, item, driver.Any))
		spoil(item)
		check()
		item = full()
		s.ok(s.PutAll(s.ctx, []driver.Item{item}))
		spoil(item)
		check()
		item = full()
		s.ok(s.Write(s.ctx, []driver.Op{{Put: &item}}))
		spoil(item)
		item.Version = 99
		check()
	}},
	{"items returned are the caller's own", func(s *setup) {
		s.put(full())
		got, err := s.Get(s.ctx, key("a"))
		s.ok(err)
		spoil(got)
		s.wantGet(full())
		spoil(s.all(driver.Query{Partition: "RUN#1"})[0])
		s.wantGet(full())
		s.wantIndex(driver.Query{Index: "due", Partition: "0"}, "a")
		spoil(s.all(driver.Query{Index: "due", Partition: "0"})[0])
		s.wantGet(full())
		var conflict *driver.ConflictError
		if err := s.Put(s.ctx, full(), driver.IfAbsent); !errors.As(err, &conflict) || conflict.Stored == nil {
			s.Fatalf("error is %v", err)
		}
		spoil(*conflict.Stored)
		s.wantGet(full())
		s.wantIndex(driver.Query{Index: "due", Partition: "0"}, "a")
	}},
}
