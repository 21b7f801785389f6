package drivertest

import (
	"fmt"
	"slices"
	"strings"

	"waggle/shared/store/driver"
)

var indexes = []contract{
	{"an index lists the items that have an entry in it, by the entry's sort key", func(s *setup) {
		s.put(listed("a", 1, "3"), listed("b", 1, "1"), row("c", 1), listed("d", 1, "2"))
		s.wantIndex(driver.Query{Index: "due", Partition: "0"}, "b", "d", "a")
		s.wantIndex(driver.Query{Index: "due", Partition: "1"})
		s.wantIndex(driver.Query{Index: "all", Partition: "0"})
	}},
	{"an item is listed in each of its indexes, across partitions", func(s *setup) {
		item := row("a", 1)
		item.Entries = []driver.Entry{entry("due", "0", "9"), entry("all", "0", "run1"), entry("status", "FAILURE", "run1")}
		other := driver.Item{Key: driver.Key{Partition: "RUN#2", Sort: "b"}, Entries: []driver.Entry{entry("all", "0", "run2")}}
		s.put(item, other)
		s.wantIndex(driver.Query{Index: "due", Partition: "0"}, "a")
		s.wantIndex(driver.Query{Index: "status", Partition: "FAILURE"}, "a")
		s.wantIndex(driver.Query{Index: "all", Partition: "0"}, "a", "b")
	}},
	{"an index sorts by bytes, takes From, To, Limit and Descending, and pages", func(s *setup) {
		for i, sort := range ordered {
			item := row(fmt.Sprintf("%02d", len(ordered)-i), 1)
			item.Entries = []driver.Entry{entry("due", "0", sort)}
			s.put(item)
		}
		var want []string
		for i := range ordered {
			want = append(want, fmt.Sprintf("%02d", len(ordered)-i))
		}
		backwards := slices.Clone(want)
		slices.Reverse(backwards)
		for _, limit := range []int{0, 1, 4} {
			q := driver.Query{Index: "due", Partition: "0", Limit: limit}
			s.wantIndex(q, want...)
			q.Descending = true
			s.wantIndex(q, backwards...)
			q.From, q.To = "A", "a" // A, B, LOG#9, LOG#90, LOG$, Z
			s.wantIndex(q, backwards[9:15]...)
			q.Descending = false
			s.wantIndex(q, want[2:8]...)
		}
	}},
	{"equal sort keys are ordered by item key, and pages may end among them", func(s *setup) {
		var want []string
		for _, k := range []driver.Key{at("RUN#2", "a"), at("RUN#1", "b"), at("RUN#1", "a"), at("RUN#10", "a"), at("RUN#1", "a#")} {
			s.put(driver.Item{Key: k, Entries: []driver.Entry{entry("due", "0", "same")}})
		}
		want = []string{"RUN#1/a", "RUN#1/a#", "RUN#1/b", "RUN#10/a", "RUN#2/a"}
		for _, descending := range []bool{false, true} {
			for _, limit := range []int{0, 1, 2} {
				q := driver.Query{Index: "due", Partition: "0", Limit: limit, Descending: descending, From: "same", To: "same#"}
				s.eventually(func() string {
					var got []string
					for _, item := range s.all(q) {
						got = append(got, item.Key.String())
					}
					if !slices.Equal(got, want) {
						return fmt.Sprintf("query %+v: %q, want %q", q, got, want)
					}
					return ""
				})
			}
			slices.Reverse(want)
		}
	}},
	{"a put replaces all entries", func(s *setup) {
		item := listed("a", 1, "1")
		item.Entries = append(item.Entries, driver.Entry{Index: "all", Partition: "0", Sort: "1"})
		s.put(item)
		s.wantIndex(driver.Query{Index: "all", Partition: "0"}, "a")
		s.put(listed("a", 2, "5"))
		s.wantIndex(driver.Query{Index: "all", Partition: "0"})
		s.wantIndex(driver.Query{Index: "due", Partition: "0", To: "5"})
		s.wantIndex(driver.Query{Index: "due", Partition: "0", From: "5"}, "a")
		moved := row("a", 3)
		moved.Entries = []driver.Entry{entry("due", "1", "5")}
		s.ok(s.Put(s.ctx, moved, driver.IfVersion(2)))
		s.wantIndex(driver.Query{Index: "due", Partition: "0"})
		s.wantIndex(driver.Query{Index: "due", Partition: "1"}, "a")
		s.ok(s.PutAll(s.ctx, []driver.Item{row("a", 4)}))
		s.wantIndex(driver.Query{Index: "due", Partition: "1"})
		s.wantGet(row("a", 4))
	}},
	{"a delete takes the item out of its indexes", func(s *setup) {
		s.put(listed("a", 1, "1"), listed("b", 1, "2"))
		s.wantIndex(driver.Query{Index: "due", Partition: "0"}, "a", "b")
		s.ok(s.Delete(s.ctx, key("a"), driver.Any))
		s.wantIndex(driver.Query{Index: "due", Partition: "0"}, "b")
	}},
	{"an index shows the item as written, without Body", func(s *setup) {
		item := listed("a", 1, "1")
		item.Body, item.Expires = []byte("body"), start.Add(3600e9)
		s.put(item)
		item.Version, item.Data = 2, []byte(`{"new":true}`)
		s.put(item)
		item.Body = nil
		s.eventually(func() string {
			items := s.all(driver.Query{Index: "due", Partition: "0"})
			if len(items) != 1 {
				return fmt.Sprintf("%d items", len(items))
			}
			return difference(item, items[0])
		})
		item.Body = []byte("body")
		s.wantGet(item)
	}},
	{"a page of an index holds at most 1 MB, not counting Body", func(s *setup) {
		var want []string
		for i := range 15 {
			item := listed(fmt.Sprintf("%02d", i), 1, fmt.Sprintf("%02d", i))
			item.Data = fmt.Appendf(nil, `{"text":%q}`, strings.Repeat("x", 100<<10))
			item.Body = make([]byte, 200<<10)
			want = append(want, item.Sort)
			s.put(item)
		}
		s.wantIndex(driver.Query{Index: "due", Partition: "0"}, want...)
	}},
}

func entry(index, partition, sort string) driver.Entry {
	return driver.Entry{Index: index, Partition: partition, Sort: sort}
}

func at(partition, sort string) driver.Key { return driver.Key{Partition: partition, Sort: sort} }
