package drivertest

import (
	"context"

	"waggle/shared/fault"
	"waggle/shared/store/driver"
)

// each calls every method that takes a context.
func (s *setup) each(ctx context.Context) map[string]error {
	_, get := s.Get(ctx, key("a"))
	_, query := s.Query(ctx, driver.Query{Partition: "RUN#1"})
	_, index := s.Query(ctx, driver.Query{Index: "due", Partition: "0"})
	return map[string]error{
		"get": get, "query": query, "query of an index": index,
		"put":     s.Put(ctx, row("b", 1), driver.Any),
		"delete":  s.Delete(ctx, key("a"), driver.Any),
		"put all": s.PutAll(ctx, []driver.Item{row("b", 1)}),
		"write":   s.Write(ctx, []driver.Op{put(row("b", 1), driver.Any)}),
	}
}

var lifecycle = []contract{
	{"a context that has ended gives canceled, and nothing is done", func(s *setup) {
		s.put(row("a", 1))
		ctx, cancel := context.WithCancel(s.ctx)
		cancel()
		for method, err := range s.each(ctx) {
			if fault.CodeOf(err) != fault.Canceled {
				s.Errorf("%s: %v, want fault.Canceled", method, err)
			}
		}
		s.wantSorts(driver.Query{Partition: "RUN#1"}, "a")
	}},
	{"calls after close give unavailable", func(s *setup) {
		s.put(row("a", 1))
		s.ok(s.Close())
		for method, err := range s.each(s.ctx) {
			if fault.CodeOf(err) != fault.Unavailable {
				s.Errorf("%s: %v, want fault.Unavailable", method, err)
			}
		}
	}},
}
