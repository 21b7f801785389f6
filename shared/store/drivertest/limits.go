package drivertest

import (
	"strings"

	"waggle/shared/fault"
	"waggle/shared/store/driver"
)

// filled is an item of exactly that size.
func filled(sort string, size int) driver.Item {
	item := row(sort, 1)
	item.Body = make([]byte, size-driver.Size(&item))
	for i := range item.Body {
		item.Body[i] = byte(i * 7)
	}
	return item
}

var limits = []contract{
	{"an item of 400 KB works, a larger one is too large", func(s *setup) {
		largest, larger := filled("a", driver.MaxItem), filled("b", driver.MaxItem+1)
		s.put(largest)
		s.wantGet(largest)
		s.wantCode(fault.TooLarge, s.Put(s.ctx, larger, driver.Any))
		s.wantCode(fault.TooLarge, s.PutAll(s.ctx, []driver.Item{row("c", 1), larger}))
		s.wantCode(fault.TooLarge, s.Write(s.ctx, []driver.Op{put(larger, driver.Any)}))
		s.wantSorts(driver.Query{Partition: "RUN#1"}, "a")
	}},
	{"keys of 2,048 and 1,024 bytes work, longer ones are invalid", func(s *setup) {
		longest := driver.Item{Key: at(strings.Repeat("p", driver.MaxPartition), strings.Repeat("s", driver.MaxSort))}
		s.put(longest)
		s.wantGet(longest)
		for _, k := range []driver.Key{at(longest.Partition+"p", "s"), at("p", longest.Sort+"s")} {
			s.wantInvalidKey(k)
		}
	}},
	{"a key that is empty, not UTF-8 or has a zero byte is invalid", func(s *setup) {
		for _, k := range []driver.Key{{}, at("p", ""), at("", "s"), at("p\xff", "s"), at("p", "s\xff"), at("p", "a\x00b"), at("\x00", "s")} {
			s.wantInvalidKey(k)
		}
	}},
	{"data that is not a JSON object is invalid", func(s *setup) {
		for _, data := range []string{"[]", "1", "null", `"x"`, "{", `{"a":}`, "{}{}", "x"} {
			item := row("a", 1)
			item.Data = []byte(data)
			s.wantCode(fault.Invalid, s.Put(s.ctx, item, driver.Any))
		}
		s.wantMissing(key("a"))
	}},
	{"an index twice, without a name, or with a bad key is invalid", func(s *setup) {
		for _, entries := range [][]driver.Entry{
			{entry("due", "0", "1"), entry("due", "0", "2")},
			{entry("", "0", "1")},
			{entry("\xff", "0", "1")},
			{entry("due", "", "1")},
			{entry("due", "0", "")},
			{entry("due", "0", "\xff")},
		} {
			item := row("a", 1)
			item.Entries = entries
			s.wantCode(fault.Invalid, s.Put(s.ctx, item, driver.Any))
		}
		s.wantMissing(key("a"))
	}},
}

// wantInvalidKey checks that every method refuses the key.
func (s *setup) wantInvalidKey(k driver.Key) {
	s.Helper()
	_, err := s.Get(s.ctx, k)
	s.wantCode(fault.Invalid, err)
	s.wantCode(fault.Invalid, s.Put(s.ctx, driver.Item{Key: k}, driver.Any))
	s.wantCode(fault.Invalid, s.Delete(s.ctx, k, driver.Any))
	s.wantCode(fault.Invalid, s.PutAll(s.ctx, []driver.Item{{Key: k}}))
	s.wantCode(fault.Invalid, s.Write(s.ctx, []driver.Op{put(driver.Item{Key: k}, driver.Any)}))
	s.wantCode(fault.Invalid, s.Write(s.ctx, []driver.Op{del(k, driver.Any)}))
}
