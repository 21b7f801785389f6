package drivertest

import (
	"errors"
	"fmt"
	"strings"

	"waggle/shared/fault"
	"waggle/shared/store/driver"
)

// key is sort key s in the partition that most checks use.
func key(s string) driver.Key { return driver.Key{Partition: "RUN#1", Sort: s} }

// row is an item with a version and data that tell it from others.
func row(s string, version int64) driver.Item {
	return driver.Item{Key: key(s), Version: version, Data: fmt.Appendf(nil, `{"row":%q,"version":%d}`, s, version)}
}

// listed is row with one entry in the index "due".
func listed(s string, version int64, at string) driver.Item {
	item := row(s, version)
	item.Entries = []driver.Entry{{Index: "due", Partition: "0", Sort: at}}
	return item
}

func (s *setup) put(items ...driver.Item) {
	s.Helper()
	for _, item := range items {
		if err := s.Put(s.ctx, item, driver.Any); err != nil {
			s.Fatalf("put %s: %v", item.Key, err)
		}
	}
}

func (s *setup) ok(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// wantGet checks that what is stored under the item's key is the item.
func (s *setup) wantGet(want driver.Item) {
	s.Helper()
	got, err := s.Get(s.ctx, want.Key)
	if err != nil {
		s.Fatalf("get %s: %v", want.Key, err)
	}
	if diff := difference(want, got); diff != "" {
		s.Fatalf("get %s: %s", want.Key, diff)
	}
}

func (s *setup) wantMissing(k driver.Key) {
	s.Helper()
	if item, err := s.Get(s.ctx, k); !errors.Is(err, fault.NotFound) {
		s.Fatalf("get %s: %v, %v; want fault.NotFound", k, item, err)
	}
}

func (s *setup) wantCode(code fault.Code, err error) {
	s.Helper()
	if !errors.Is(err, code) || fault.CodeOf(err) != code {
		s.Fatalf("error is %v (%q), want %q", err, fault.CodeOf(err), code)
	}
}

// wantConflict checks that err is the conflict on k with that item stored; nil: none.
func (s *setup) wantConflict(err error, k driver.Key, stored *driver.Item) {
	s.Helper()
	s.wantCode(fault.Conflict, err)
	var conflict *driver.ConflictError
	if !errors.As(err, &conflict) {
		s.Fatalf("error is %T, want a *driver.ConflictError", err)
	}
	if conflict.Key != k {
		s.Fatalf("conflict on %s, want on %s", conflict.Key, k)
	}
	switch {
	case stored == nil && conflict.Stored != nil:
		s.Fatalf("conflict with %v, want with nothing", conflict.Stored)
	case stored != nil && conflict.Stored == nil:
		s.Fatalf("conflict with nothing, want with %v", stored)
	case stored != nil:
		if diff := difference(*stored, *conflict.Stored); diff != "" {
			s.Fatalf("conflict: %s", diff)
		}
	}
}

// all reads every page of a query.
func (s *setup) all(q driver.Query) []driver.Item {
	s.Helper()
	var items []driver.Item
	for range 10_000 {
		page, err := s.Query(s.ctx, q)
		if err != nil {
			s.Fatalf("query %+v: %v", q, err)
		}
		s.wantPage(q, page)
		items = append(items, page.Items...)
		if page.Cursor == "" {
			return items
		}
		q.Cursor = page.Cursor
	}
	s.Fatalf("query %+v does not end", q)
	return nil
}

// wantPage checks what holds for every page.
func (s *setup) wantPage(q driver.Query, page driver.Page) {
	s.Helper()
	bytes := 0
	for i := range page.Items {
		bytes += driver.Size(&page.Items[i])
	}
	if bytes > driver.MaxPage {
		s.Fatalf("query %+v: a page of %d bytes, %d are allowed", q, bytes, driver.MaxPage)
	}
	if q.Limit > 0 && len(page.Items) > q.Limit {
		s.Fatalf("query %+v: a page of %d items", q, len(page.Items))
	}
}

// wantSorts checks the sort keys that a query of the table finds, in order.
func (s *setup) wantSorts(q driver.Query, want ...string) {
	s.Helper()
	if got := sorts(s.all(q)); strings.Join(got, "|") != strings.Join(want, "|") {
		s.Fatalf("query %+v: %q, want %q", q, got, want)
	}
}

// wantIndex is wantSorts over an index: at once where the driver says so, else soon.
func (s *setup) wantIndex(q driver.Query, want ...string) {
	s.Helper()
	s.eventually(func() string {
		if got := sorts(s.all(q)); strings.Join(got, "|") != strings.Join(want, "|") {
			return fmt.Sprintf("query %+v: %q, want %q", q, got, want)
		}
		return ""
	})
}

// tries is how often a lagging index is asked. Each try is at least one call.
const tries = 500

// eventually checks that problem returns "" at last.
func (s *setup) eventually(problem func() string) {
	s.Helper()
	text := problem()
	for n := 1; text != "" && n < tries && !s.Features().ConsistentIndexes; n++ {
		text = problem()
	}
	if text != "" {
		s.Fatal(text)
	}
}

func sorts(items []driver.Item) []string {
	list := make([]string, len(items))
	for i := range items {
		list[i] = items[i].Sort
	}
	return list
}
