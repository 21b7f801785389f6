package drivertest

import (
	"fmt"
	"slices"
	"strings"

	"waggle/shared/fault"
	"waggle/shared/store/driver"
)

// ordered are sort keys in the order of their bytes: case, '#', digits and UTF-8.
var ordered = []string{"#", "#a", "A", "B", "LOG#9", "LOG#90", "LOG$", "Z", "a", "a#", "a#b", "aa", "b", "z", "\u00e9", "\u20ac", "\U0001d11e"}

var ordering = []contract{
	{"a query returns the items of its partition in the order of their bytes", func(s *setup) {
		for _, i := range []int{3, 14, 0, 16, 7, 1, 9, 12, 5, 15, 2, 11, 4, 8, 13, 6, 10} {
			s.put(row(ordered[i], int64(i)))
		}
		s.put(driver.Item{Key: driver.Key{Partition: "RUN#10", Sort: "x"}}, driver.Item{Key: driver.Key{Partition: "RUN#", Sort: "x"}})
		s.wantSorts(driver.Query{Partition: "RUN#1"}, ordered...)
	}},
	{"a query with Descending returns them the other way round", func(s *setup) {
		for _, sort := range ordered {
			s.put(row(sort, 1))
		}
		backwards := slices.Clone(ordered)
		slices.Reverse(backwards)
		s.wantSorts(driver.Query{Partition: "RUN#1", Descending: true}, backwards...)
	}},
	{"a query returns whole items", func(s *setup) {
		item := listed("a", 3, "x")
		item.Body, item.Expires = []byte{1, 2, 0}, start.Add(3600e9)
		s.put(item)
		items := s.all(driver.Query{Partition: "RUN#1"})
		if len(items) != 1 {
			s.Fatalf("%d items", len(items))
		}
		if diff := difference(item, items[0]); diff != "" {
			s.Fatal(diff)
		}
	}},
	{"a query of an empty partition finds nothing", func(s *setup) {
		s.put(row("a", 1))
		s.wantSorts(driver.Query{Partition: "RUN#2"})
		s.wantSorts(driver.Query{Partition: "run#1"})
	}},
	{"From is the first sort key and To the first one left out, in both directions", func(s *setup) {
		s.put(row("a", 1), row("b", 1), row("b#", 1), row("c", 1), row("d", 1))
		q := driver.Query{Partition: "RUN#1"}
		for _, c := range []struct{ from, to, want string }{
			{"b", "", "b b# c d"},
			{"", "c", "a b b#"},
			{"b", "c", "b b#"},
			{"b", "b", ""},
			{"c", "b", ""},
			{"bb", "zz", "c d"},
			{"e", "", ""},
		} {
			want := strings.Fields(c.want)
			q.From, q.To, q.Descending = c.from, c.to, false
			s.wantSorts(q, want...)
			slices.Reverse(want)
			q.Descending = true
			s.wantSorts(q, want...)
		}
	}},
	{"a query over the table shows every write at once", func(s *setup) {
		for i := range 20 {
			s.put(row(fmt.Sprintf("%02d", i), 1))
			if n := len(s.all(driver.Query{Partition: "RUN#1"})); n != i+1 {
				s.Fatalf("%d items after %d puts", n, i+1)
			}
		}
	}},
}

var paging = []contract{
	{"Limit bounds a page, and the cursor leads through each item once", func(s *setup) {
		var want []string
		for i := range 10 {
			want = append(want, fmt.Sprintf("%02d", i))
			s.put(row(want[i], 1))
		}
		backwards := slices.Clone(want)
		slices.Reverse(backwards)
		for _, limit := range []int{1, 3, 5, 10, 11} {
			s.wantSorts(driver.Query{Partition: "RUN#1", Limit: limit}, want...)
			s.wantSorts(driver.Query{Partition: "RUN#1", Limit: limit, Descending: true}, backwards...)
			s.wantSorts(driver.Query{Partition: "RUN#1", Limit: limit, From: "02", To: "07"}, want[2:7]...)
			s.wantSorts(driver.Query{Partition: "RUN#1", Limit: limit, From: "02", To: "07", Descending: true}, backwards[3:8]...)
		}
	}},
	{"a page without a limit holds at most 1 MB, and the cursor leads on", func(s *setup) {
		var want []string
		for i := range 25 {
			item := row(fmt.Sprintf("%02d", i), 1)
			item.Body = make([]byte, 100<<10)
			want = append(want, item.Sort)
			s.put(item)
		}
		s.wantSorts(driver.Query{Partition: "RUN#1"}, want...)
		slices.Reverse(want)
		s.wantSorts(driver.Query{Partition: "RUN#1", Descending: true}, want...)
	}},
	{"a cursor leads on though the items around it are deleted and others put", func(s *setup) {
		for _, descending := range []bool{false, true} {
			s.put(row("b", 1), row("d", 1), row("f", 1), row("h", 1))
			q := driver.Query{Partition: "RUN#1", Limit: 2, Descending: descending}
			first, err := s.Query(s.ctx, q)
			s.ok(err)
			if len(first.Items) != 2 || first.Cursor == "" {
				s.Fatalf("first page has %d items, cursor %q", len(first.Items), first.Cursor)
			}
			for _, item := range first.Items {
				s.ok(s.Delete(s.ctx, item.Key, driver.Any))
			}
			s.put(row("a", 1), row("e", 1), row("i", 1))
			q.Cursor = first.Cursor
			if descending {
				s.wantSorts(q, "e", "d", "b", "a")
			} else {
				s.wantSorts(q, "e", "f", "h", "i")
			}
			for _, sort := range []string{"a", "b", "d", "e", "f", "h", "i"} {
				s.ok(s.Delete(s.ctx, key(sort), driver.Any))
			}
		}
	}},
	{"a bad cursor is invalid", func(s *setup) {
		s.put(row("a", 1), row("b", 1), listed("c", 1, "x"), listed("d", 1, "y"))
		for _, index := range []string{"", "due"} {
			for _, cursor := range []string{"x", "!", "bnVsbA", "eyJhIjoxfQ", strings.Repeat("A", 9000)} {
				_, err := s.Query(s.ctx, driver.Query{Index: index, Partition: "RUN#1", Cursor: cursor})
				s.wantCode(fault.Invalid, err)
			}
		}
		page, err := s.Query(s.ctx, driver.Query{Partition: "RUN#1", Limit: 1})
		s.ok(err)
		_, err = s.Query(s.ctx, driver.Query{Partition: "RUN#2", Cursor: page.Cursor})
		s.wantCode(fault.Invalid, err)
		_, err = s.Query(s.ctx, driver.Query{Index: "due", Partition: "RUN#1", Cursor: page.Cursor})
		s.wantCode(fault.Invalid, err)
	}},
	{"a query without a partition or with a negative limit is invalid", func(s *setup) {
		_, err := s.Query(s.ctx, driver.Query{})
		s.wantCode(fault.Invalid, err)
		_, err = s.Query(s.ctx, driver.Query{Index: "due"})
		s.wantCode(fault.Invalid, err)
		_, err = s.Query(s.ctx, driver.Query{Partition: "RUN#1", Limit: -1})
		s.wantCode(fault.Invalid, err)
	}},
}
